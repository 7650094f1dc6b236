/** The store behind a cache: its calls, its content, and the reports of its failures. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Layer, Logger, Schema } from "effect"
import { Persistence } from "effect/persistence"
import fc from "fast-check"
import { Loader, Policy, Report, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { RunLog } from "effect-loader/testing"
import { untilHandled, withoutUnhandledRejections } from "../unhandledRejections.ts"
import { withTime } from "../withTime.ts"
import { TestStore } from "./TestStore.ts"

class Users extends ResourceCache.Service<Users, string>()("app/Users", { keyed: true }) {}

const options: Persisted.PersistedOptions<string> = {
  value: Schema.String,
  timeToLive: "1 hour",
  memory: { timeToLive: 0 }
}

const layerOf = (store: TestStore, changed: Partial<Persisted.PersistedOptions<string>> = {}) =>
  Layer.provide(Persisted.layer(Users, { ...options, ...changed }), store.layer)

/**
 * A process: a cache of its own, in front of a store that others share. From its first sleep on, virtual time waits for all
 * fibers.
 */
const startProcess = (store: TestStore, changed: Partial<Persisted.PersistedOptions<string>> = {}) =>
  Effect.sleep(1).pipe(
    Effect.andThen(Layer.build(layerOf(store, changed))),
    Effect.map(
      (context) =>
        <A, E, R>(self: Effect.Effect<A, E, R>) =>
          Effect.provideContext(self, context)
    )
  )

/** Without logs, which a test of their own covers. */
const quietly = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  withTime(Effect.provide(self, Logger.layer([])))

/** Waits until `count` values were written, failed or dropped. */
const untilDone = (count: number): Effect.Effect<void, never, Users> =>
  Effect.flatMap(Users.stats, ({ dropped, writeFailures, writes }) =>
    dropped + writeFailures + writes < count
      ? Effect.andThen(Effect.sleep("1 second"), untilDone(count))
      : Effect.sync(() => assert.strictEqual(dropped + writeFailures + writes, count))
  )

const idsTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, id) => id)

const pageOf = (count: number) => {
  const users = Resource.forEach("users", {
    items: () => idsTo(count),
    itemKey: (id) => `user:${id}`,
    load: (id) => Effect.succeed(`user ${id}`),
    each: Policy.cache(Users)
  })
  return Loader.make({ users })
}

