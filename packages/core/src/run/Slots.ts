/**
 * The places that a run gives to attempts, and who waits for one: a slot of its `concurrency`, and where the attempt is
 * limited, permits of the limiter.
 *
 * Who waits stands in a line: one for those who need only a slot, and one for each limiter. In a line the most urgent
 * goes first; of one step's, whoever asked first. Asking and taking cost O(log n) in the number of those who wait.
 *
 * Nobody holds one thing while they wait for another: a limiter is asked only while there is a free slot. A run inside
 * another one needs a slot of both for each attempt, and may keep one of the run around while it waits for a permit.
 */
import type { Limited } from "../compile/Program.ts"
import { Heap, type Placed } from "../base/Heap.ts"
import type { LimitExceeded } from "../limiter/LimitExceeded.ts"
import type { HeldPermits } from "../limiter/HeldPermits.ts"
import type { PermitLine } from "../permits/PermitLine.ts"
import type { RunPermits } from "../permits/RunPermits.ts"
import { Outer, type OuterSlots } from "../nested/ParentSlots.ts"
import type { Limit } from "../watch/RunEvent.ts"

/** Somebody who waits: a step that has yet to begin, or an attempt in the middle of its step. */
export class Waiter implements Placed {
  readonly index: number
  readonly order: number
  /** What to do when its turn comes; a step that has yet to begin is begun by whoever takes it. */
  resume: (() => void) | undefined
  /** How long what is left of the run takes from here, as far as limiters have learned it, in milliseconds. */
  readonly remaining: number
  readonly line: Line
  /** The permits that it needs as well, if any. */
  readonly limit: Limited | undefined
  place = -1
  waits = true
  /** Whether it is of a run inside, which may go on when the one around has stopped. */
  isInside = false
  /** What a limiter gave it with its turn, or that it refused. A turn that was refused comes without a slot. */
  answer: HeldPermits | LimitExceeded | undefined = undefined

  constructor(
    index: number,
    order: number,
    remaining: number,
    line: Line,
    limit: Limited | undefined,
    resume: (() => void) | undefined
  ) {
    this.index = index
    this.order = order
    this.remaining = remaining
    this.line = line
    this.limit = limit
    this.resume = resume
  }

  /** The permits that a limiter gave it. */
  get loan(): HeldPermits | undefined {
    return this.isRefused ? undefined : (this.answer as HeldPermits | undefined)
  }

  /** Whether a limiter refused it, so that there is no slot with its turn. */
  get isRefused(): boolean {
    return this.answer !== undefined && "_tag" in this.answer
  }
}

/** Those who wait for the same. */
class Line {
  /** Where those who stand here need permits as well. */
  readonly permits: PermitLine | undefined
  private readonly waiters: Heap<Waiter>

  constructor(before: (a: Waiter, b: Waiter) => boolean, permits?: PermitLine) {
    this.waiters = new Heap(before)
    this.permits = permits
  }

  /** The most urgent. Who no longer waits is dropped when their turn comes. */
  get first(): Waiter | undefined {
    for (let first = this.waiters.first; first !== undefined; first = this.waiters.first) {
      if (first.waits) return first
      this.waiters.remove(first)
    }
    return undefined
  }

