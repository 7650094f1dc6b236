/**
 * In which order what was done is undone. It decides and runs nothing.
 *
 * What was completed last goes first, and nothing before everything that depends on it is undone: also what was not
 * completed itself counts, for what is beyond it. Whatever is free of that may be undone side by side.
 */
import { mayWaitFor } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import { Heap, type Placed } from "../base/Heap.ts"

/** Something that was done by a step of a program. */
export interface DoneBy {
  readonly index: number
}

interface Candidate<T> extends Placed {
  readonly done: T
  /** Its place in the order of completion. */
  readonly completed: number
}

export class UndoOrder<T extends DoneBy> {
  private readonly program: Program | undefined
  private readonly free = new Heap<Candidate<T>>((a, b) => a.completed > b.completed)
  /** What each step did and has not undone, and how many of its dependents are in its way. */
  private readonly byStep = new Map<number, Array<Candidate<T>>>()
  private readonly left = new Map<number, number>()
  private readonly inTheWay: Int32Array

  /** `done`: in the order of completion. Without a program they are all of one step, and free. */
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

  /** What may be undone next, if there is anything now. It stays in the way of others until it is `undone`. */
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

  /** Nothing is in the way of these any more: what they did is free, and those that did nothing clear the way on. */
  private clear(steps: ReadonlyArray<number>): void {
    const open = steps.slice()
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      const candidates = this.byStep.get(i)
      if (candidates === undefined) for (const free of this.release(i)) open.push(free)
      else for (const candidate of candidates) this.free.add(candidate)
    }
  }

  /** The steps that had only this one in their way. */
  private release(index: number): ReadonlyArray<number> {
    return mayWaitFor(this.program!.steps[index]!).filter((j) => --this.inTheWay[j]! === 0)
  }
}