describe("a store behind a cache", () => {
  it.effect("gets one call for the reads of a tick, and one call for the values loaded in a tick", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        const one = yield* startProcess(store)
        const { users } = yield* one(Loader.load(pageOf(200)))
        assert.lengthOf(users, 200)
        yield* Effect.sleep(1)
        assert.deepStrictEqual([store.reads, store.writes], [1, 1])
        const again = yield* one(Loader.loadWithReport(pageOf(200)))
        assert.strictEqual(Report.get(again.report, "users")?.attempts, 0)
        assert.deepStrictEqual([store.reads, store.writes], [2, 1])
        assert.strictEqual((yield* one(Users.stats)).writes, 200)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("gets several calls for more keys than a command should have, and gives all of them", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        const one = yield* startProcess(store)
        yield* one(Loader.load(pageOf(3000)))
        yield* one(untilDone(3000))
        assert.strictEqual((yield* one(Users.stats)).writes, 3000)
        const { report } = yield* one(Loader.loadWithReport(pageOf(3000)))
        assert.strictEqual(Report.get(report, "users")?.caches?.find(({ level }) => level === "persisted")?.hit, 3000)
        assert.isAbove(store.reads, 2)
        assert.isBelow(store.reads + store.writes, 50)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("that hangs delays each load by its limit, and gets a bounded number of calls", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        store.behaviour = "hangs"
        const one = yield* startProcess(store)
        const started = yield* Clock.currentTimeMillis
        for (const id of idsTo(90)) yield* one(Users.get(`user:${id}`, Effect.succeed(`user ${id}`)))
        assert.strictEqual((yield* Clock.currentTimeMillis) - started, 90 * 100)
        assert.isAtMost(store.reads, 8)
        assert.isAtMost(store.writes, 1)
        store.behaviour = "answers"
        yield* Effect.sleep("20 seconds")
        yield* one(Users.get("user:91", Effect.succeed("user 91")))
        yield* Effect.sleep(1)
        assert.strictEqual(yield* one(Users.get("user:91", Effect.succeed("loaded again"))), "user 91")
      }).pipe(Effect.scoped)
    )
  )

  it.effect("that takes no value has a bounded number of waiting values, and each is counted once", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        store.behaviour = "takes nothing"
        const one = yield* startProcess(store)
        const count = 12_000
        const load = (id: number) => Users.get(`user:${id}`, Effect.succeed(""))
        yield* one(Effect.forEach(idsTo(count), load, { concurrency: "unbounded", discard: true }))
        const { dropped } = yield* one(Users.stats)
        assert.isAbove(dropped, 0)
        assert.isAtMost(dropped, 2000)
        yield* one(untilDone(count))
      }).pipe(Effect.scoped)
    )
  )

  it.effect("has all loaded values when the layer is closed, or those that it did not take in time are counted", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        yield* Effect.scoped(
          Effect.flatMap(startProcess(store), (one) => one(Users.get("user:1", Effect.succeed("one"))))
        )
        const two = yield* startProcess(store)
        assert.strictEqual(yield* two(Users.get("user:1", Effect.succeed("loaded again"))), "one")
        store.behaviour = "hangs"
        const [took] = yield* Effect.timed(
          Effect.scoped(Effect.flatMap(startProcess(store), (one) => one(Users.get("user:2", Effect.succeed("two")))))
        )
        assert.strictEqual(Duration.toMillis(took), 201, "the limit of the read, and that of closing")
      }).pipe(Effect.scoped)
    )
  )

  it.effect("keeps values of several versions separately, and none overwrites another one's", () =>
    quietly(
      Effect.gen(function* () {
        yield* Effect.sleep(1)
        const store = new TestStore()
        class New extends ResourceCache.Service<New, { readonly name: string }>()("app/Users", { keyed: true }) {}
        const newer = Layer.provide(
          Persisted.layer(New, { ...options, value: Schema.Struct({ name: Schema.String }) } as never),
          store.layer
        )
        const newest = Layer.provide(
          Persisted.layer(New, { ...options, version: 2, value: Schema.Struct({ name: Schema.String }) } as never),
          store.layer
        )
        let loads = 0
        const read = Users.get(
          "user:7",
          Effect.sync(() => `load ${++loads}`)
        ).pipe(Effect.provide(layerOf(store), { local: true }))
        const readNew = (layer: typeof newer) =>
          New.get(
            "user:7",
            Effect.sync(() => ({ name: `load ${++loads}` }))
          ).pipe(Effect.provide(layer, { local: true }))
        for (const _ of idsTo(3)) {
          assert.strictEqual(yield* read, "load 1")
          assert.deepStrictEqual(yield* readNew(newer), { name: "load 2" })
          assert.deepStrictEqual(yield* readNew(newest), { name: "load 3" })
        }
        yield* Effect.sleep(1)
        assert.isTrue(yield* Users.invalidate("user:7").pipe(Effect.provide(layerOf(store), { local: true })))
        yield* Effect.sleep(1)
        assert.deepStrictEqual(yield* readNew(newer), { name: "load 4" }, "it is forgotten for all versions")
      })
    )
  )

  it.effect("has only the mark of a forgotten key, for as long as a value could live", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        const changed = { timeToLive: "1 minute", memory: { timeToLive: 0, staleIfError: "2 minutes" } } as const
        const one = yield* startProcess(store, changed)
        yield* one(Users.get("user:7", Effect.succeed("secret")))
        yield* Effect.sleep(1)
        assert.lengthOf(yield* store.names, 1)
        assert.isTrue(yield* one(Users.invalidate("user:7")))
        const names = yield* store.names
        assert.deepStrictEqual(names, ["app/Users:{app/Users}forgotten/key/user:7"])
        yield* Effect.sleep("179 seconds")
        assert.deepStrictEqual(yield* store.names, names)
        yield* Effect.sleep("1 second")
        assert.isEmpty(yield* store.names)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("takes no value whose load took as long as its time to live", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        const one = yield* startProcess(store, { timeToLive: "1 minute" })
        yield* one(Users.get("user:7", Effect.as(Effect.sleep("1 minute"), "late")))
        yield* Effect.sleep(1)
        assert.isEmpty(yield* store.names)
      }).pipe(Effect.scoped)
    )
  )
})

