/**
 * The limit that adapts by default: TCP Vegas, over windows, on latencies that are normalised per resource.
 *
 *  1. Each resource has a baseline: what it takes when nothing queues. Latencies count as multiples of it, so that a
 *     change in what is asked for is not taken for a change of the backend.
 *  2. The mean multiple of a window says how many of those in flight only queue. Too many: the limit is lowered. Hardly
 *     any, while the limit is used: it is raised. In between it is right.
 *  3. When the limit has been in use for some seconds, nobody knows any more what answers take without a queue: a probe
 *     lowers the limit for a moment, and looks. Otherwise the baseline would follow what the limit itself brings about.
 *  4. Where lowering the limit by a third has changed next to nothing, this limiter is not the cause: it takes its limit
 *     back, and what it sees for the new baseline.
 */
import {
  blend,
  type Bounds,
  type LimitAlgorithm,
  type LimitState,
  type ResourceSamples,
  type Window,
  within
} from "./LimitAlgorithm.ts"

/** How many samples a resource's mean remembers, and for how long the lowest of its means stays the baseline. */
const meanMemory = 200
const baselineMillis = 15_000
/** A first baseline needs so many samples, over so many times their mean: the first answers are the quick ones. */
const firstSamples = 100
const firstMeans = 6
/** A later one needs so many, which matters after a probe has begun: of the time before, so many are kept. */
const laterSamples = 50
const keptInProbe = 20
/** So long without a window that used less than half of the limit, and a probe begins; to what share of the limit it
 *  goes, and how long it lasts, also in baselines. */
const probeEvery = 10_000
const probeTo = 0.7
const probeMillis = 250
const probeBaselines = 3
/** How many samples the mean multiple remembers; how many a window needs to decide anything. */
const multipleMemory = 100
const enoughSamples = 25
/** The limit is in use when so much of it was. */
const inUse = 0.8
/** More than this share of drops lowers the limit to that share of itself. */
const tooManyDrops = 0.1
const afterDrops = 0.9
/** Lowering happens by no more than this at once; raising happens by this at first, and with no baseline known. */
const lowerAtMost = 0.7
const slowStartBy = 1.5
const blindBy = 1.25
const blindUpTo = 4
/** The futility rule: lowered to that share of the limit, and the multiple is still that share of what it was. */
const loweredTo = 0.7
const unmoved = 0.9

interface Baseline {
  readonly mean: number
  readonly square: number
  readonly seen: number
  readonly since: number
  /** What the resource takes when nothing queues; `undefined` until enough is known. */
  readonly value: number | undefined
  /** What the means of the last seconds were, as far as no later one is below, the lowest first. */
  readonly lows: ReadonlyArray<{ readonly at: number; readonly mean: number }>
}

type Baselines = ReadonlyMap<string, Baseline>

interface VegasState extends LimitState {
  readonly baselines: Baselines
  /** How many times its baseline an answer takes, smoothed; `undefined` until enough is known. */
  readonly multiple: number | undefined
  readonly slowStart: boolean
  /** The limit and the multiple from which the limit was lowered. */
  readonly lowered: { readonly limit: number; readonly multiple: number } | undefined
  readonly probe: { readonly since: number; readonly restore: number } | undefined
  /** When a window last used less than half of the limit. */
  readonly quietAt: number
}

/** What a window says about the queue at the backend. */
interface Reading {
  readonly multiple: number
  /** How many of those in flight only queue, how few are hardly any, and how many are too many. */
  readonly queue: number
  readonly least: number
  readonly most: number
  readonly used: boolean
}

const unknown: Baseline = { mean: 0, square: 0, seen: 0, since: 0, value: undefined, lows: [] }

const include = (before: Baseline, { count, sum, sumOfSquares }: ResourceSamples): Baseline => ({
  ...before,
  mean: blend(before.mean, before.seen, sum / count, count, meanMemory),
  square: blend(before.square, before.seen, sumOfSquares / count, count, meanMemory),
  seen: before.seen + count
})

