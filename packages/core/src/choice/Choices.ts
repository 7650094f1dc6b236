/**
 * The choices of a run: which cases were chosen, and which optional steps are wanted.
 *
 * An optional step runs only if a choice wants it, or a step that waits for it. It is dropped when no choice can want it any
 * more. Until one of the two is known it neither starts nor ends: it waits for one more than its dependencies.
 */
import * as Cause from "effect/Cause"
import { describe } from "../base/ErrorText.ts"
import { notAResource } from "../compile/GraphError.ts"
import { type Lists, mayChooseOf, reversed } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import { Failed, Pending, Running, Skipped } from "../model/Absent.ts"
import type { Extension, Hooks } from "../model/Extension.ts"
import { type GraphIssue, quoted } from "../model/GraphIssue.ts"
import type { Case, Compiling, Kind, ReadResources } from "../model/Kind.ts"
import type { Source } from "../model/Node.ts"
import { type Cases, type Step, stepOf } from "../model/Step.ts"
import type { Run } from "../run/Run.ts"
import { MatchError } from "./MatchError.ts"

/** The steps that could want each step. */
interface Choosable {
  /** Their number: the steps that wait for it, and the choices that may choose it. */
  readonly wanting: ReadonlyArray<number>
  /** The choices that may choose each step. */
  readonly choosers: Lists
}

/** The case of a value. Only untyped code passes a value other than a string, a number or a boolean. */
const caseOf = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined

const none: ReadonlyArray<never> = []

class Choices {
  private readonly run: Run
  private readonly choosers: Lists
  private readonly wanting: Array<number>
  private readonly chosen = new Map<number, number>()
  private readonly wanted = new Set<number>()
  /** The failed step because of which each step is skipped, now or when it is wanted. */
  private readonly skippedBy = new Map<number, number>()

  constructor(run: Run, { choosers, wanting }: Choosable) {
    this.run = run
    this.choosers = choosers
    this.wanting = wanting.slice()
  }

  get hooks(): Hooks {
    return {
      choose: (index) => this.settle(index),
      followed: (index, failed) => this.follow(index, failed),
      isUnwanted: (index) => this.isUnwanted(index),
      reaches: (index) => this.reachesTarget(index, true),
      // An optional step is skipped when it is wanted, or dropped as not chosen: until then it is too early.
      skipping: (index, failed) => {
        this.skippedBy.set(index, failed)
        return this.isUnwanted(index)
      }
    }
  }

  private settle(index: number): void {
    const chosen = this.chosen.get(index)
    if (chosen === undefined) return this.choose(index)
    this.run.hooks.ready?.(index)
    this.run.succeed(index, this.run.valueOf(chosen))
  }

  private choose(index: number): void {
    const { run } = this
    const { choice, mayChoose, name, sources } = run.program.steps[index]!
    const { cases, otherwise } = choice!
    const value = run.valueOf(sources[0]!)
    const asked = caseOf(value)
    const chosen = (asked === undefined ? undefined : cases.get(asked)) ?? otherwise
    if (chosen === undefined) {
      this.drop(this.wantsOf(index), name)
      return run.fail(index, Cause.fail(new MatchError({ value, cases: [...cases.keys()] })))
    }
    this.chosen.set(index, chosen)
    run.sink?.(index, undefined, { _tag: "Chosen", choice: asked ?? describe(value), chosen })
    this.drop(
      mayChoose.filter((other) => other !== chosen),
      name
    )
    for (const wanted of this.want(chosen)) this.release(wanted)
    // An observer may have stopped the run.
    if (run.stopped === undefined) this.heed(index, chosen)
  }

  /** Starts a step that is wanted now, or skips it because a dependency has failed in the meantime. */
  private release(index: number): void {
    const { run } = this
    run.sink?.(index, undefined, { _tag: "Wanted" })
    const { view } = run.program.steps[index]!
    const failed = this.skippedBy.get(index)
    if (view !== undefined && run.valueOf(view.parent) === Failed) run.settleSoon(index)
    else if (failed !== undefined) run.skip(index, failed)
    else run.satisfy(index)
  }

  /** Handles a chosen step that has settled already: for another choice, or because a dependency failed. */
  private heed(index: number, chosen: number): void {
    const { run } = this
    const value = run.valueOf(chosen)
    if (value === Pending || value === Running) return
    if (value !== Failed && value !== Skipped) return run.settleSoon(index)
    const root = value === Failed ? chosen : this.skippedBy.get(chosen)!
    run.skip(index, root)
    if (run.failFast && this.reachesTarget(index, false)) run.failWith(root, run.causeOf(root)!)
  }

  /** Applies the end of a step to the choices. */
  private follow(index: number, failed: number | undefined): void {
    const { run } = this
    if (failed !== undefined && failed !== index) this.drop(this.wantsOf(index), run.program.steps[index]!.name)
    for (const match of this.choosersOf(index)) {
      if (failed === undefined) run.settleSoon(match)
      else run.skip(match, failed)
    }
  }

  /** A choice does not want these steps. Drops those that nothing else can want. */
  private drop(steps: ReadonlyArray<number>, choice: string): void {
    const { run } = this
    const toDrop = [...this.letGo(steps)]
    for (let i = toDrop.pop(); i !== undefined; i = toDrop.pop()) {
      if (!run.isPending(i)) continue
      const wants = this.wantsOf(i)
      run.drop(i, { _tag: "NotChosen", resource: choice })
      for (const next of this.letGo(wants)) toDrop.push(next)
    }
  }

