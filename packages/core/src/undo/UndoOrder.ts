/**
 * Decides the order of undoing; runs nothing.
 *
 * The last completed side effect is undone first, and each one only after those of all its dependents, also through steps that
 * had none. Side effects that do not depend on each other may be undone concurrently.
 */
import { mayWaitFor } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import { Heap, type Placed } from "../base/Heap.ts"

/** A side effect of a step. */
export interface DoneBy {
  readonly index: number
}

interface Candidate<T> extends Placed {
  readonly done: T
  /** Its position in the order of completion. */
  readonly completed: number
}

export class UndoOrder<T extends DoneBy> {
  private readonly program: Program | undefined
  private readonly free = new Heap<Candidate<T>>((a, b) => a.completed > b.completed)
  /** The side effects of each step that are not undone yet, and the number of dependents that block it. */
  private readonly byStep = new Map<number, Array<Candidate<T>>>()
  private readonly left = new Map<number, number>()
  private readonly inTheWay: Int32Array

  /** `done`: in the order of completion. Without a program all are of one step and not blocked. */
  constructor(program: Program | undefined, done: ReadonlyArray<T>) {
    this.program = program
    this.inTheWay = new Int32Array(program?.steps.length ?? 0)
    const candidates = done.map((one, completed) => ({ done: one, completed, place: -1 }))
    if (program === undefined) candidates.forEach((candidate) => this.free.add(candidate))
    else this.arrange(program, candidates)
  }

  private arrange(program: Program, all: ReadonlyArray<Candidate<T>>): void {
    for (const candidate of all) {
      const { index } = candidate.done
      const known = this.byStep.get(index)
      if (known === undefined) this.byStep.set(index, [candidate])
      else known.push(candidate)
    }
    for (const [index, candidates] of this.byStep) this.left.set(index, candidates.length)
    for (const step of program.steps) for (const j of mayWaitFor(step)) this.inTheWay[j]!++
    const last = Array.from(program.steps.keys()).filter((i) => this.inTheWay[i] === 0)
    this.clear(last)
  }

  /** The next side effect to undo, if any is not blocked. It blocks others until `undone` is called. */
  next(): T | undefined {
    const { first } = this.free
    if (first !== undefined) this.free.remove(first)
    return first?.done
  }

  undone({ index }: T): void {
    if (this.program === undefined) return
    const left = this.left.get(index)! - 1
    this.left.set(index, left)
    if (left === 0) this.clear(this.release(index))
  }

  /** These steps are not blocked any more: their side effects may be undone. Steps without side effects unblock others in turn. */
  private clear(steps: ReadonlyArray<number>): void {
    const open = steps.slice()
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      const candidates = this.byStep.get(i)
      if (candidates === undefined) for (const free of this.release(i)) open.push(free)
      else for (const candidate of candidates) this.free.add(candidate)
    }
  }

  /** The steps that only this step blocked. */
  private release(index: number): ReadonlyArray<number> {
    return mayWaitFor(this.program!.steps[index]!).filter((j) => --this.inTheWay[j]! === 0)
  }
}