  add(waiter: Waiter): void {
    this.waiters.add(waiter)
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
  /** How many can be had at once, here and around. */
  readonly limit: number
  /** Told when a slot of the run around has come, or a limiter has answered. */
  onGranted: () => void = () => {}
  /** What those who have a slot hold it from, where others may wait for them while they wait for more. */
  readonly supply: object | undefined
  private free: number
  private asked = 0
  private stopped = false
  private readonly urgency: Int32Array
  private readonly outer: Outer | undefined
  private readonly limits: RunPermits | undefined
  private readonly unlimited: Line
  /** All lines, where there are several. */
  private readonly lines: Array<Line> | undefined

  constructor(limit: number, urgency: Int32Array, outer?: OuterSlots, limits?: RunPermits, supply?: object) {
    this.limit = Math.min(limit, outer?.limit ?? Infinity)
    this.supply = supply
    this.free = limit
    this.urgency = urgency
    this.outer = outer === undefined ? undefined : new Outer(outer, () => this.onGranted())
    this.limits = limits
    this.unlimited = new Line(this.before)
    if (limits === undefined) return
    limits.onAnswer = () => this.onGranted()
    this.lines = [this.unlimited, ...limits.lines.map((permits) => new Line(this.before, permits))]
  }

  /** Whether somebody who needs no permit never has to wait. */
  get areEndless(): boolean {
    return this.limit === Infinity && this.outer === undefined
  }

  /** Whether a step waits for what other runs have: permits, or a slot of the run around. */
  get waitsForOthers(): boolean {
    return (this.outer !== undefined || this.limits !== undefined) && !this.isEmpty
  }

  /** Asks for a turn. */
  request(index: number, limit?: Limited, resume?: () => void): Waiter {
    const line = limit === undefined ? this.unlimited : this.lines![limit.limiter + 1]!
    const waiter = new Waiter(index, this.asked++, this.limits?.remaining(index) ?? 0, line, limit, resume)
    line.add(waiter)
    return waiter
  }

  /** Asks for a turn of a run inside a step. */
  requestInside(index: number, resume: () => void): Waiter {
    const waiter = this.request(index, undefined, resume)
    waiter.isInside = true
    return waiter
  }

  /** Gives a slot back, and those of the runs around that were taken with it. */
  release(): void {
    this.releaseHere()?.release()
  }

  /** Gives a slot of this run back, and says whose is to be given back, too. */
  releaseHere(): Outer | undefined {
    this.free++
    return this.outer
  }

  /** Gives the turn to the most urgent of those who can have one, and says who that is. */
  take(): Waiter | undefined {
    const turn = this.lines === undefined ? this.turnIn(this.unlimited) : this.turnAmong(this.lines)
    if (turn === undefined && this.isEmpty) this.giveBack()
    return turn
  }

  /** What somebody waits for: a slot, or the permits for which is asked as long as there are slots. */
  reasonOf({ line: { permits } }: Waiter): Limit {
    return permits === undefined || this.free === 0 ? { _tag: "Slot", concurrency: this.limit } : permits.reason
  }

  /** Nobody will take a slot any more, but for runs inside: one that cannot be interrupted still has to come to its end. */
  stop(): void {
    this.stopped = true
    for (const line of this.lines ?? [this.unlimited]) line.keepInside()
    this.limits?.withdraw()
    if (this.isEmpty) this.giveBack()
  }

  /** The run is over: who is around may take what it gave back. */
  close(): void {
    this.outer?.giveBack()
  }

  /** Nobody waits. What the end of a stopped run means for who is around is not known yet: they are told at its end. */
  private giveBack(): void {
    if (this.stopped) this.outer?.withdraw()
    else this.outer?.giveBack()
  }

  private get isEmpty(): boolean {
    return this.lines === undefined ? isEmpty(this.unlimited) : this.lines.every(isEmpty)
  }

  private turnAmong(lines: ReadonlyArray<Line>): Waiter | undefined {
    const waiting: Array<Line> = []
    for (const line of lines) {
      if (isEmpty(line)) line.permits?.withdraw()
      else waiting.push(line)
    }
    if (waiting.length > 1) waiting.sort((a, b) => (this.before(a.first!, b.first!) ? -1 : 1))
    for (const line of waiting) {
      const turn = this.turnIn(line)
      if (turn !== undefined) return turn
    }
    return undefined
  }

  private turnIn(line: Line): Waiter | undefined {
    const { first } = line
    if (first === undefined || !this.hasSlot()) return undefined
    if (line.permits?.answers(first) === false) return undefined
    // Asking can stop the run: then it waits no more.
    if (first.place === -1) return undefined
    line.remove(first)
    if (line.permits !== undefined) first.answer = line.permits.take()
    if (first.isRefused) return first
    this.free--
    this.outer?.take()
    return first
  }

  /** Whether there is a slot to take. While there is none, no permit is asked for, and none is kept. */
  private hasSlot(): boolean {
    if (this.free > 0 && this.outer?.isThere() !== false) return true
    if (this.free === 0) this.outer?.offer()
    this.limits?.withdraw()
    return false
  }

  private readonly before = (a: Waiter, b: Waiter): boolean => {
    if (a.remaining !== b.remaining) return a.remaining > b.remaining
    const apart = this.urgency[a.index]! - this.urgency[b.index]!
    return apart === 0 ? a.order < b.order : apart < 0
  }
}

const isEmpty = (line: Line): boolean => line.first === undefined
