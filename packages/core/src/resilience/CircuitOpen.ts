import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { durationText } from "../base/DurationText.ts"
import { NotNow } from "../base/NotNow.ts"

/**
 * A circuit breaker has refused a call: its backend has failed too often, or its probe is in progress.
 *
 * - `breaker`: the key of the breaker.
 * - `retryAfter`: the time until the next probe; zero if a probe is in progress.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
 *
 * class Accounts extends CircuitBreaker.Service<Accounts>()("app/Accounts") {}
 *
 * const user = Resource.make("user", { load: () => Effect.fail("down") }).pipe(circuitBreaker(Accounts))
 * const load = Effect.flip(Loader.load(Loader.make({ user })))
 * const open = Accounts.layer({ opens: { failures: 1 }, openDuration: "30 seconds" })
 *
 * Effect.runPromise(Effect.andThen(load, load).pipe(Effect.provide(open))).then(({ error }) => {
 *   console.log(typeof error === "string" ? error : error._tag) // CircuitOpen
 * })
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class CircuitOpen extends Data.TaggedError("CircuitOpen")<{
  readonly message: string
  readonly breaker: string
  readonly retryAfter: Duration.Duration
}> {
  constructor(props: { readonly breaker: string; readonly retryAfter: Duration.Duration }) {
    const until = Duration.isZero(props.retryAfter)
      ? "until the attempt that tries it out has succeeded"
      : `for another ${durationText(props.retryAfter)}`
    super({ ...props, message: `circuit breaker "${props.breaker}" lets nothing through ${until}` })
  }

  /** @internal */
  get [NotNow](): NotNow {
    return "Refused"
  }
}
