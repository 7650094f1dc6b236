/**
 * The permits that an attempt holds, which it lends to what runs inside it: to one at a time. So nothing that is nested
 * waits for what is around it, and the limit holds.
 *
 * When the attempt is over, nobody new may borrow, and its permits are given back when the last borrower has ended: only
 * what was started in it and outlives it makes a difference.
 */
import type * as Clock from "effect/Clock"
import type * as Exit from "effect/Exit"
import type { Held, Holding } from "../base/Held.ts"
import type { PermitSource } from "./PermitSource.ts"
import { type Request, Ticket } from "./Ticket.ts"

export class Loan implements PermitSource, Holding {
  /** The limiter whose permits these are. */
  readonly permits: PermitSource
  /** Where they were taken: from the limiter, or from another attempt that lends its own. */
  readonly from: PermitSource
  readonly around: Held
  private readonly ticket: Ticket
  private borrower: Ticket | undefined = undefined
  private waiting: Map<Ticket, () => void> | undefined = undefined
  private asked = 0
  private lending = false
  private exit: Exit.Exit<unknown, unknown> | undefined = undefined

  constructor(permits: PermitSource, from: PermitSource, ticket: Ticket, around: Held) {
    this.permits = permits
    this.from = from
    this.around = around
    this.ticket = ticket
  }

  get isOver(): boolean {
    return this.exit !== undefined
  }

  ask(request: Request, _clock: Clock.Clock, onOver: () => void): Ticket {
    const ticket = new Ticket(request, this.asked++, 0)
    if (this.borrower === undefined) this.lendTo(ticket)
    else (this.waiting ??= new Map()).set(ticket, onOver)
    return ticket
  }

  leave(ticket: Ticket, clock: Clock.Clock): undefined {
    if (ticket.state === "Held") this.giveBack(ticket, clock)
    this.waiting?.delete(ticket)
    ticket.state = "Done"
    return undefined
  }

  end(ticket: Ticket, _exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock): void {
    this.giveBack(ticket, clock)
  }

  isShared(): boolean {
    return false
  }

  /** The attempt is over. */
  close(exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock): undefined {
    this.exit = exit
    this.sendAway()
    if (this.borrower === undefined) this.from.end(this.ticket, exit, clock)
    return undefined
  }

  private sendAway(): void {
    const { waiting } = this
    this.waiting = undefined
    if (waiting === undefined) return
    for (const [ticket, onOver] of waiting) {
      ticket.state = "Done"
      onOver()
    }
  }

  private lendTo(ticket: Ticket): void {
    this.borrower = ticket
    ticket.state = "Held"
  }

  private giveBack(ticket: Ticket, clock: Clock.Clock): void {
    ticket.state = "Done"
    this.borrower = undefined
    if (this.exit === undefined) this.lend()
    else this.from.end(this.ticket, this.exit, clock)
  }

  /** Whoever borrows next may be done at once, and lead here again: that only adds to what the first of these loops does. */
  private lend(): void {
    const { waiting } = this
    if (this.lending || waiting === undefined) return
    this.lending = true
    for (const [ticket, onOver] of waiting) {
      if (this.borrower !== undefined) break
      waiting.delete(ticket)
      this.lendTo(ticket)
      onOver()
    }
    this.lending = false
  }
}
