/**
 * The limit that adapts by default: TCP Vegas, over windows, on latencies that are normalised per resource.
 *
 *  1. Each resource has a baseline: what it takes when nothing queues. Latencies count as multiples of it, so that a
 *     change in what is asked for is not taken for a change of the backend.
 *  2. The mean multiple of a window says how many of those in flight only queue. Too many: the limit is lowered. Hardly
 *     any, while the limit is used: it is raised. In between it is right.
 *  3. When the limit has been in use for some seconds, nobody knows any more what answers take without a queue: a probe
 *     lowers the limit for a moment, and looks. Only a probe can raise a baseline, or it would follow what the limit
 *     itself brings about; and what comes in crowds is seen without a queue in no other way.
 *  4. When the limit has been lowered by a third, too: a baseline from a time with more in flight may be too high, and
 *     one that is too low would lower the limit without end, though this limiter is not the cause.
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

/** How many resources it knows at most; those that have not answered for longest are forgotten. */
const names = 1000
/** How many samples a resource's mean remembers. */
const meanMemory = 200
/** A baseline needs so many samples; the first one over so many times their mean: the first answers are the quick ones. */
const baselineSamples = 100
const firstMeans = 6
/** So long in use, or lowered to this share, and a probe begins; to what share of those in flight it goes. */
const probeEvery = 10_000
const probeBelow = 0.7
const probeTo = 0.7
/** A probe lasts so long, and so many times what slow answers take: of one that is shorter only quick ones come back.
 *  Where too few of the resource that is asked most have come, it goes on, but not for longer than this. */
const probeMillis = 250
const probeSlow = 5
const probeAtMost = 2000
/** How many samples the mean multiple remembers; how many a window needs to decide anything. */
const multipleMemory = 100
const enoughSamples = 25
/** So much of the limit has to be in use to raise it, and so much for the time to count until the next probe. */
const inUse = 0.8
const busy = 0.5
/** More than this share of drops lowers the limit to that share of itself. */
const tooManyDrops = 0.1
const afterDrops = 0.9
/** Lowering happens by no more than this at once; raising happens by this at first, and with no baseline known. */
const lowerAtMost = 0.7
const slowStartBy = 1.5
const blindBy = 1.25
const blindUpTo = 4

export interface Baseline {
  readonly mean: number
  readonly square: number
  readonly seen: number
  readonly since: number
  /** What the resource takes when nothing queues; `undefined` until enough is known. */
  readonly value: number | undefined
}

export type Baselines = ReadonlyMap<string, Baseline>

export interface BaselineProbe {
  readonly since: number
  readonly lasts: number
  /** The limit to go back to. */
  readonly restore: number
  /** What was asked for most when it began. */
  readonly resource: string
}

export interface VegasState extends LimitState {
  readonly baselines: Baselines
  /** How many times its baseline an answer takes, smoothed; `undefined` until enough is known. */
  readonly multiple: number | undefined
  readonly slowStart: boolean
  /** The limit from which it has been lowered, if lowering is the last that happened to it. */
  readonly loweredFrom: number | undefined
  readonly probe: BaselineProbe | undefined
  /** For how long the limit was in use since the last probe, in milliseconds. */
  readonly busyFor: number
}

/** What a window says about the queue at the backend. */
interface QueueReading {
  readonly multiple: number
  /** How many of those in flight only queue, how few are hardly any, and how many are too many. */
  readonly queue: number
  readonly least: number
  readonly most: number
  readonly used: boolean
}

const unknown: Baseline = { mean: 0, square: 0, seen: 0, since: 0, value: undefined }

const include = (before: Baseline, { count, sum, sumOfSquares }: ResourceSamples): Baseline => ({
  ...before,
  mean: blend(before.mean, before.seen, sum / count, count, meanMemory),
  square: blend(before.square, before.seen, sumOfSquares / count, count, meanMemory),
  seen: before.seen + count
})

const isTrusted = ({ mean, seen, since, value }: Baseline, at: number): boolean =>
  value === undefined ? seen >= baselineSamples && at - since >= firstMeans * mean : seen >= meanMemory

/** A mean, and half of what chance may have taken from it: the lowest of many plain means would be too low. */
const notTooLow = ({ mean, seen, square }: Baseline): number =>
  mean + 0.5 * Math.sqrt(Math.max(0, square - mean * mean) / Math.max(1, Math.min(seen, meanMemory)))

/** Outside of probes a baseline can only go down. */
const lowest = (now: Baseline, at: number): Baseline =>
  isTrusted(now, at) ? { ...now, value: Math.min(notTooLow(now), now.value ?? Infinity) } : now

const learn = ({ baselines: before, probe }: VegasState, window: Window): Baselines => {
  const baselines = new Map(before)
  for (const samples of window.resources) {
    const now = include(baselines.get(samples.resource) ?? { ...unknown, since: window.from }, samples)
    // The last in the order of the map is the one that answered last.
    baselines.delete(samples.resource)
    baselines.set(samples.resource, probe === undefined ? lowest(now, window.to) : now)
  }
  for (const resource of baselines.keys()) {
    if (baselines.size <= names) break
    baselines.delete(resource)
  }
  return baselines
}

const mapKnown = (baselines: Baselines, f: (baseline: Baseline, value: number) => Baseline): Baselines =>
  new Map(
    Array.from(baselines, ([resource, baseline]) => [
      resource,
      baseline.value === undefined ? baseline : f(baseline, baseline.value)
    ])
  )

