/** Undo functions, as a declaration takes them and as a run sees them. */
import type * as Cause from "effect/Cause"
import type { FailedItem } from "./ResourceError.ts"

/**
 * The context of a compensation or cleanup.
 *
 * - `resource`: the resource that is undone.
 * - `cause`: the failure or interruption of the run. It is empty when a successful load is undone later.
 * - `attempts`: the number of attempts of the resource or the item.
 * - `item`: the item, if the resource is a list.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompensationContext {
  readonly resource: string
  readonly cause: Cause.Cause<unknown>
  readonly attempts: number
  readonly item?: FailedItem
}

/** The values of dependencies, by local key. */
type DependencyValues = Readonly<Record<string, unknown>>

/**
 * How to undo a load. `Saga.compensate` and `Saga.cleanup` make it; constructors such as `Resource.make` take it after their
 * options.
 *
 * - `A`: the values that it can undo.
 * - `V`: the values of the dependencies that it needs, by local key.
 * - `R`: the services that it needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Undo<in A, in V = {}, out R = never> {
  readonly "~effect-loader/Undo": { readonly _A: (_: A) => void; readonly _V: (_: V) => void; readonly _R: () => R }
  /** Its layers, which bring the code that undoes: declarations import none of it. */
  readonly layers: ReadonlyArray<unknown>
}

/** Undoes a successful load. For a list, `value` is the value of one item. */
export interface CompensationFunction {
  readonly _tag: "Compensation"
  readonly undo: (value: unknown, deps: DependencyValues, context: CompensationContext) => unknown
}

/** Cleans up after an attempt that did not succeed. */
export interface CleanupFunction {
  readonly _tag: "Cleanup"
  readonly undo: (deps: DependencyValues, context: CompensationContext) => unknown
}

export type UndoFunction = CompensationFunction | CleanupFunction