  /** Whether only choices can want a step, and none has wanted it so far. */
  private isUnwanted(index: number): boolean {
    return this.run.program.optional![index] === 1 && !this.wanted.has(index)
  }

  /** The choices that have chosen a step. */
  private choosersOf(index: number): ReadonlyArray<number> {
    const { items, start } = this.choosers
    const choosers: Array<number> = []
    for (let k = start[index]!; k < start[index + 1]!; k++) {
      if (this.chosen.get(items[k]!) === index) choosers.push(items[k]!)
    }
    return choosers
  }

  /** Marks a step and its dependencies as wanted. Returns those that were not wanted before. */
  private want(first: number): ReadonlyArray<number> {
    const fresh: Array<number> = []
    const toWant = [first]
    for (let i = toWant.pop(); i !== undefined; i = toWant.pop()) {
      if (!this.isUnwanted(i)) continue
      this.wanted.add(i)
      fresh.push(i)
      for (const on of this.run.program.steps[i]!.waitsFor) toWant.push(on)
    }
    return fresh
  }

  /** Counts one less that could want each of these steps. Returns those that nothing can want any more. */
  private letGo(steps: ReadonlyArray<number>): ReadonlyArray<number> {
    return steps.filter((i) => --this.wanting[i]! === 0 && this.isUnwanted(i))
  }

  /** The steps that a step could have wanted, when it will not run. */
  private wantsOf(index: number): ReadonlyArray<number> {
    const { mayChoose, waitsFor } = this.run.program.steps[index]!
    const wants = this.isUnwanted(index) ? waitsFor : none
    return mayChoose.length > 0 && !this.chosen.has(index) ? [...wants, ...mayChoose] : wants
  }

  /** Whether the failure or skip of a step reaches a target through the choices made so far. */
  private reachesTarget(first: number, isFailure: boolean): boolean {
    const { dependents, fatalFailure, fatalSkip, steps } = this.run.program
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
        const lens = steps[j]!.view?.lens
        if (lens === undefined) toFollow.push([j, false])
        else if (lens.recovers === undefined) toFollow.push([j, failed])
        else if (!failed && !lens.ancestors) toFollow.push([j, false])
      }
    }
    return false
  }
}

/** A step that a target depends on runs in any case. All other steps run only if choices want them. */
const optionalIn = (steps: ReadonlyArray<Step>, isTarget: Uint8Array): Uint8Array => {
  const optional = isTarget.map((target) => 1 - target)
  for (let i = steps.length - 1; i >= 0; i--) for (const j of steps[i]!.waitsFor) optional[j]! &= optional[i]!
  return optional
}

/** Makes the choices of a run. */
const choosing: Extension = {
  optional: optionalIn,
  prepare: ({ steps }: Program): Choosable => {
    const wanting = steps.map(() => 0)
    for (const { mayChoose, waitsFor } of steps) {
      for (const j of waitsFor) wanting[j]!++
      for (const j of mayChoose) wanting[j]!++
    }
    return { wanting, choosers: reversed(steps, mayChooseOf) }
  },
  open: (run: Run, choosable: Choosable) => new Choices(run, choosable).hooks
}

/** The source of a choice, with the resource for each value of `on`. */
export interface MatchSource extends Source {
  readonly cases: Readonly<Record<string, unknown>>
  readonly orElse: unknown
}

const readCases = (
  { cases, orElse }: MatchSource,
  resource: string,
  { entries, resolve }: ReadResources
): ReadonlyArray<Case> => {
  const found: Array<Case> = []
  for (const [key, given] of entries(() => cases, resource)) {
    const refuse = (value: unknown): GraphIssue =>
      notAResource({ place: "case", resource, key }, `case ${quoted(key)} of ${quoted(resource)}`, value)
    const node = resolve(given, refuse)
    if (node !== undefined) found.push({ value: key, node, use: `for ${key}` })
  }
  const refuse = (value: unknown): GraphIssue =>
    notAResource({ place: "orElse", resource }, `\`orElse\` of ${quoted(resource)}`, value)
  const otherwise = orElse === undefined ? undefined : resolve(orElse, refuse)
  if (otherwise !== undefined) found.push({ value: undefined, node: otherwise, use: "in orElse" })
  return found
}

const toCases = ({ cases, chosen }: Compiling): Cases => {
  const byValue = new Map<string, number>()
  let otherwise: number | undefined
  cases.forEach(({ value }, k) => {
    if (value === undefined) otherwise = chosen[k]
    else byValue.set(value, chosen[k]!)
  })
  return { cases: byValue, otherwise }
}

export const matchKind: Kind = {
  name: "match",
  refuses: "a choice does no work of its own: pipe it onto the cases",
  cases: ({ name, source }, read) => readCases(source as MatchSource, name, read),
  refuse: (resource, value) => notAResource({ place: "on", resource }, `\`on\` of ${quoted(resource)}`, value),
  toStep: (_base, common, compiling) =>
    stepOf(common, {
      choice: toCases(compiling),
      mayChoose: Array.from(new Set(compiling.chosen)),
      settle: ({ hooks }, index) => hooks.choose!(index),
      extensions: [choosing]
    })
}
