/** Refreshes: loads in the background, which may fail, hang, or continue after their deadline. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schema } from "effect"
import { Persistence } from "effect/persistence"
import { TestClock } from "effect/testing"
import { ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import fc from "fast-check"
import { fork } from "../fork.ts"

class Users extends ResourceCache.Service<Users, string>()("app/Users", { keyed: true }) {}

/** The kind of a refresh: it returns a value, fails, hangs, or hangs and cannot be interrupted. */
type Refresh = "answers" | "fails" | "hangs" | "ignores"

const steps = fc.array(
  fc.record({
    pause: fc.nat({ max: 40 }),
    key: fc.constantFrom("a", "b", "c"),
    refresh: fc.constantFrom<Refresh>("answers", "fails", "hangs", "ignores"),
    forgets: fc.constantFrom(false, false, false, false, true)
  }),
  { minLength: 1, maxLength: 40 }
)

const timeToLive = 20
const staleWhileRevalidate = 30
const refreshWithin = 25
const background = 2
/** The duration of a load. */
const takes = 5

/** The value is the instant at which its load began. */
const load = (now: () => number) =>
  Effect.suspend(() => {
    const since = now()
    return Effect.as(Effect.sleep(takes), since)
  })

const refreshOf = (refresh: Refresh, now: () => number): Effect.Effect<number, string> => {
  switch (refresh) {
    case "answers":
      return load(now)
    case "fails":
      return Effect.andThen(load(now), Effect.fail("down"))
    case "hangs":
      return Effect.never
    case "ignores":
      return Effect.as(Effect.uninterruptible(Effect.sleep("1 hour")), -1)
  }
}

describe("a refresh", () => {
  it("never keeps a reader from a fresh value, whatever its exit, and is one of at most `background`", () =>
    fc.assert(
      fc.asyncProperty(steps, async (given) => {
        let now = 0
        const program = Effect.gen(function* () {
          const cache = yield* Users
          const readings: Array<{ readonly at: number; readonly fiber: Fiber.Fiber<unknown, unknown> }> = []
          const pass = (millis: number) =>
            Effect.gen(function* () {
              for (let k = 0; k < millis; k++) {
                yield* TestClock.adjust(1)
                now++
                assert.isAtMost((yield* Users.stats).refreshing, background)
                for (const { at, fiber } of readings.splice(0)) {
                  const exit = fiber.pollUnsafe()
                  if (exit === undefined) {
                    assert.isAtMost(now - at, takes, "no reader waits longer than for a load")
                    readings.push({ at, fiber })
                    continue
                  }
                  const since = Exit.isSuccess(exit) ? (exit.value as number) : assert.fail("a reader's load succeeds")
                  assert.isAtLeast(since, at - timeToLive - staleWhileRevalidate - takes)
                }
              }
            })
          for (const { forgets, key, pause, refresh } of given) {
            yield* pass(pause)
            if (forgets) yield* Users.invalidate(key)
            const read = cache.read(
              key,
              load(() => now),
              {
                read: () => {},
                degraded: () => assert.fail("nothing stands in for an error"),
                refresh: () => refreshOf(refresh, () => now),
                policies: () => ""
              }
            )
            readings.push({ at: now, fiber: yield* fork(read as Effect.Effect<unknown, unknown>) })
          }
          yield* pass(takes + 1)
          assert.strictEqual(readings.length, 0)
          // A refresh that ignores its deadline frees its place at its end, and its value goes to no reader.
          yield* TestClock.adjust("2 hours")
          const { refreshing } = yield* Users.stats
          assert.strictEqual(refreshing, 0)
        })
        const layer = Users.layer({ timeToLive, staleWhileRevalidate, refreshWithin, background })
        await Effect.runPromise(Effect.provide(program, Layer.provideMerge(layer, TestClock.layer())))
      }),
      { numRuns: 200 }
    ))

  it.effect("has a deadline, after which it counts as failed", () =>
    Effect.gen(function* () {
      yield* Users.get("key", Effect.succeed("old"))
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(yield* Users.get("key", Effect.never), "old")
      yield* TestClock.adjust("29 seconds")
      const before = yield* Users.stats
      yield* TestClock.adjust("1 second")
      const after = yield* Users.stats
      assert.deepStrictEqual([before.refreshing, before.refreshFailures], [1, 0])
      assert.deepStrictEqual([after.refreshing, after.refreshFailures], [0, 1])
    }).pipe(Effect.provide(Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 hour" })))
  )

  it.effect("that cannot be interrupted delays the closing of its cache's layer by its deadline at most", () =>
    Effect.gen(function* () {
      const refreshed = Effect.gen(function* () {
        yield* Users.get("key", Effect.succeed("old"))
        yield* Effect.sleep("90 seconds")
        yield* Users.get("key", Effect.uninterruptible(Effect.never))
      }).pipe(Effect.provide(Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 hour" })))
      const closing = yield* fork(refreshed)
      yield* TestClock.adjust("90 seconds")
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(closing.pollUnsafe(), Exit.void)
    })
  )

  it.effect("never replaces the value of a load that a reader began later", () =>
    Effect.gen(function* () {
      yield* Users.get("key", Effect.succeed("old"))
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(yield* Users.get("key", Effect.as(Effect.sleep("50 seconds"), "slow")), "old")
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(yield* Users.get("key", Effect.succeed("new")), "new")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* Users.get("key", Effect.succeed("newer")), "new")
    }).pipe(
      Effect.provide(Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute", refreshWithin: "1 hour" }))
    )
  )

  it.effect("takes no place from writes to the store", () =>
    Effect.gen(function* () {
      yield* Users.get("stale", Effect.succeed("old"))
      yield* TestClock.adjust("90 seconds")
      yield* Users.get("stale", Effect.never)
      const { refreshing } = yield* Users.stats
      yield* Users.get("new", Effect.succeed("value"))
      const { dropped } = yield* Users.stats
      assert.deepStrictEqual([refreshing, dropped], [1, 0])
    }).pipe(
      Effect.provide(
        Persisted.layer(Users, {
          value: Schema.String,
          timeToLive: "1 minute",
          memory: { timeToLive: "1 minute", staleWhileRevalidate: "1 hour", background: 1 }
        }).pipe(Layer.provideMerge(Persistence.layerBackingMemory))
      )
    )
  )
})
