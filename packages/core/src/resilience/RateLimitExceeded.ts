import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import { durationText } from "../base/DurationText.ts"
import { NotNow } from "../base/NotNow.ts"

/**
 * A rate limit has refused to begin an effect, because as many have begun as it allows.
 *
 * - `rate`: the key of the rate limit; `limit`: the number that it allows in its window.
 * - `retryAfter`: the time until it allows more.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { RateLimit, rateLimit } from "effect-loader/resilience"
 *
 * class Search extends RateLimit.Service<Search>()("app/Search") {}
 *
 * const hits = Resource.make("hits", { load: () => Effect.succeed(["a"]) }).pipe(rateLimit(Search))
 * const load = Loader.load(Loader.make({ hits }))
 * const once = Search.layer({ limit: 1, window: "1 minute" })
 *
 * const second = Effect.andThen(load, Effect.flip(load)).pipe(Effect.provide(once))
 * Effect.runPromise(second).then(({ error }) => console.log(error._tag)) // RateLimitExceeded
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitExceeded extends Data.TaggedError("RateLimitExceeded")<{
  readonly message: string
  readonly rate: string
  readonly limit: number
  readonly retryAfter: Duration.Duration
}> {
  constructor(props: { readonly rate: string; readonly limit: number; readonly retryAfter: Duration.Duration }) {
    const when = durationText(props.retryAfter)
    super({ ...props, message: `rate limit "${props.rate}" (${props.limit}) is exceeded: try again in ${when}` })
  }

  /** @internal */
  get [NotNow](): NotNow {
    return "Refused"
  }
}
