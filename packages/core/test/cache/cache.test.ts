/** A cache alone, without a graph. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Random, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ResourceCache } from "effect-loader"
import { fork } from "../fork.ts"

class Users extends ResourceCache.Service<Users, string>()("app/Users") {}

/** A load whose value is its number. */
const counting = () => {
  let loads = 0
  return { load: Effect.sync(() => `load ${++loads}`), loads: () => loads }
}

const withCache =
  (options: ResourceCache.MemoryOptions<string>) =>
  <A, E, R>(self: Effect.Effect<A, E, R | Users>) =>
    Effect.provide(self, Users.layer(options))

describe("a cache", () => {
  it.effect("keeps at most `capacity` values, the most recently used ones", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const get = (key: string) => Users.get(key, load)
      yield* Effect.forEach(["a", "b", "a", "c"], get)
      assert.deepStrictEqual(yield* Effect.forEach(["a", "c", "b"], get), ["load 1", "load 3", "load 4"])
      const { entries, evictions, reads } = yield* Users.stats
      assert.deepStrictEqual([entries, evictions, reads.memory.hit, reads.memory.miss], [2, 2, 3, 4])
    }).pipe(withCache({ capacity: 2, timeToLive: "1 minute" }))
  )

  it.effect("calls `timeToLive` with the value, and keeps no value with a time of zero", () =>
    Effect.gen(function* () {
      const get = (key: string) => Users.get(key, Effect.succeed(key))
      yield* Effect.forEach(["never", "soon", "late"], get)
      yield* TestClock.adjust("2 seconds")
      yield* Effect.forEach(["never", "soon", "late"], get)
      const { reads } = yield* Users.stats
      assert.deepStrictEqual([reads.memory.hit, reads.memory.miss], [1, 5])
    }).pipe(withCache({ timeToLive: (value) => (value === "never" ? 0 : value === "soon" ? "1 second" : "1 minute") }))
  )

  it.effect("with `jitter`, expires values earlier at random, and never later", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 200 }, (_, k) => String(k))
      const { load } = counting()
      const hits = Effect.gen(function* () {
        const before = (yield* Users.stats).reads.memory.hit
        yield* Effect.forEach(keys, (key) => Users.get(key, load))
        return (yield* Users.stats).reads.memory.hit - before
      })
      yield* hits
      yield* TestClock.adjust(69_000)
      assert.strictEqual(yield* hits, 200, "none ends before seven tenths of its time")
      yield* TestClock.adjust(16_000)
      const halfway = yield* hits
      assert.isTrue(halfway > 60 && halfway < 140, `${halfway} of 200 have half of what is left`)
    }).pipe(withCache({ timeToLive: 100_000, jitter: 0.3 }), Random.withSeed("jitter"))
  )

  it.effect("forgets a key, the keys under a prefix, or everything", () =>
    Effect.gen(function* () {
      const keys = ["org", "org:a", "org:a:user", "org:ab", "user"]
      const { load } = counting()
      const known = Effect.gen(function* () {
        const before = (yield* Users.stats).entries
        return before
      })
      const fill = Effect.forEach(keys, (key) => Users.get(key, load), { discard: true })
      yield* fill
      assert.isTrue(yield* Users.invalidate("org"))
      assert.strictEqual(yield* known, 4)
      yield* Users.invalidateUnder("org:a")
      assert.strictEqual(yield* known, 2)
      assert.strictEqual(yield* Users.get("org:ab", load), "load 4")
      yield* Users.invalidateAll
      assert.strictEqual(yield* known, 0)
    }).pipe(withCache({ timeToLive: "1 minute" }))
  )

  it.effect("does not keep a value that was forgotten during its load, and gives it to no later reader", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const old = yield* fork(Users.get("key", Effect.as(Deferred.await(gate), "old")))
      const waiting = yield* fork(Users.get("key", Effect.succeed("not loaded")))
      yield* Users.invalidate("key")
      assert.strictEqual(yield* Users.get("key", Effect.succeed("new")), "new")
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual([yield* Fiber.join(old), yield* Fiber.join(waiting)], ["old", "old"])
      assert.strictEqual(yield* Users.get("key", Effect.succeed("newer")), "new")
    }).pipe(withCache({ timeToLive: "1 minute" }))
  )

  it.effect("lets one waiting reader be interrupted, and serves the others", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const leading = yield* fork(Users.get("key", Effect.as(Deferred.await(gate), "value")))
      const one = yield* fork(Users.get("key", Effect.succeed("not loaded")))
      const two = yield* fork(Users.get("key", Effect.succeed("not loaded")))
      yield* Fiber.interrupt(one)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual([yield* Fiber.join(leading), yield* Fiber.join(two)], ["value", "value"])
    }).pipe(withCache({ timeToLive: "1 minute" }))
  )

  it.effect("starts the load in another reader each time that the loading reader is interrupted", () =>
    Effect.gen(function* () {
      let loads = 0
      const load = Effect.suspend(() => Effect.as(Effect.sleep(10), `load ${++loads}`))
      const fibers = yield* Effect.forEach([1, 2, 3, 4], () => fork(Users.get("key", load)))
      for (const fiber of fibers.slice(0, 3)) {
        yield* TestClock.adjust(5)
        yield* Fiber.interrupt(fiber)
      }
      yield* TestClock.adjust(10)
      assert.deepStrictEqual([yield* Fiber.join(fibers[3]!), loads], ["load 4", 4])
    }).pipe(withCache({ timeToLive: "1 minute" }))
  )

  it.effect("dies for all waiting readers if `timeToLive` throws, and serves the next ones", () =>
    Effect.gen(function* () {
      const load = Effect.as(Effect.sleep(10), "bad")
      const fibers = yield* Effect.forEach([1, 2], () => fork(Effect.exit(Users.get("key", load))))
      yield* TestClock.adjust(10)
      for (const fiber of fibers) assert.isTrue(Exit.hasDies(yield* Fiber.join(fiber)))
      assert.strictEqual(yield* Users.get("key", Effect.succeed("good")), "good")
    }).pipe(
      withCache({
        timeToLive: (value) => {
          if (value === "bad") throw new Error("no time for this")
          return "1 minute"
        }
      })
    )
  )

  it.effect("refreshes at most `background` values at once, and leaves the others stale", () =>
    Effect.gen(function* () {
      const keys = ["a", "b", "c", "d", "e"]
      const get = (key: string, load: Effect.Effect<string>) => Users.get(key, load)
      yield* Effect.forEach(keys, (key) => get(key, Effect.succeed("old")))
      yield* TestClock.adjust("90 seconds")
      const given = yield* Effect.forEach(keys, (key) => get(key, Effect.as(Effect.sleep(10), "new")))
      assert.deepStrictEqual(given, ["old", "old", "old", "old", "old"])
      yield* TestClock.adjust(10)
      const after = yield* Effect.forEach(keys, (key) => get(key, Effect.as(Effect.sleep(10), "newer")))
      assert.deepStrictEqual(after, ["new", "new", "old", "old", "old"])
      const { dropped, refreshes } = yield* Users.stats
      assert.deepStrictEqual([refreshes, dropped], [4, 4])
    }).pipe(withCache({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute", background: 2 }))
  )

  it.effect("keeps a stale value if its refresh fails, and counts that", () =>
    Effect.gen(function* () {
      yield* Users.get("key", Effect.succeed("old"))
      yield* TestClock.adjust("90 seconds")
      const failing: Effect.Effect<string, "down"> = Effect.fail("down")
      assert.strictEqual(yield* Users.get("key", failing), "old")
      // This reader loads itself, and fails.
      assert.strictEqual(yield* Users.get("key", failing), "old")
      assert.strictEqual(yield* Users.get("key", failing), "old")
      const { refreshes, refreshFailures } = yield* Users.stats
      assert.deepStrictEqual([refreshes, refreshFailures], [2, 2])
    }).pipe(withCache({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute" }))
  )

  it.effect("interrupts a refresh, and releases its resources, when its layer ends", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const held = Effect.acquireRelease(
        Effect.sync(() => log.push("acquired")),
        () => Effect.sync(() => log.push("released"))
      )
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute", refreshWithin: "1 hour" }),
        scope
      )
      const get = (load: Effect.Effect<string, never, Scope.Scope>) =>
        Effect.provideContext(Effect.scoped(Users.get("key", load)), context)
      yield* get(Effect.succeed("old"))
      yield* TestClock.adjust("90 seconds")
      yield* get(Effect.andThen(held, Effect.never))
      assert.deepStrictEqual(log, ["acquired"])
      yield* TestClock.adjust("90 seconds")
      assert.deepStrictEqual(log, ["acquired"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log, ["acquired", "released"])
    })
  )

  it("rejects wrong options when it is built", () => {
    const tried = (options: ResourceCache.MemoryOptions<string>): string => {
      const exit = Effect.runSyncExit(Effect.provide(Users.stats, Users.layer(options)))
      return Exit.isFailure(exit) ? String(exit.cause) : "fine"
    }
    assert.include(tried({ timeToLive: 1, capacity: 0 }), "`capacity` must be a whole number from 1, got 0")
    assert.include(
      tried({ timeToLive: 1, refreshWithin: 0 }),
      "`refreshWithin` must be a finite duration longer than 0"
    )
    assert.include(tried({ timeToLive: 1, refreshWithin: "Infinity" }), "`refreshWithin` must be a finite duration")
    assert.include(tried({ timeToLive: 1, jitter: 2 }), "`jitter` must be from 0 to 1, got 2")
    assert.strictEqual(tried({ timeToLive: 1 }), "fine")
  })
})