const isTrusted = ({ mean, seen, since, value }: Baseline, at: number): boolean =>
  value === undefined ? seen >= firstSamples && at - since >= firstMeans * mean : seen >= laterSamples

/** A mean, and half of what chance may have taken from it: the lowest of many plain means would be too low. */
const notTooLow = ({ mean, seen, square }: Baseline): number =>
  mean + 0.5 * Math.sqrt(Math.max(0, square - mean * mean) / Math.min(seen, meanMemory))

const learn = (before: Baseline | undefined, samples: ResourceSamples, { from, to }: Window): Baseline => {
  const now = include(before ?? { ...unknown, since: from }, samples)
  if (!isTrusted(now, to)) return now
  const mean = notTooLow(now)
  const lower = now.lows.filter((low) => low.mean < mean && low.at >= to - baselineMillis)
  return { ...now, value: lower[0]?.mean ?? mean, lows: [...lower, { at: to, mean }] }
}

const learnAll = (before: Baselines, window: Window): Baselines => {
  const baselines = new Map(before)
  for (const samples of window.resources) {
    baselines.set(samples.resource, learn(before.get(samples.resource), samples, window))
  }
  return baselines
}

const mapBaselines = (baselines: Baselines, f: (baseline: Baseline) => Baseline): Baselines =>
  new Map(Array.from(baselines, ([resource, baseline]) => [resource, f(baseline)]))

const forget = (baseline: Baseline): Baseline => ({
  ...baseline,
  seen: Math.min(baseline.seen, keptInProbe),
  lows: []
})

const rebase = (at: number, baseline: Baseline): Baseline =>
  baseline.value === undefined ? baseline : { ...baseline, value: baseline.mean, lows: [{ at, mean: baseline.mean }] }

/** Reads a window, if it has enough samples of resources with a baseline. */
const read = ({ baselines, limit, multiple: before }: VegasState, window: Window): Reading | undefined => {
  let count = 0
  let sum = 0
  let sumOfSquares = 0
  for (const samples of window.resources) {
    const value = baselines.get(samples.resource)?.value
    if (value === undefined) continue
    count += samples.count
    sum += samples.sum / value
    sumOfSquares += samples.sumOfSquares / (value * value)
  }
  if (count < enoughSamples) return undefined
  const mean = sum / count
  const multiple = before === undefined ? mean : before + (mean - before) * (count / (count + multipleMemory))
  const error = Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean) / (count + multipleMemory))
  return {
    multiple,
    queue: limit * (1 - 1 / Math.max(1, multiple)),
    least: Math.max(2, Math.sqrt(limit) / 4),
    most: Math.max(4, (3 * Math.sqrt(limit)) / 4) + error * limit,
    used: window.peak >= inUse * limit
  }
}

const afterTooManyDrops = (state: VegasState): VegasState => ({
  ...state,
  limit: state.limit * afterDrops,
  slowStart: false
})

/** Without a reading: up to some limit more is tried, as nothing can be learned where nothing runs. */
const blind = (state: VegasState, window: Window, initial: number): VegasState => {
  const { limit, probe, slowStart } = state
  const tries = slowStart && probe === undefined && window.drops === 0 && limit < blindUpTo * initial
  return tries && window.peak >= inUse * limit ? { ...state, limit: limit * blindBy } : state
}

const lower = (state: VegasState, { most, multiple }: Reading, at: number): VegasState => {
  const lowered = state.lowered ?? { limit: state.limit, multiple }
  if (state.limit <= loweredTo * lowered.limit && multiple > unmoved * lowered.multiple) {
    return {
      ...state,
      limit: lowered.limit,
      lowered: undefined,
      multiple: undefined,
      slowStart: false,
      baselines: mapBaselines(state.baselines, (baseline) => rebase(at, baseline))
    }
  }
  const aimed = Math.max(state.limit / multiple + most, state.limit * lowerAtMost)
  return { ...state, limit: Math.min(aimed, state.limit - 1), lowered, slowStart: false }
}

