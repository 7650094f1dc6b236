/**
 * What undoes a resource: declared with it, run when a load fails later.
 *
 * @since 0.1.0
 */
import { checkFunctions } from "../model/UserEffect.ts"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import { undoLayer } from "../model/Node.ts"
import { type Any, isResource, type Resource, withLayers } from "../model/Resource.ts"
import type { CompensationContext } from "../model/Undo.ts"

/**
 * Says how to undo a resource: what runs when the load fails after the resource has been loaded.
 *
 * - It runs when the load fails, dies, reaches its `timeout` or is interrupted; never in `settle`, and never for a value
 *   that was given, overridden, or came out of a cache or a fallback.
 * - Everything that had been loaded is undone in the reverse order in which it was completed: dependents always before
 *   what they depend on, and what is independent side by side, as far as the loader's `compensationConcurrency` allows.
 * - It cannot be interrupted from outside. Its own `Effect.retry` and `Effect.timeout` work as anywhere else.
 * - Its failure stops no other compensation, and takes no failure's place: see `CompensationError`.
 *
 * Like a policy it acts on what is piped before: with a `retry` piped after it, an attempt that is thrown away is undone
 * before the next one begins. Pipe it before fallbacks, which give nothing that could be undone.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const log: Array<string> = []
 * const seat = Resource.make("seat", { load: () => Effect.succeed("12A") }).pipe(
 *   Resource.withCompensation((seat, { resource }) => Effect.sync(() => log.push(`${resource} ${seat} released`)))
 * )
 * const ticket = Resource.make("ticket", { deps: { seat }, load: () => Effect.fail("card refused") })
 *
 * Effect.runSync(Effect.exit(Loader.load(Loader.make({ ticket }))))
 * console.log(log) // [ "seat 12A released" ]
 * ```
 *
 * @since 0.1.0
 * @category undoing
 */
export const withCompensation: {
  <A, E2, R2>(
    f: (value: A, context: CompensationContext) => Effect.Effect<unknown, E2, R2>
  ): <N extends string, E, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, A, E, R | R2, In, U>
  <N extends string, A, E, R, In, U, E2, R2>(
    self: Resource<N, A, E, R, In, U>,
    f: (value: A, context: CompensationContext) => Effect.Effect<unknown, E2, R2>
  ): Resource<N, A, E, R | R2, In, U>
} = /* @__PURE__ */ dual(
  (args) => isResource(args[0]),
  (self: Any, f: (value: unknown, context: CompensationContext) => unknown): never => {
    checkFunctions("Resource.withCompensation", self.name, { f }, ["f"])
    const undo = (value: unknown, _deps: unknown, context: CompensationContext) => f(value, context)
    return withLayers(self, [undoLayer({ _tag: "Compensation", undo })]) as never
  }
)

/**
 * Says how to clean up after a resource that did not succeed: it failed, died, timed out or was interrupted, and may have
 * left something half done.
 *
 * It runs as soon as what is piped before has ended so, before anything else is undone, and cannot be interrupted. With a
 * `retry` piped after it, it runs after each failed attempt; piped after the `retry`, it runs once, when there is no
 * further attempt. What it fails with never takes the place of the resource's own failure: see `CompensationError`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const log: Array<string> = []
 * const upload = Resource.make("upload", { load: () => Effect.fail("connection lost") }).pipe(
 *   Resource.withCleanup(({ resource }) => Effect.sync(() => log.push(`what is there of the ${resource} is deleted`)))
 * )
 *
 * Effect.runSync(Effect.exit(Loader.load(Loader.make({ upload }))))
 * console.log(log) // [ "what is there of the upload is deleted" ]
 * ```
 *
 * @since 0.1.0
 * @category undoing
 */
export const withCleanup: {
  <E2, R2>(
    f: (context: CompensationContext) => Effect.Effect<unknown, E2, R2>
  ): <N extends string, A, E, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, A, E, R | R2, In, U>
  <N extends string, A, E, R, In, U, E2, R2>(
    self: Resource<N, A, E, R, In, U>,
    f: (context: CompensationContext) => Effect.Effect<unknown, E2, R2>
  ): Resource<N, A, E, R | R2, In, U>
} = /* @__PURE__ */ dual(
  (args) => isResource(args[0]),
  (self: Any, f: (context: CompensationContext) => unknown): never => {
    checkFunctions("Resource.withCleanup", self.name, { f }, ["f"])
    return withLayers(self, [undoLayer({ _tag: "Cleanup", undo: (_deps, context) => f(context) })]) as never
  }
)
