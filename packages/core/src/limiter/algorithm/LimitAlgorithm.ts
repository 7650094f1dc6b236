/**
 * How a limit adapts to the latencies and drops of a backend.
 *
 * @since 0.1.0
 */

/**
 * The answers that came within one window from one resource: how many, and the sums of their latencies in milliseconds
 * and of the squares of these.
 *
 * A latency is counted from when the attempt got its permit. One above ten times what its resource usually takes counts
 * as ten times that, so that a single answer cannot decide.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResourceSamples {
  readonly resource: string
  readonly count: number
  readonly sum: number
  readonly sumOfSquares: number
}

/**
 * What happened in a stretch of time: the answers, the drops, and the most attempts that were in flight at once.
 *
 * - `from`, `to`: in milliseconds, by the limiter's clock.
 * - `drops`: attempts that timed out, or that the backend refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface Window {
  readonly from: number
  readonly to: number
  readonly peak: number
  readonly drops: number
  readonly samples: number
  readonly resources: ReadonlyArray<ResourceSamples>
}

/**
 * The state of an algorithm between windows.
 *
 * - `limit`: how many may be in flight at once, with fractions; whole ones count.
 * - `freshSince`: answers to attempts that began before are not counted, as they tell of another limit.
 * - `baseline`, `gradient`: for those who watch. The baseline is the latency without queueing of the resource that is
 *   asked most, in milliseconds; the gradient is how many times the baseline answers take now.
 *
 * @since 0.1.0
 * @category models
 */
export interface LimitState {
  readonly limit: number
  readonly freshSince?: number
  readonly baseline?: number
  readonly gradient?: number
}

/**
 * How to get from one limit to the next: pure, so that it can be tried, simulated and replaced.
 *
 * - `max`: the limit is never above it; an attempt that needs more permits is a defect.
 * - `window`: a window ends after `minMillis` and `minSamples` answers or drops, or with the first after `maxMillis`.
 * - `next`: the state after a window. Where it throws, the state stays as it was, and the log says so once.
 *
 * @since 0.1.0
 * @category models
 */
export interface LimitAlgorithm<S extends LimitState = LimitState> {
  readonly name: string
  readonly max: number
  readonly window: { readonly minMillis: number; readonly minSamples: number; readonly maxMillis: number }
  readonly initial: S
  // A method, so that an algorithm with a state of its own is one with any state.
  next(state: S, window: Window): S
}

/**
 * The bounds of a limit that adapts, and where it begins.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bounds {
  readonly min?: number
  readonly max?: number
  readonly initial?: number
}

/** Windows of a second, of ten answers or drops at the least. */
export const bySecond: LimitAlgorithm["window"] = { minMillis: 1000, minSamples: 10, maxMillis: Infinity }

/** Keeps a limit within its bounds. */
export const within = ({ max, min }: { readonly min: number; readonly max: number }, limit: number): number =>
  Math.min(max, Math.max(min, limit))

/** The mean latency over all resources. */
export const meanLatency = ({ resources, samples }: Window): number =>
  resources.reduce((sum, resource) => sum + resource.sum, 0) / samples

/** Mixes a mean of `count` samples into one that remembers `memory` samples. */
export const blend = (before: number, seen: number, mean: number, count: number, memory: number): number =>
  before + (mean - before) * Math.max(count / (seen + count), count / (memory + count))
