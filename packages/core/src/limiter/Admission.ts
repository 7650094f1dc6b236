/**
 * A limiter without effects: decides which requests begin, wait or are refused, and learns from their latencies.
 *
 *  1. `offer` lets a request begin at once if no other waits and there is room; otherwise the request waits or is refused.
 *  2. `end` returns permits and learns: a full window gives the algorithm the samples for the next limit.
 *  3. After each of these, and at `wakeAt`, its driver calls `next` until that returns `undefined`: it returns, one at a time,
 *     whose waiting is over, which `state` then tells how.
 *
 * It has no clock, no timers and no effects: time is given. An Effect shell and a simulator drive the same code.
 */
import { checked, type Expected } from "../base/UserValue.ts"
import { FairQueue, type RequestQueue } from "./FairQueue.ts"
import { Heap } from "../base/Heap.ts"
import { Latencies } from "./algorithm/Latencies.ts"
import type { LimitAlgorithm, LimitState, Window } from "./algorithm/LimitAlgorithm.ts"
import { NodePressure } from "./NodePressure.ts"
import { QueueDelay, type QueueDelayOptions } from "./QueueDelay.ts"
import { Due, type Flow, type RefusalReason, type Request, Ticket } from "./Ticket.ts"

/**
 * How the backend coped with an attempt: it answered, it was overloaded, or
 * neither can be said, as with an attempt that was interrupted.
 */
export type AttemptOutcome = "Answered" | "Dropped" | "Unknown"

export interface AdmissionOptions {
  readonly algorithm: LimitAlgorithm
  /** How many requests of runs that have not begun may wait. */
  readonly maxWaiting: number
  /** Refuses requests while the queue does not drain. Default: never. */
  readonly delay?: QueueDelayOptions | undefined
  /** The order in which waiting requests are served. */
  readonly queue?: RequestQueue
  /** Called when the algorithm throws for the first time. */
  readonly onDefect?: (defect: unknown) => void
}

/**
 * The present state of a limiter, and its counts so far.
 *
 * - `limit`: how many permits may be in use; `inFlight`: how many are; `waiting`: how many requests wait.
 * - `queueDelay`: how long the last request whose turn came had waited, in milliseconds.
 * - `baseline`, `gradient`: the latency without queueing, and how many times as long answers take now; only of limits
 *   that adapt, once they know.
 * - `granted`, `drops`, `refused`: counts since the limiter was made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  readonly limit: number
  readonly inFlight: number
  readonly waiting: number
  readonly queueDelay: number
  readonly baseline: number | undefined
  readonly gradient: number | undefined
  readonly granted: number
  readonly drops: number
  readonly refused: { readonly [Tag in RefusalReason["_tag"]]: number }
}

const reasons: { readonly [Tag in RefusalReason["_tag"]]: RefusalReason & { readonly _tag: Tag } } = {
  QueueFull: { _tag: "QueueFull" },
  Deadline: { _tag: "Deadline" },
  Shed: { _tag: "Shed" }
}

/** A limit that is not a number would admit nothing, for ever. */
const aState: Expected<LimitState> = {
  text: "a state whose `limit` is a number",
  read: (value) => {
    const { limit } = (value ?? {}) as Partial<LimitState>
    return typeof limit === "number" && !Number.isNaN(limit) ? (value as LimitState) : undefined
  }
}

const isDueFirst = (a: Due, b: Due): boolean => a.at < b.at

export class Admission {
  readonly latencies = new Latencies()
  private readonly algorithm: LimitAlgorithm
  private readonly maxWaiting: number
  private readonly queue: RequestQueue
  private readonly delay: QueueDelay | undefined
  private readonly node = new NodePressure()
  private onDefect: ((defect: unknown) => void) | undefined
  private state: LimitState
  /** How many permits may be in use, and how many are. */
  limit: number
  inFlight = 0
  private asked = 0
  /** Waiting tickets that may be refused to make room, in the order of asking. */
  private readonly fresh = new Set<Ticket>()
  private readonly dues = new Heap<Due>(isDueFirst)
  /** Waiters that were refused to make room, and that `next` has not returned yet. */
  private readonly displaced: Array<Ticket> = []

