/** A request for permits, the flow that it belongs to, and the limiter's answer. */
import { Heap, type Placed } from "../base/Heap.ts"
import type { ShareOptions } from "./CurrentShare.ts"
import { FairShares, goesFirst, type Member, type Turn, type Urgency } from "./FairShares.ts"

/**
 * Why a limiter refused.
 *
 * - `QueueFull`: as many requests wait as may.
 * - `Deadline`: the request could not have been done in time.
 * - `Shed`: the queue has not drained for too long.
 *
 * @since 0.1.0
 * @category models
 */
export type RefusalReason = { readonly _tag: "QueueFull" } | { readonly _tag: "Deadline" } | { readonly _tag: "Shed" }

const none: ShareOptions = {}

/** The share of a run in its limiter. A run of a tenant shares only with the tenant's other runs, equally. */
const weightOf = ({ tenant, weight = 1 }: ShareOptions): number => (tenant === undefined ? weight : 1)

/**
 * The requests of one run to one limiter, which divides its permits between flows. A flow keeps its waiting requests itself,
 * so they are gone when its run is.
 */
export class Flow implements Member {
  /** Whose run it is, and its weight. */
  readonly share: ShareOptions
  readonly weight: number
  place = -1
  start = 0
  holds = 0
  turn: Turn | undefined = undefined
  /** The tenant whose share it has at present. */
  within: Tenant | undefined = undefined
  /** Its most urgent waiting request, and the others. Most flows never have others. */
  first: Ticket | undefined = undefined
  private others: Heap<Ticket> | undefined = undefined

  constructor(share: ShareOptions = none) {
    this.share = share
    this.weight = weightOf(share)
  }

  /** How many of its requests wait. */
  get waiting(): number {
    return this.first === undefined ? 0 : 1 + (this.others?.size ?? 0)
  }

  add(ticket: Ticket): void {
    const { first } = this
    const isFirst = first === undefined || goesFirst(ticket, first)
    if (isFirst) this.first = ticket
    const other = isFirst ? first : ticket
    if (other !== undefined) (this.others ??= new Heap<Ticket>(goesFirst)).add(other)
  }

  remove(ticket: Ticket): void {
    if (ticket !== this.first) return this.others!.remove(ticket)
    this.first = this.others?.first
    if (this.first !== undefined) this.others!.remove(this.first)
  }
}

/** All runs of one tenant: they get one share together, and divide it equally. */
export class Tenant implements Member {
  readonly name: string
  readonly runs = new FairShares<Flow>()
  weight = 1
  place = -1
  start = 0
  holds = 0
  turn: Turn | undefined = undefined
  /** The instant at which it became idle, in milliseconds. */
  idleSince = 0

  constructor(name: string) {
    this.name = name
  }

  get first(): Ticket | undefined {
    return this.runs.furthestBehind?.first
  }
}

/** A request for permits. All times are in milliseconds by the limiter's clock. */
export interface Request {
  /** The flow of its run. A request by hand without a tenant is a run of its own, which gets a flow only if it waits. */
  readonly flow: Flow | undefined
  /** The share of a request without a flow. */
  readonly share?: ShareOptions
  /** The name under which its latency is kept. */
  readonly resource: string
  readonly permits: number
  /** Whether its run has loaded anything already. Such a request is not refused to make room for others. */
  readonly begun: boolean
  /** The instant from which it is too late, or `Infinity`. */
  readonly deadline: number
  /** How long the rest of its run takes at least: the longest path, with this request's own time. */
  readonly remaining: number
}

export type TicketState = "Waiting" | "Held" | "Refused" | "Done"

export class Ticket implements Placed, Urgency {
  readonly request: Request
  /** The order of asking. */
  readonly order: number
  readonly askedAt: number
  readonly remaining: number
  /** The flow that waits and is charged; `undefined` for a request by hand that did not wait. */
  flow: Flow | undefined
  place = -1
  state: TicketState = "Waiting"
  startedAt = 0
  /** The service that its flow was charged when it began. */
  charged = 0
  refusal: RefusalReason | undefined = undefined
  /** Its place among those that wait with a deadline. */
  due: Due | undefined = undefined
  /** Called when its waiting ends. */
  onOver: (() => void) | undefined = undefined

  constructor(request: Request, order: number, askedAt: number) {
    this.request = request
    this.order = order
    this.askedAt = askedAt
    this.remaining = request.remaining
    this.flow = request.flow
  }
}

/** The instant at which a waiting ticket is refused. */
export class Due implements Placed {
  readonly ticket: Ticket
  readonly at: number
  place = -1

  constructor(ticket: Ticket, at: number) {
    this.ticket = ticket
    this.at = at
  }
}