const forgetMean = (baseline: Baseline): Baseline => ({ ...baseline, seen: 0 })

/** What a probe has seen. Where that is not enough, the old baseline stands for the rest. */
const takeMean = (baseline: Baseline, value: number): Baseline => ({
  ...baseline,
  value: value + (notTooLow(baseline) - value) * Math.min(1, baseline.seen / baselineSamples)
})

/** Reads a window, if it has enough samples of resources with a baseline. */
const read = ({ baselines, limit, multiple: before }: VegasState, window: Window): QueueReading | undefined => {
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
  const { limit, slowStart } = state
  const tries = slowStart && window.drops === 0 && limit < blindUpTo * initial
  return tries && window.peak >= inUse * limit ? { ...state, limit: limit * blindBy } : state
}

const lower = (state: VegasState, { most, multiple }: QueueReading): VegasState => {
  const aimed = Math.max(state.limit / multiple + most, state.limit * lowerAtMost)
  return {
    ...state,
    limit: Math.min(aimed, state.limit - 1),
    loweredFrom: state.loweredFrom ?? state.limit,
    slowStart: false
  }
}

const raise = (state: VegasState): VegasState => {
  const { limit, slowStart } = state
  return {
    ...state,
    limit: slowStart ? limit * slowStartBy : limit + Math.max(1, Math.sqrt(limit) / 4),
    loweredFrom: undefined
  }
}

const adjust = (state: VegasState, reading: QueueReading): VegasState => {
  if (reading.queue > reading.most) return lower(state, reading)
  if (reading.queue >= reading.least) return { ...state, slowStart: false }
  return reading.used ? raise(state) : state
}

const slow = ({ mean, square }: Baseline): number => mean + 2 * Math.sqrt(Math.max(0, square - mean * mean))

const probeLasts = ({ baselines }: VegasState): number => {
  let slowest = 0
  for (const baseline of baselines.values()) slowest = Math.max(slowest, slow(baseline))
  return Math.min(probeAtMost, Math.max(probeMillis, probeSlow * slowest))
}

/** The resource that most of a window's answers came from. */
const mainResource = ({ resources }: Window): string =>
  resources.reduce((a, b) => (b.count > a.count ? b : a), { resource: "", count: 0 }).resource

const beginProbe = (state: VegasState, window: Window): VegasState => ({
  ...state,
  limit: Math.min(state.limit, window.peak) * probeTo,
  freshSince: window.to,
  probe: { since: window.to, lasts: probeLasts(state), restore: state.limit, resource: mainResource(window) },
  baselines: mapKnown(state.baselines, forgetMean)
})

const endProbe = (state: VegasState, { restore }: BaselineProbe, at: number): VegasState => ({
  ...state,
  limit: restore,
  freshSince: at,
  probe: undefined,
  baselines: mapKnown(state.baselines, takeMean),
  multiple: undefined,
  loweredFrom: undefined,
  busyFor: 0
})

const isProbed = (state: VegasState, { lasts, resource, since }: BaselineProbe, at: number): boolean => {
  const isKnown = (state.baselines.get(resource)?.seen ?? 0) >= baselineSamples
  return at - since >= (isKnown ? lasts : probeAtMost)
}

const isProbeDue = ({ busyFor, limit, loweredFrom }: VegasState): boolean =>
  busyFor > probeEvery || (loweredFrom !== undefined && limit <= probeBelow * loweredFrom)

const decide = (state: VegasState, window: Window, reading: QueueReading | undefined, initial: number): VegasState => {
  const { drops, from, samples, to } = window
  const { probe } = state
  if (probe !== undefined) return isProbed(state, probe, to) ? endProbe(state, probe, to) : state
  const tooMany = drops > tooManyDrops * (samples + drops)
  if (reading === undefined) return tooMany ? afterTooManyDrops(state) : blind(state, window, initial)
  const isBusy = window.peak >= busy * state.limit
  const seen = {
    ...state,
    // where the limit was not reached, answers can tell that it is too high, but not that it is not
    multiple: reading.used ? reading.multiple : Math.max(reading.multiple, state.multiple ?? 0),
    gradient: reading.multiple,
    busyFor: state.busyFor + (isBusy ? to - from : 0)
  }
  const adjusted = tooMany ? afterTooManyDrops(seen) : adjust(seen, reading)
  return isBusy && isProbeDue(adjusted) ? beginProbe(adjusted, window) : adjusted
}

/**
 * Follows how much longer answers take than they need.
 *
 * - `min`: default 4; use 1 for a fragile backend. `max`: default 512. `initial`: default 20, or what fits in between.
 *
 * Lowers the limit when more of those in flight queue than about `√limit`, or more than a tenth of them are drops, and
 * raises it while hardly any queue. Needs about a hundred answers of a resource before it knows it.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter } from "effect-loader"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const live = Postgres.layerAdaptive({ algorithm: Limiter.vegas({ min: 1, max: 64 }) })
 * Effect.runPromise(Postgres.stats.pipe(Effect.provide(live))).then(({ limit }) => console.log(limit)) // 20
 * ```
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
      loweredFrom: undefined,
      probe: undefined,
      busyFor: 0
    },
    next: (before, window) => {
      const reading = read(before, window)
      const baselines = learn(before, window)
      const baseline = baselines.get(mainResource(window))?.value ?? before.baseline
      const known = { ...before, baselines, ...(baseline === undefined ? {} : { baseline }) }
      const after = decide(known, window, reading, initial)
      return { ...after, limit: within({ min, max }, after.limit) }
    }
  }
}
