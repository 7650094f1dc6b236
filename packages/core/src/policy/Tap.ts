/** Effects that follow a load and leave its value alone. */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import { hosted } from "../attempt/FromLayers.ts"
import type { AnyEffect } from "../model/Node.ts"
import { type AddError, type Any, type Resource, withLayers } from "../model/Resource.ts"
import { asEffect, checkFunctions } from "../model/UserEffect.ts"

/**
 * Runs an effect with the value of a resource when it has been loaded. The value stays; the resource is loaded when the effect
 * has ended. What the effect fails with becomes the resource's error.
 *
 * It acts on what is piped before, as a policy does: a `retry` after it also repeats the load when the effect fails, and
 * after a cache it runs for each value that is read. Inputs, constants, structs and choices take none.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const user = Resource.make("user", { load: () => Effect.succeed("ada") }).pipe(
 *   Resource.tap((user) => Effect.sync(() => console.log(`loaded ${user}`)))
 * )
 * Effect.runSync(Loader.load(Loader.make({ user }))) // loaded ada
 * ```
 *
 * @since 0.1.0
 * @category mapping
 */
export const tap: {
  <A, E2 = never, R2 = never>(
    f: (value: A) => Effect.Effect<unknown, E2, R2>
  ): <N extends string, E, R, In, U>(
    self: Resource<N, A, E, R, In, U>
  ) => Resource<N, A, AddError<N, E, E2>, R | R2, In, U | R2>
  <N extends string, A, E, R, In, U, E2 = never, R2 = never>(
    self: Resource<N, A, E, R, In, U>,
    f: (value: A) => Effect.Effect<unknown, E2, R2>
  ): Resource<N, A, AddError<N, E, E2>, R | R2, In, U | R2>
} = /* @__PURE__ */ dual(2, (self: Any, f: (value: unknown) => unknown): never => {
  checkFunctions("Resource.tap", self.name, { f }, ["f"])
  const layer = hosted({
    kind: "tap",
    label: "tap",
    repeats: false,
    continues: true,
    refused: undefined,
    wrap: (load): AnyEffect => Effect.tap(load, (value) => asEffect(self, "the function of tap", f(value)))
  })
  return withLayers(self, [layer]) as never
})
