/**
 * Who goes next, so that flows share a limiter fairly: start-time fair queueing, as in the API priority and fairness of
 * Kubernetes.
 *
 *  1. A flow's `start` is the service that it has had, by its weight. Whoever has had the least goes next.
 *  2. A request is charged what it will probably take when it begins; when it ends, what it took.
 *  3. Virtual time is the start of the flow that is furthest behind. A flow that was idle begins there, so it saves nothing
 *     up; what it owes beyond a small sum it still owes. So neither the first loads of a new run nor the next ones of a
 *     small run wait for a big one.
 *  4. Virtual time also goes on by itself, at a fraction of the rate at which a flow of weight 1 would be served by its
 *     fair share. So what a flow owes lapses, also while others come who have had nothing yet.
 *  5. A flow that has not been the furthest behind for long goes now and then all the same, in turn with others like it.
 *     So nobody waits for ever, however many come who have had nothing yet.
 *  6. Equals go by the longest path that remains, then by who asked first; so do the requests of one flow.
 */
import { Heap } from "../base/Heap.ts"
import { type Flow, type Ticket, Turn } from "./Ticket.ts"

/** What a flow that was idle may owe without waiting for it, in milliseconds of one permit at weight 1. */
const forgiven = 200
/** How fast virtual time goes on by itself, by the fair rate. */
const lapse = 1 / 8
/** For how long a flow goes by what it has had alone, in milliseconds; after that one in so many may be one of its. */
const patience = 2000
const turnEvery = 8

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

const isSooner = (a: Turn, b: Turn): boolean => (a.at === b.at ? a.order < b.order : a.at < b.at)

const isIdle = ({ holds, waiting }: Flow): boolean => holds === 0 && (waiting === undefined || waiting.size === 0)

export class FairQueue implements Line {
  size = 0
  private readonly flows = new Heap<Flow>(isBehind)
  private virtual = 0
  private at = 0
  private activeWeight = 0
  private inUse = 0
  /** When it is the turn of each flow that has somebody waiting, and how many have begun since it was one's turn. */
  private readonly turns = new Heap<Turn>(isSooner)
  private sinceTurn = 0
  private ordered = 0

  get first(): Ticket | undefined {
    return this.firstFlow?.waiting!.first
  }

  add(ticket: Ticket, now: number): void {
    const { flow } = ticket.request
    this.advance(now)
    this.activate(flow)
    this.size++
    const waiting = (flow.waiting ??= new Heap(goesFirst))
    waiting.add(ticket)
    if (waiting.size === 1) this.enter(flow)
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
    else this.quit(flow)
  }

  begin(ticket: Ticket, guess: number, now: number): void {
    const { flow, permits } = ticket.request
    this.advance(now)
    this.activate(flow)
    this.takeTurn(flow)
    this.virtual = Math.max(this.virtual, this.flows.first?.start ?? flow.start)
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

  private get firstFlow(): Flow | undefined {
    const turn = this.sinceTurn >= turnEvery - 1 ? this.turns.first : undefined
    return turn !== undefined && turn.at <= this.at ? turn.flow : this.flows.first
  }

  /** After a turn that was nothing but that the next one may come soon; else the flow has to be patient once more. */
  private takeTurn(flow: Flow): void {
    const isTurn = this.size > 0 && this.flows.first !== flow
    this.sinceTurn = isTurn ? 0 : this.sinceTurn + 1
    this.setTurn(flow, isTurn ? this.at : this.at + patience)
  }

  private setTurn({ turn }: Flow, at: number): void {
    if (turn === undefined) return
    turn.at = at
    turn.order = this.ordered++
    if (turn.place >= 0) this.turns.moved(turn)
  }

  private enter(flow: Flow): void {
    if (flow.turn === undefined) {
      flow.turn = new Turn(flow)
      this.setTurn(flow, this.at + patience)
    }
    this.turns.add(flow.turn)
    this.flows.add(flow)
  }

  private quit(flow: Flow): void {
    this.turns.remove(flow.turn!)
    this.deactivate(flow)
  }

  private advance(now: number): void {
    if (this.activeWeight > 0) this.virtual += (lapse * (now - this.at) * this.inUse) / this.activeWeight
    this.at = now
  }

  private activate(flow: Flow): void {
    if (!isIdle(flow)) return
    flow.start = Math.max(flow.start - forgiven, this.virtual)
    this.setTurn(flow, this.at + patience)
    if (flow.share.active++ === 0) this.activeWeight += flow.share.weight
  }

  private deactivate(flow: Flow): void {
    if (!isIdle(flow)) return
    if (--flow.share.active === 0) this.activeWeight -= flow.share.weight
    // Sums of fractions drift; an idle queue is a chance to be exact again.
    if (this.inUse === 0 && this.size === 0) this.activeWeight = 0
  }

  private charge(flow: Flow, service: number): void {
    flow.start += service / flow.weight
    if (flow.place >= 0) this.flows.moved(flow)
  }
}
