import { describe, expect, it, vi } from "vitest"
import { fixedFifo, fromFarTooHigh, theDefault, unbounded } from "../simulation/Contender.ts"
import { calm, expectations, nearlyFull, settledLimit } from "../simulation/Expectations.ts"
import { goodEnough, overload, steady } from "../simulation/Overload.ts"
import { pages } from "../simulation/Pages.ts"
import { crowds, quiet, tenants, unnamed, weighted } from "../simulation/Shares.ts"

const seeds = [1, 2]

// Minutes of computing where the machine is busy and coverage is counted: the limit is for what hangs.
vi.setConfig({ testTimeout: 600_000 })

describe("simulated, the default limiter", () => {
  for (const { bound, holds, law, measure } of expectations) {
    it(`${law} ${bound}`, () => expect(measure(theDefault, seeds)).toSatisfy(holds))
  }

  it("finds the size of a pool from ten times as much", () => {
    expect(settledLimit(fromFarTooHigh, seeds)).toBeLessThanOrEqual(2)
  })

  it("does not drift over an hour", () => {
    // A smaller server than elsewhere, which makes the hour shorter for us and not for it.
    const hour = { ...steady, clients: 50, capacity: [[0, 4]] as const, phases: [0, 900, 1800, 2700, 3600] }
    const { byPhase } = overload(hour, theDefault, 1)
    expect(Math.min(...byPhase)).toBeGreaterThanOrEqual(goodEnough)
    expect(byPhase[3]! / byPhase[0]!).toBeGreaterThan(0.97)
  })

  it("the same seed gives the same trace, and another seed another", () => {
    const traces = [1, 1, 2].map((seed) => pages(nearlyFull, theDefault, seed, 15).trace)
    expect(traces[0]).toBe(traces[1])
    expect(traces[0]).not.toBe(traces[2])
  })
})

/** What the controls must miss, or the assertions would assert nothing. */
const controls = [
  {
    contender: unbounded,
    laws: /^(goodput, (steady|capacity|retry|pages, load 0.9)|light p99, (load 0.9|pool)|limit|share)/
  },
  {
    contender: fixedFifo,
    laws: /^(goodput, (steady|capacity|retry|pages, load 0.9)|light p99, (load 0.9|pool)|limit|share)/
  }
]

describe("simulated, the controls", () => {
  for (const { contender, laws } of controls) {
    const missed = expectations.filter(({ law }) => laws.test(law))
    it.each(missed)(`${contender.name} misses: $law`, ({ holds, measure }) => {
      expect(measure(contender, seeds)).not.toSatisfy(holds)
    })
  }

  it("runs that do not say whose they are share by run, so a tenant with more of them gets more", () => {
    for (const seed of seeds) {
      expect(crowds(theDefault, seed, unnamed(tenants)).share).toBeCloseTo(20 / 220, 1)
      expect(crowds(theDefault, seed, unnamed(weighted)).share).toBeCloseTo(1 / 2, 1)
      expect(crowds(theDefault, seed, unnamed(quiet)).wait).toBeGreaterThan(100)
    }
  })

  it("there is something to be missed", () => {
    expect(calm.load).toBeLessThan(nearlyFull.load)
  })
})
