/** Delays of hedges that are learned. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { HedgeDelay } from "effect-loader/resilience"
import * as fc from "fast-check"
import { Percentiles } from "../../src/resilience/Percentiles.ts"
import { withTime } from "../withTime.ts"

class Usual extends HedgeDelay.Service<Usual>()("app/Usual") {}

/** Reproducible random numbers, from a seed. */
const random = (seed: number) => {
  let state = seed >>> 0 || 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe("a learned delay", () => {
  it("leaves about `percentile` of the attempts alone for any latencies: hedging does not increase hedging", () => {
    const seeds = fc.integer({ min: 1, max: 2 ** 31 })
    const tails = fc.constantFrom(
      (u: number) => 10 + 20 * u,
      (u: number) => -20 * Math.log(1 - u),
      (u: number) => 5 / Math.sqrt(1 - u)
    )
    fc.assert(
      fc.property(seeds, tails, fc.constantFrom(0.5, 0.9, 0.95), (seed, latency, percentile) => {
        const percentiles = new Percentiles(percentile)
        const next = random(seed)
        let hedged = 0
        for (let k = 0; k < 6000; k++) {
          const after = percentiles.get("price") ?? Infinity
          const first = latency(next())
          const took = first > after ? Math.min(first, after + latency(next())) : first
          if (k >= 2000 && first > after) hedged++
          percentiles.add("price", took)
        }
        assert.approximately(hedged / 4000, 1 - percentile, 0.35 * (1 - percentile) + 0.01)
      }),
      { numRuns: 100 }
    )
  })

  it("keeps the most recent resources, if names are made at run time", () => {
    const percentiles = new Percentiles(0.5)
    for (let k = 0; k < 3000; k++) {
      percentiles.add("usual", 10)
      percentiles.add(`${k}`, 20)
      assert.isAtMost(percentiles.known, 1000)
    }
    assert.strictEqual(percentiles.get("usual"), 10)
  })

  it.effect("starts as `initial`, and is learned for each resource", () =>
    Effect.gen(function* () {
      const taking = (name: string, millis: number) =>
        Resource.make(name, { load: () => Effect.sleep(millis) }).pipe(Policy.hedge({ after: Usual }))
      const page = Loader.make({ quick: taking("quick", 5), slow: taking("slow", 60) })
      const program = Effect.gen(function* () {
        for (let k = 0; k < 20; k++) yield* Loader.load(page)
        return yield* Effect.all([Usual.after("quick"), Usual.after("slow"), Usual.after("other")])
      })
      const layer = Usual.layer({ initial: "1 second", min: "10 millis" })
      const delays = yield* withTime(program.pipe(Effect.provide(layer)))
      assert.deepStrictEqual(delays.map(Duration.toMillis), [10, 60, 1000])
    })
  )

  it.effect("is infinite at first, so that nothing is hedged", () =>
    Effect.gen(function* () {
      const after = yield* Usual.after("price").pipe(Effect.provide(Usual.layer()))
      assert.isFalse(Duration.isFinite(after))
    })
  )

  it.effect("rejects an invalid percentile with a defect that says so", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Usual.after("x").pipe(Effect.provide(Usual.layer({ percentile: 95 }))))
      assert.match(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", /`percentile` must be between 0 and 1, got 95/)
    })
  )
})