const raise = (state: VegasState): VegasState => {
  const { limit, slowStart } = state
  return {
    ...state,
    limit: slowStart ? limit * slowStartBy : limit + Math.max(1, Math.sqrt(limit) / 4),
    lowered: undefined
  }
}

const adjust = (state: VegasState, reading: Reading, at: number): VegasState => {
  if (reading.queue > reading.most) return lower(state, reading, at)
  if (reading.queue >= reading.least) return { ...state, slowStart: false }
  return reading.used ? raise(state) : state
}

const beginProbe = (state: VegasState, at: number): VegasState => ({
  ...state,
  limit: state.limit * probeTo,
  freshSince: at,
  probe: { since: at, restore: state.limit },
  baselines: mapBaselines(state.baselines, forget)
})

const endProbe = (state: VegasState, restore: number, at: number): VegasState => ({
  ...state,
  limit: restore,
  freshSince: at,
  probe: undefined,
  multiple: undefined,
  quietAt: at
})

const probeLasts = ({ baselines }: VegasState): number => {
  let longest = 0
  for (const { value = 0 } of baselines.values()) longest = Math.max(longest, value)
  return Math.max(probeMillis, probeBaselines * longest)
}

const decide = (state: VegasState, window: Window, reading: Reading | undefined, initial: number): VegasState => {
  const { drops, samples, to } = window
  const tooMany = drops > tooManyDrops * (samples + drops)
  if (reading === undefined) return tooMany ? afterTooManyDrops(state) : blind(state, window, initial)
  const isQuiet = window.peak < state.limit / 2
  const seen = {
    ...state,
    multiple: reading.multiple,
    gradient: reading.multiple,
    quietAt: isQuiet ? to : state.quietAt
  }
  if (seen.probe !== undefined) {
    return to - seen.probe.since >= probeLasts(seen) ? endProbe(seen, seen.probe.restore, to) : seen
  }
  const adjusted = tooMany ? afterTooManyDrops(seen) : adjust(seen, reading, to)
  return to - adjusted.quietAt > probeEvery ? beginProbe(adjusted, to) : adjusted
}

/** The baseline of the resource that most of a window's answers came from. */
const mainBaseline = (baselines: Baselines, { resources }: Window): number | undefined => {
  if (resources.length === 0) return undefined
  const main = resources.reduce((a, b) => (b.count > a.count ? b : a))
  return baselines.get(main.resource)?.value
}

/**
 * Follows how much longer answers take than they need.
 *
 * - `min`: default 4; use 1 for a fragile backend. `max`: default 512. `initial`: default 20, or what fits in between.
 *
 * Lowers the limit when more of those in flight queue than about `√limit`, or more than a tenth of them are drops, and
 * raises it while hardly any queue. Needs about a hundred answers of a resource before it knows it.
 *
 * @since 0.1.0
 * @category algorithms
 */
export const vegas = (options: Bounds = {}): LimitAlgorithm<VegasState> => {
  const { max = 512, min = Math.min(4, max) } = options
  const initial = within({ min, max }, options.initial ?? 20)
  return {
    name: "vegas",
    max,
    window: { minMillis: 250, minSamples: 50, maxMillis: 2000 },
    initial: {
      limit: initial,
      baselines: new Map(),
      multiple: undefined,
      slowStart: true,
      lowered: undefined,
      probe: undefined,
      quietAt: 0
    },
    next: (before, window) => {
      const reading = read(before, window)
      const baselines = learnAll(before.baselines, window)
      const baseline = mainBaseline(baselines, window) ?? before.baseline
      const known = { ...before, baselines, ...(baseline === undefined ? {} : { baseline }) }
      const after = decide(known, window, reading, initial)
      return { ...after, limit: within({ min, max }, after.limit) }
    }
  }
}
