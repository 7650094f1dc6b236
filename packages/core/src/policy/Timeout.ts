import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { durationOf } from "../base/DurationInput.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy } from "../model/Policy.ts"

/**
 * Fails with a `TimeoutError` when what is piped before takes longer than `duration`.
 *
 * Before a `retry` it bounds one attempt, counted from when that attempt has its slot; after a `retry` it bounds all
 * attempts and their pauses. What runs is interrupted and its finalizers are awaited, so a step that cannot be
 * interrupted delays the failure. `"Infinity"` means no limit, also where a loader's default policy has one. A negative
 * limit throws.
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
              // Effect's own message is kept from saying which limit it was by our wrapping; this one says it.
              orElse: () => Effect.fail(new Cause.TimeoutError(`no answer within ${text}`))
            })
          : self
    }
  ])
}
