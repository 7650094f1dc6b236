import {
  type Bounds,
  bySecond,
  type LimitAlgorithm,
  type LimitState,
  meanLatency,
  type Window,
  within
} from "./LimitAlgorithm.ts"

/**
 * Additive increase, multiplicative decrease: one more while all goes well, a tenth less on a drop.
 *
 * - `min`: default 20; `max`: default 200; `initial`: default `min`.
 * - `slow`: a window whose mean latency is above it, in milliseconds, counts as a drop. Default 5,000.
 *
 * It needs backends that refuse: where they only get slower, it goes on until `slow`. As in Netflix's
 * concurrency-limits, over windows of a second.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter } from "effect-loader"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const live = Postgres.layerAdaptive({ algorithm: Limiter.aimd({ min: 4, max: 64 }) })
 * Effect.runPromise(Postgres.stats.pipe(Effect.provide(live))).then(({ limit }) => console.log(limit)) // 4
 * ```
 *
 * @since 0.1.0
 * @category algorithms
 */
export const aimd = (options: Bounds & { readonly slow?: number } = {}): LimitAlgorithm => {
  const { max = 200, min = 20, slow = 5000 } = options
  const next = ({ limit }: LimitState, window: Window): LimitState => {
    if (window.drops > 0 || (window.samples > 0 && meanLatency(window) > slow)) {
      return { limit: within({ min, max }, Math.floor(limit * 0.9)) }
    }
    return { limit: window.peak * 2 >= limit ? within({ min, max }, limit + 1) : limit }
  }
  return {
    name: "aimd",
    max,
    window: bySecond,
    initial: { limit: options.initial ?? min },
    next
  }
}
