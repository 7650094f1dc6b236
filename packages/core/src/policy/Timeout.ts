import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { durationOf } from "../base/DurationInput.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy } from "../model/Policy.ts"

/**
 * Fails with a `TimeoutError` when everything piped before it takes longer than `duration`.
 *
 * Before a `retry` it limits one attempt, from the moment at which the attempt has its slot; after a `retry` it limits all
 * attempts and their pauses. The effect inside is interrupted and its finalizers are awaited, so an uninterruptible effect
 * delays the failure. `"Infinity"` means no limit, even if the loader's default policy has one. A negative limit throws.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 *
 * const slow = Resource.make("slow", { load: () => Effect.never }).pipe(Policy.timeout("10 millis"))
 *
 * const said = Effect.flip(Loader.load(Loader.make({ slow })))
 * Effect.runPromise(said).then((e) => console.log(e.error.message)) // no answer within 10ms
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const timeout = (duration: Duration.Input): Policy<Cause.TimeoutError> => {
  const limit = durationOf("Policy.timeout: the limit", duration)
  const text = Duration.format(limit)
  return fromLayers([
    {
      kind: "timeout",
      label: `timeout(${text})`,
      repeats: false,
      continues: false,
      refused: undefined,
      patience: Duration.toMillis(limit),
      wrap: (self) =>
        Duration.isFinite(limit)
          ? Effect.timeoutOrElse(self, {
              duration: limit,
              // Effect's message cannot name the limit, because of our wrapping. This one does.
              orElse: () => Effect.fail(new Cause.TimeoutError(`no answer within ${text}`))
            })
          : self
    }
  ])
}
