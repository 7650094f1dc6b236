import { Data, Duration } from "effect"

/**
 * A rate limit let nothing through: there were as many as may be.
 *
 * - `rate`: the key of the rate limit; `limit`: how many there may be in its window.
 * - `retryAfter`: when there may be more.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateExceeded extends Data.TaggedError("RateExceeded")<{
  readonly message: string
  readonly rate: string
  readonly limit: number
  readonly retryAfter: Duration.Duration
}> {
  constructor(props: { readonly rate: string; readonly limit: number; readonly retryAfter: Duration.Duration }) {
    const when = Duration.format(props.retryAfter)
    super({ ...props, message: `rate limit "${props.rate}" (${props.limit}) is exceeded: try again in ${when}` })
  }
}
