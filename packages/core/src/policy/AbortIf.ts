import { checkFunctions, decide } from "../model/UserEffect.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy, PolicyFor } from "../model/Policy.ts"
import type { OwnError, Resource } from "../model/Resource.ts"

/**
 * Aborts the load when everything piped before it fails with a certain error: no `retry` around it tries again, no fallback
 * replaces the error, and the load fails with it, whatever else fails meanwhile.
 *
 * - `when`: a predicate for these errors. Piped inline it knows the resource's own error. In a policy made beforehand its parameter
 *   is `unknown`, and the policy fits all resources; annotated, it fits resources with such an error.
 *
 * Side effects are undone, as after any failure. In `settle` only the resource itself aborts.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource, Saga } from "effect-loader"
 *
 * let attempts = 0
 * const payment = Resource.make("payment", {
 *   load: (): Effect.Effect<string, "busy" | "fraud"> => Effect.suspend(() => (attempts++, Effect.fail("fraud")))
 * }).pipe(
 *   Saga.abortIf((error) => error === "fraud"),
 *   Policy.retry({ times: 3 }),
 *   Resource.orElseSucceed(() => "paid later")
 * )
 *
 * const failed = Effect.exit(Loader.load(Loader.make({ payment })))
 * Effect.runPromise(failed).then((exit) => console.log(exit._tag, attempts)) // Failure 1
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const abortIf: {
  <N extends string, A, E, R, In, U>(
    when: string extends N ? never : (error: OwnError<N, E>) => boolean
  ): (self: Resource<N, A, E, R, In, U>) => Resource<N, A, E, R, In, U>
  (when: (error: unknown) => boolean): Policy
  <E0>(when: (error: E0) => boolean): PolicyFor<E0>
} = (when: (error: never) => boolean): never => {
  checkFunctions("Saga.abortIf", "when", { when }, ["when"])
  return fromLayers([
    {
      kind: "abort",
      label: "abort",
      repeats: false,
      continues: false,
      refused: undefined,
      wrap: (self, observer) =>
        Effect.catchCause(self, (cause) => {
          const failure = cause.reasons.find(Cause.isFailReason)
          if (failure === undefined) return Effect.failCause(cause)
          const ask = () => when(failure.error as never)
          return decide(cause, { name: observer.resource }, "the function of abortIf", ask, () =>
            observer.aborting(cause)
          )
        })
    }
  ]) as never
}
