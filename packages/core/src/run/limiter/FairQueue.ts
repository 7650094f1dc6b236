/**
 * Who goes next, so that flows share a limiter fairly: start-time fair queueing, as in the API priority and fairness of
 * Kubernetes.
 *
 *  1. Virtual time goes on as fast as a flow of weight 1 would be served: permits in use by the weights of active flows.
 *  2. A flow's `start` is the service that it has had, by its weight. Whoever has had the least goes next.
 *  3. A request is charged what it will probably take when it begins; when it ends, what it took.
 *  4. A flow that was idle begins at the virtual time: it neither saves up what it did not use, nor is its debt forgotten.
 *  5. Equals go by the longest path that remains, then by who asked first; so do the requests of one flow.
 *
 * As virtual time goes on whoever comes, those who come later begin later, and nobody waits for ever.
 */
import { Heap } from "./Heap.ts"
import type { Flow, Ticket } from "./Ticket.ts"

/** In which order those who wait are served. */
export interface Line {
  readonly size: number
  readonly first: Ticket | undefined
  readonly add: (ticket: Ticket, now: number) => void
  /** A waiter has begun, or has given up. */
  readonly remove: (ticket: Ticket) => void
  /** A ticket gets its permits, which will probably take `guess` milliseconds. If it waited, `remove` comes next. */
  readonly begin: (ticket: Ticket, guess: number, now: number) => void
  readonly end: (ticket: Ticket, took: number, now: number) => void
  /** How long it will probably be until a flow's next request is served, beyond what is in flight. */
  readonly expectedWait: (flow: Flow, limit: number) => number
}

const goesFirst = (a: Ticket, b: Ticket): boolean =>
  a.request.remaining === b.request.remaining ? a.order < b.order : a.request.remaining > b.request.remaining

const isBehind = (a: Flow, b: Flow): boolean =>
  a.start === b.start ? goesFirst(a.waiting!.first!, b.waiting!.first!) : a.start < b.start

const isIdle = ({ holds, waiting }: Flow): boolean => holds === 0 && (waiting === undefined || waiting.size === 0)

export class FairQueue implements Line {
  size = 0
  private readonly flows = new Heap<Flow>(isBehind)
  private virtual = 0
  private at = 0
  private activeWeight = 0
  private inUse = 0

  get first(): Ticket | undefined {
    return this.flows.first?.waiting!.first
  }

  add(ticket: Ticket, now: number): void {
    const { flow } = ticket.request
    this.advance(now)
    this.activate(flow)
    this.size++
    const waiting = (flow.waiting ??= new Heap(goesFirst))
    waiting.add(ticket)
    if (waiting.size === 1) this.flows.add(flow)
    else this.flows.moved(flow)
  }

  remove(ticket: Ticket): void {
    const { flow } = ticket.request
    const waiting = flow.waiting!
    this.size--
    // Out of the heap first: it compares flows by their first waiters.
    this.flows.remove(flow)
    waiting.remove(ticket)
    if (waiting.size > 0) this.flows.add(flow)
    else this.deactivate(flow)
  }

  begin(ticket: Ticket, guess: number, now: number): void {
    const { flow, permits } = ticket.request
    this.advance(now)
    this.activate(flow)
    this.virtual = Math.max(this.virtual, flow.start)
    flow.holds += permits
    this.inUse += permits
    ticket.charged = guess
    this.charge(flow, guess * permits)
  }

  end(ticket: Ticket, took: number, now: number): void {
    const { flow, permits } = ticket.request
    this.advance(now)
    flow.holds -= permits
    this.inUse -= permits
    this.charge(flow, (took - ticket.charged) * permits)
    this.deactivate(flow)
  }

  expectedWait(flow: Flow, limit: number): number {
    return (Math.max(0, flow.start - this.virtual) * this.activeWeight) / limit
  }

  private advance(now: number): void {
    if (this.activeWeight > 0) this.virtual += ((now - this.at) * this.inUse) / this.activeWeight
    this.at = now
  }

  private activate(flow: Flow): void {
    if (!isIdle(flow)) return
    flow.start = Math.max(flow.start, this.virtual)
    this.activeWeight += flow.weight
  }

  private deactivate(flow: Flow): void {
    if (!isIdle(flow)) return
    this.activeWeight -= flow.weight
    // Sums of fractions drift; an idle queue is a chance to be exact again.
    if (this.inUse === 0 && this.size === 0) this.activeWeight = 0
  }

  private charge(flow: Flow, service: number): void {
    flow.start += service / flow.weight
    if (flow.place >= 0) this.flows.moved(flow)
  }
}
