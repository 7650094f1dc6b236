/** What a limiter has to achieve, and how far each contender gets. Each figure is the worst over all seeds. */
import { type Contender, ideal, unbounded } from "./Contender.ts"
import { overload, scenarios } from "./Overload.ts"
import { pages, type PagesResult, type Traffic, traffic } from "./Pages.ts"
import { besideFlood, crowds, equalDemands, quiet, tenants, weighted } from "./Shares.ts"
import { pooled } from "./Sites.ts"

export interface Expectation {
  readonly law: string
  readonly bound: string
  readonly holds: (value: number) => boolean
  /** The worst over the seeds. */
  readonly measure: (contender: Contender, seeds: ReadonlyArray<number>) => number
}

/** How long a run of pages is simulated, in seconds: long enough for light pages, and for a limit to have settled. */
const seconds = 45
const settled = 120

const known = new Map<string, PagesResult>()

/** Several expectations look at the same run. */
export const run = (kind: Traffic, contender: Contender, seed: number, lasts = seconds): PagesResult => {
  const key = `${kind.name}|${contender.name}|${seed}|${lasts}`
  const result = known.get(key) ?? pages(kind, contender, seed, lasts)
  known.set(key, result)
  return result
}

export const calm = traffic(0.3)
export const busy = traffic(0.7)
export const nearlyFull = traffic(0.9)
export const overloaded = traffic(1.3, { name: "load 1.3, deadlines", deadlines: true })
export const paused = traffic(0.7, { name: "load 0.7, pauses", pauses: true })
export const heavyTailed = traffic(0.7, { name: "load 0.7, heavy-tailed", work: "heavyTailed" })
const pool = traffic(0.8, { name: "pool", site: pooled })
const constantPool = traffic(0.8, { name: "pool, constant", site: pooled, work: "constant" })
const bimodalCalm = traffic(0.3, { name: "load 0.3, bimodal", work: "bimodal" })
const bimodal = traffic(0.9, { name: "load 0.9, bimodal", work: "bimodal" })

const worst = (seeds: ReadonlyArray<number>, f: (seed: number) => number): number =>
  seeds.reduce((most, seed) => Math.max(most, finite(f(seed))), 0)
const least = (seeds: ReadonlyArray<number>, f: (seed: number) => number): number =>
  seeds.reduce((fewest, seed) => Math.min(fewest, f(seed)), Infinity)
/** Where nothing was done at all there is no percentile: that is the worst of all. */
const finite = (value: number): number => (Number.isNaN(value) ? Infinity : value)

const atLeast = (bound: number) => (value: number) => value >= bound
const atMost = (bound: number) => (value: number) => value <= bound

const lightTail =
  (calmer: Traffic, fuller: Traffic): Expectation["measure"] =>
  (contender, seeds) =>
    worst(seeds, (seed) => run(fuller, contender, seed).light.p99 / run(calmer, contender, seed).light.p99)

const lightTailToIdeal =
  (kind: Traffic): Expectation["measure"] =>
  (contender, seeds) =>
    worst(seeds, (seed) => run(kind, contender, seed).light.p99 / run(kind, ideal, seed).light.p99)

const mean = (numbers: ReadonlyArray<number>): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

/** The mean limit of a pool once a minute has passed, by its size. */
export const settledLimit: Expectation["measure"] = (contender, seeds) =>
  worst(seeds, (seed) => {
    const limits = [pool, constantPool].map((kind) => mean(run(kind, contender, seed, settled).limits.slice(60)))
    return Math.max(...limits) / pooled.backends["database"]!.servers
  })

const goodput: ReadonlyArray<Expectation> = scenarios.map((scenario) => ({
  law: `goodput, ${scenario.name}`,
  bound: "≥ 0.85",
  holds: atLeast(0.85),
  measure: (contender, seeds) => least(seeds, (seed) => overload(scenario, contender, seed).goodput)
}))

export const expectations: ReadonlyArray<Expectation> = [
  ...goodput,
  ...[calm, busy, nearlyFull, pool].map((kind): Expectation => ({
    law: `goodput, pages, ${kind.name}`,
    bound: "≥ 0.85",
    holds: atLeast(0.85),
    measure: (contender, seeds) => least(seeds, (seed) => run(kind, contender, seed).goodput)
  })),
  { law: "light p99, load 0.7 / 0.3", bound: "≤ 1.2", holds: atMost(1.2), measure: lightTail(calm, busy) },
  { law: "light p99, load 0.9 / 0.3", bound: "≤ 1.2", holds: atMost(1.2), measure: lightTail(calm, nearlyFull) },
  {
    law: "light p99, bimodal, 0.9 / 0.3",
    bound: "≤ 1.2",
    holds: atMost(1.2),
    measure: lightTail(bimodalCalm, bimodal)
  },
  { law: "light p99, pauses, to ideal", bound: "≤ 1.2", holds: atMost(1.2), measure: lightTailToIdeal(paused) },
  {
    law: "light p99, heavy-tailed, to ideal",
    bound: "≤ 1.2",
    holds: atMost(1.2),
    measure: lightTailToIdeal(heavyTailed)
  },
  { law: "light p99, pool, to ideal", bound: "≤ 2", holds: atMost(2), measure: lightTailToIdeal(pool) },
  { law: "limit of a pool by its size", bound: "≤ 2", holds: atMost(2), measure: settledLimit },
  {
    law: "heavy p50, load 0.3, to unbounded",
    bound: "≤ 1.2",
    holds: atMost(1.2),
    measure: (contender, seeds) =>
      worst(seeds, (seed) => run(calm, contender, seed).heavy.p50 / run(calm, unbounded, seed).heavy.p50)
  },
  {
    law: "share of one of two equal demands, off by",
    bound: "≤ 0.1",
    holds: atMost(0.1),
    measure: (contender, seeds) => worst(seeds, (seed) => Math.abs(2 * equalDemands(contender, seed) - 1))
  },
  {
    law: "share of one of two tenants, runs of one load, off by",
    bound: "≤ 0.1",
    holds: atMost(0.1),
    measure: (contender, seeds) => worst(seeds, (seed) => Math.abs(2 * crowds(contender, seed, tenants).share - 1))
  },
  {
    law: "share of a tenant of weight 1 beside one of 3, off by",
    bound: "≤ 0.1",
    holds: atMost(0.1),
    measure: (contender, seeds) => worst(seeds, (seed) => Math.abs(4 * crowds(contender, seed, weighted).share - 1))
  },
  {
    law: "wait of a quiet tenant beside a noisy one, p99, ms",
    bound: "≤ 10",
    holds: atMost(10),
    measure: (contender, seeds) => worst(seeds, (seed) => crowds(contender, seed, quiet).wait)
  },
  {
    law: "longest wait beside a flood, s",
    bound: "≤ 30",
    holds: atMost(30),
    measure: (contender, seeds) => worst(seeds, (seed) => besideFlood(contender, seed, 100) / 1000)
  },
  {
    law: "the same, asking for one at a time, s",
    bound: "≤ 30",
    holds: atMost(30),
    measure: (contender, seeds) => worst(seeds, (seed) => besideFlood(contender, seed, 1) / 1000)
  },
  {
    law: "times that room was left while some waited",
    bound: "= 0",
    holds: atMost(0),
    measure: (contender, seeds) => worst(seeds, (seed) => run(nearlyFull, contender, seed).idleWhileWaiting)
  }
]
