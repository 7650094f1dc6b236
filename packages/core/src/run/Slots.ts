/**
 * The slots that a run gives to attempts, and the waits for one.
 *
 * The most urgent goes first; of one step's attempts, the one that asked first. Asking and taking cost O(log n) in the number
 * of waits. A run inside another one needs a slot of both for each attempt.
 */
import { Heap, type Placed } from "../base/Heap.ts"
import type { Asker, Limit, LimiterAnswer, OuterSlots, SlotParts, SlotTurn } from "../model/Extension.ts"
import type { Limited } from "../model/Step.ts"

/** A wait for a turn: of a step that has yet to begin, or of an attempt in the middle of its step. */
export class Waiter implements Placed, SlotTurn, Asker {
  readonly index: number
  readonly order: number
  /** What to do when its turn comes; without it, the scheduler begins the step. */
  resume: (() => void) | undefined
  /** How long what is left of the run takes from here, as far as limiters have learned it, in milliseconds. */
  readonly remaining: number
  /** The permits that it needs as well, if any. */
  readonly limit: Limited | undefined
  place = -1
  waits = true
  /** Whether it is of a run inside, which may go on when the one around has stopped. */
  isInside = false
  /** The answer of a limiter, which comes with its turn. A turn that was refused comes without a slot. */
  answer: LimiterAnswer | undefined = undefined

  constructor(
    index: number,
    order: number,
    remaining: number,
    limit: Limited | undefined,
    resume: (() => void) | undefined
  ) {
    this.index = index
    this.order = order
    this.remaining = remaining
    this.limit = limit
    this.resume = resume
  }
}

/** The waits for the same. */
export class Line {
  private readonly waiters: Heap<Waiter>

  constructor(before: (a: Waiter, b: Waiter) => boolean) {
    this.waiters = new Heap(before)
  }

  /** The most urgent. One that no longer waits is dropped when its turn comes. */
  get first(): Waiter | undefined {
    for (let first = this.waiters.first; first !== undefined; first = this.waiters.first) {
      if (first.waits) return first
      this.waiters.remove(first)
    }
    return undefined
  }

  add(waiter: Waiter): Waiter {
    this.waiters.add(waiter)
    return waiter
  }

  remove(waiter: Waiter): void {
    this.waiters.remove(waiter)
    waiter.waits = false
  }

  /** Drops all but those of runs inside. */
  keepInside(): void {
    this.waiters.keep(({ isInside }) => isInside)
  }
}

export class Slots {
  /** How many can be had at once: the smaller of this run's limit and its parent's. */
  readonly limit: number
  /** Brings the run back to its own asynchronous context, where others give things back to it. */
  readonly async: SlotParts["async"]
  /** Told when a slot of the parent has come, or a limiter has answered. */
  onGranted: () => void = () => {}
  protected free: number
  protected readonly outer: OuterSlots | undefined
  protected readonly line: Line
  private asked = 0
  private stopped = false
  private readonly urgency: Int32Array

  constructor(limit: number, urgency: Int32Array, { async, outer }: SlotParts = {}) {
    this.outer = outer?.(() => this.onGranted())
    this.limit = Math.min(limit, this.outer?.limit ?? Infinity)
    this.async = async
    this.free = limit
    this.urgency = urgency
    this.line = new Line(this.before)
  }

  /** Whether an attempt that needs no permit never has to wait. */
  get areEndless(): boolean {
    return this.limit === Infinity && this.outer === undefined
  }

  /** Whether a step waits for what other runs have. */
  get waitsForOthers(): boolean {
    return this.outer !== undefined && !this.isEmpty
  }

  /** Asks for a turn. */
  request(index: number, limit?: Limited, resume?: () => void): Waiter {
    return this.line.add(this.waiter(index, 0, limit, resume))
  }

  /** Asks for a turn of a run inside a step. */
  requestInside(index: number, resume: () => void): Waiter {
    const waiter = this.request(index, undefined, resume)
    waiter.isInside = true
    return waiter
  }

  /** Gives a slot back, and those of the runs around that were taken with it. */
  release(): void {
    for (let outer = this.releaseHere(); outer !== undefined;) outer = outer.releaseOne()
  }

  /** Gives a slot of this run back, and says whose is to be given back, too. */
  releaseHere(): OuterSlots | undefined {
    this.free++
    return this.outer
  }

  /** Gives the turn to the most urgent of those who can have one, and says who that is. */
  take(): Waiter | undefined {
    const turn = this.next()
    if (turn === undefined && this.isEmpty) this.giveBack()
    return turn
  }

  /** What an attempt waits for. */
  reasonOf(_waiter: Waiter): Limit {
    return { _tag: "Slot", concurrency: this.limit }
  }

  /** No attempt will take a slot any more, but for runs inside: one that cannot be interrupted still has to come to its end. */
  stop(): void {
    this.stopped = true
    this.keepInside()
    if (this.isEmpty) this.giveBack()
  }

  /** The run is over: the run around may take what it gave back. */
  close(): void {
    this.outer?.giveBack()
  }

  protected get isEmpty(): boolean {
    return this.line.first === undefined
  }

  protected next(): Waiter | undefined {
    const { first } = this.line
    return first !== undefined && this.hasSlot() ? this.taken(this.line, first) : undefined
  }

  protected keepInside(): void {
    this.line.keepInside()
  }

  protected waiter(index: number, remaining: number, limit?: Limited, resume?: () => void): Waiter {
    return new Waiter(index, this.asked++, remaining, limit, resume)
  }

  /** Gives a slot with the turn. */
  protected taken(line: Line, waiter: Waiter): Waiter {
    line.remove(waiter)
    this.free--
    this.outer?.take()
    return waiter
  }

  /** Whether there is a slot to take. */
  protected hasSlot(): boolean {
    if (this.free > 0 && this.outer?.isThere() !== false) return true
    if (this.free === 0) this.outer?.offer()
    return false
  }

  protected readonly before = (a: Waiter, b: Waiter): boolean => {
    if (a.remaining !== b.remaining) return a.remaining > b.remaining
    const apart = this.urgency[a.index]! - this.urgency[b.index]!
    return apart === 0 ? a.order < b.order : apart < 0
  }

  /** No step waits. What the end of a stopped run means for the run around is not known yet: that is told at its end. */
  private giveBack(): void {
    if (this.stopped) this.outer?.withdraw()
    else this.outer?.giveBack()
  }
}
