/** Caches with a store that processes share. */
import { assert, describe, it } from "@effect/vitest"
import { type Context, Effect, Exit, Fiber, Layer, Schema, type Scope } from "effect"
import { KeyValueStore, Persistence } from "effect/persistence"
import { Loader, Policy, Report, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { Interruption, RunLog } from "effect-loader/testing"
import { fork } from "../fork.ts"
import { withTime } from "../withTime.ts"

class User extends Schema.Class<User>("User")({ id: Schema.Finite, load: Schema.Finite, joined: Schema.Date }) {}
class Users extends ResourceCache.Service<Users, User>()("app/Users", { keyed: true }) {}

const options: Persisted.PersistedOptions<User> = {
  value: User,
  timeToLive: "1 hour",
  memory: { timeToLive: "10 seconds" },
  within: "50 millis"
}

type Store = Context.Context<Persistence.BackingPersistence>

const storeOf = (layer: Layer.Layer<Persistence.BackingPersistence>) => Layer.build(layer)

const inMemory = storeOf(Persistence.layerBackingMemory)

/** A process: a cache of its own, in front of a store that others share. */
const startProcess = (store: Store, changed: Partial<Persisted.PersistedOptions<User>> = {}) =>
  Effect.map(
    Layer.build(Persisted.layer(Users, { ...options, ...changed }).pipe(Layer.provide(Layer.succeedContext(store)))),
    (context) =>
      <A, E, R>(self: Effect.Effect<A, E, R>) =>
        Effect.provideContext(self, context)
  )

const id = Resource.input<number>()("id")

/** A page with a user, from a database that counts its queries. */
const pageOf = (database: { loads: number; down?: boolean }) => {
  const user = Resource.make("user", {
    deps: { id },
    key: ({ id }) => `org:acme:user:${id}`,
    load: ({ id }) =>
      Effect.andThen(
        Effect.sleep(10),
        Effect.suspend((): Effect.Effect<User, "down"> => {
          if (database.down === true) return Effect.fail("down")
          return Effect.succeed(new User({ id, load: ++database.loads, joined: new Date(0) }))
        })
      )
  }).pipe(Policy.cache(Users))
  return Loader.make({ user }, { concurrency: 1 })
}

const loadsOf = ({ exit }: { readonly exit: Exit.Exit<unknown, unknown> }): unknown =>
  Exit.isSuccess(exit) ? (exit.value as { readonly user: User }).user.load : "failed"

/** One load of the page: the load of the database that made its value, and the reads of each level. */
const look = <E, R>(page: Loader.Loader<{ readonly user: User }, E, R, { readonly id: number }>) =>
  Effect.map(RunLog.record(Loader.load(page, { id: 7 })), (recorded) => [
    loadsOf(recorded),
    ...RunLog.cacheReads(recorded.events, "user"),
    ...RunLog.cacheReads(recorded.events, "user", "persisted").map((result) => `persisted ${result}`)
  ])

const stores: ReadonlyArray<readonly [string, Effect.Effect<Store, never, Scope.Scope>]> = [
  ["in memory", inMemory],
  ["over a key-value store", storeOf(Persistence.layerBackingKvs.pipe(Layer.provide(KeyValueStore.layerMemory)))]
]

describe.each(stores)("a store %s", (_, build) => {
  it.effect(
    "gives one process the value that another one has loaded, through its schema and without another load",
    () =>
      withTime(
        Effect.gen(function* () {
          const store = yield* build
          const [one, two] = [yield* startProcess(store), yield* startProcess(store)]
          const page = pageOf({ loads: 0 })
          assert.deepStrictEqual(yield* one(look(page)), [1, "miss", "persisted miss"])
          assert.deepStrictEqual(yield* two(look(page)), [1, "miss", "persisted hit"])
          assert.deepStrictEqual(yield* two(look(page)), [1, "hit"])
          const { user } = yield* two(Loader.load(page, { id: 7 }))
          assert.instanceOf(user, User)
          assert.deepStrictEqual(user.joined, new Date(0))
        }).pipe(Effect.scoped)
      )
  )

  it.effect("is not read while the memory has the value, and is read before a load", () =>
    withTime(
      Effect.gen(function* () {
        const one = yield* startProcess(yield* build)
        const page = pageOf({ loads: 0 })
        yield* one(look(page))
        yield* Effect.sleep("9 seconds")
        assert.deepStrictEqual(yield* one(look(page)), [1, "hit"])
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(yield* one(look(page)), [1, "miss", "persisted hit"])
        yield* Effect.sleep("1 hour")
        assert.deepStrictEqual(yield* one(look(page)), [2, "miss", "persisted miss"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("keeps a value forgotten in all processes, after the time of their memories", () =>
    withTime(
      Effect.gen(function* () {
        const store = yield* build
        const [one, two] = [yield* startProcess(store), yield* startProcess(store)]
        const page = pageOf({ loads: 0 })
        const forgets = [
          Users.invalidate("org:acme:user:7"),
          Users.invalidateUnder("org:acme"),
          Users.invalidateUnder("org"),
          Users.invalidateAll
        ]
        for (const [k, forget] of forgets.entries()) {
          yield* one(look(page))
          assert.strictEqual((yield* two(look(page)))[0], k + 1)
          assert.isTrue(yield* one(forget))
          assert.deepStrictEqual(yield* two(look(page)), [k + 1, "hit"], "within the bound")
          yield* Effect.sleep("10 seconds")
          assert.deepStrictEqual(yield* two(look(page)), [k + 2, "miss", "persisted miss"])
          yield* Effect.sleep("10 seconds")
        }
      }).pipe(Effect.scoped)
    )
  )

  it.effect("keeps values that were not forgotten", () =>
    withTime(
      Effect.gen(function* () {
        const store = yield* build
        const [one, two] = [yield* startProcess(store), yield* startProcess(store)]
        const page = pageOf({ loads: 0 })
        yield* one(look(page))
        yield* one(Users.invalidate("org:acme"))
        yield* one(Users.invalidate("org:acme:user:77"))
        yield* one(Users.invalidateUnder("org:acme:user:77"))
        yield* one(Users.invalidateUnder("org:acmes"))
        assert.deepStrictEqual(yield* two(look(page)), [1, "miss", "persisted hit"])
      }).pipe(Effect.scoped)
    )
  )
})

describe("a value that is forgotten during its load", () => {
  it.effect("does not come back, even if it is written late", () =>
    withTime(
      Effect.gen(function* () {
        const store = yield* inMemory
        const [one, two] = [yield* startProcess(store), yield* startProcess(store)]
        const page = pageOf({ loads: 0 })
        const old = yield* Effect.forkChild(two(look(page)), { startImmediately: true })
        yield* Effect.sleep(5)
        yield* one(Users.invalidate("org:acme:user:7"))
        assert.strictEqual((yield* Fiber.join(old))[0], 1)
        assert.deepStrictEqual(yield* one(look(page)), [2, "miss", "persisted miss"])
      }).pipe(Effect.scoped)
    )
  )
})

/** Stores, each with a fault of its own. */
const brokenStore = (broken: Partial<Persistence.BackingPersistenceStore>) =>
  Effect.gen(function* () {
    const sound = yield* Effect.flatMap(Persistence.BackingPersistence, (backing) => backing.make("broken"))
    return Persistence.BackingPersistence.of({ make: () => Effect.succeed({ ...sound, ...broken }) })
  }).pipe(Layer.effect(Persistence.BackingPersistence), Layer.provide(Persistence.layerBackingMemory), storeOf)

const refused = Effect.fail(new Persistence.PersistenceError({ message: "connection refused" }))
const answering = (stored: unknown, mark?: unknown) => ({
  getMany: () => Effect.succeed([stored, mark, undefined, undefined, undefined, undefined, undefined]) as never
})
const sound = {
  id: "org:acme:user:7",
  value: { id: 7, load: 99, joined: "1970-01-01T00:00:00.000Z" },
  since: 1,
  freshUntil: 1e15
}

interface Broken {
  readonly how: string
  readonly store: Partial<Persistence.BackingPersistenceStore>
  /** The time of a read whose load takes 10 ms. */
  readonly takes: number
  readonly found: string
  readonly writeFailures?: number
}

const table: ReadonlyArray<Broken> = [
  {
    how: "refuses",
    store: { getMany: () => refused, setMany: () => refused },
    takes: 10,
    found: "error",
    writeFailures: 1
  },
  {
    how: "dies",
    store: { getMany: () => Effect.die("bug"), setMany: () => Effect.die("bug") },
    takes: 10,
    found: "error",
    writeFailures: 1
  },
  {
    how: "interrupts itself",
    store: { getMany: () => Effect.interrupt, setMany: () => Effect.interrupt },
    takes: 10,
    found: "error",
    writeFailures: 1
  },
  {
    how: "never answers",
    store: { getMany: () => Effect.never, setMany: () => Effect.never },
    takes: 60,
    found: "error",
    writeFailures: 1
  },
  { how: "takes no values", store: { setMany: () => Effect.never }, takes: 10, found: "miss", writeFailures: 1 },
  { how: "holds half an answer", store: answering({ ...sound, value: { id: 7 } }), takes: 10, found: "error" },
  { how: "holds something else", store: answering({ hello: "world" }), takes: 10, found: "error" },
  { how: "holds another type", store: answering(["a"]), takes: 10, found: "error" },
  { how: "holds a mark of another shape", store: answering(sound, { at: "noon" }), takes: 10, found: "error" },
  { how: "holds the value of another key", store: answering({ ...sound, id: "a" }), takes: 10, found: "miss" },
  {
    how: "answers with too little, which could be the mark",
    store: { getMany: () => Effect.succeed([sound]) as never },
    takes: 10,
    found: "error"
  }
]

describe("a store that", () => {
  for (const { found, how, store, takes, writeFailures = 0 } of table) {
    it.effect(`${how} is a miss within its limit, counted, and never a failure`, () =>
      withTime(
        Effect.gen(function* () {
          const one = yield* startProcess(yield* brokenStore(store))
          const page = pageOf({ loads: 0 })
          const report = yield* one(Loader.settle(page, { id: 7 }))
          assert.strictEqual(report.values.user?.load, 1)
          assert.strictEqual(report.endedAt! - report.startedAt, takes)
          const persisted = Report.get(report, "user")?.caches?.find(({ level }) => level === "persisted")
          assert.strictEqual(persisted?.[found as "error" | "miss"], 1)
          assert.deepStrictEqual(yield* one(look(page)), [1, "hit"], "memory goes on")
          yield* Effect.sleep("11 seconds")
          const stats = yield* one(Users.stats)
          assert.strictEqual(stats.reads.persisted[found as "error" | "miss"], 1)
          assert.strictEqual(stats.writeFailures, writeFailures)
          assert.strictEqual(stats.writes, 1 - writeFailures)
        }).pipe(Effect.scoped)
      )
    )
  }

  it.effect("cannot forget makes `invalidate` return `false`, and this process forgets all the same", () =>
    withTime(
      Effect.gen(function* () {
        const one = yield* startProcess(yield* brokenStore({ getMany: () => refused, setMany: () => refused }))
        const page = pageOf({ loads: 0 })
        yield* one(look(page))
        assert.isFalse(yield* one(Users.invalidate("org:acme:user:7")))
        assert.deepStrictEqual(yield* one(look(page)), [2, "miss", "persisted error"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("is slow to take values delays no load: they are written in the background", () =>
    withTime(
      Effect.gen(function* () {
        const store = yield* brokenStore({ setMany: () => Effect.sleep(40) })
        const one = yield* startProcess(store)
        const page = pageOf({ loads: 0 })
        const report = yield* one(Loader.settle(page, { id: 7 }))
        assert.strictEqual(report.endedAt! - report.startedAt, 10)
      }).pipe(Effect.scoped)
    )
  )
})

describe("when the database is down", () => {
  it.effect("a process that has just started falls back to the stale value of the store, and is degraded", () =>
    withTime(
      Effect.gen(function* () {
        const store = yield* inMemory
        const changed = {
          memory: {
            timeToLive: "10 seconds",
            staleIfError: { for: "12 hours", when: (error: unknown) => error === "down" }
          }
        } as const
        const database = { loads: 0, down: false }
        const page = pageOf(database)
        yield* Effect.scoped(Effect.flatMap(startProcess(store, changed), (one) => one(look(page))))
        yield* Effect.sleep("2 hours")
        database.down = true
        const two = yield* startProcess(store, changed)
        const report = yield* two(Loader.settle(page, { id: 7 }))
        assert.strictEqual(report.values.user?.load, 1)
        assert.strictEqual(Report.outcome(report, "user")?._tag, "Degraded")
        yield* Effect.sleep("12 hours")
        assert.strictEqual(Report.outcome(yield* two(Loader.settle(page, { id: 7 })), "user")?._tag, "Failed")
      }).pipe(Effect.scoped)
    )
  )
})

describe("a value that is forgotten during a read of the store", () => {
  it.effect("does not replace a later error", () =>
    withTime(
      Effect.gen(function* () {
        const stored = { ...sound, freshUntil: 2 }
        const answer = Effect.succeed([stored, undefined, undefined, undefined])
        const slow = { getMany: () => Effect.delay(answer, 20) as never }
        const memory = {
          timeToLive: "10 seconds",
          staleIfError: { for: "12 hours", when: (e: unknown) => e === "down" }
        } as const
        const one = yield* startProcess(yield* brokenStore(slow), { memory })
        const down: Effect.Effect<User, string> = Effect.fail("down")
        const first = yield* fork(one(Effect.exit(Users.get("user:7", down))))
        yield* Effect.sleep(10)
        yield* one(Users.invalidate("user:7"))
        assert.isTrue(Exit.isFailure(yield* Fiber.join(first)))
        assert.strictEqual((yield* one(Users.stats)).entries, 0)
      }).pipe(Effect.scoped)
    )
  )
})

describe("when the database answers with an error of its own", () => {
  it.effect("the stale value of the store replaces no later error, in any process", () =>
    withTime(
      Effect.gen(function* () {
        const store = yield* inMemory
        const memory = {
          timeToLive: "10 seconds",
          staleIfError: { for: "12 hours", when: (e: unknown) => e === "down" }
        } as const
        let answer: Effect.Effect<User, "forbidden" | "down"> = Effect.succeed(
          new User({ id: 7, load: 1, joined: new Date(0) })
        )
        const get = Users.get(
          "user:7",
          Effect.suspend(() => answer)
        )
        const inProcess = Effect.flatMap(startProcess(store, { memory }), (one) =>
          Effect.map(Effect.exit(one(get)), (exit) => (Exit.isSuccess(exit) ? "user" : String(exit.cause)))
        ).pipe(Effect.tap(Effect.sleep(100)), Effect.scoped)
        const seen: Array<string> = [yield* inProcess]
        yield* Effect.sleep("2 hours")
        for (const error of ["down", "forbidden", "down"] as const) {
          answer = Effect.fail(error)
          seen.push(yield* inProcess)
        }
        assert.deepStrictEqual(
          seen.map((text) => /user|forbidden|down/.exec(text)?.[0]),
          ["user", "user", "forbidden", "down"]
        )
      })
    )
  )
})

describe("interrupting a load at every step", () => {
  it.effect("leaves nothing behind, and the next load gets the value", () =>
    Effect.gen(function* () {
      const tried = yield* Interruption.atEveryStep((probed) =>
        Effect.gen(function* () {
          const store = yield* brokenStore({ setMany: () => Effect.sleep(3) })
          const one = yield* startProcess(store)
          const page = probed(pageOf({ loads: 0 }))
          const next = Effect.suspend(() => one(Loader.load(page, { id: 7 })))
          yield* Effect.onInterrupt(one(Loader.load(page, { id: 7 })), () =>
            Effect.map(next, ({ user }) => assert.isTrue(user.load >= 1))
          )
        }).pipe(Effect.scoped)
      )
      assert.isTrue(tried > 10)
    })
  )
})
