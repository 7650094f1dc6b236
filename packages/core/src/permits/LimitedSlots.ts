/**
 * The slots of a run whose attempts need permits of limiters, too.
 *
 * The waits stand in lines: one for those that need only a slot, and one for each limiter. No attempt holds one thing while it
 * waits for another: a limiter is asked only while there is a free slot. A run inside another one may keep a slot of that
 * one while it waits for a permit.
 */
import type { Limit, SlotParts } from "../model/Extension.ts"
import type { Limited } from "../model/Step.ts"
import { Line, Slots, type Waiter } from "../run/Slots.ts"
import type { PermitLine } from "./PermitLine.ts"

/** What such slots need of the limiters. */
export interface LimiterLines {
  readonly lines: ReadonlyArray<PermitLine>
  /** How long the longest path from a step to the end of the run takes, itself included, where that is known. */
  readonly remaining: (index: number) => number
  /** Told when a limiter has answered. */
  onAnswer: () => void
}

/** The waits for permits of one limiter, or for none. */
interface Waits {
  readonly line: Line
  readonly permits: PermitLine | undefined
}

const isEmpty = ({ line }: Waits): boolean => line.first === undefined

export class LimitedSlots extends Slots {
  private readonly limiters: LimiterLines
  private readonly all: ReadonlyArray<Waits>

  constructor(limit: number, urgency: Int32Array, parts: SlotParts, limiters: LimiterLines) {
    super(limit, urgency, parts)
    this.limiters = limiters
    this.all = [
      { line: this.line, permits: undefined },
      ...limiters.lines.map((permits) => ({ line: new Line(this.before), permits }))
    ]
    limiters.onAnswer = () => this.onGranted()
  }

  override get waitsForOthers(): boolean {
    return !this.isEmpty
  }

  override request(index: number, limit?: Limited, resume?: () => void): Waiter {
    const { line } = this.all[limit === undefined ? 0 : limit.limiter + 1]!
    return line.add(this.waiter(index, this.limiters.remaining(index), limit, resume))
  }

  /** A slot; or the permits for which is asked as long as there are slots. */
  override reasonOf(waiter: Waiter): Limit {
    const { limit } = waiter
    return limit === undefined || this.free === 0
      ? super.reasonOf(waiter)
      : this.all[limit.limiter + 1]!.permits!.reason
  }

  protected override get isEmpty(): boolean {
    return this.all.every(isEmpty)
  }

  protected override keepInside(): void {
    for (const { line } of this.all) line.keepInside()
    this.withdraw()
  }

  /** While there is no slot, no permit is asked for, and none is kept. */
  protected override hasSlot(): boolean {
    const hasSlot = super.hasSlot()
    if (!hasSlot) this.withdraw()
    return hasSlot
  }

  protected override next(): Waiter | undefined {
    const waiting: Array<Waits> = []
    for (const waits of this.all) {
      if (isEmpty(waits)) waits.permits?.withdraw()
      else waiting.push(waits)
    }
    if (waiting.length > 1) waiting.sort((a, b) => (this.before(a.line.first!, b.line.first!) ? -1 : 1))
    for (const waits of waiting) {
      const turn = this.turnIn(waits)
      if (turn !== undefined) return turn
    }
    return undefined
  }

  private turnIn({ line, permits }: Waits): Waiter | undefined {
    const { first } = line
    if (first === undefined || !this.hasSlot()) return undefined
    if (permits?.answers(first) === false) return undefined
    // Asking can stop the run: then it waits no more.
    if (first.place === -1) return undefined
    if (permits !== undefined) first.answer = permits.take()
    if (first.answer?.refusal === undefined) return this.taken(line, first)
    line.remove(first)
    return first
  }

  private withdraw(): void {
    for (const permits of this.limiters.lines) permits.withdraw()
  }
}