describe("a failure of the store", () => {
  it.effect("is in the event, without the key or the value", () =>
    quietly(
      Effect.gen(function* () {
        const store = new TestStore()
        const one = yield* startProcess(store)
        const reasons = Effect.map(one(RunLog.record(Loader.load(pageOf(1)))), ({ events }) =>
          events.flatMap((event) => (event._tag === "CacheRead" && event.level === "persisted" ? [event.reason] : []))
        )
        store.behaviour = "fails"
        assert.deepStrictEqual(yield* reasons, ["Error: refused"])
        store.behaviour = "hangs"
        assert.deepStrictEqual(yield* reasons, ["no answer within 100ms"])
        store.behaviour = "answers"
        assert.deepStrictEqual(yield* reasons, [undefined])
        yield* Effect.sleep("20 seconds")
        yield* reasons
        yield* Effect.sleep(1)
        for (const [name, held] of store.held) store.held.set(name, { ...held, value: { ...held.value, value: 42 } })
        assert.deepStrictEqual(yield* reasons, ["the value does not have the shape that its schema says"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("by a throw, or by an answer that is not a list, is like any other: immediate, counted and logged", () =>
    Effect.gen(function* () {
      for (const behaviour of ["throws", "gives no list"] as const) {
        const lines: Array<string> = []
        const logger = Logger.make(({ message }) => void lines.push([message].flat().map(String).join(" ")))
        const store = new TestStore()
        store.behaviour = behaviour
        const { stats, took } = yield* withTime(
          Effect.gen(function* () {
            const one = yield* startProcess(store)
            const started = yield* Clock.currentTimeMillis
            assert.strictEqual(yield* one(Users.get("user:1", Effect.succeed("user 1"))), "user 1")
            const took = (yield* Clock.currentTimeMillis) - started
            yield* Effect.sleep(1)
            return { took, stats: yield* one(Users.stats) }
          }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
        )
        const writeFails = behaviour === "throws"
        assert.strictEqual(took, 0)
        assert.strictEqual(stats.reads.persisted.error, 1)
        assert.deepStrictEqual([stats.writes, stats.writeFailures], writeFails ? [0, 1] : [1, 0])
        const why = writeFails ? "Error: thrown" : "the store gave null where a list was expected"
        const read = `cache "app/Users": the store could not be read, and the values were loaded: ${why}`
        const write = `cache "app/Users": values could not be written to the store: ${why}`
        assert.deepStrictEqual(lines, writeFails ? [read, write] : [read])
      }
    })
  )

  describe.each([
    ["a promise that rejects", "gives promises", "a Promise", "wrap it in Effect.tryPromise"],
    ["nothing", "gives nothing", "undefined", "did you forget `return`?"]
  ] as const)("whose methods return %s", (_what, behaviour, came, todo) => {
    const why = (method: string) =>
      `TypeError: the store: \`${method}\` gave ${came} where an Effect was expected: ${todo}`

    it.effect("the log names the method and what to do, loads succeed, and no promise rejects unhandled", () =>
      withoutUnhandledRejections(
        Effect.gen(function* () {
          const lines: Array<string> = []
          const logger = Logger.make(({ message }) => void lines.push([message].flat().map(String).join(" ")))
          const store = new TestStore()
          store.behaviour = behaviour
          yield* withTime(
            Effect.gen(function* () {
              const one = yield* startProcess(store)
              assert.strictEqual(yield* one(Users.get("user:1", Effect.succeed("user 1"))), "user 1")
              yield* one(untilDone(1))
              assert.isFalse(yield* one(Users.invalidate("user:1")))
              const { reads, writeFailures } = yield* one(Users.stats)
              assert.deepStrictEqual([reads.persisted.error, writeFailures], [1, 1])
            }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
          )
          assert.deepStrictEqual(lines, [
            `cache "app/Users": the store could not be read, and the values were loaded: ${why("getMany")}`,
            `cache "app/Users": values could not be written to the store: ${why("setMany")}`,
            `cache "app/Users": the store could not be told to forget, and other processes may give the values until their time is over: ${why("setMany")}`
          ])
        })
      )
    )

    it.effect("the event of a read names the method", () =>
      withoutUnhandledRejections(
        quietly(
          Effect.gen(function* () {
            const store = new TestStore()
            const one = yield* startProcess(store)
            store.behaviour = behaviour
            const { events } = yield* one(RunLog.record(Loader.load(pageOf(1))))
            const reasons = events.flatMap((event) =>
              event._tag === "CacheRead" && event.level === "persisted" ? [event.reason] : []
            )
            assert.deepStrictEqual(reasons, [why("getMany")])
          }).pipe(Effect.scoped)
        )
      )
    )
  })

  it.effect("whose `make` returns a promise, is a defect of the layer that names the cache", () =>
    withoutUnhandledRejections(
      Effect.gen(function* () {
        const made = { make: () => Promise.reject(new Error("rejected")) } as never
        const layer = Layer.provide(
          Persisted.layer(Users, options),
          Layer.succeed(Persistence.BackingPersistence, made)
        )
        const exit = yield* Effect.exit(Effect.provide(Effect.void, layer))
        const defect = Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Error) : undefined
        assert.strictEqual(
          defect?.message,
          'the store of cache "app/Users": `make` gave a Promise where an Effect was expected: wrap it in Effect.tryPromise'
        )
        yield* untilHandled
        assert.include(String(defect?.cause), "rejected")
      })
    )
  )

  it.effect("is logged at most once a minute for each kind, with the number of those that were not", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push([message].flat().map(String).join(" ")))
      const store = new TestStore()
      store.behaviour = "fails"
      const loads = (one: Effect.Success<ReturnType<typeof startProcess>>, count: number) =>
        Effect.forEach(idsTo(count), (id) =>
          Effect.andThen(one(Users.get(`user:${id}`, Effect.succeed(""))), Effect.sleep("1 second"))
        )
      yield* withTime(
        Effect.gen(function* () {
          const one = yield* startProcess(store)
          yield* loads(one, 50)
          assert.lengthOf(lines, 2)
          yield* loads(one, 50)
        }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
      )
      const refused = "Error: refused"
      assert.sameMembers(lines, [
        `cache "app/Users": the store could not be read, and the values were loaded: ${refused}`,
        `cache "app/Users": values could not be written to the store: ${refused}`,
        `cache "app/Users": the store could not be read, and the values were loaded: ${refused} (and 59 more times since the last line)`,
        `cache "app/Users": values could not be written to the store: ${refused} (and 59 more times since the last line)`
      ])
    })
  )
})

/** One step of a test with two processes and one store. */
type Step =
  | { readonly _tag: "Load" | "Forget" | "ForgetUnder"; readonly process: 0 | 1; readonly key: string }
  | { readonly _tag: "ForgetAll"; readonly process: 0 | 1 }
  | { readonly _tag: "Store"; readonly behaviour: TestStore["behaviour"] }
  | { readonly _tag: "Wait"; readonly seconds: number }

const process = fc.constantFrom(0 as const, 1 as const)
const key = fc.constantFrom("a", "a:b", "a:c", `a:${"c".repeat(300)}`, "b", `b:${"x:".repeat(20)}`)
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ _tag: fc.constant("Load" as const), process, key }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Forget" as const), process, key }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("ForgetUnder" as const), process, key }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("ForgetAll" as const), process }) },
    { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Wait" as const), seconds: fc.constantFrom(1, 20, 45) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        _tag: fc.constant("Store" as const),
        behaviour: fc.constantFrom("answers" as const, "fails" as const, "hangs" as const)
      })
    }
  ),
  { maxLength: 40 }
)

