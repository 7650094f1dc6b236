/** Values that are loaded inside a transaction, which may still be rolled back, go to its caller only. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Option, Request, RequestResolver } from "effect"
import { SqlClient } from "effect/sql"
import * as fc from "fast-check"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { fork } from "../fork.ts"
import { withTime } from "../withTime.ts"

/** A connection with an open transaction sees its own writes; others see committed values. */
interface Connection {
  stock: number
}

class Tx extends Policy.unshareable(Context.Service<Tx, Connection>()("test/Tx")) {}
class Cache extends ResourceCache.Service<Cache>()("test/Cache") {}
class GetStock extends Request.Class<{}, number> {}

/** A database with transactions of Effect's SQL client, or of another library in a service of the user. */
const database = (ofEffect: boolean) => {
  const transactionService = SqlClient.TransactionConnection(77) as unknown as Context.Key<
    Connection,
    readonly [Connection, number]
  >
  const committed: Connection = { stock: 10 }
  const commit = (connection: Connection) => Effect.sync(() => void Object.assign(committed, connection))
  const withTransaction = SqlClient.makeWithTransaction({
    transactionService,
    spanAttributes: [],
    acquireConnection: () => Effect.sync((): Connection => ({ ...committed })),
    begin: () => Effect.void,
    savepoint: () => Effect.void,
    commit,
    rollback: () => Effect.void,
    rollbackSavepoint: () => Effect.void
  })
  const byHand = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const connection = { ...committed }
      return Effect.tap(Effect.provideService(self, Tx, connection), commit(connection))
    })
  const connection = Effect.map(Effect.context<never>(), (context): Connection => {
    if (!ofEffect) return Context.getOrUndefined(context as Context.Context<Tx>, Tx) ?? committed
    return (
      Option.getOrUndefined(Context.getOption(context as Context.Context<Connection>, transactionService))?.[0] ??
      committed
    )
  })
  const read = Effect.flatMap(connection, (connection) =>
    Effect.andThen(
      Effect.sleep(10),
      Effect.sync(() => connection.stock)
    )
  )
  const write = (stock: number) => Effect.map(connection, (connection) => void (connection.stock = stock))
  return { transact: ofEffect ? withTransaction : byHand, read, write, committed }
}

const cached = (read: Effect.Effect<number>) => {
  const stock = Resource.make("stock", { key: () => "stock", load: () => read }).pipe(Policy.cache(Cache))
  return Effect.map(Loader.load(Loader.make({ stock })), ({ stock }) => stock)
}

const layer = Cache.layer({ timeToLive: 50, staleWhileRevalidate: "1 hour" })
const eachKind = [true, false].map((ofEffect) => [ofEffect ? "Effect's SQL client" : "a user", ofEffect] as const)

