/** Start-up graphs: services that layers build as resources, and a loader as one layer. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Fiber, Layer, ManagedRuntime, type Scope } from "effect"
import { Loader, Policy, Resource, type ResourceError, Tracing } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import { failureOf } from "../failureOf.ts"
import { withTime } from "../withTime.ts"

class Down extends Data.TaggedError("Down")<{ readonly url: string }> {}

class Config extends Context.Service<Config, { readonly url: string }>()("test/Config") {}
class Database extends Context.Service<Database, { readonly name: string }>()("test/Database") {}
class Cache extends Context.Service<Cache, { readonly size: number }>()("test/Cache") {}
class Users extends Context.Service<Users, { readonly find: (id: number) => string }>()("test/Users") {}

/** What is open, and what has been opened and closed, in order. */
class Log {
  readonly lines: Array<string> = []
  readonly open: Array<string> = []

  /** Opens something in so many milliseconds, and closes it with its scope. */
  acquire<A>(name: string, millis: number, value: A): Effect.Effect<A, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.map(Effect.sleep(millis), () => {
        this.lines.push(`open ${name}`)
        this.open.push(name)
        return value
      }),
      () =>
        Effect.sync(() => {
          assert.strictEqual(this.open.pop(), name, "what was opened last is closed first")
          this.lines.push(`close ${name}`)
        }),
      { interruptible: true }
    )
  }
}

const layersOf = (log: Log, failing?: string) => {
  const step = <A>(name: string, millis: number, value: A) =>
    Effect.flatMap(log.acquire(name, millis, value), (value) =>
      name === failing ? Effect.fail(new Down({ url: name })) : Effect.succeed(value)
    )
  const ConfigLive = Layer.effect(Config, step("config", 10, { url: "main" }))
  const DatabaseLive = Layer.effect(
    Database,
    Effect.flatMap(Effect.service(Config), ({ url }) => step("database", 20, { name: url }))
  )
  const CacheLive = Layer.effect(Cache, Effect.andThen(Effect.service(Config), step("cache", 5, { size: 3 })))
  const UsersLive = Layer.effect(
    Users,
    Effect.gen(function* () {
      const { name } = yield* Database
      const { size } = yield* Cache
      return yield* step("users", 10, { find: (id: number) => `user ${id} of ${name}, ${size}` })
    })
  )
  return { ConfigLive, DatabaseLive, CacheLive, UsersLive }
}

const graphOf = (log: Log, failing?: string) => {
  const { CacheLive, ConfigLive, DatabaseLive, UsersLive } = layersOf(log, failing)
  const config = Resource.fromLayer("config", Config, ConfigLive)
  const database = Resource.fromLayer("database", Database, DatabaseLive, { deps: { config } }).pipe(
    Policy.timeout("1 minute")
  )
  const cache = Resource.fromLayer("cache", Cache, CacheLive, { deps: { config } })
  const users = Resource.fromLayer("users", Users, UsersLive, { deps: { cache, database } })
  return Loader.make({ database, users }, { name: "start" })
}

const AppLive = (log: Log, failing?: string) =>
  Loader.toLayer(graphOf(log, failing), { database: Database, users: Users })

const ask = Effect.map(Effect.service(Users), (users) => users.find(7))

