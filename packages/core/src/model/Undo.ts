/** What undoes a load, as a run sees it. */
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

/** What undoes what was loaded. Of a list, `value` is that of one item. */
interface Compensation {
  readonly _tag: "Compensation"
  readonly undo: (value: unknown, deps: Readonly<Record<string, unknown>>, context: CompensationContext) => unknown
}

/** What a load that did not succeed has to be followed by. */
interface Cleanup {
  readonly _tag: "Cleanup"
  readonly undo: (deps: Readonly<Record<string, unknown>>, context: CompensationContext) => unknown
}

export type Undo = Compensation | Cleanup
