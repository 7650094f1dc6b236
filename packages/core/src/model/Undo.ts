/** What undoes a load: what a declaration takes, and what a run sees. */
import type * as Cause from "effect/Cause"
import type { FailedItem } from "./ResourceError.ts"

/**
 * What a compensation is told beside the value.
 *
 * - `resource`: whose value is undone.
 * - `cause`: why: what the load failed with, or that it was interrupted. It is empty when a load that succeeded is undone
 *   later.
 * - `attempts`: how often the resource, or the item, had been tried.
 * - `item`: of a list, the item.
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
 * How to undo a load: made by `Saga.compensate` and `Saga.cleanup`, and given to a constructor such as `Resource.make` after
 * its options.
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

/** Undoes what was loaded. Of a list, `value` is that of one item. */
export interface CompensationFunction {
  readonly _tag: "Compensation"
  readonly undo: (value: unknown, deps: DependencyValues, context: CompensationContext) => unknown
}

/** Follows an attempt that did not succeed. */
export interface CleanupFunction {
  readonly _tag: "Cleanup"
  readonly undo: (deps: DependencyValues, context: CompensationContext) => unknown
}

export type UndoFunction = CompensationFunction | CleanupFunction
