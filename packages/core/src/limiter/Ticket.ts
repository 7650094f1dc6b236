/**
 * Who asks a limiter for permits, and what became of it.
 */
import type { Heap, Placed } from "../base/Heap.ts"

/**
 * Why a limiter refused.
 *
 * - `QueueFull`: as many as may wait do.
 * - `Deadline`: it could not have been done in time any more.
 * - `Shed`: those who have yet to begin have been waiting too long for too long.
 *
 * @since 0.1.0
 * @category models
 */
export type RefusalReason = { readonly _tag: "QueueFull" } | { readonly _tag: "Deadline" } | { readonly _tag: "Shed" }

/** What a limiter gives to a run, or to all runs of one tenant together, beside others. */
export class Share {
  readonly weight: number
  /** How many of those that divide it hold permits, or wait for some. */
  active = 0

  constructor(weight: number) {
    this.weight = weight
  }
}

/**
 * Those who share one limiter fairly: a run has a flow of its own in each limiter that it uses. A flow's waiters are kept
 * in it, so that it is gone when nobody knows it any more.
 */
export class Flow implements Placed {
  readonly share: Share
  place = -1
  /** How much service it has had, in the virtual time of a {@link FairQueue}. */
  start = 0
  /** Permits that it holds. */
  holds = 0
  waiting: Heap<Ticket> | undefined = undefined
  /** When it is its turn, whatever it has had; only where it has had to wait. */
  turn: Turn | undefined = undefined

  constructor(share: Share | number = 1) {
    this.share = typeof share === "number" ? new Share(share) : share
  }

  /** How much of the limiter it gets just now: those who share a weight divide it equally. */
  get weight(): number {
    return this.share.weight / Math.max(1, this.share.active)
  }
}

/** When it is a flow's turn, by the limiter's clock in milliseconds; of those at one time, the lowest order goes first. */
export class Turn implements Placed {
  readonly flow: Flow
  at = 0
  order = 0
  place = -1

  constructor(flow: Flow) {
    this.flow = flow
  }
}

/** What somebody asks for. */
export interface Request {
  readonly flow: Flow
  /** What latencies are kept of. */
  readonly resource: string
  readonly permits: number
  /** Whether its run has done something already: such a one is not refused to make room for others. */
  readonly begun: boolean
  /** When it is too late, by the limiter's clock in milliseconds; `Infinity` where it never is. */
  readonly deadline: number
  /** How long what is left of its run takes at least, in milliseconds: the longest path, with this request's own time. */
  readonly remaining: number
}

export type TicketState = "Waiting" | "Held" | "Refused" | "Done"

export class Ticket implements Placed {
  readonly request: Request
  /** The order of asking. */
  readonly order: number
  readonly askedAt: number
  place = -1
  state: TicketState = "Waiting"
  startedAt = 0
  /** What its flow was charged for it when it began. */
  charged = 0
  refusal: RefusalReason | undefined = undefined
  /** Where it waits for its deadline, if it has one. */
  due: Due | undefined = undefined

  constructor(request: Request, order: number, askedAt: number) {
    this.request = request
    this.order = order
    this.askedAt = askedAt
  }
}

/** When a ticket has waited too long to be of use. */
export class Due implements Placed {
  readonly ticket: Ticket
  readonly at: number
  place = -1

  constructor(ticket: Ticket, at: number) {
    this.ticket = ticket
    this.at = at
  }
}
