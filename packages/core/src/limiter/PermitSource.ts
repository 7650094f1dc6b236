/** Where permits come from: a limiter, or an attempt that lends its own to what runs inside it. */
import type * as Clock from "effect/Clock"
import type * as Exit from "effect/Exit"
import type { Flow, Request, Ticket } from "./Ticket.ts"

export interface PermitSource {
  /**
   * Asks for permits. The ticket says what came of it: where it is `"Waiting"`, `onOver` is called when that is over. A
   * ticket that is `"Done"` by then has to be asked for somewhere else.
   */
  readonly ask: (request: Request, clock: Clock.Clock, onOver: () => void) => Ticket
  /** Whoever asked does not want it any more, whether the permits have come in the meantime or not. */
  readonly leave: (ticket: Ticket, clock: Clock.Clock) => undefined
  /** Whoever held the permits has come to an end. */
  readonly end: (ticket: Ticket, exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock) => void
  /** Whether others than this flow wait too, so that shares decide who is next. */
  readonly isShared: (flow: Flow) => boolean
}
