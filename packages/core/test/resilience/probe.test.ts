/** The probe of a breaker: the breaker continues after any end of the probe, and if it never ends. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import {
  CircuitBreakerError,
  CircuitBreakerStore,
  CircuitBreakerStoreError,
  layerStoreMemory
} from "effect/persistence/CircuitBreaker"
import { CircuitBreaker } from "effect-loader/resilience"
import * as fc from "fast-check"
import { withTime } from "../withTime.ts"

class Search extends CircuitBreaker.Service<Search>()("app/Search") {}

const openFor = 100
const limit = 50
const options: CircuitBreaker.Options = { opens: { failures: 1 }, openDuration: openFor, probeTimeout: limit }

const isLetThrough = Effect.map(Effect.exit(Search.withBreaker(Effect.void)), Exit.isSuccess)
const opens = Effect.exit(Search.withBreaker(Effect.fail("down")))

const ends = [
  "success",
  "failure",
  "defect",
  "hang",
  "interruption",
  "interruption of what cannot be interrupted"
] as const
type End = (typeof ends)[number]

/** A probe that takes `takes`, and has this end. */
const probe = (end: End, takes: number): Effect.Effect<unknown, string> => {
  switch (end) {
    case "success":
      return Effect.sleep(takes)
    case "failure":
      return Effect.andThen(Effect.sleep(takes), Effect.fail("still down"))
    case "defect":
      return Effect.andThen(Effect.sleep(takes), Effect.die("bug"))
    case "interruption of what cannot be interrupted":
      return Effect.uninterruptible(Effect.never)
    default:
      return Effect.never
  }
}

/** Whether a call is let through this long after the start of the probe. */
const expected = (end: End, takes: number, after: number): boolean => {
  const isInTime = takes < limit && end !== "hang" && end !== "interruption of what cannot be interrupted"
  if (!isInTime) return after > limit + openFor
  return after > (end === "success" || end === "interruption" ? takes : takes + openFor)
}

describe("a probe", () => {
  // Probes end at even instants, and the test looks at odd ones.
  const even = fc.integer({ min: 1, max: 60 }).map((n) => 2 * n)
  const odd = fc.integer({ min: 0, max: 130 }).map((n) => 2 * n + 1)

  for (const end of ends) {
    it(`that ends in ${end}, early, late or never, keeps the breaker half-open for its time limit at most`, async () => {
      await fc.assert(
        fc.asyncProperty(even, odd, async (takes, after) => {
          fc.pre(takes !== limit && takes + openFor !== limit + openFor)
          const program = Effect.gen(function* () {
            yield* opens
            yield* Effect.sleep(openFor)
            const probing = yield* Effect.forkDetach(Search.withBreaker(probe(end, takes)), { startImmediately: true })
            if (end.startsWith("interruption")) {
              yield* Effect.forkDetach(Effect.delay(Fiber.interrupt(probing), takes), { startImmediately: true })
            }
            yield* Effect.sleep(after)
            return yield* isLetThrough
          })
          const isThrough = await Effect.runPromise(withTime(Effect.provide(program, Search.layer(options))))
          assert.strictEqual(isThrough, expected(end, takes, after))
        }),
        { numRuns: 60 }
      )
    })
  }

  it.effect("has 30 seconds by default, after which its own end does not count", () =>
    Effect.gen(function* () {
      yield* opens
      yield* Effect.sleep("1 second")
      const late = yield* Effect.forkChild(Search.withBreaker(Effect.as(Effect.sleep("32 seconds"), "late")), {
        startImmediately: true
      })
      yield* Effect.sleep("29 seconds")
      assert.strictEqual((yield* Search.state)._tag, "HalfOpen")
      yield* Effect.sleep("1500 millis")
      assert.strictEqual((yield* Search.state)._tag, "Open")
      assert.strictEqual(yield* Fiber.join(late), "late")
      assert.strictEqual(yield* isLetThrough, true)
    }).pipe(Effect.provide(Search.layer({ opens: { failures: 1 }, openDuration: "1 second" })), withTime)
  )

  it.effect("that takes too long counts as one more opening of the schedule", () =>
    Effect.gen(function* () {
      yield* opens
      const pauses: Array<number> = []
      for (const pause of [100, 199, 399]) {
        yield* Effect.sleep(pause)
        yield* Effect.forkChild(Search.withBreaker(Effect.never), { startImmediately: true })
        yield* Effect.sleep(limit + 1)
        const { retryAfter } = yield* Effect.flip(Search.withBreaker(Effect.void))
        pauses.push(Duration.toMillis(retryAfter))
      }
      assert.deepStrictEqual(pauses, [199, 399, 799])
    }).pipe(Effect.provide(Search.layer({ ...options, openDuration: Schedule.exponential(100) })), withTime)
  )

  it.effect("that takes too long opens a shared breaker as soon as the store can be reached again", () => {
    let isGone = false
    const gone = Effect.fail(new CircuitBreakerError({ reason: new CircuitBreakerStoreError({ message: "gone" }) }))
    const flaky = Layer.effect(
      CircuitBreakerStore,
      Effect.map(CircuitBreakerStore, (store) => ({
        ...store,
        record: (of: Parameters<typeof store.record>[0]) => Effect.suspend(() => (isGone ? gone : store.record(of)))
      }))
    )
    const layer = Layer.provide(Search.layerShared(options), Layer.provide(flaky, layerStoreMemory()))
    return Effect.gen(function* () {
      yield* opens
      yield* Effect.sleep(openFor)
      yield* Effect.forkChild(Search.withBreaker(Effect.never), { startImmediately: true })
      isGone = true
      yield* Effect.sleep(2 * limit - 1)
      assert.strictEqual((yield* Search.state)._tag, "HalfOpen")
      isGone = false
      yield* Effect.sleep(2)
      assert.strictEqual((yield* Search.state)._tag, "Open")
    }).pipe(Effect.provide(layer), withTime)
  })

  it.effect("needs a valid time limit: any other is a defect that names the breaker", () =>
    Effect.gen(function* () {
      for (const probeTimeout of [0, -1, "Infinity", Number.NaN] as const) {
        const exit = yield* Effect.exit(Effect.provide(isLetThrough, Search.layer({ ...options, probeTimeout })))
        const text = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : ""
        assert.include(text, 'circuit breaker "app/Search": `probeTimeout` must be a finite duration longer than 0')
      }
    })
  )
})
