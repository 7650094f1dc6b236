/** A view with another value. */
import { dual } from "effect/Function"
import { type Any, mapping, type Resource, through } from "./Resource.ts"

/**
 * Replaces a resource's value by another one: for dependents that need the resource to be loaded, and not what it gives.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const migrated = Resource.make("migrated", { load: () => Effect.succeed(["001", "002"]) }).pipe(Resource.as("ready"))
 *
 * console.log(Effect.runSync(Loader.load(Loader.make({ migrated })))) // { migrated: "ready" }
 * ```
 *
 * @since 0.1.0
 * @category mapping
 */
export const as: {
  <const B>(
    value: B
  ): <N extends string, A, E, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, B, E, R, In, U>
  <N extends string, A, E, R, In, U, const B>(self: Resource<N, A, E, R, In, U>, value: B): Resource<N, B, E, R, In, U>
} = /* @__PURE__ */ dual(2, (self: Any, value: unknown): never => {
  const f = () => value
  return through(self, f, mapping("as", f))
})
