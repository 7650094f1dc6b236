/**
 * One run of a program: what has been settled so far, and what follows from that.
 *
 * It decides; an interpreter (`Scheduler`) acts. The interpreter calls `begin` for a step whose turn has come,
 * runs the effect that it gets, and gives its exit to `settle`. In return it is told of the steps that have become
 * ready (`onReady`) and that the run has failed (`onStop`).
 *
 *  1. A step succeeds: its dependents wait for one less. Structs, and views that need no effect, settle on the spot.
 *  2. A step fails: its views see the failure, its other dependents are skipped, and theirs.
 *  3. A choice is made when what decides is there: what only the other cases need is skipped.
 *  4. In a load, a failure that reaches a target stops the run: nothing new starts, what runs is interrupted.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { pathTo } from "../compile/Path.ts"
import type { Foreseen } from "../request/Foreseen.ts"
import { chosenBy, isBefore, type Match, Pending, type Program, type Step, type View } from "../compile/Program.ts"
import type { RunPermits } from "../permits/RunPermits.ts"
import { MatchError } from "../choice/Match.ts"
import type { AnyEffect, Lens, Rewind } from "../model/Node.ts"
import { describe } from "../base/ErrorText.ts"
import { ResourceError } from "../model/ResourceError.ts"
import { Attempts } from "../attempt/Attempts.ts"
import { loadOf } from "../request/Requests.ts"
import { asEffect, call, handledBy, notAnEffect } from "../model/UserEffect.ts"
import { Choosing } from "../choice/Choices.ts"
import { Foresight, type Inside } from "../request/Foresight.ts"
import { annotated } from "./Failure.ts"
import { InputError } from "./InputError.ts"
import type { SkipReason } from "../watch/RunEvent.ts"
import type { Slots, Waiter } from "./Slots.ts"
import type { RunWatch } from "../watch/RunWatch.ts"
import type { Saga } from "../undo/Saga.ts"

/** Marks what no fallback may take the place of. */
class Aborted extends Context.Service<Aborted, true>()("effect-loader/Aborted") {}

/** Stand in the place of values that are not there, beside `Pending`. */
const Running = /* @__PURE__ */ Symbol.for("effect-loader/Running")
const Failed = /* @__PURE__ */ Symbol.for("effect-loader/Failed")
const Skipped = /* @__PURE__ */ Symbol.for("effect-loader/Skipped")
const NotChosen = /* @__PURE__ */ Symbol.for("effect-loader/NotChosen")

const isThere = (value: unknown): boolean =>
  value !== Pending && value !== Running && value !== Failed && value !== Skipped && value !== NotChosen

/** What had become of every resource when a run's time was over. */
export interface Progress {
  readonly done: ReadonlyArray<string>
  readonly inFlight: ReadonlyArray<string>
  readonly notStarted: ReadonlyArray<string>
}

/** The case that a value asks for. Only untyped code gives anything but a string, a number or a boolean. */
const caseOf = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined

/** Why a run stopped before everything was settled. */
export type Stop =
  | { readonly _tag: "Failed"; readonly resource: string }
  | { readonly _tag: "TimedOut"; readonly limit: Duration.Duration; readonly progress: Progress }
  | { readonly _tag: "Interrupted" }

/** What an interpreter does when a run tells it something. */
export interface Interpreter {
  /** A step's turn has come, as far as the graph is concerned. */
  readonly onReady: (index: number) => void
  /** The run is over: nothing new may start, and what runs has to end. */
  readonly onStop: () => void
  /** Somebody may be able to take a slot. */
  readonly onSlots: () => void
}

export interface RunSetup {
  readonly program: Program
  readonly context: Context.Context<never>
  /** Whether a failure that reaches a target stops the run. */
  readonly failFast: boolean
  readonly slots: Slots | undefined
  readonly limits: RunPermits | undefined
  readonly watch: RunWatch | undefined
  /** The steps for which batches are held, and where this run is inside one that has such. */
  readonly foreseen: ReadonlyArray<Foreseen> | undefined
  readonly inside: Inside | undefined
  /** What keeps what is done, where any of it may have to be undone. */
  readonly saga: Saga | undefined
  /** How often the run has been taken back, where it can be: known to all its legs. */
  readonly rewinds?: Map<Rewind, number> | undefined
  /** What is there from the leg before. */
  readonly kept?: Kept | undefined
}