describe("two processes with a store that fails, hangs and comes back", () => {
  it.effect("get no value from before its invalidation or past its time to live, and share all other values", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(steps, fc.constantFrom(1, 3), async (steps, shards) => {
          const program = Effect.gen(function* () {
            const store = new TestStore()
            const lives = 60_000
            const changed = { timeToLive: lives, shards }
            const processes = [yield* startProcess(store, changed), yield* startProcess(store, changed)] as const
            /** The instants of each load, and of the last invalidation of each key that reached the store. */
            const forgottenAt = new Map<string, number>()
            const loaded = new Map<string, { readonly at: number; readonly stored: boolean }>()
            const now = Clock.currentTimeMillis
            const forget = (isIn: (key: string) => boolean, at: number) => {
              for (const key of loaded.keys()) if (isIn(key)) forgottenAt.set(key, at)
            }
            for (const step of steps) {
              // Each step has an instant of its own, and its writes end before the next one.
              yield* Effect.sleep(1000)
              const at = yield* now
              if (step._tag === "Store") store.behaviour = step.behaviour
              else if (step._tag === "Wait") yield* Effect.sleep(step.seconds * 1000)
              else if (step._tag === "Load") {
                const one = processes[step.process]
                const value = Number(
                  yield* one(
                    Users.get(
                      step.key,
                      Effect.sync(() => String(at))
                    )
                  )
                )
                const known = loaded.get(step.key)
                const forgotten = forgottenAt.get(step.key) ?? -1
                assert.isAbove(value, forgotten)
                assert.isAbove(value + lives, at)
                const isThere = known?.stored === true && known.at > forgotten && known.at + lives > at
                if (isThere) assert.notStrictEqual(value, at)
                const always = !steps.some((step) => step._tag === "Store")
                if (value === at) loaded.set(step.key, { at, stored: always })
              } else {
                const one = processes[step.process]
                const forgets =
                  step._tag === "ForgetAll"
                    ? Users.invalidateAll
                    : step._tag === "Forget"
                      ? Users.invalidate(step.key)
                      : Users.invalidateUnder(step.key)
                const done = yield* one(forgets)
                const isIn = (key: string) =>
                  step._tag === "ForgetAll" ||
                  key === step.key ||
                  (step._tag === "ForgetUnder" && key.startsWith(`${step.key}:`))
                if (done) forget(isIn, at)
                if (store.behaviour === "answers") {
                  for (const [key, known] of loaded) if (isIn(key)) loaded.set(key, { ...known, stored: false })
                }
              }
            }
          })
          await Effect.runPromise(quietly(Effect.scoped(program)))
        }),
        { numRuns: 200 }
      )
    )
  )
})

describe("the layer of a persisted cache", () => {
  const refusalOf = (layer: Layer.Layer<never, never, never>) => {
    const exit = Effect.runSyncExit(Effect.provide(Effect.void, layer))
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    return Cause.isIllegalArgumentError(error) ? error.message : assert.fail("not refused")
  }

  it("rejects options that would mix values, and names the cache", () => {
    class Anything extends ResourceCache.Service<Anything, string>()("app/Anything") {}
    const store = new TestStore()
    const refused = [
      [{ storeId: "" }, '`storeId` must be a name without braces, which Redis gives a meaning, got ""'],
      [{ storeId: "a{}b" }, '`storeId` must be a name without braces, which Redis gives a meaning, got "a{}b"'],
      [{ version: "" }, "`version` must not be empty"],
      [{ shards: 0 }, "`shards` must be a whole number from 1 to 1000, got 0"]
    ] as const
    for (const [changed, message] of refused) {
      assert.strictEqual(refusalOf(layerOf(store, changed) as never), `cache "app/Users": ${message}`)
    }
    assert.strictEqual(
      refusalOf(Layer.provide(Persisted.layer(Anything as never, options), store.layer) as never),
      'cache "app/Anything": it is persisted, so its class must have `keyed: true`'
    )
  })
})