  private windowFrom = -Infinity
  private peak = 0
  private drops = 0
  private samples = 0

  private queueDelay = 0
  private granted = 0
  private allDrops = 0
  private readonly refused = { QueueFull: 0, Deadline: 0, Shed: 0 }

  constructor({ algorithm, delay, queue = new FairQueue(), maxWaiting, onDefect }: AdmissionOptions) {
    this.algorithm = algorithm
    this.maxWaiting = maxWaiting
    this.queue = queue
    this.onDefect = onDefect
    this.delay = delay === undefined ? undefined : new QueueDelay(delay)
    this.state = algorithm.initial
    this.limit = Math.floor(this.state.limit)
  }

  get waiting(): number {
    return this.queue.size
  }

  /** Whether no request waits, and `next` has nothing to say. */
  get isQuiet(): boolean {
    return this.queue.size === 0 && this.displaced.length === 0
  }

  /** Whether others than this flow wait too, so that shares decide who is next. */
  isShared(flow: Flow): boolean {
    return this.waiting > flow.waiting
  }

  /** The most permits that a request may ask for. */
  get maxPermits(): number {
    return this.algorithm.max
  }

  /** The instant of the next deadline: `next` returns a ticket then though nothing else has happened. */
  get wakeAt(): number {
    return this.dues.first?.at ?? Infinity
  }

  offer(request: Request, now: number): Ticket {
    const ticket = new Ticket(request, this.asked++, now)
    if (this.isTooLate(request, now)) this.refuse(ticket, reasons.Deadline)
    else if (this.isFree(request)) this.begin(ticket, now)
    else if (this.makeRoomInLine(request)) this.wait(ticket, now)
    else this.refuse(ticket, reasons.QueueFull)
    return ticket
  }

  /** The next ticket whose waiting has ended: it holds its permits, or was refused. */
  next(now: number): Ticket | undefined {
    return this.displaced.pop() ?? this.nextDue(now) ?? this.nextInLine(now)
  }

  /** A ticket's attempt has ended. */
  end(ticket: Ticket, outcome: AttemptOutcome, now: number): void {
    const took = now - ticket.startedAt
    ticket.state = "Done"
    this.inFlight -= ticket.request.permits
    this.queue.end(ticket, took, now)
    if (outcome === "Unknown" || this.node.lagging) return
    if (outcome === "Dropped") this.allDrops++
    this.learn(ticket, took, outcome, now)
  }

  /** Gives up a waiting ticket. */
  leave(ticket: Ticket): void {
    this.stopWaiting(ticket)
    ticket.state = "Done"
  }

  /** `lag`: the 99th percentile of the event loop's lag since the last report, in milliseconds. */
  reportLag(lag: number, now: number): void {
    this.node.report(lag, now)
    if (this.node.lagging) this.discardWindow(now)
    this.setLimit()
  }

  stats(): Stats {
    return {
      limit: this.limit,
      inFlight: this.inFlight,
      waiting: this.waiting,
      queueDelay: this.queueDelay,
      baseline: this.state.baseline,
      gradient: this.state.gradient,
      granted: this.granted,
      drops: this.allDrops,
      refused: { ...this.refused }
    }
  }

  /** A request for more permits than the present limit runs alone. */
  private hasRoom({ permits }: Request): boolean {
    return this.inFlight + permits <= this.limit || this.inFlight === 0
  }

  private isFree(request: Request): boolean {
    return this.queue.size === 0 && this.hasRoom(request)
  }

  /** A run that has begun is refused only when it is late for certain; another one already when it is late probably. */
  private isTooLate(request: Request, now: number): boolean {
    const { begun, deadline, flow, remaining } = request
    if (deadline === Infinity) return false
    if (begun) return now >= deadline
    return now + (this.isFree(request) ? 0 : this.queue.expectedWait(flow, this.limit)) + remaining > deadline
  }

  private begin(ticket: Ticket, now: number): void {
    this.hold(ticket, now)
    this.queue.begin(ticket, this.latencies.usual(ticket.request.resource), now)
  }

