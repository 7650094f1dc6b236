import { describe, expect, it } from "vitest"
import { aimd } from "../../src/limiter/algorithm/Aimd.ts"
import { fixed } from "../../src/limiter/algorithm/Fixed.ts"
import { gradient2 } from "../../src/limiter/algorithm/Gradient2.ts"
import { Latencies } from "../../src/limiter/algorithm/Latencies.ts"
import type { LimitAlgorithm, LimitState, Window } from "../../src/limiter/algorithm/LimitAlgorithm.ts"
import { vegas } from "../../src/limiter/algorithm/Vegas.ts"

/** A quarter of a second with 100 answers that each took so long, the limit in use, except for what it says. */
const window = (from: number, millis: number, changes: Partial<Window> = {}): Window => ({
  from,
  to: from + 250,
  peak: Infinity,
  drops: 0,
  samples: 100,
  resources: [{ resource: "row", count: 100, sum: 100 * millis, sumOfSquares: 100 * millis * millis }],
  ...changes
})

/** The limits after each of some windows. */
const limits = <S extends LimitState>(
  algorithm: LimitAlgorithm<S>,
  windows: ReadonlyArray<(limit: number, from: number) => Window>
): ReadonlyArray<number> => {
  let state = algorithm.initial
  return windows.map((window, i) => {
    state = algorithm.next(state, window(state.limit, i * 250))
    return state.limit
  })
}

const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

/** Answers of a backend with so many servers, that take 10 ms and queue beyond. */
const servers =
  (count: number, changes: Partial<Window> = {}) =>
  (limit: number, from: number): Window =>
    window(from, 10 * Math.max(1, Math.floor(limit) / count), changes)

describe("vegas", () => {
  it("finds the limit of a backend from below and from above", () => {
    for (const initial of [5, 20, 100]) {
      const found = limits(vegas({ initial }), times(400, servers(40))).at(-1)!
      expect(found).toBeGreaterThan(38)
      expect(found).toBeLessThan(50)
    }
  })

  it("stays within its bounds", () => {
    expect(limits(vegas({ min: 3, max: 30 }), times(100, servers(40))).at(-1)).toBe(30)
    expect(Math.min(...limits(vegas({ min: 3, max: 30 }), times(200, servers(1))))).toBeGreaterThanOrEqual(3)
  })

  it("does not raise a limit that is not used", () => {
    const unused = limits(vegas(), times(100, servers(40, { peak: 5 })))
    expect(new Set(unused)).toEqual(new Set([20]))
  })

  it("lowers the limit by a tenth when more than a tenth are dropped, and not for fewer", () => {
    const [before, after] = limits(vegas(), [servers(40, { peak: 15 }), servers(40, { peak: 15, drops: 12 })])
    expect(after).toBeCloseTo(before! * 0.9)
    expect(limits(vegas(), times(2, servers(40, { peak: 15, drops: 10 }))).at(-1)).toBe(before)
  })

  it("counts latencies as multiples of their own resource's baseline", () => {
    const of = (resource: string, count: number, millis: number) => ({
      resource,
      count,
      sum: count * millis,
      sumOfSquares: count * millis * millis
    })
    const mix = (slow: number) => (_: number, from: number) =>
      window(from, 0, { peak: 15, resources: [of("row", 100 - slow, 10), of("report", slow, 100)] })
    const mixed = limits(vegas(), [...times(30, mix(40)), ...times(5, mix(90))])
    expect(mixed.at(-1)).toBe(mixed[29])
  })

  it("probes for the baseline again when the limit has been in use for ten seconds", () => {
    const all = limits(vegas({ initial: 20 }), times(100, servers(18)))
    const probes = all.flatMap((limit, i) => (i > 0 && limit < all[i - 1]! * 0.75 ? [i] : []))
    expect(probes.length).toBeGreaterThanOrEqual(1)
    expect(all[probes[0]! + 1]).toBeCloseTo(all[probes[0]! - 1]!)
  })

  it("finds the limit of a backend that is asked in crowds, with quiet times in between", () => {
    const crowd = servers(8)
    const quiet = (_: number, from: number) => window(from, 10, { peak: 2 })
    const all = limits(
      vegas({ initial: 80 }),
      Array.from({ length: 400 }, (_, i) => (i % 4 === 3 ? quiet : crowd))
    )
    const settled = all.slice(200)
    const mean = settled.reduce((sum, limit) => sum + limit, 0) / settled.length
    expect(mean).toBeGreaterThan(7)
    expect(mean).toBeLessThan(16)
  })

  it("takes its limit back where lowering it changes nothing", () => {
    const slower = (_: number, from: number) => window(from, 40)
    const all = limits(vegas({ initial: 40, max: 40 }), [...times(10, servers(60)), ...times(30, slower)])
    expect(Math.min(...all.slice(10))).toBeLessThanOrEqual(28)
    expect(all.at(-1)).toBeGreaterThanOrEqual(39)
  })

  it("does not decide by a few answers", () => {
    const few = (_: number, from: number) => window(from, 500, { samples: 3, peak: 15, resources: [] })
    expect(new Set(limits(vegas(), times(20, few)))).toEqual(new Set([20]))
  })
})

