import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import { durationText } from "../base/DurationText.ts"
import { NotNow } from "../base/NotNow.ts"
import type { RefusalReason } from "./Ticket.ts"

const reasons: { readonly [Tag in RefusalReason["_tag"]]: string } = {
  QueueFull: "as many wait as may",
  Deadline: "it could not have been done in time",
  Shed: "the queue has been standing for too long"
}

/**
 * A limiter refused an attempt, which has not begun.
 *
 * - `limiter`: the limiter's key; `limit`: how many permits could be in use at that moment.
 * - `reason`: `QueueFull`, `Deadline` or `Shed`; `waited`: how long it had waited.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Limiter } from "effect-loader"
 *
 * class Search extends Limiter.Service<Search>()("app/Search") {}
 *
 * const program = Effect.gen(function* () {
 *   yield* Effect.forkChild(Search.withPermit(Effect.never), { startImmediately: true })
 *   return yield* Search.withPermit(Effect.succeed("a hit")).pipe(
 *     Effect.catchTag("LimitExceeded", ({ reason }) => Effect.succeed(reason._tag))
 *   )
 * })
 * const full = Search.layer({ limit: 1, queue: { max: 0 } })
 * Effect.runPromise(program.pipe(Effect.provide(full))).then((text) => console.log(text)) // QueueFull
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class LimitExceeded extends Data.TaggedError("LimitExceeded")<{
  readonly message: string
  readonly limiter: string
  readonly reason: RefusalReason
  readonly waited: Duration.Duration
  readonly limit: number
}> {
  constructor(props: {
    readonly limiter: string
    readonly reason: RefusalReason
    readonly waited: Duration.Duration
    readonly limit: number
  }) {
    super({
      ...props,
      message:
        `limiter "${props.limiter}" refused after ${durationText(props.waited)}: ${reasons[props.reason._tag]} ` +
        `(limit ${props.limit})`
    })
  }

  /** @internal */
  get [NotNow](): NotNow {
    return "Refused"
  }
}