  private hold(ticket: Ticket, now: number): void {
    const { permits } = ticket.request
    ticket.state = "Held"
    ticket.startedAt = now
    this.granted++
    this.inFlight += permits
    if (this.inFlight > this.peak) this.peak = this.inFlight
    this.queueDelay = now - ticket.askedAt
  }

  private refuse(ticket: Ticket, reason: RefusalReason): void {
    ticket.state = "Refused"
    ticket.refusal = reason
    this.refused[reason._tag]++
  }

  /** A request of a run that has begun displaces one of a run that has not. If there is none, the queue grows beyond its bound. */
  private makeRoomInLine({ begun }: Request): boolean {
    if (this.fresh.size < this.maxWaiting && this.queue.size < this.maxWaiting) return true
    if (!begun) return false
    const [victim] = this.fresh
    if (victim !== undefined) {
      this.stopWaiting(victim)
      this.refuse(victim, reasons.QueueFull)
      this.displaced.push(victim)
    }
    return true
  }

  private wait(ticket: Ticket, now: number): void {
    const { begun, deadline, remaining } = ticket.request
    this.queue.add(ticket, now)
    if (!begun) this.fresh.add(ticket)
    if (deadline === Infinity) return
    ticket.due = new Due(ticket, begun ? deadline : deadline - remaining)
    this.dues.add(ticket.due)
  }

  private stopWaiting(ticket: Ticket): void {
    this.queue.remove(ticket)
    this.forget(ticket)
  }

  private forget(ticket: Ticket): void {
    this.fresh.delete(ticket)
    if (ticket.due !== undefined) this.dues.remove(ticket.due)
  }

  private nextDue(now: number): Ticket | undefined {
    const due = this.dues.first
    if (due === undefined || due.at > now) return undefined
    this.stopWaiting(due.ticket)
    this.refuse(due.ticket, reasons.Deadline)
    return due.ticket
  }

  private nextInLine(now: number): Ticket | undefined {
    const ticket = this.queue.first
    if (ticket === undefined || !this.hasRoom(ticket.request)) return undefined
    const sheds = !ticket.request.begun && this.delay?.refuses(now - ticket.askedAt, now) === true
    if (sheds) {
      this.stopWaiting(ticket)
      this.refuse(ticket, reasons.Shed)
    } else {
      this.forget(ticket)
      this.hold(ticket, now)
      this.queue.take(ticket, this.latencies.usual(ticket.request.resource), now)
    }
    return ticket
  }

  private learn(ticket: Ticket, took: number, outcome: AttemptOutcome, now: number): void {
    const counts = ticket.startedAt >= (this.state.freshSince ?? -Infinity)
    if (outcome === "Answered") this.latencies.add(ticket.request.resource, took, counts)
    if (!counts) return
    if (this.windowFrom === -Infinity) this.windowFrom = now
    if (outcome === "Answered") this.samples++
    else this.drops++
    const { maxMillis, minMillis, minSamples } = this.algorithm.window
    const open = now - this.windowFrom
    const full = open >= minMillis && this.samples + this.drops >= minSamples
    if (full || open >= maxMillis) this.closeWindow(now)
  }

  private closeWindow(now: number): void {
    const window: Window = {
      from: this.windowFrom,
      to: now,
      peak: this.peak,
      drops: this.drops,
      samples: this.samples,
      resources: this.latencies.take()
    }
    this.openWindow(now)
    this.adapt(window)
  }

  /** Runs while an attempt returns its permits, which a defect of the algorithm must not prevent. */
  private adapt(window: Window): void {
    const before = this.state
    try {
      this.state = checked(`algorithm "${this.algorithm.name}"`, "`next`", aState, this.algorithm.next(before, window))
      this.setLimit()
    } catch (defect) {
      this.state = before
      this.onDefect?.(defect)
      this.onDefect = undefined
    }
  }

  private discardWindow(now: number): void {
    this.latencies.take()
    this.openWindow(now)
  }

  private openWindow(now: number): void {
    this.windowFrom = now
    this.peak = this.inFlight
    this.drops = this.samples = 0
  }

  private setLimit(): void {
    this.limit = Math.max(1, Math.floor(this.state.limit * this.node.factor))
  }
}