describe("names that are made at run time", () => {
  const sampleOf = (resource: string, millis: number) => ({
    resource,
    count: 1,
    sum: millis,
    sumOfSquares: millis * millis
  })

  it("vegas knows a thousand at most, and always those that keep answering", () => {
    const algorithm = vegas({ initial: 20, max: 20 })
    let state = algorithm.initial
    for (let i = 0; i < 400; i++) {
      const fresh = Array.from({ length: 50 }, (_, k) => sampleOf(`${i}-${k}`, 10))
      const usual = { resource: "usual", count: 50, sum: 500, sumOfSquares: 5000 }
      state = algorithm.next(state, window(i * 250, 10, { peak: 5, resources: [usual, ...fresh] }))
      expect(state.baselines.size).toBeLessThanOrEqual(1000)
    }
    expect(state.baselines.get("usual")?.value).toBeCloseTo(10)
    expect(state.baselines.has("399-0")).toBe(true)
    expect(state.baselines.has("0-0")).toBe(false)
  })

  it("are forgotten, those that answered last remembered, and no sample of a window is lost", () => {
    const latencies = new Latencies()
    for (let i = 0; i < 5000; i++) {
      latencies.add("usual", 3, true)
      latencies.add(`${i}`, 7, true)
      expect(latencies.known).toBeLessThanOrEqual(1000)
    }
    const samples = latencies.take()
    expect(samples.length).toBeLessThanOrEqual(1001)
    expect(samples.reduce((sum, { count }) => sum + count, 0)).toBe(10_000)
    expect([latencies.usual("usual"), latencies.usual("4999"), latencies.usual("0")]).toEqual([3, 7, 10])
  })

  it("a window that knows a name twice counts both", () => {
    const algorithm = vegas()
    const twice = [sampleOf("row", 10), sampleOf("row", 20)]
    const { baselines } = algorithm.next(algorithm.initial, window(0, 10, { samples: 2, resources: twice }))
    expect(baselines.get("row")).toMatchObject({ seen: 2, mean: 15 })
  })
})

describe("aimd", () => {
  it("takes a tenth away for a drop or a slow window, and adds one where the limit is used", () => {
    const used = (_: number, from: number) => window(from, 10)
    const dropped = (_: number, from: number) => window(from, 10, { drops: 1 })
    const slow = (_: number, from: number) => window(from, 6000)
    const unused = (_: number, from: number) => window(from, 10, { peak: 5 })
    expect(limits(aimd({ min: 1, initial: 20 }), [used, dropped, slow, unused])).toEqual([21, 18, 16, 16])
  })
})

describe("aimd, at its edges", () => {
  const used = (_: number, from: number) => window(from, 10)
  const dropped = (_: number, from: number) => window(from, 10, { drops: 1 })

  it("begins at its `min`, which is 20, and stays within its bounds", () => {
    expect(aimd().initial.limit).toBe(20)
    expect(limits(aimd(), times(5, dropped))).toEqual(times(5, 20))
    expect(limits(aimd({ max: 22 }), times(5, used))).toEqual([21, 22, 22, 22, 22])
    expect(aimd({ max: 22 }).max).toBe(22)
  })

  it("goes down to one, and up again from there", () => {
    const down = limits(aimd({ min: 1, initial: 4 }), times(10, dropped))
    expect(down.at(-1)).toBe(1)
    expect(down.every((limit, i) => limit >= 1 && Number.isInteger(limit) && limit <= (down[i - 1] ?? 4))).toBe(true)
    expect(limits(aimd({ min: 1, initial: 1 }), times(3, used))).toEqual([2, 3, 4])
  })

  it("counts a window of nothing but drops, and holds over one in which nothing happened", () => {
    const onlyDrops = (_: number, from: number) => window(from, 0, { drops: 3, samples: 0, resources: [] })
    const nothing = (_: number, from: number) => window(from, 0, { peak: 0, samples: 0, resources: [] })
    expect(limits(aimd({ min: 1, initial: 20 }), [onlyDrops, nothing])).toEqual([18, 18])
  })

  it("takes half of the limit for enough to say that it is used, and `slow` for what is too slow", () => {
    const half = (_: number, from: number) => window(from, 10, { peak: 10 })
    const less = (_: number, from: number) => window(from, 10, { peak: 9 })
    expect(limits(aimd({ initial: 20 }), [half])).toEqual([21])
    expect(limits(aimd({ initial: 20 }), [less])).toEqual([20])
    const taking = (millis: number) => (_: number, from: number) => window(from, millis)
    expect(limits(aimd({ min: 1, initial: 20, slow: 100 }), [taking(100), taking(101)])).toEqual([21, 18])
  })
})

