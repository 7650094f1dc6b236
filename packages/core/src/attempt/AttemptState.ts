/** What is tried, and how often it was so far. */
import type { SlotTurn } from "../model/Extension.ts"
import type { FailedItem } from "../model/ResourceError.ts"
import type { PerCall } from "../model/PerCall.ts"

/** Which item failed, and with what. */
export interface ItemFailure extends FailedItem {
  readonly attempts: number
  readonly error: unknown
}

/** A resource, or one item of one that is a list. */
export class AttemptState {
  readonly index: number
  readonly item: number | undefined
  /** How many attempts there were, how many of them run or have the slot to run with, and how many slots it has. */
  attempts: number
  running = 0
  slots = 0
  /** How many of the attempts were refused, and so never begun. */
  refusals = 0
  /** The turn that its step was given: for its first attempt, which is its whole step where nothing is around it. */
  turn: SlotTurn | undefined = undefined
  /** What is to be reported for each call, and the last call that it shared with others. */
  perCall: PerCall | undefined = undefined
  call: object | undefined = undefined
  /** Of a list, how its items failed. */
  failures: Array<ItemFailure> | undefined = undefined

  constructor(index: number, item: number | undefined, attempts: number) {
    this.index = index
    this.item = item
    this.attempts = attempts
  }

  /** How many of the attempts were not refused. */
  get begun(): number {
    return this.attempts - this.refusals
  }
}
