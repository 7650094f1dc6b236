/** The policy that takes turns of a rate limit. */
import type * as Context from "effect/Context"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { Policy } from "../model/Policy.ts"
import { guard } from "./Guard.ts"
import type { RateLimit, TakeOptions } from "./RateLimit.ts"
import type { RateLimitExceeded } from "./RateLimitExceeded.ts"

/**
 * Lets the attempts of a resource begin no more often than a rate limit allows.
 *
 * - `options`: see {@link TakeOptions}.
 *
 * Slots and permits are taken inside it: an attempt that waits for the rate holds none. Before a `retry` each attempt is
 * counted, after it only the whole. `retryAfter` of the error is the time until more is allowed: see `Policy.retry`. On requests
 * each call of the resolver is counted, for any number of requests; piped after a cache, only loads are.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import { RateLimit, rateLimit } from "effect-loader/resilience"
 *
 * class Search extends RateLimit.Service<Search>()("app/Search") {}
 *
 * const hits = Resource.forEach("hits", {
 *   items: () => ["ada", "grace", "alan"],
 *   load: (query) => Effect.succeed(query.length),
 *   each: rateLimit(Search)
 * })
 * const layer = Search.layer({ limit: 2, window: "20 millis", onExceeded: "delay" })
 * Effect.runPromise(Loader.load(Loader.make({ hits })).pipe(Effect.provide(layer))).then(console.log) // { hits: [ 3, 5, 4 ] }
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const rateLimit = <Self>(
  rate: Context.Key<Self, RateLimit>,
  options: TakeOptions = {}
): Policy<RateLimitExceeded, Self> => {
  const tokens = options.tokens === undefined ? "" : `, ${options.tokens}`
  return fromLayers([
    guard("rateLimit", `rateLimit(${rate.key}${tokens})`, {
      key: rate as Context.Key<unknown, unknown>,
      around: (rate, self): AnyEffect => (rate as RateLimit).withRate(self, options)
    })
  ])
}
