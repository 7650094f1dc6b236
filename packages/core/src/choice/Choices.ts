/**
 * The choices of a run: what has been chosen, and which of the steps that run only if a choice wants them are wanted.
 *
 * A step is wanted when something that chose it, or waits for it, is. It is let go when nobody is left who could want it.
 */
import { chosenBy, type Choices, type Program } from "../compile/Program.ts"

export class Choosing {
  private readonly program: Program
  private readonly choices: Choices
  private readonly chosen = new Map<number, number>()
  private readonly wanted = new Set<number>()
  private readonly wanting: Array<number>

  constructor(program: Program, choices: Choices) {
    this.program = program
    this.choices = choices
    this.wanting = choices.wanting.slice()
  }

  /** What a choice has chosen, once it has. */
  chosenBy(match: number): number | undefined {
    return this.chosen.get(match)
  }

  choose(match: number, step: number): void {
    this.chosen.set(match, step)
  }

  /** Whether a step will never be asked for as things are, since only choices can want it and none has. */
  isUnwanted(index: number): boolean {
    return this.choices.optional[index] === 1 && !this.wanted.has(index)
  }

  /** The choices that have chosen a step. */
  choosersOf(index: number): ReadonlyArray<number> {
    const { items, start } = this.choices.choosers
    const choosers: Array<number> = []
    for (let k = start[index]!; k < start[index + 1]!; k++) {
      if (this.chosen.get(items[k]!) === index) choosers.push(items[k]!)
    }
    return choosers
  }

  /** Wants a step and all that it waits for, and gives those that nobody had wanted before. */
  want(first: number): ReadonlyArray<number> {
    const fresh: Array<number> = []
    const toWant = [first]
    for (let i = toWant.pop(); i !== undefined; i = toWant.pop()) {
      if (!this.isUnwanted(i)) continue
      this.wanted.add(i)
      fresh.push(i)
      for (const on of this.program.steps[i]!.waitsFor) toWant.push(on)
    }
    return fresh
  }

  /** One less could want each of these; gives those that nobody can want any more. */
  letGo(steps: ReadonlyArray<number>): ReadonlyArray<number> {
    return steps.filter((i) => --this.wanting[i]! === 0 && this.isUnwanted(i))
  }

  /** What a step that will not run could have wanted. */
  wantsOf(index: number): ReadonlyArray<number> {
    const step = this.program.steps[index]!
    const wants = this.isUnwanted(index) ? step.waitsFor : []
    return step.kind === "match" && !this.chosen.has(index) ? [...wants, ...chosenBy(step)] : wants
  }

  /** Whether the failure of a step, or its skip, reaches a target by what has been chosen so far. */
  reachesTarget(first: number, isFailure: boolean): boolean {
    const { dependents, fatalFailure, fatalSkip, steps } = this.program
    const seen = new Set<string>()
    const toFollow: Array<readonly [index: number, isFailure: boolean]> = [[first, isFailure]]
    for (let next = toFollow.pop(); next !== undefined; next = toFollow.pop()) {
      const [i, failed] = next
      if ((failed ? fatalFailure : fatalSkip)[i] === 1) return true
      if (seen.has(String(next))) continue
      seen.add(String(next))
      for (const m of this.choosersOf(i)) toFollow.push([m, false])
      for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) {
        const j = dependents.items[k]!
        const step = steps[j]!
        if (step.kind !== "view") toFollow.push([j, false])
        else if (step.lens._tag === "Map") toFollow.push([j, failed])
        else if (!failed && !step.lens.ancestors) toFollow.push([j, false])
      }
    }
    return false
  }
}
