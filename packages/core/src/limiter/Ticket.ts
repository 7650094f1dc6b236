/**
 * Who asks a limiter for permits, and what became of it.
 */
import type { Heap, Placed } from "../base/Heap.ts"
import type { ShareOptions } from "./CurrentShare.ts"
import { FairShares, Member, type Waiter } from "./FairShares.ts"

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

const none: ShareOptions = {}

/**
 * What a run asks of one limiter, which divides its permits between flows: a run has a flow of its own in each limiter that
 * it uses. A flow's waiters are kept in it, so that it is gone when its run is.
 */
export class Flow extends Member {
  /** Whose run it is, and the weight of that. */
  readonly share: ShareOptions
  /** The tenant that it shares with others just now. */
  within: Tenant | undefined = undefined
  waiting: Heap<Ticket> | undefined = undefined

  constructor(share: ShareOptions = none) {
    super(share.tenant === undefined ? (share.weight ?? 1) : 1)
    this.share = share
  }

  get first(): Ticket | undefined {
    return this.waiting?.first
  }
}

/** All runs of one tenant: they get one share together, and divide it equally. */
export class Tenant extends Member {
  readonly name: string
  readonly runs = new FairShares<Flow>()
  /** Since when it is idle, by the limiter's clock in milliseconds. */
  idleSince = 0

  constructor(name: string) {
    super(1)
    this.name = name
  }

  get first(): Ticket | undefined {
    return this.runs.furthestBehind?.first
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

export class Ticket implements Placed, Waiter {
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
  /** Called when its waiting ends. */
  onOver: (() => void) | undefined = undefined

  constructor(request: Request, order: number, askedAt: number) {
    this.request = request
    this.order = order
    this.askedAt = askedAt
  }

  get remaining(): number {
    return this.request.remaining
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
