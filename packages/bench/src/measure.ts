/**
 * Interleaved rounds: in each round every contestant has one sample, so that whatever slows the machine down slows all
 * of them. A ratio is the median of the ratios of single rounds, never a ratio of medians.
 *
 *  1. Estimate: how many runs make one sample of about `sampleMs`.
 *  2. Warm up: whole rounds that do not count. Then estimate again, since compiled code is several times as fast.
 *  3. Measure: whole rounds, each starting with another contestant, every other one backwards.
 */
import { performance } from "node:perf_hooks"

export interface Contestant {
  readonly name: string
  readonly run: () => Promise<unknown>
}

export interface Measured {
  readonly name: string
  /** Nanoseconds a run. */
  readonly median: number
  /** The lower decile: nanoseconds a run where nothing else slowed the machine down. */
  readonly low: number
  /** The time of the first contestant, as a multiple of this one's: below 1 the first is faster. */
  readonly ratio: number
  readonly rounds: number
}

export interface Rounds {
  readonly warmUp: number
  readonly measured: number
  readonly sampleMs: number
}

/** A run that takes longer than this takes part in the first rounds only. */
const slowMs = 100
const slowRounds = 3

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Nanoseconds a run, over so many runs. */
const sample = async (run: () => Promise<unknown>, runs: number): Promise<number> => {
  // What the one before left behind is not this one's to clear. Only young garbage: a full collection each time would
  // also throw away compiled code.
  globalThis.gc?.({ type: "minor", execution: "sync" })
  const start = performance.now()
  for (let k = 0; k < runs; k++) await run()
  return ((performance.now() - start) * 1e6) / runs
}

interface Estimate {
  readonly runs: number
  readonly slow: boolean
}

const estimate = async (run: () => Promise<unknown>, sampleMs: number): Promise<Estimate> => {
  await run()
  let runs = 1
  for (;;) {
    const ns = await sample(run, runs)
    if (ns * runs > sampleMs * 5e5) {
      return { runs: Math.max(1, Math.round((sampleMs * 1e6) / ns)), slow: ns > slowMs * 1e6 }
    }
    runs *= 2
  }
}

interface Entry extends Contestant {
  runs: number
  readonly slow: boolean
  readonly samples: Array<number>
}

const inTurn = <A>(entries: ReadonlyArray<A>, round: number): ReadonlyArray<A> => {
  const first = round % entries.length
  const turned = [...entries.slice(first), ...entries.slice(0, first)]
  return round % 2 === 0 ? turned : turned.toReversed()
}

export const compete = async (
  contestants: ReadonlyArray<Contestant>,
  { measured, sampleMs, warmUp }: Rounds
): Promise<ReadonlyArray<Measured>> => {
  const entries: Array<Entry> = []
  for (const contestant of contestants) {
    entries.push({ ...contestant, ...(await estimate(contestant.run, sampleMs)), samples: [] })
  }
  for (let round = -warmUp; round < measured; round++) {
    if (round === 0) {
      for (const entry of entries) if (!entry.slow) entry.runs = (await estimate(entry.run, sampleMs)).runs
    }
    for (const entry of inTurn(entries, round + warmUp)) {
      const skipped = entry.slow && (round < 0 || round >= slowRounds)
      if (!skipped || entry === entries[0]) {
        const ns = await sample(entry.run, entry.runs)
        if (round >= 0) entry.samples.push(ns)
      }
    }
  }
  const first = entries[0]!.samples
  return entries.map(({ name, samples }) => ({
    name,
    median: median(samples),
    low: samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 10)]!,
    ratio: median(samples.map((ns, round) => first[round]! / ns)),
    rounds: samples.length
  }))
}
