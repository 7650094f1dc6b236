/** Which item of a list it was that failed. */
import { Context } from "effect"

export interface ItemFailure {
  readonly index: number
  readonly value: unknown
  readonly attempts: number
}

/** An annotation on each failure of an item, on its way to the list. */
export class FailedItem extends Context.Service<FailedItem, ItemFailure>()("effect-loader/FailedItem") {}