describe("a limit that stays", () => {
  it("stays, whatever it is told, and asks for no windows", () => {
    const all = [servers(1)(40, 0), window(0, 10_000, { drops: 1000 })]
    expect(all.map((one) => fixed(7).next({ limit: 7 }, one))).toEqual([{ limit: 7 }, { limit: 7 }])
    expect([fixed(7).max, fixed(7).window.maxMillis]).toEqual([7, Infinity])
  })
})

describe("gradient2", () => {
  it("lowers the limit when a window is much slower than the long term, and else makes room for a small queue", () => {
    const at = (millis: number) => (_: number, from: number) => window(from, millis)
    const [first, second] = limits(gradient2({ initial: 20 }), [at(10), at(10)])
    expect([first, second]).toEqual([20.8, 21.6])
    const all = limits(gradient2({ min: 1, initial: 100 }), [...times(10, at(10)), at(40)])
    expect(all[10]).toBeLessThan(all[9]!)
  })

  it("stays within its bounds", () => {
    const quick = (_: number, from: number) => window(from, 10)
    expect(limits(gradient2({ initial: 29, max: 30 }), times(5, quick)).at(-1)).toBe(30)
    const slower = (_: number, from: number) => window(from, 10 + from)
    expect(Math.min(...limits(gradient2({ min: 18 }), times(200, slower)))).toBeGreaterThanOrEqual(18)
  })

  it("never lowers by more than a tenth at once, however slow a window is", () => {
    const at = (millis: number) => (_: number, from: number) => window(from, millis)
    const [before, after] = limits(gradient2({ min: 1, initial: 100 }), [...times(12, at(10)), at(1e6)]).slice(-2)
    expect(after).toBeCloseTo(before! * 0.9 + 0.8)
  })

  it("learns nothing of a window without answers", () => {
    const algorithm = gradient2()
    const empty = window(0, 0, { drops: 5, samples: 0, resources: [] })
    expect(algorithm.next(algorithm.initial, empty)).toBe(algorithm.initial)
  })

  it("comes down sooner with its long-term latency once answers are twice as quick", () => {
    const algorithm = gradient2()
    let state = algorithm.initial
    for (let i = 0; i < 10; i++) state = algorithm.next(state, window(i, 100))
    const half = algorithm.next(state, window(10, 60))
    const third = algorithm.next(state, window(10, 30))
    expect(half.baseline!).toBeGreaterThan(99)
    expect(third.baseline!).toBeLessThan(96)
  })

  it("holds where less than half of the limit is used", () => {
    expect(limits(gradient2({ initial: 20 }), [(_, from) => window(from, 10, { peak: 5 })])).toEqual([20])
  })
})

describe("latencies", () => {
  it("a resource's usual latency is a mean of the last ones, and ten milliseconds before any", () => {
    const latencies = new Latencies()
    expect(latencies.usual("row")).toBe(10)
    for (let i = 0; i < 300; i++) latencies.add("row", i < 100 ? 2 : 30, false)
    expect(latencies.usual("row")).toBeGreaterThan(28)
  })

  it("a single answer counts for at most ten times the usual", () => {
    const latencies = new Latencies()
    for (let i = 0; i < 20; i++) latencies.add("row", 1, false)
    latencies.add("row", 5000, true)
    expect(latencies.take()).toEqual([{ resource: "row", count: 1, sum: 10, sumOfSquares: 100 }])
    expect(latencies.take()).toEqual([])
  })
})
