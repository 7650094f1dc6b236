/**
 * The slots of a run whose attempts also need permits of limiters.
 *
 * Waiting attempts stand in lines: one line for those that need only a slot, and one for each limiter. No attempt holds a slot
 * while it waits for a permit, or a permit while it waits for a slot: the run requests permits only while a slot is free. A
 * nested run may keep a slot of its parent while it waits for a permit.
 */
import type { Limit, SlotParts } from "../model/Extension.ts"
import type { Limited } from "../model/Step.ts"
import { Line, Slots, type Waiter } from "../run/Slots.ts"
import type { PermitLine } from "./PermitLine.ts"

/** The lines of a run for its limiters. */
export interface LimiterLines {
  readonly lines: ReadonlyArray<PermitLine>
  /** The duration of the longest path from a step to the end of the run, itself included, as far as limiters have learned it. */
  readonly remaining: (index: number) => number
  /** Called when a limiter has answered. */
  onAnswer: () => void
}

/** The attempts that wait for permits of one limiter, or that need no permits. */
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

  /** Attempts wait for a slot if none is free, and otherwise for permits. */
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

  /** Without a free slot the run requests no permits and keeps none. */
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
    // The request can stop the run, which ends the wait.
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
