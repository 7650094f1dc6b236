/** Backends that know users, and the faults that they can have. */
import { NodeRedis, type NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Fiber, Layer, Redacted, Schema, type Scope } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import { Persistence, Redis } from "effect/persistence"
import { SqlClient } from "effect/sql"
import * as FaultyLink from "../../src/backends/FaultyLink.ts"
import * as FaultyService from "../../src/backends/FaultyService.ts"
import * as PostgresServer from "../../src/backends/PostgresServer.ts"
import * as RedisServer from "../../src/backends/RedisServer.ts"
import { User, Users } from "./page.ts"

/** What goes wrong: before a load, or while it waits for its answer. What was wrong is well again after `mend`. */
interface Fault {
  readonly before?: Effect.Effect<unknown, unknown>
  readonly during?: Effect.Effect<unknown, unknown>
}

export const faults = [
  "refused",
  "reset",
  "slow",
  "half an answer",
  "wrong shape",
  "wrong key count",
  "paused",
  "killed",
  "restarted"
] as const

export type FaultName = (typeof faults)[number]

export interface Backend {
  readonly users: Users["Service"]
  readonly faults: { readonly [Name in FaultName]: Fault }
  readonly mend: Effect.Effect<unknown, unknown>
}

const late = { _tag: "Delays", millis: 700 } as const

const linkFaults = (link: FaultyLink.FaultyLink) => ({
  refused: { before: link.behave({ _tag: "Refuses" }) },
  reset: { before: link.behave({ _tag: "Resets" }) },
  slow: { before: link.behave(late) },
  "half an answer": { before: link.behave({ _tag: "Cuts" }) }
})

/** Paused first, and killed only when a question has reached it: so that an attempt is certain to wait for its answer. */
const serverFaults = (link: FaultyLink.FaultyLink, server: PostgresServer.Own["server"]) => ({
  paused: { before: server.pause },
  killed: { before: server.pause, during: Effect.all([link.asked, server.kill, link.behave({ _tag: "Refuses" })]) },
  restarted: { before: server.pause, during: Effect.all([link.asked, server.kill, server.start]) }
})

const mendAll = (link: FaultyLink.FaultyLink, server: PostgresServer.Own["server"]) =>
  Effect.all([server.resume, server.start, link.behave({ _tag: "Passes" })])

/** Whoever interrupts it does not wait for what it does in its end. */
const letGo = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.forkDetach(self), (fiber) =>
    Effect.onInterrupt(Fiber.join(fiber), () => Effect.sync(() => fiber.interruptUnsafe()))
  )

const decodeUsers = Schema.decodeUnknownEffect(Schema.Array(User))

const database = Effect.gen(function* () {
  const { server } = yield* PostgresServer.startOwn
  const link = yield* FaultyLink.to(server.port)
  const url = Redacted.make(`postgres://postgres@127.0.0.1:${link.port}/postgres`)
  const sql = Context.get(yield* Layer.build(PgClient.layer({ url, maxConnections: 2 })), SqlClient.SqlClient)
  yield* sql`CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT)`
  const fill = sql`INSERT INTO person VALUES ('1', 'Ada'), ('2', 'Bob') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name`
  return {
    users: {
      find: (ids) => Effect.flatMap(letGo(sql`SELECT id, name FROM person WHERE id = ANY(${ids})`), decodeUsers)
    },
    faults: {
      ...linkFaults(link),
      ...serverFaults(link, server),
      "wrong shape": { before: sql`UPDATE person SET name = NULL` },
      "wrong key count": { before: sql`DELETE FROM person WHERE id = '2'` }
    },
    mend: Effect.andThen(mendAll(link, server), Effect.retry(fill, { times: 20 }))
  } satisfies Backend
})

const fromJson = Schema.decodeUnknownEffect(Schema.Array(Schema.fromJsonString(User)))

/** A Redis behind a link, and a client that tries again soon. */
const linkedRedis = Effect.gen(function* () {
  const { server } = yield* RedisServer.startOwn
  const link = yield* FaultyLink.to(server.port)
  const context = yield* Layer.build(NodeRedis.layer({ socket: { port: link.port, reconnectStrategy: () => 20 } }))
  return { link, server, context, redis: Context.get(context, Redis.Redis) }
})

const redis = Effect.gen(function* () {
  const { link, redis, server } = yield* linkedRedis
  const put = (id: string, name: string | null) => redis.send("SET", `user:${id}`, JSON.stringify({ id, name }))
  return {
    users: {
      find: (ids) =>
        redis.send<ReadonlyArray<string | null>>("MGET", ...ids.map((id) => `user:${id}`)).pipe(
          Effect.map((found) => found.filter((json) => json !== null)),
          Effect.flatMap(fromJson)
        )
    },
    faults: {
      ...linkFaults(link),
      ...serverFaults(link, server),
      "wrong shape": { before: Effect.all([put("1", null), put("2", null)]) },
      "wrong key count": { before: redis.send("DEL", "user:2") }
    },
    mend: Effect.andThen(mendAll(link, server), Effect.all([put("1", "Ada"), put("2", "Bob")]))
  } satisfies Backend
})

/** The store behind a cache, as it is written to by Effect's own persistence. */
export const store = Effect.gen(function* () {
  const { context, link, redis, server } = yield* linkedRedis
  const persistence = yield* Layer.build(
    Persistence.layerBackingRedis.pipe(Layer.provide(Layer.succeedContext(context)))
  )
  const keysOf = (user: string) => redis.send<ReadonlyArray<string>>("KEYS", `*value/*/user:${user}`)
  const spoil = (key: string) => redis.send("SET", key, JSON.stringify({ value: null }))
  const faults: Backend["faults"] = {
    ...linkFaults(link),
    ...serverFaults(link, server),
    "wrong shape": {
      before: Effect.forEach(["1", "2"], (user) => Effect.flatMap(keysOf(user), Effect.forEach(spoil)))
    },
    "wrong key count": { before: Effect.flatMap(keysOf("2"), (keys) => redis.send("DEL", ...keys)) }
  }
  return { persistence, faults, mend: mendAll(link, server) }
})

const http = Effect.gen(function* () {
  const { behave, hanging, url } = yield* FaultyService.make
  const client = HttpClient.filterStatusOk(
    Context.get(yield* Layer.build(FetchHttpClient.layer), HttpClient.HttpClient)
  )
  const refuse = behave({ _tag: "Refuses" })
  const hang = behave({ _tag: "Hangs" })
  const answer = behave({ _tag: "Answers" })
  return {
    users: {
      find: (ids) =>
        Effect.flatMap(
          client.get(`${url}/users`, { urlParams: { ids: ids.join(",") } }),
          HttpClientResponse.schemaBodyJson(Schema.Array(User))
        )
    },
    faults: {
      refused: { before: refuse },
      reset: { before: behave({ _tag: "Resets" }) },
      slow: { before: behave(late) },
      "half an answer": { before: behave({ _tag: "Halves" }) },
      "wrong shape": { before: behave({ _tag: "Misshapes" }) },
      "wrong key count": { before: behave({ _tag: "Forgets" }) },
      paused: { before: hang },
      killed: { before: hang, during: Effect.andThen(hanging, refuse) },
      restarted: { before: hang, during: Effect.all([hanging, refuse, answer]) }
    },
    mend: answer
  } satisfies Backend
})

type Start = Effect.Effect<Backend, unknown, NodeServices.NodeServices | Scope.Scope>

export const backends: Readonly<Record<"database" | "HTTP" | "Redis", Start>> = { database, HTTP: http, Redis: redis }
