/** Loads inside transactions of a real PostgreSQL, beside loads outside of them, through one cache. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { startOwn } from "../src/backends/PostgresServer.ts"
import { useServers } from "./kit/servers.ts"

class Stocks extends ResourceCache.Service<Stocks>()("test/Stocks") {}

const query = SqlClient.SqlClient.use((sql) => sql<{ readonly n: number }>`SELECT n FROM stock`)
const stock = Resource.make("stock", { key: () => "stock", load: () => Effect.map(query, (rows) => rows[0]!.n) }).pipe(
  Policy.cache(Stocks)
)
const page = Loader.make({ stock })
const load = Effect.map(Loader.load(page), ({ stock }) => stock)

describe("a load inside a transaction of PostgreSQL", () => {
  const started = useServers(startOwn)
  const withStock = <A, E>(self: Effect.Effect<A, E, SqlClient.SqlClient | Stocks>, timeToLive: number | "1 hour") =>
    Effect.suspend(() =>
      SqlClient.SqlClient.use((sql) =>
        Effect.gen(function* () {
          yield* sql`DROP TABLE IF EXISTS stock`
          yield* sql`CREATE TABLE stock (n int)`
          yield* sql`INSERT INTO stock VALUES (10)`
          return yield* self
        })
      ).pipe(
        Effect.provide(
          Layer.merge(
            Stocks.layer({ timeToLive, staleWhileRevalidate: "1 hour" }),
            PgClient.layer({ url: started().url })
          )
        )
      )
    )

  it.live("sees what the transaction wrote, and leaves nothing of it behind that is rolled back", () =>
    withStock(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.strictEqual(yield* load, 10)
        // However busy the machine is, the value is stale after that.
        yield* Effect.sleep(20)
        const sale = Effect.gen(function* () {
          yield* sql`UPDATE stock SET n = 0`
          return yield* Effect.flatMap(load, (seen) => Effect.fail(seen))
        })
        assert.strictEqual(yield* Effect.flip(sql.withTransaction(sale)), 0)
        assert.strictEqual((yield* Stocks.stats).refreshes, 0)
        // The stale value and the one that replaces it are both what was committed.
        assert.strictEqual(yield* load, 10)
      }),
      1
    )
  )

  it.live("is joined by no load outside, while it is under way", () =>
    withStock(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const loaded = yield* Deferred.make<number, unknown>()
        const over = yield* Deferred.make<void>()
        const sale = Effect.gen(function* () {
          yield* sql`UPDATE stock SET n = 0`
          yield* Deferred.complete(loaded, load as Effect.Effect<number>)
          yield* Deferred.await(over)
          return yield* Effect.fail("rolled back")
        })
        const selling = yield* Effect.forkChild(Effect.exit(sql.withTransaction(sale)))
        assert.strictEqual(yield* Deferred.await(loaded), 0)
        assert.strictEqual(yield* load, 10)
        yield* Deferred.succeed(over, undefined)
        yield* Fiber.join(selling)
        assert.strictEqual(yield* load, 10)
      }),
      "1 hour"
    )
  )
})
