import { checkFunctions } from "../model/UserEffect.ts"
import type * as Effect from "effect/Effect"
import type { AnyEffect } from "../model/Node.ts"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { Policy } from "../model/Policy.ts"

/**
 * Makes a custom policy: `f` gets the effect of everything piped before it, and returns the effect that runs instead.
 *
 * `label` names it in plans. `f` must keep the value. The type arguments `PE` and `PR` are the errors and services that it adds,
 * default `never`: `Policy.around<Forbidden, Session>("guarded", ...)`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 *
 * const timed = Policy.around("timed", (self) =>
 *   Effect.tap(Effect.timed(self), ([took]) => Effect.logDebug(took)).pipe(Effect.map(([, value]) => value))
 * )
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(timed)
 * console.log(Effect.runSync(Loader.load(Loader.make({ org })))) // { org: "acme" }
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const around = <PE = never, PR = never>(
  label: string,
  f: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | PE, R | PR>
): Policy<PE, PR> => {
  checkFunctions("Policy.around", label, { f }, ["f"])
  return fromLayers([
    {
      kind: `around(${label})`,
      label,
      repeats: false,
      continues: true,
      refused: undefined,
      wrap: (self): AnyEffect => f(self)
    }
  ])
}