/** The steps that stay when a run is taken back, and the values of all. */
interface Kept {
  readonly keep: Uint8Array
  readonly values: ReadonlyArray<unknown>
}

const nanosPerMilli = 1_000_000n

const idle: Interpreter = { onReady: () => {}, onStop: () => {}, onSlots: () => {} }

const none: ReadonlyArray<never> = []

const noDependencies = Object.freeze({})

const isGiven = (inputs: object, name: string): boolean =>
  Object.hasOwn(inputs, name) || (name in inputs && !(name in Object.prototype))

/** The error of a cause that may be recovered: one that holds an error and no defect. */
const recoverable = (cause: Cause.Cause<unknown>): ResourceError<string, unknown> | undefined => {
  if (Cause.hasDies(cause)) return undefined
  const fail = cause.reasons.find(Cause.isFailReason)
  if (fail?.annotations.has(Aborted.key)) return undefined
  return fail?.error as ResourceError<string, unknown> | undefined
}

/** What the resource itself failed with, before it was named. */
const unnamed = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.map(cause, (error) => (error as ResourceError<string, unknown>).error)

/** What a view that recovers gets of a cause; `undefined` where it does not recover from it. */
const recoveredBy = (lens: Lens, cause: Cause.Cause<unknown>): { readonly failure: unknown } | undefined => {
  if (lens._tag === "Map") return undefined
  if (lens.causes) return Cause.hasInterruptsOnly(cause) ? undefined : { failure: unnamed(cause) }
  const error = recoverable(cause)
  return error === undefined ? undefined : { failure: error.error }
}

/** What only steps that failed have. */
class FailedSteps {
  readonly causes = new Map<number, Cause.Cause<unknown>>()
  /** The failed step because of which each was skipped, or is to be. */
  readonly skippedBy = new Map<number, number>()
  readonly startedAt = new Map<number, bigint>()
  /** The effects of their fallbacks, by the view that asked for them. */
  readonly handlers = new Map<number, AnyEffect>()
}

export class Run {
  readonly program: Program
  readonly slots: Slots | undefined
  readonly foresight: Foresight | undefined
  readonly saga: Saga | undefined
  stopped: Stop | undefined = undefined
  /** Set where the run has stopped to be taken back. */
  rewound: { readonly because: string; readonly cause: Cause.Cause<unknown>; readonly rewind: Rewind } | undefined
  /** How many steps have yet to settle. */
  remaining: number

  private readonly setup: RunSetup
  private readonly watch: RunWatch | undefined
  private readonly scope: Scope.Scope | undefined
  private readonly values: Array<unknown>
  private readonly missing: Array<number>
  private interpreter: Interpreter = idle
  /** Steps that settle without running an effect. Emptied by a loop, so that long chains of them use no stack. */
  private inline: Array<number> | undefined = undefined
  private settlingInline = false
  private clock: Clock.Clock | undefined = undefined
  private finished = false
  /** Made with the first step that has anything around its load: many runs have none. */
  private ifAnyAttempts: Attempts | undefined = undefined
  // Made with the first failure: most runs have none.
  private aborted: Map<number, Cause.Cause<unknown>> | undefined = undefined
  private failedWith: Array<Cause.Cause<unknown>> | undefined = undefined
  private ifAnyFailed: FailedSteps | undefined = undefined
  private readonly choosing: Choosing | undefined
  /** Whether there is nothing to be done about what has no policies. */
  private readonly isBare: boolean

  constructor(setup: RunSetup) {
    this.setup = setup
    this.program = setup.program
    this.watch = setup.watch
    this.slots = setup.slots
    this.saga = setup.saga
    this.scope = Context.getOrUndefined(setup.context as Context.Context<Scope.Scope>, Scope.Scope)
    this.remaining = setup.program.toSettle
    this.values = setup.program.initial.slice()
    this.missing = setup.program.missing.slice()
    const { choices } = setup.program
    this.choosing = choices === undefined ? undefined : new Choosing(setup.program, choices)
    const { foreseen, inside } = setup
    this.foresight = foreseen === undefined ? undefined : new Foresight(setup.program, foreseen, this, inside)
    this.isBare =
      this.watch === undefined &&
      this.scope === undefined &&
      this.foresight === undefined &&
      this.slots?.supply === undefined
    if (setup.kept !== undefined) this.goOnFrom(setup.kept)
  }

