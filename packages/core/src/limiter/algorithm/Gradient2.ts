import {
  type Bounds,
  bySecond,
  type LimitAlgorithm,
  type LimitState,
  meanLatency,
  type Window,
  within
} from "./LimitAlgorithm.ts"

export interface Gradient2State extends LimitState {
  /** The long-term latency, and how many windows it was made of so far. */
  readonly long: number
  readonly windows: number
}

/** How many windows the long-term latency is a plain mean of, and how much of a window it takes after that. */
const warmUp = 10
const share = 2 / 601
/** How much slower than in the long term a window may be, and how many may queue. */
const tolerance = 1.5
const queue = 4

const longTerm = ({ long, windows }: Gradient2State, latency: number): number => {
  const next = long + (latency - long) * (windows < warmUp ? 1 / (windows + 1) : share)
  return next / latency > 2 ? next * 0.95 : next
}

/**
 * Follows the ratio of a long-term latency to that of the last window.
 *
 * - `min`: default 20; `max`: default 200; `initial`: default `min`.
 *
 * The long-term latency follows what the limit itself brings about, so under steady overload the limit climbs. As in
 * Netflix's concurrency-limits (`Gradient2Limit`), over windows of a second.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter } from "effect-loader"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const live = Postgres.layerAdaptive({ algorithm: Limiter.gradient2({ initial: 30 }) })
 * Effect.runPromise(Postgres.stats.pipe(Effect.provide(live))).then(({ limit }) => console.log(limit)) // 30
 * ```
 *
 * @since 0.1.0
 * @category algorithms
 */
export const gradient2 = (options: Bounds = {}): LimitAlgorithm<Gradient2State> => {
  const { max = 200, min = 20 } = options
  const next = (state: Gradient2State, window: Window): Gradient2State => {
    if (window.samples === 0) return state
    const latency = meanLatency(window)
    const long = longTerm(state, latency)
    const gradient = Math.min(1, Math.max(0.5, (tolerance * long) / latency))
    const { limit } = state
    const aimed = 0.8 * limit + 0.2 * (limit * gradient + queue)
    return {
      limit: window.peak < limit / 2 ? limit : within({ min, max }, aimed),
      baseline: long,
      gradient: latency / long,
      long,
      windows: state.windows + 1
    }
  }
  return {
    name: "gradient2",
    max,
    window: bySecond,
    initial: { limit: options.initial ?? min, long: 0, windows: 0 },
    next
  }
}
