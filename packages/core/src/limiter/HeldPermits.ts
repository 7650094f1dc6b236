/**
 * The permits that an attempt holds. Attempts inside it borrow them, one at a time, instead of asking the limiter: so no
 * attempt waits for an attempt around it, and the limit holds.
 *
 * When the attempt ends, no further attempt can borrow, and its permits are returned when the last borrower has ended. That
 * is later only for fibers that were started in the attempt and outlive it.
 */
import type * as Clock from "effect/Clock"
import type * as Exit from "effect/Exit"
import type { Held, HeldSupply } from "../base/Held.ts"
import { type Flow, type Request, Ticket } from "./Ticket.ts"

/** Where permits come from: a limiter, or an attempt that holds some. */
export interface PermitSource {
  /**
   * Asks for permits. While the state of the ticket is `"Waiting"`, its `onOver` is called when that ends. A ticket that
   * is `"Done"` by then came from an attempt that has ended: ask again, elsewhere.
   */
  readonly ask: (request: Request, clock: Clock.Clock, onOver?: () => void) => Ticket
  /** Gives up a ticket, whether it still waits or has just got its permits. */
  readonly leave: (ticket: Ticket, clock: Clock.Clock) => undefined
  /** Returns the permits of an attempt that has ended. */
  readonly end: (ticket: Ticket, exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock) => void
  /** Whether other flows wait too, so that shares decide which is next. */
  readonly isShared: (flow: Flow) => boolean
}

/** Where to ask for a limiter's permits: the innermost attempt around that holds some of them, or else the limiter. */
export const sourceIn = (held: Held, permits: PermitSource): PermitSource => {
  for (let holding = held; holding !== undefined; holding = holding.around) {
    // Another copy of the library may have made it, so its class says nothing.
    if ((holding as Partial<HeldPermits>).permits === permits && !holding.isOver) return holding as HeldPermits
  }
  return permits
}

export class HeldPermits implements PermitSource, HeldSupply {
  /** The limiter whose permits these are. */
  readonly permits: PermitSource
  /** Where they are taken from: the limiter, or an attempt around this one. */
  from: PermitSource
  readonly around: Held
  private ticket: Ticket | undefined
  private borrower: Ticket | undefined = undefined
  private waiting: Set<Ticket> | undefined = undefined
  private asked = 0
  private isPassingOn = false
  private exit: Exit.Exit<unknown, unknown> | undefined = undefined

  /** With a `ticket` the permits are held already; without one `acquire` asks for them. */
  constructor(permits: PermitSource, around: Held, from = permits, ticket?: Ticket) {
    this.permits = permits
    this.around = around
    this.from = from
    this.ticket = ticket
  }

  get isOver(): boolean {
    return this.exit !== undefined
  }

  /** Asks for the permits, and again if the attempt that was asked has ended. The ticket of the last time otherwise. */
  acquire(request: Request, clock: Clock.Clock): Ticket {
    if (this.ticket === undefined || this.ticket.state === "Done") {
      this.from = sourceIn(this.around, this.permits)
      this.ticket = this.from.ask(request, clock)
    }
    return this.ticket
  }

  ask(request: Request, _clock: Clock.Clock, onOver?: () => void): Ticket {
    const ticket = new Ticket(request, this.asked++, 0)
    ticket.onOver = onOver
    if (this.borrower === undefined) this.borrow(ticket)
    else (this.waiting ??= new Set()).add(ticket)
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

  /** The attempt has ended, perhaps before it got its permits. */
  close(exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock): undefined {
    this.exit = exit
    this.sendAway()
    if (this.borrower === undefined) this.giveUp(exit, clock)
    return undefined
  }

  private giveUp(exit: Exit.Exit<unknown, unknown>, clock: Clock.Clock): void {
    const { from, ticket } = this
    if (ticket?.state === "Held") from.end(ticket, exit, clock)
    else if (ticket?.state === "Waiting") from.leave(ticket, clock)
  }

  private sendAway(): void {
    const { waiting } = this
    this.waiting = undefined
    if (waiting === undefined) return
    for (const ticket of waiting) {
      ticket.state = "Done"
      ticket.onOver?.()
    }
  }

  private borrow(ticket: Ticket): void {
    this.borrower = ticket
    ticket.state = "Held"
  }

  private giveBack(ticket: Ticket, clock: Clock.Clock): void {
    ticket.state = "Done"
    this.borrower = undefined
    if (this.exit === undefined) this.passOn()
    else this.giveUp(this.exit, clock)
  }

  /** The next borrower may end at once and lead here again. The outermost of these loops serves the rest: no recursion. */
  private passOn(): void {
    const { waiting } = this
    if (this.isPassingOn || waiting === undefined) return
    this.isPassingOn = true
    for (const ticket of waiting) {
      if (this.borrower !== undefined) break
      waiting.delete(ticket)
      this.borrow(ticket)
      ticket.onOver?.()
    }
    this.isPassingOn = false
  }
}
