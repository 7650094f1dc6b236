/**
 * `Saga.compensate` and `Saga.cleanup`: undo functions that are declared with a resource.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { hosted } from "../attempt/FromLayers.ts"
import { type Any, type Resource, withLayers } from "../model/Resource.ts"
import type { Layer } from "../model/Node.ts"
import type { CompensationContext, Undo, UndoFunction } from "../model/Undo.ts"
import { undoing } from "./Account.ts"
import { checkFunctions } from "../model/UserEffect.ts"

/**
 * A `Saga.compensate`: given to a constructor after its options, or piped onto a resource.
 *
 * @since 0.1.0
 * @category models
 */
export interface Compensation<A, V = {}, R = never> extends Undo<A, V, R> {
  // A call signature: TypeScript infers the type parameters of functions that return functions last, when `A` and `V` are known.
  <N extends string, E, R0, In, U>(self: Resource<N, A, E, R0, In, U>): Resource<N, A, E, R0 | R, In, U>
}

/**
 * A `Saga.cleanup`: given to a constructor after its options, or piped onto a resource.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cleanup<V = {}, R = never> extends Undo<unknown, V, R> {
  <N extends string, A, E, R0, In, U>(self: Resource<N, A, E, R0, In, U>): Resource<N, A, E, R0 | R, In, U>
}

/** A policy that is piped after a fallback may get a value that nothing loaded. */
const tooLate: Layer["misplaced"] = (_source, inside) =>
  inside.some(({ recovers }) => recovers)
    ? "a fallback gives nothing that could be undone: pipe it before the fallback"
    : undefined

/** A layer that wraps nothing: the run keeps its undo function. */
const fromFunction = (kind: string, undo: UndoFunction, misplaced?: Layer["misplaced"]): never => {
  const layer = hosted({
    kind,
    label: kind,
    repeats: false,
    continues: false,
    refused: undefined,
    wrap: (self) => self,
    undo,
    ...(misplaced && { misplaced }),
    extension: undoing
  })
  const layers = [layer]
  const apply = (self: Any): Any => withLayers(self, layers)
  return Object.assign(apply, { "~effect-loader/Undo": {}, layers }) as never
}

/**
 * Undoes a resource when the run fails after the resource has loaded.
 *
 * - It runs when the load fails, dies, reaches its `timeout` or is interrupted; never in `settle`, and never for a value that was
 *   given, overridden, or came from a cache or a fallback.
 * - Compensations run in the reverse order of completion: dependents always before their dependencies, and independent
 *   resources concurrently, within the loader's `compensationConcurrency`.
 * - It cannot be interrupted from outside. `Effect.retry` and `Effect.timeout` inside it work as usual.
 * - Its failure does not stop other compensations and does not replace other failures: see `Saga.CompensationError`.
 *
 * `f` gets the value, the values of the resource's dependencies, and a {@link CompensationContext}. The types of the
 * dependencies are known after the options of a constructor, but not in a pipe.
 *
 * In a pipe it covers everything piped before it, like a policy: with a `retry` piped after it, a discarded attempt is undone
 * before the next one begins. Pipe it before fallbacks, whose values cannot be undone.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource, Saga } from "effect-loader"
 *
 * const log: Array<string> = []
 * const note = (text: string) => Effect.sync(() => log.push(text))
 *
 * const seat = Resource.make("seat", { load: () => Effect.succeed("12A") }).pipe(
 *   Saga.compensate((seat) => note(`seat ${seat} released`))
 * )
 * const meal = Resource.make(
 *   "meal",
 *   { deps: { seat }, load: ({ seat }) => Effect.succeed(`soup for ${seat}`) },
 *   Saga.compensate((meal, { seat }, { resource }) => note(`${resource} of ${seat} cancelled: ${meal}`))
 * )
 * const ticket = Resource.make("ticket", { deps: { meal }, load: () => Effect.fail("card refused") })
 *
 * Effect.runSync(Effect.exit(Loader.load(Loader.make({ ticket }))))
 * console.log(log) // [ "meal of 12A cancelled: soup for 12A", "seat 12A released" ]
 * ```
 *
 * @since 0.1.0
 * @category undoing
 */
export const compensate = <A, R = never, V = {}>(
  f: (value: A, deps: V, context: CompensationContext) => Effect.Effect<unknown, unknown, R>
): Compensation<A, V, R> => {
  checkFunctions("Saga.compensate", "f", { f }, ["f"])
  return fromFunction("compensation", { _tag: "Compensation", undo: f as (value: unknown) => unknown }, tooLate)
}

/**
 * Cleans up after a resource that did not succeed: it failed, died, timed out or was interrupted, and may have left partial
 * work behind.
 *
 * It runs at the end of such an attempt, before any compensation, also in `settle`, and cannot be interrupted. It gets the
 * values of the resource's dependencies, typed as in {@link compensate}, and a {@link CompensationContext}.
 *
 * In a pipe it covers everything piped before it: with a `retry` piped after it, it runs after each failed attempt; piped after
 * the `retry`, it runs once, after the last attempt. Its failure never replaces the resource's own: see
 * `Saga.CompensationError`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource, Saga } from "effect-loader"
 *
 * const log: Array<string> = []
 * const path = Resource.succeed("path", "/tmp/photo")
 * const upload = Resource.make(
 *   "upload",
 *   { deps: { path }, load: () => Effect.fail("connection lost") },
 *   Saga.cleanup(({ path }) => Effect.sync(() => log.push(`${path} deleted`)))
 * )
 *
 * Effect.runSync(Effect.exit(Loader.load(Loader.make({ upload }))))
 * console.log(log) // [ "/tmp/photo deleted" ]
 * ```
 *
 * @since 0.1.0
 * @category undoing
 */
export const cleanup = <R = never, V = {}>(
  f: (deps: V, context: CompensationContext) => Effect.Effect<unknown, unknown, R>
): Cleanup<V, R> => {
  checkFunctions("Saga.cleanup", "f", { f }, ["f"])
  return fromFunction("cleanup", { _tag: "Cleanup", undo: f as () => unknown })
}
