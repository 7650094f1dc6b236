/** The servers of the examples: what the tests of faults rely on. */
import { NodeRedis } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Redis } from "effect/persistence"
import { SqlClient } from "effect/sql"
import * as Postgres from "../src/backends/PostgresServer.ts"
import * as RedisServer from "../src/backends/RedisServer.ts"
import { silently } from "./kit/silently.ts"
import { useServers } from "./kit/servers.ts"

describe("a PostgreSQL", () => {
  const started = useServers(Postgres.startOwn)
  const pool = Effect.suspend(() => Effect.succeed(PgClient.layer({ url: started().url, maxConnections: 1 })))
  const withPool = <A, E>(self: Effect.Effect<A, E, SqlClient.SqlClient>) =>
    Effect.flatMap(pool, (pool) => Effect.provide(self, pool))

  it.live("has what was committed before it was killed, and is where it was", () =>
    Effect.gen(function* () {
      const { server } = started()
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE kept (id INTEGER)`
      yield* sql`INSERT INTO kept VALUES (1)`
      yield* server.kill
      const refused = yield* Effect.flip(sql`SELECT id FROM kept`)
      assert.strictEqual(refused.reason._tag, "ConnectionError")
      yield* server.start
      assert.deepStrictEqual(yield* sql`SELECT id FROM kept`, [{ id: 1 }])
    }).pipe(withPool)
  )

  it.live("does nothing while it is paused, its sessions neither, and then goes on", () =>
    Effect.gen(function* () {
      const { server } = started()
      const sql = yield* SqlClient.SqlClient
      yield* sql`SELECT 1`
      yield* server.pause
      const asked = yield* Effect.forkChild(sql`SELECT 2 AS n`, { startImmediately: true })
      assert.isUndefined(asked.pollUnsafe())
      yield* server.resume
      assert.deepStrictEqual(yield* Fiber.join(asked), [{ n: 2 }])
    }).pipe(withPool)
  )
})

describe("a Redis", () => {
  const started = useServers(RedisServer.startOwn)
  const connected = <A, E>(self: Effect.Effect<A, E, Redis.Redis>) =>
    Effect.suspend(() => Effect.provide(self, NodeRedis.layer({ socket: { port: started().port } }))).pipe(silently)

  it.live("has what was written before it was killed, and its clients find it again", () =>
    Effect.gen(function* () {
      const { server } = started()
      const redis = yield* Redis.Redis
      yield* redis.send("SET", "kept", "1")
      yield* server.kill
      yield* server.start
      assert.strictEqual(yield* redis.send("GET", "kept"), "1")
    }).pipe(connected)
  )

  it.live("answers what it was asked while it was paused, later", () =>
    Effect.gen(function* () {
      const { server } = started()
      const redis = yield* Redis.Redis
      yield* redis.send("SET", "key", "value")
      yield* server.pause
      const asked = yield* Effect.forkChild(redis.send("GET", "key"), { startImmediately: true })
      assert.isUndefined(asked.pollUnsafe())
      yield* server.resume
      assert.strictEqual(yield* Fiber.join(asked), "value")
    }).pipe(connected)
  )
})