describe.each(eachKind)("in a transaction of %s", (_, ofEffect) => {
  it.effect("a stale value is not refreshed, but loaded in the transaction, and not kept", () =>
    Effect.gen(function* () {
      const { committed, read, transact, write } = database(ofEffect)
      const load = cached(read)
      yield* load
      yield* Effect.sleep(100)
      const sale = Effect.andThen(write(0), load).pipe(Effect.flatMap((seen) => Effect.fail(seen)))
      assert.strictEqual(yield* Effect.flip(transact(sale)), 0)
      yield* Effect.sleep(1000)
      assert.strictEqual((yield* Cache.stats).refreshes, 0)
      assert.deepStrictEqual([yield* load, committed.stock], [10, 10])
    }).pipe(Effect.provide(layer), withTime)
  )

  it.effect("a load joins no load outside, and no load outside joins it", () =>
    Effect.gen(function* () {
      const { read, transact, write } = database(ofEffect)
      const load = cached(read)
      const outside = yield* fork(load)
      const inside = yield* fork(transact(Effect.andThen(write(0), load)))
      assert.strictEqual(yield* Fiber.join(inside), 0)
      assert.strictEqual(yield* Fiber.join(outside), 10)
      yield* Cache.invalidateAll
      const rolledBack = yield* fork(
        Effect.exit(transact(Effect.andThen(write(-1), Effect.andThen(load, Effect.fail("no")))))
      )
      const beside = yield* fork(load)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(rolledBack)))
      assert.strictEqual(yield* Fiber.join(beside), 0)
      assert.strictEqual((yield* Cache.stats).reads.memory.coalesced, 0)
    }).pipe(Effect.provide(layer), withTime)
  )

  it.effect("requests share calls only with requests of the same transaction", () =>
    Effect.gen(function* () {
      const { read, transact, write } = database(ofEffect)
      const calls: Array<number> = []
      const resolver = RequestResolver.make<GetStock>((entries) =>
        Effect.flatMap(read, (stock) => {
          calls.push(entries.length)
          return Effect.forEach(entries, (entry) => Request.succeed(entry, stock), { discard: true })
        })
      )
      const stock = Resource.fromRequest("stock", { request: () => new GetStock(), resolver })
      const load = Effect.map(Loader.load(Loader.make({ stock })), ({ stock }) => stock)
      const two = Effect.all([load, load], { concurrency: "unbounded" })
      const all = Effect.all([two, transact(Effect.andThen(write(0), two)), transact(Effect.andThen(write(1), two))], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(yield* all, [
        [10, 10],
        [0, 0],
        [1, 1]
      ])
      assert.deepStrictEqual(calls, [1, 1, 1])
    }).pipe(withTime)
  )

  it.effect("a loader's layer that is built there does not capture the transaction", () =>
    Effect.gen(function* () {
      const { read, transact, write } = database(ofEffect)
      const stock = Resource.make("stock", { load: () => read })
      class Stock extends Loader.Service<Stock>()("test/Stock", { stock }) {}
      const service = yield* transact(Effect.andThen(write(0), Effect.provide(Effect.service(Stock), Stock.layer)))
      yield* write(5)
      assert.strictEqual((yield* service.load()).stock, 5)
      assert.strictEqual((yield* transact(Effect.andThen(write(7), service.load()))).stock, 7)
    }).pipe(withTime)
  )
})

describe("a value that a cache returns outside of transactions", () => {
  it.effect("was committed, whatever other callers load, write, roll back and read at the same time", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.boolean(),
          fc.array(
            fc.record({
              at: fc.integer({ min: 0, max: 150 }),
              writes: fc.option(fc.integer({ min: 0, max: 9 })),
              takes: fc.integer({ min: 0, max: 30 }),
              fails: fc.boolean()
            }),
            { minLength: 2, maxLength: 8 }
          ),
          async (ofEffect, callers) => {
            const { read, transact, write } = database(ofEffect)
            const load = cached(read)
            const committed = new Set([10])
            const seen: Array<number> = []
            const inTransaction = ({ fails, takes, writes }: (typeof callers)[number]) =>
              transact(
                Effect.gen(function* () {
                  // Values that are rolled back are negative.
                  yield* write(fails ? -1 - writes! : writes!)
                  yield* load
                  yield* Effect.sleep(takes)
                  if (fails) return yield* Effect.fail("rolled back")
                  committed.add(writes!)
                })
              )
            const one = (caller: (typeof callers)[number]) =>
              Effect.andThen(
                Effect.sleep(caller.at),
                caller.writes === null
                  ? Effect.map(load, (stock) => void seen.push(stock))
                  : Effect.exit(inTransaction(caller))
              )
            const all = Effect.andThen(
              Effect.forEach(callers, one, { concurrency: "unbounded" }),
              Effect.andThen(
                Effect.sleep(500),
                Effect.map(load, (stock) => void seen.push(stock))
              )
            )
            await Effect.runPromise(withTime(Effect.provide(all, layer)))
            for (const stock of seen) assert.isTrue(committed.has(stock), `${stock} was never committed`)
          }
        )
      )
    )
  )
})