  /** What was there in the leg before is there from the start. */
  private goOnFrom({ keep, values }: Kept): void {
    const { dependents, steps } = this.program
    steps.forEach(({ kind }, i) => {
      if (keep[i] !== 1 || kind === "preset") return
      this.values[i] = values[i]
      this.remaining--
      for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) this.missing[dependents.items[k]!]!--
    })
  }

  /** What the run has failed with, in the order of time. */
  get failures(): ReadonlyArray<Cause.Cause<unknown>> {
    return this.failedWith ?? none
  }

  /** Puts inputs and given values in their places, or says which inputs are not there. */
  giveInputs(inputs: unknown, givenValues: ReadonlyMap<string, unknown>): InputError | undefined {
    for (const i of this.program.given) {
      const step = this.program.steps[i]!
      if (step.kind === "preset") this.values[i] = givenValues.get(step.given!)
    }
    const given = typeof inputs === "object" && inputs !== null ? (inputs as Record<string, unknown>) : {}
    const missing: Array<string> = []
    for (const i of this.program.inputs) {
      const { name } = this.program.steps[i]!
      if (isGiven(given, name)) this.values[i] = given[name]
      else missing.push(name)
    }
    return missing.length === 0 ? undefined : new InputError({ loader: this.program.name, missing })
  }

  /** Tells the interpreter of everything that waits for nothing. */
  start(interpreter: Interpreter): void {
    this.interpreter = interpreter
    if (this.setup.kept === undefined) this.watch?.runStarted()
    this.foresight?.begin()
    for (const i of this.setup.kept === undefined ? this.program.roots : this.rootsNow()) this.advance(i)
    this.settleInline()
  }

  /** The steps that wait for nothing any more, the most urgent first. */
  private rootsNow(): ReadonlyArray<number> {
    const { steps, urgency } = this.program
    return Array.from(steps.keys())
      .filter((i) => steps[i]!.kind !== "preset" && this.isReady(i))
      .sort((a, b) => urgency[a]! - urgency[b]!)
  }

  /** What to run for a step whose turn has come: an effect, unless a user's `load` gave something else. */
  begin(index: number): unknown {
    const step = this.program.steps[index]!
    this.values[index] = Running
    if (step.kind !== "load") {
      if (step.kind === "view") this.watch?.fallbackStarted(index, step.lens.label, this.errorBefore(step))
      return this.failed.handlers.get(index)!
    }
    const deps = this.gather(step)
    return step.plain && this.isBare ? loadOf(step, deps) : this.attempts.begin(index, step, deps)
  }

  /** A step's turn has come, as far as the graph is concerned, and it has to wait for a place. */
  queued(waiter: Waiter): void {
    if (this.watch === undefined) return
    const { base, kind } = this.program.steps[waiter.index]!
    const attempt = kind === "view" ? this.attempts.count(base) : 1
    this.watch.queued(waiter.index, attempt, undefined, this.slots!.reasonOf(waiter))
  }

  /** The context in which a step's effects run, where it is another than the caller's. */
  contextOf(index: number): Context.Context<never> | undefined {
    return this.watch?.places === true ? this.watch.within(this.setup.context, index, undefined) : undefined
  }

  /** What a step ends in that began with something else than an effect. */
  notAnEffect(index: number, value: unknown): Exit.Exit<never> {
    return notAnEffect(this.program.steps[index]!, "`load`", value)
  }

  get context(): Context.Context<never> {
    return this.setup.context
  }

  /** Monotonic nanoseconds, by which attempts are timed. */
  now(): bigint {
    return (this.clock ??= Context.get(this.setup.context, Clock.Clock)).monotonicTimeNanosUnsafe()
  }

  isSettled(index: number): boolean {
    return this.values[index] !== Pending && this.values[index] !== Running
  }

  isUnwanted(index: number): boolean {
    return this.choosing?.isUnwanted(index) === true
  }

  isPending(index: number): boolean {
    return this.values[index] === Pending
  }

  /** Whether everything that a step waits for is there, and it has not begun. */
  isReady(index: number): boolean {
    return this.values[index] === Pending && this.missing[index] === 0
  }

  /**
   * Records how a step ended, and everything that follows from that. `startedAt` is by the run's clock; without it the
   * step ended where it began.
   */
  settle(index: number, exit: Exit.Exit<unknown, unknown>, startedAt?: bigint): void {
    // The slot is offered again only below, when the dependents, which may be more urgent, stand in line too.
    const released = this.slots !== undefined && this.attempts.giveBack(index, exit)
    if (exit._tag === "Success") {
      this.noteFallback(index)
      this.succeed(index, exit.value)
    } else {
      this.noteStart(index, startedAt)
      this.fail(index, this.aborted?.get(index) ?? exit.cause)
    }
    this.settleInline()
    this.foresight?.changed()
    if (released) this.interpreter.onSlots()
  }

  /** Ends the run early: nothing new starts, and the interpreter ends what runs. */
  stop(stop: Stop): void {
    if (this.stopped !== undefined) return
    this.stopped = stop
    if (this.watch !== undefined) this.program.steps.forEach((_, i) => this.overlook(i))
    this.slots?.stop()
    this.ifAnyAttempts?.end()
    this.interpreter.onStop()
  }

  /**
   * A step gives up for all: nothing tries it again or takes its place. In a load nothing else goes on either; its own end,
   * an interruption, then counts as this failure.
   */
  abort(index: number, cause: Cause.Cause<unknown>): void {
    if (this.stopped !== undefined) return
    ;(this.aborted ??= new Map()).set(index, Cause.annotate(cause, Context.make(Aborted, true)))
    if (this.setup.failFast) this.stop({ _tag: "Failed", resource: this.program.steps[index]!.name })
  }

  /** A step asks to be taken back to an earlier one: says whether it may. The run then stops, and whoever runs it goes on. */
  rewind(index: number, cause: Cause.Cause<unknown>, rewind: Rewind): boolean {
    const { rewinds } = this.setup
    const count = rewinds?.get(rewind) ?? 0
    if (rewinds === undefined || this.stopped !== undefined || count >= rewind.times) return false
    // Values that are given can leave nothing to go back to.
    if (!isBefore(this.program, rewind.to, index)) return false
    rewinds.set(rewind, count + 1)
    this.rewound = { because: this.program.steps[index]!.name, cause, rewind }
    this.abort(index, cause)
    return true
  }

  /** What stays when the run is taken back to a step: all that is there and has nothing before it that is not. */
  keptWithout(to: string): Kept {
    const { choices, steps } = this.program
    const keep = new Uint8Array(steps.length)
    // A value that is given stays, and what depends on it is loaded again all the same.
    const isSame = (j: number): boolean => keep[j] === 1 && steps[j]!.name !== to
    steps.forEach(({ kind, name, waitsFor }, i) => {
      const mayStay = kind !== "match" && choices?.optional[i] !== 1 && name !== to && isThere(this.values[i])
      keep[i] = kind === "preset" || (mayStay && waitsFor.every(isSame)) ? 1 : 0
    })
    return { keep, values: this.values }
  }

  timeOut(limit: Duration.Duration): void {
    this.stop({ _tag: "TimedOut", limit, progress: this.progress() })
  }

  /** When the run is over, the views that did not get to look at a step never will, and it has ended. */
  private overlook(index: number): void {
    if (this.watch === undefined) return
    const { items, start } = this.program.dependents
    const over = [index]
    for (let i = over.pop(); i !== undefined; i = over.pop()) {
      if (this.values[i] === Pending || this.values[i] === Running) continue
      for (let k = start[i]!; k < start[i + 1]!; k++) {
        const view = items[k]!
        if (this.program.steps[view]!.kind !== "view" || this.values[view] !== Pending) continue
        this.values[view] = Skipped
        this.watch.settled(view, { _tag: "Skipped", because: stopReason(this.stopped) })
        over.push(view)
      }
    }
  }

  /** What became of the resources that were never started, and the end of the run, for those who watch. */
  finish(): void {
    this.foresight?.end()
    if (this.watch === undefined || this.finished || this.interpreter === idle) return
    // Whoever watches can interrupt the run, which ends it once more.
    this.finished = true
    this.skipRest()
    this.watch.runEnded(this.stopped?._tag ?? "Completed")
  }

  /** Nothing that was never started will be: for those who watch. */
  skipRest(): void {
    // A run that was interrupted before it began told of nothing.
    if (this.watch === undefined || this.interpreter === idle) return
    const because = stopReason(this.stopped)
    this.values.forEach((value, i) => {
      if (value !== Pending) return
      this.values[i] = Skipped
      this.watch?.settled(i, { _tag: "Skipped", because })
    })
  }

  /** The value of a step, or `undefined` where there is none. */
  value(index: number): { readonly value: unknown } | undefined {
    const value = this.values[index]
    return isThere(value) ? { value } : undefined
  }

  /** The values of all targets. Only of a run in which every one of them was loaded. */
  result(): Record<string, unknown> {
    const { keys, sources } = this.program.targets
    const result: Record<string, unknown> = {}
    for (let k = 0; k < keys.length; k++) result[keys[k]!] = this.values[sources[k]!]
    return result
  }

  /** Somebody may be able to take a slot. */
  onSlots(): void {
    this.interpreter.onSlots()
  }

  get attempts(): Attempts {
    return (this.ifAnyAttempts ??= new Attempts(this.slots, this.setup.limits, this.watch, this.scope, this.saga, this))
  }

  private get failed(): FailedSteps {
    return (this.ifAnyFailed ??= new FailedSteps())
  }

  private advance(index: number): void {
    const { kind } = this.program.steps[index]!
    if (kind === "load" || kind === "struct") this.watch?.ready(index)
    if (this.stopped !== undefined) return
    if (kind === "load") this.interpreter.onReady(index)
    else (this.inline ??= []).push(index)
  }

  private settleInline(): void {
    if (this.settlingInline || this.inline === undefined) return
    this.settlingInline = true
    for (let i = this.inline.pop(); i !== undefined && this.stopped === undefined; i = this.inline.pop()) {
      const step = this.program.steps[i]!
      if (step.kind === "view") this.look(i, step)
      else if (step.kind === "match") this.match(i, step)
      else this.succeed(i, this.gather(step))
    }
    this.settlingInline = false
  }

  /** Chooses; or, when what was chosen is there, settles the choice by it. */
  private match(index: number, step: Match): void {
    const chosen = this.choosing!.chosenBy(index)
    if (chosen === undefined) return this.choose(index, step)
    this.watch?.ready(index)
    this.succeed(index, this.values[chosen])
  }

  private choose(index: number, step: Match): void {
    const choosing = this.choosing!
    const value = this.values[step.sources[0]!]
    const choice = caseOf(value)
    const chosen = (choice === undefined ? undefined : step.cases.get(choice)) ?? step.otherwise
    if (chosen === undefined) {
      this.letGo(choosing.wantsOf(index), step.name)
      return this.fail(index, Cause.fail(new MatchError({ value, cases: [...step.cases.keys()] })))
    }
    choosing.choose(index, chosen)
    this.watch?.chosen(index, choice ?? describe(value), chosen)
    const others = chosenBy(step).filter((other) => other !== chosen)
    this.letGo(others, step.name)
    for (const wanted of choosing.want(chosen)) this.wanted(wanted)
    // Whoever watches may have ended the run.
    if (this.stopped === undefined) this.heed(index, chosen)
  }

  /** A step that nobody had wanted may start, or is skipped because of what has failed in the meantime. */
  private wanted(index: number): void {
    this.watch?.wanted(index)
    const step = this.program.steps[index]!
    const failed = this.ifAnyFailed?.skippedBy.get(index)
    if (step.kind === "view" && this.values[step.parent] === Failed) (this.inline ??= []).push(index)
    else if (failed !== undefined) this.skip(index, failed)
    else if (--this.missing[index]! === 0 && this.values[index] === Pending) this.advance(index)
  }

  /** A choice may choose what has been settled already: for another choice, or because something before it failed. */
  private heed(index: number, chosen: number): void {
    const value = this.values[chosen]
    if (value === Pending || value === Running) return
    if (value !== Failed && value !== Skipped) return void (this.inline ??= []).push(index)
    const root = value === Failed ? chosen : this.failed.skippedBy.get(chosen)!
    this.skip(index, root)
    const cause = this.failed.causes.get(root)!
    if (this.setup.failFast && this.choosing!.reachesTarget(index, false)) this.failWith(root, cause)
  }

  /** A choice will not want these: what nobody else can want never runs. */
  private letGo(steps: ReadonlyArray<number>, choice: string): void {
    const { choosing } = this
    if (choosing === undefined) return
    const toLetGo = [...choosing.letGo(steps)]
    for (let i = toLetGo.pop(); i !== undefined; i = toLetGo.pop()) {
      if (this.values[i] !== Pending) continue
      const wants = choosing.wantsOf(i)
      this.values[i] = NotChosen
      this.remaining--
      this.watch?.settled(i, { _tag: "Skipped", because: { _tag: "NotChosen", resource: choice } })
      for (const next of choosing.letGo(wants)) toLetGo.push(next)
    }
  }

  /** Settles a view by what its parent ended in, or hands its handler to the interpreter. */
  private look(index: number, { lens, parent }: View): void {
    const value = this.values[parent]
    const step = this.program.steps[index]!
    if (value === Failed) {
      const cause = this.failed.causes.get(parent)!
      const recovered = recoveredBy(lens, cause)
      if (lens._tag === "Map" || recovered === undefined) return this.conclude(index, cause)
      const { label, onFailure } = lens
      return this.handle(
        index,
        handledBy(step, `the function of ${label}`, onFailure, recovered.failure, unnamed(cause))
      )
    }
    if (lens._tag === "Recover") {
      if (value === Skipped) return this.handle(index, asEffect(step, lens.label, call(lens.onFailure, undefined)))
      return this.succeed(index, lens.onSuccess === undefined ? value : lens.onSuccess(value))
    }
    let mapped: unknown
    try {
      mapped = lens.f(value)
    } catch (defect) {
      return this.fail(index, Cause.die(defect))
    }
    this.succeed(index, mapped)
  }

  private handle(index: number, handler: AnyEffect): void {
    if (!Exit.isExit(handler)) {
      this.failed.handlers.set(index, handler)
      this.interpreter.onReady(index)
    } else if (Exit.isSuccess(handler)) {
      this.noteFallback(index)
      this.succeed(index, handler.value)
    } else this.fail(index, handler.cause)
  }

  /** A resource that fails tells how long it took, the handlers of its fallbacks included. */
  private noteStart(index: number, startedAt: bigint | undefined): void {
    const { base } = this.program.steps[index]!
    if (startedAt !== undefined && !this.failed.startedAt.has(base)) this.failed.startedAt.set(base, startedAt)
  }

  private noteFallback(index: number): void {
    const step = this.program.steps[index]!
    if (this.watch === undefined || step.kind !== "view") return
    this.watch.degraded(index, step.lens.label, this.errorBefore(step))
  }

  /** The error that a view recovers; `undefined` where something failed that its resource depends on. */
  private errorBefore({ parent }: View): unknown {
    const cause = this.failed.causes.get(parent)
    return cause === undefined ? undefined : Cause.squash(unnamed(cause))
  }

  private succeed(index: number, value: unknown): void {
    this.values[index] = value
    this.remaining--
    this.watch?.settled(index, { _tag: "Succeeded" })
    if (this.stopped !== undefined) return this.overlook(index)
    const { items, start } = this.program.dependents
    for (let k = start[index]!, end = start[index + 1]!; k < end; k++) {
      const dependent = items[k]!
      if (--this.missing[dependent]! === 0) this.advance(dependent)
    }
    if (this.choosing === undefined) return
    for (const match of this.choosing.choosersOf(index)) (this.inline ??= []).push(match)
  }

  private fail(index: number, cause: Cause.Cause<unknown>): void {
    const named = this.name(index, cause)
    if (this.stopped === undefined) return this.conclude(index, named)
    this.values[index] = Failed
    this.remaining--
    this.watch?.settled(index, { _tag: "Failed", cause: named })
    this.overlook(index)
    if (this.isFatal(index, named)) this.addFailure(named)
  }

  /** Whether a load fails with this. What something would have recovered is no failure of the run, whenever it happens. */
  private isFatal(index: number, cause: Cause.Cause<unknown>): boolean {
    if (!this.setup.failFast) return false
    if (Cause.hasInterruptsOnly(cause)) return true
    if (recoverable(cause) === undefined) return this.program.fatalDefect[index] === 1
    if (this.program.fatalFailure[index] === 1) return true
    return this.choosing !== undefined && this.choosing.reachesTarget(index, true)
  }

  private addFailure(cause: Cause.Cause<unknown>): void {
    const reasons = cause.reasons.filter((reason) => reason._tag !== "Interrupt")
    if (reasons.length > 0) (this.failedWith ??= []).push(Cause.fromReasons(reasons))
  }

  /** A step ends in this cause, which names its resource already; what depends on it cannot be loaded. */
  private conclude(index: number, cause: Cause.Cause<unknown>): void {
    this.values[index] = Failed
    this.remaining--
    this.failed.causes.set(index, cause)
    this.watch?.settled(index, { _tag: "Failed", cause })
    if (this.isFatal(index, cause)) return this.failWith(index, cause)
    const { items, start } = this.program.dependents
    for (let k = start[index]!; k < start[index + 1]!; k++) {
      const dependent = items[k]!
      if (this.program.steps[dependent]!.kind !== "view") this.skip(dependent, index)
      else if (this.choosing?.isUnwanted(dependent) !== true) (this.inline ??= []).push(dependent)
    }
    for (const match of this.choosing?.choosersOf(index) ?? none) this.skip(match, index)
  }

  /** The run fails because a step did. */
  private failWith(index: number, cause: Cause.Cause<unknown>): void {
    this.failedWith = [cause]
    this.stop({ _tag: "Failed", resource: this.program.steps[index]!.name })
  }

  /** Skips a step and all that cannot be loaded without it. */
  private skip(first: number, failed: number): void {
    const because: SkipReason = { _tag: "DependencyFailed", resource: this.program.steps[failed]!.name }
    const recovers = recoverable(this.failed.causes.get(failed)!) !== undefined
    const { items, start } = this.program.dependents
    const toSkip = [first]
    for (let i = toSkip.pop(); i !== undefined; i = toSkip.pop()) {
      if (this.values[i] !== Pending) continue
      if (this.choosing !== undefined) {
        this.failed.skippedBy.set(i, failed)
        // Whether this one is to be skipped, or was never chosen, is known when it is wanted or let go.
        if (this.choosing.isUnwanted(i)) continue
      }
      const step = this.program.steps[i]!
      if (recovers && step.kind === "view" && step.lens._tag === "Recover" && step.lens.ancestors) {
        ;(this.inline ??= []).push(i)
        continue
      }
      this.values[i] = Skipped
      this.remaining--
      this.watch?.settled(i, { _tag: "Skipped", because })
      if (this.choosing !== undefined) {
        this.letGo(this.choosing.wantsOf(i), step.name)
        for (const match of this.choosing.choosersOf(i)) toSkip.push(match)
      }
      for (let k = start[i + 1]! - 1; k >= start[i]!; k--) toSkip.push(items[k]!)
    }
  }

  /** The same cause, its typed failures as {@link ResourceError}s, and every reason annotated with the resource. */
  private name(index: number, cause: Cause.Cause<unknown>): Cause.Cause<unknown> {
    const { base, name } = this.program.steps[index]!
    const startedAt = this.failed.startedAt.get(base)
    const named = Cause.map(cause, (error) => {
      const item = this.ifAnyAttempts?.failedItem(base, error)
      return new ResourceError({
        resource: name,
        error,
        attempts: item?.attempts ?? this.ifAnyAttempts?.count(base) ?? 1,
        path: pathTo(this.program, index),
        // Whole milliseconds are what people want to read.
        elapsed: Duration.millis(startedAt === undefined ? 0 : Number((this.now() - startedAt) / nanosPerMilli)),
        ...(item === undefined ? {} : { item: { index: item.index, value: item.value } })
      })
    })
    return annotated(named, name, this.program.name)
  }

  private gather({ keys, sources }: Step): Readonly<Record<string, unknown>> {
    if (keys.length === 0) return noDependencies
    const deps: Record<string, unknown> = {}
    for (let k = 0; k < keys.length; k++) deps[keys[k]!] = this.values[sources[k]!]
    return deps
  }

  private progress(): Progress {
    const done: Array<string> = []
    const inFlight: Array<string> = []
    const notStarted: Array<string> = []
    for (const i of this.program.declared) {
      const { kind, name } = this.program.steps[i]!
      if (kind === "preset" || kind === "view") continue
      const value = this.values[i]
      if (value === Running) inFlight.push(name)
      else if (value === Pending || value === Skipped) notStarted.push(name)
      else if (isThere(value)) done.push(name)
    }
    return { done, inFlight, notStarted }
  }
}

const stopReason = (stop: Stop | undefined): SkipReason => {
  switch (stop?._tag) {
    case "Failed":
      return { _tag: "RunFailed", resource: stop.resource }
    case "TimedOut":
      return { _tag: "RunTimedOut" }
    default:
      return { _tag: "RunInterrupted" }
  }
}