describe("Loader.toLayer", () => {
  it.effect("provides targets as services, built as early as they can be, released in reverse order", () =>
    Effect.gen(function* () {
      const log = new Log()
      const answer = yield* withTime(Effect.provide(ask, AppLive(log)))
      assert.strictEqual(answer, "user 7 of main, 3")
      assert.deepStrictEqual(log.lines, [
        "open config",
        "open cache",
        "open database",
        "open users",
        "close users",
        "close database",
        "close cache",
        "close config"
      ])
    })
  )

  it.effect("takes as long as its longest chain", () =>
    Effect.gen(function* () {
      const log = new Log()
      const fiber = yield* Effect.forkChild(Effect.scoped(Layer.build(AppLive(log))), { startImmediately: true })
      yield* TestClock.adjust(39)
      assert.notInclude(log.lines, "open users")
      yield* TestClock.adjust(1)
      assert.include(log.lines, "open users")
      yield* Fiber.join(fiber)
    })
  )

  it.effect("when something fails, what was acquired is released, and the error says which resource it was", () =>
    Effect.gen(function* () {
      for (const failing of ["config", "database", "cache", "users"]) {
        const log = new Log()
        const error = yield* withTime(Effect.flip(Effect.provide(ask, AppLive(log, failing))))
        assert.deepStrictEqual([error.resource, error.error], [failing, new Down({ url: failing })])
        assert.deepStrictEqual(log.open, [])
        assert.strictEqual(log.lines.filter((line) => line.startsWith("open")).length * 2, log.lines.length)
      }
    })
  )

  it.effect("when the building is interrupted, at any step, what was acquired is released once, in reverse order", () =>
    Effect.gen(function* () {
      let log = new Log()
      const runs = yield* Interruption.atEveryEvent(
        () => {
          log = new Log()
          return Effect.provide(ask, AppLive(log))
        },
        {
          check: () =>
            Effect.sync(() => {
              assert.deepStrictEqual(log.open, [])
              const opened = log.lines.filter((line) => line.startsWith("open")).map((line) => line.slice(5))
              const closed = log.lines.filter((line) => line.startsWith("close")).map((line) => line.slice(6))
              assert.deepStrictEqual(closed, opened.toReversed())
            })
        }
      )
      assert.isAbove(runs, 12)
    })
  )

  it.effect("is built once, however often it is provided, and again for another scope", () =>
    Effect.gen(function* () {
      const log = new Log()
      const App = AppLive(log)
      const database = Effect.map(Effect.service(Database), ({ name }) => name)
      const both = Layer.mergeAll(
        Layer.effectDiscard(ask).pipe(Layer.provide(App)),
        Layer.effectDiscard(database).pipe(Layer.provide(App))
      )
      yield* withTime(Effect.provide(Effect.void, both))
      assert.strictEqual(log.lines.filter((line) => line === "open database").length, 1)
      yield* withTime(Effect.provide(Effect.void, both))
      assert.strictEqual(log.lines.filter((line) => line === "open database").length, 2)
    })
  )

  it.effect("a layer that fails at first is built anew by a retry, and nothing of the first try is left", () =>
    Effect.gen(function* () {
      const log = new Log()
      let tries = 0
      const flaky = Layer.effect(
        Database,
        Effect.flatMap(log.acquire(`try ${++tries}`, 5, { name: "main" }), (value) =>
          Effect.suspend(() => (++tries < 4 ? Effect.fail(new Down({ url: "main" })) : Effect.succeed(value)))
        )
      )
      const database = Resource.fromLayer("database", Database, flaky).pipe(Policy.retry({ times: 5 }))
      const App = Loader.toLayer(Loader.make({ database }), { database: Database })
      const { name } = yield* withTime(Effect.provide(Effect.service(Database), App))
      assert.strictEqual(name, "main")
      assert.deepStrictEqual(
        log.lines,
        [...Array(3)].flatMap(() => ["open try 1", "close try 1"])
      )
    })
  )

  it.effect("its resources have spans below that of the run", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const seen = Effect.map(Effect.currentSpan, (span) => {
        names.push(span.name)
        return { url: span.name }
      })
      const config = Resource.fromLayer("config", Config, Layer.effect(Config, Effect.orDie(seen)))
      const App = Loader.toLayer(Loader.make({ config }), { config: Config })
      yield* Effect.provide(Effect.service(Config), App.pipe(Layer.provide(Tracing.layerWith({ spans: "always" }))))
      assert.deepStrictEqual(names, ["config"])
    })
  )

  it.effect("inputs are given where it is made", () =>
    Effect.gen(function* () {
      const url = Resource.input<string>()("url")
      const config = Resource.make("config", { deps: { url }, load: ({ url }) => Effect.succeed({ url }) })
      const App = Loader.toLayer(Loader.make({ config }), { config: Config }, { url: "other" })
      assert.strictEqual((yield* Effect.provide(Effect.service(Config), App)).url, "other")
    })
  )
})

