/**
 * Knows which requests of a run are still to come, for the batches that wait for them.
 *
 * The request of a step that asks a graph-aware resolver is to come until it is made, or the step has settled. A list is to
 * come while a running item has not made its request. A nested loader is to come until its run begins; from then on the
 * steps of that run count. A step that depends on a held request cannot make its own before that one.
 *
 * Only programs with such steps have a foresight.
 */
import type { Foreseen } from "./Foreseen.ts"
import { mayWaitFor } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import type { Hold, Horizon, Outlook, HoldPlace } from "../batching/Hold.ts"

/** The state of steps that a run answers. */
interface StepProgress {
  readonly isSettled: (index: number) => boolean
  /** Whether only choices can want a step, and none has wanted it so far. */
  readonly isUnwanted: (index: number) => boolean
}

/** The step, and the item, of another run that a run is inside. */
export interface OuterForesight {
  readonly foresight: Foresight
  readonly index: number
  readonly item: number | undefined
}

/** The items of a running list. */
class ItemsAhead {
  private readonly total: number
  private readonly limit: number
  private begun = 0
  /** The running items, and whether each has made its request. */
  private readonly running = new Map<number, boolean>()
  private toCome = 0

  constructor(total: number, limit: number) {
    this.total = total
    this.limit = limit
  }

  begin(item: number): void {
    this.begun++
    this.running.set(item, false)
    this.toCome++
  }

  come(item: number): void {
    if (this.running.get(item) !== false) return
    this.running.set(item, true)
    this.toCome--
  }

  end(item: number): void {
    this.come(item)
    this.running.delete(item)
  }

  /** Whether an item may make its request before another item ends. */
  get mayCome(): boolean {
    return this.toCome > 0 || (this.begun < this.total && this.running.size < this.limit)
  }
}

type Holds = ReadonlySet<Hold>

const nothing: Holds = new Set()

/** The holds that block each step. */
type Blockers = (index: number) => Holds

const together = (holds: ReadonlyArray<Holds>): Holds =>
  holds.length < 2 ? (holds[0] ?? nothing) : new Set(holds.flatMap((some) => [...some]))

export class Foresight implements Horizon {
  private readonly program: Program
  private readonly foreseen: ReadonlyArray<Foreseen>
  private readonly progress: StepProgress
  private readonly around: OuterForesight | undefined
  private readonly outermost: Foresight
  /** The steps that have made their requests. */
  private readonly come = new Set<number>()
  private readonly lists = new Map<number, ItemsAhead>()
  private readonly inside = new Set<Foresight>()
  /** The number of held requests of each step and of its nested runs. */
  private readonly held = new Map<number, Map<Hold, number>>()
  /** The holds of all runs. Only the outermost foresight has them. */
  private readonly holds = new Map<Hold, number>()

  constructor(
    program: Program,
    foreseen: ReadonlyArray<Foreseen>,
    progress: StepProgress,
    around: OuterForesight | undefined
  ) {
    this.program = program
    this.foreseen = foreseen
    this.progress = progress
    this.around = around
    this.outermost = around?.foresight.outermost ?? this
  }

  begin(): void {
    if (this.around === undefined) return
    const { foresight, index, item } = this.around
    foresight.inside.add(this)
    foresight.hasCome(index, item)
  }

  end(): void {
    this.around?.foresight.inside.delete(this)
    this.changed()
  }

  /** A request may be no longer to come. */
  changed(): void {
    for (const hold of this.outermost.holds.keys()) hold.tell()
  }

  listBegins(index: number, total: number, limit: number): void {
    this.lists.set(index, new ItemsAhead(total, limit))
  }

  itemBegins(index: number, item: number): void {
    this.lists.get(index)?.begin(item)
  }

  itemEnds(index: number, item: number): void {
    this.lists.get(index)?.end(item)
    this.changed()
  }

  /** A step or an item has made its request. */
  hasCome(index: number, item: number | undefined): void {
    this.come.add(index)
    if (item !== undefined) this.lists.get(index)?.come(item)
    this.changed()
  }

  /** The origin of the requests of a step. */
  placeOf(index: number): HoldPlace {
    return {
      horizon: this.outermost,
      enter: (hold) => this.count(index, hold, 1),
      leave: (hold) => this.count(index, hold, -1)
    }
  }

  lookFor(hold: Hold): Outlook {
    const ahead = this.stillToCome(hold)
    const open = ahead.filter((blockers) => !blockers.has(hold))
    return { free: open.some(({ size }) => size === 0), behind: together(open) }
  }

  /** The holds that block each request that is still to come. */
  private stillToCome(hold: Hold): ReadonlyArray<Holds> {
    const all: Array<Holds> = []
    const runs: Array<Foresight> = [this]
    for (let run = runs.pop(); run !== undefined; run = runs.pop()) {
      for (const blockers of run.ownToCome(hold)) all.push(blockers)
      for (const inside of run.inside) runs.push(inside)
    }
    return all
  }

  private ownToCome(hold: Hold): ReadonlyArray<Holds> {
    const blockersOf = this.blockers()
    return this.foreseen.flatMap(({ choosers, holds, index }) =>
      holds.includes(hold) && this.isToCome(index)
        ? [together([blockersOf(index), this.blockersOfChoice(index, choosers, blockersOf)])]
        : []
    )
  }

  private isToCome(index: number): boolean {
    if (this.progress.isSettled(index)) return false
    return this.lists.get(index)?.mayCome ?? !this.come.has(index)
  }

  /** The holds that block the choice of a step: none if a chooser is not blocked. */
  private blockersOfChoice(index: number, choosers: ReadonlyArray<number>, blockersOf: Blockers): Holds {
    if (!this.progress.isUnwanted(index)) return nothing
    const all = choosers.filter((chooser) => !this.progress.isSettled(chooser)).map(blockersOf)
    return all.some(({ size }) => size === 0) ? nothing : together(all)
  }

  /** Computed from dependencies to dependents, and from cases to their choices. */
  private blockers(): Blockers {
    if (this.held.size === 0) return () => nothing
    const blockers: Array<Holds> = []
    this.program.steps.forEach((step, i) => {
      const waitsFor = this.progress.isSettled(i) ? [] : mayWaitFor(step)
      const held = waitsFor.flatMap((j) => [blockers[j]!, new Set(this.held.get(j)?.keys())])
      blockers[i] = together(held.filter(({ size }) => size > 0))
    })
    return (index) => blockers[index]!
  }

  /** Counts the held requests of a step, and of the outer steps that it is inside. */
  private count(index: number, hold: Hold, change: 1 | -1): void {
    this.countHere(index, hold, change)
    for (let at = this.around; at !== undefined; at = at.foresight.around) {
      at.foresight.countHere(at.index, hold, change)
    }
    countIn(this.outermost.holds, hold, change)
  }

  private countHere(index: number, hold: Hold, change: 1 | -1): void {
    let ofStep = this.held.get(index)
    if (ofStep === undefined) this.held.set(index, (ofStep = new Map()))
    countIn(ofStep, hold, change)
    if (ofStep.size === 0) this.held.delete(index)
  }
}

const countIn = (counts: Map<Hold, number>, hold: Hold, change: 1 | -1): void => {
  const count = (counts.get(hold) ?? 0) + change
  if (count === 0) counts.delete(hold)
  else counts.set(hold, count)
}
