/** The state of the attempts of a resource or item. */
import type { FailureFacts, SlotTurn } from "../model/Extension.ts"
import type { SharedCall } from "../model/Node.ts"
import type { PerCall } from "../model/PerCall.ts"

/** The facts of failures inside a step, by their errors. */
interface FailureLog {
  readonly find: (error: unknown) => FailureFacts | undefined
}

/** The attempts of a resource, or of one item of a list. */
export class AttemptState {
  readonly index: number
  readonly item: number | undefined
  /** The number of attempts so far, of those that run or have a slot to run with, and of the slots held. */
  attempts: number
  running = 0
  slots = 0
  /** The number of attempts that were refused before they began. */
  refusals = 0
  /** The turn of its step, which the first attempt uses. Without outer layers that attempt is the whole step. */
  turn: SlotTurn | undefined = undefined
  /** The reports that run once per call, and the last shared call. */
  perCall: PerCall | undefined = undefined
  call: SharedCall | undefined = undefined
  /** The failures of the items of a list. */
  failures: FailureLog | undefined = undefined

  constructor(index: number, item: number | undefined, attempts: number) {
    this.index = index
    this.item = item
    this.attempts = attempts
  }

  /** The number of attempts that were not refused. */
  get begun(): number {
    return this.attempts - this.refusals
  }
}