describe("Resource.fromLayer", () => {
  class Jobs extends Context.Service<Jobs, number>()("test/Jobs") {}
  class Pages extends Context.Service<Pages, number>()("test/Pages") {}
  class Pool extends Context.Service<Pool, number>()("test/Pool") {}

  /** Two services over one pool, each by a start-up graph or by layers, and how often pools were opened and closed. */
  const overOnePool = (failures = 0) => {
    const pools = { opened: 0, open: 0 }
    const PoolLive = Layer.effect(
      Pool,
      Effect.flatMap(
        Effect.acquireRelease(
          Effect.sync(() => (pools.open++, ++pools.opened)),
          () => Effect.sync(() => pools.open--)
        ),
        (pool) => (pool <= failures ? Effect.fail(new Down({ url: "pool" })) : Effect.succeed(pool))
      )
    )
    const pool = Resource.fromLayer("pool", Pool, PoolLive).pipe(Policy.retry({ times: 2 }))
    const of = <Id>(name: string, key: Context.Key<Id, number>) => {
      const live = Layer.effect(key, Effect.service(Pool))
      const target = Resource.fromLayer(name, key, live, { deps: { pool } })
      const loader = Loader.make({ target })
      return { graph: Loader.toLayer(loader, { target: key }), loader, layer: Layer.provide(live, PoolLive) }
    }
    return { pools, jobs: of("jobs", Jobs), pages: of("pages", Pages) }
  }

  it.effect(
    "a layer that is used in start-up graphs and beside them is built once for each memo map, as any layer is",
    () =>
      Effect.gen(function* () {
        for (const jobs of ["graph", "layer"] as const) {
          for (const pages of ["graph", "layer"] as const) {
            const given = overOnePool()
            const built = Layer.build(Layer.mergeAll(given.jobs[jobs], given.pages[pages]))
            const services = yield* Effect.scoped(
              Effect.map(built, (context) => [Context.get(context, Jobs), Context.get(context, Pages)])
            )
            assert.deepStrictEqual([services, given.pools], [[1, 1], { opened: 1, open: 0 }], `${jobs}, ${pages}`)
          }
        }
      })
  )

  it.effect("a build that failed is tried again in the memo map that it failed in, and nothing of it stays open", () =>
    Effect.gen(function* () {
      const { jobs, pages, pools } = overOnePool(2)
      yield* Effect.scoped(Layer.build(Layer.mergeAll(jobs.graph, Layer.provide(pages.graph, jobs.graph))))
      assert.deepStrictEqual(pools, { opened: 3, open: 0 })
    })
  )

  it.effect("a run of a loader uses what the layers around it have built, and builds the rest for itself", () =>
    Effect.gen(function* () {
      const { jobs, pools } = overOnePool()
      const load = Effect.scoped(Loader.load(jobs.loader))
      yield* Effect.all([load, load], { concurrency: 2 })
      assert.deepStrictEqual(pools, { opened: 2, open: 0 })
      const runtime = ManagedRuntime.make(jobs.graph)
      yield* Effect.promise(() => runtime.runPromise(Effect.all([load, load], { concurrency: 2 })))
      assert.deepStrictEqual(pools, { opened: 3, open: 1 })
      yield* runtime.disposeEffect
      assert.strictEqual(pools.open, 0)
    })
  )

  it.effect("what a view changed is no longer provided, and what a fallback gave is", () =>
    Effect.gen(function* () {
      const down: Layer.Layer<Config, "down"> = Layer.effect(Config, Effect.fail("down"))
      const spare = Resource.fromLayer("config", Config, down).pipe(Resource.orElseSucceed(() => ({ url: "spare" })))
      const { DatabaseLive } = layersOf(new Log())
      const database = Resource.fromLayer("database", Database, DatabaseLive, { deps: { spare } })
      const loaded = Effect.scoped(Loader.load(Loader.make({ database })))
      const { database: built } = yield* withTime(Effect.provideService(loaded, Config, { url: "the caller's" }))
      assert.strictEqual(built.name, "spare")

      const changed = Resource.fromLayer("config", Config, Layer.succeed(Config, { url: "built" })).pipe(
        Resource.map(({ url }) => url.length)
      )
      const other = Resource.fromLayer("database", Database, DatabaseLive, { deps: { changed } })
      const again = Effect.scoped(Loader.load(Loader.make({ other })))
      const { other: callers } = yield* withTime(Effect.provideService(again, Config, { url: "the caller's" }))
      assert.strictEqual(callers.name, "the caller's")
    })
  )

  it.effect("its errors name the resource", () =>
    Effect.gen(function* () {
      const exit = yield* withTime(Effect.exit(Effect.scoped(Loader.load(graphOf(new Log(), "cache")))))
      const error: ResourceError<string, Down | Cause.TimeoutError> = failureOf(exit)
      assert.deepStrictEqual(error.path, ["users", "cache"])
    })
  )
})
