/**
 * One run of a program: what has been settled so far, and what follows from that.
 *
 * It decides; an interpreter (`Scheduler`) acts. The interpreter calls `begin` for a step whose turn has come,
 * runs the effect that it gets, and gives its exit to `settle`. In return it is told of the steps that have become
 * ready (`onReady`) and that the run has failed (`onStop`).
 *
 *  1. A step succeeds: its dependents wait for one less. A step without an effect, such as a view, settles by itself.
 *  2. A step fails: its views see the failure, its other dependents are skipped, and theirs.
 *  3. In a load, a failure that reaches a target stops the run: nothing new starts, what runs is interrupted.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Bare, type Hot, Inline } from "../compile/Hot.ts"
import type { Program } from "../compile/Program.ts"
import { Failed, isThere, NotChosen, Pending, Running, Skipped } from "../model/Absent.ts"
import type { Hooks, Sink, SkipReason, StepEnd, Stop, SlotTurn } from "../model/Extension.ts"
import type { AnyEffect, Dependencies } from "../model/Node.ts"
import { isAborted, recoverable } from "../model/Recovery.ts"
import type { RunView } from "../model/Step.ts"
import { asEffect, call, inChildScope, notAnEffect } from "../model/UserEffect.ts"
import { noHooks } from "./Hooks.ts"
import { FailedSteps } from "./FailedSteps.ts"
import { progressOf } from "./Progress.ts"
import type { Slots, Waiter } from "./Slots.ts"

/** What an interpreter does when a run tells it something. */
export interface Interpreter {
  /** A step's turn has come, as far as the graph is concerned. */
  readonly onReady: (index: number) => void
  /** The run is over: nothing new may start, and what runs has to end. */
  readonly onStop: () => void
  /** A step may be able to take a slot. */
  readonly onSlots: () => void
}

const idle: Interpreter = { onReady: () => {}, onStop: () => {}, onSlots: () => {} }

const none: ReadonlyArray<never> = []

const noDependencies = Object.freeze({})

const succeeded: StepEnd = { _tag: "Succeeded" }

export class Run implements RunView {
  readonly program: Program
  readonly context: Context.Context<never>
  /** Whether a failure that reaches a target stops the run. */
  readonly failFast: boolean
  readonly scope: Scope.Scope | undefined
  hooks: Hooks = noHooks
  sink: Sink | undefined = undefined
  gate: Slots | undefined = undefined
  stopped: Stop | undefined = undefined
  /** How many steps have yet to settle. */
  remaining: number
  /** The steps that it starts with. */
  roots: ReadonlyArray<number>
  readonly values: Array<unknown>
  /** How many steps each step has yet to wait for. */
  readonly missing: Array<number>
  /** Steps that may start, since no slot limits them. */
  readonly ready: Array<number> = []
  /** Whether a step that is ready may start at once, and no hook asks for it. */
  isDirect = false
  private readonly hot: Hot
  /** Whether a load that nothing wraps is all that there is to its step. */
  private isBare = false
  private isPlain = false
  private interpreter: Interpreter = idle
  /** Steps that settle without an effect. Emptied by a loop, so that long chains of them use no stack. */
  private inline: Array<number> | undefined = undefined
  private settlingInline = false
  /** What extensions remember of steps: these settle as soon as they are ready, and take no slot. */
  private known: Map<number, Exit.Exit<unknown, unknown>> | undefined = undefined
  private toSkip: Array<number> | undefined = undefined
  private clock: Clock.Clock | undefined = undefined
  /** The steps that have a slot, but for those whose attempts take care of it. */
  private inSlot: Set<number> | undefined = undefined
  // Made with the first failure: most runs have none.
  private failedWith: Array<Cause.Cause<unknown>> | undefined = undefined
  private ifAnyFailed: FailedSteps | undefined = undefined

  constructor(program: Program, context: Context.Context<never>, failFast: boolean) {
    this.program = program
    this.context = context
    this.failFast = failFast
    this.scope = Context.getOrUndefined(context as Context.Context<Scope.Scope>, Scope.Scope)
    this.remaining = program.toSettle
    this.roots = program.roots
    this.values = program.initial.slice()
    this.missing = program.missing.slice()
    this.hot = program.hot
  }

  /** Plugs in what the program and the caller brought, before the run starts. */
  plug(hooks: Hooks, gate: Slots | undefined): void {
    this.hooks = hooks
    this.sink = hooks.fact
    this.gate = gate
    this.isPlain = hooks === noHooks
    this.isBare =
      this.scope === undefined &&
      hooks.fact === undefined &&
      hooks.permits === undefined &&
      hooks.inSlot === undefined &&
      hooks.begin === undefined &&
      hooks.failing === undefined
  }

  /** What the run has failed with, in the order of time. */
  get failures(): ReadonlyArray<Cause.Cause<unknown>> {
    return this.failedWith ?? none
  }

  /** Tells the interpreter of everything that waits for nothing. */
  start(interpreter: Interpreter): void {
    this.interpreter = interpreter
    this.hooks.started?.()
    for (const i of this.roots) this.advance(i)
    this.settleInline()
  }

  /** What to run for a step whose turn has come: an effect, unless a user's `load` gave something else. */
  begin(index: number): unknown {
    if (this.isBare && this.hot.kinds[index] === Bare) {
      this.values[index] = Running
      return call(this.hot.loads[index]!, this.depsOf(index))
    }
    const { hooks } = this
    const step = this.program.steps[index]!
    this.values[index] = Running
    if (step.begin === undefined) return this.failed.handle(index)
    const given = step.begin(this, index, this.depsOf(index))
    if (hooks.begin === undefined && hooks.failing === undefined) return given
    const effect = asEffect(step, "`load`", given)
    const whole = hooks.begin?.(index, effect) ?? effect
    const { failing } = hooks
    return failing === undefined
      ? whole
      : Effect.catchCause(whole, (cause) =>
          Effect.andThen(failing(index, cause) ?? Effect.void, Effect.failCause(cause))
        )
  }

  /** One attempt of a load that nothing wraps. */
  attempt(index: number, load: (deps: Dependencies) => unknown, deps: Dependencies): unknown {
    const { hooks, scope } = this
    this.sink?.(index, undefined, { _tag: "AttemptStarted", attempt: 1 })
    hooks.permits?.begun()
    if (scope === undefined && hooks.inSlot === undefined) return call(load, deps)
    const effect = Effect.suspend(() => asEffect(this.program.steps[index]!, "`load`", call(load, deps)))
    const held = hooks.inSlot?.(effect) ?? effect
    return scope === undefined ? held : inChildScope(held, scope)
  }

  /** A step is given its turn. */
  takeTurn(turn: SlotTurn): void {
    if (this.hooks.turn?.(turn) !== true) (this.inSlot ??= new Set()).add(turn.index)
  }

  /** A step's turn has come, as far as the graph is concerned, and it has to wait for a place. */
  queued(waiter: Waiter): void {
    if (this.sink === undefined) return
    const { index } = waiter
    const { base, view } = this.program.steps[index]!
    const attempt = (view === undefined ? undefined : this.hooks.failure?.(base, undefined)?.attempts) ?? 1
    this.sink(index, undefined, { _tag: "Queued", attempt, limit: this.gate!.reasonOf(waiter) })
  }

  /** The context in which a step's effects run, where it is another than the caller's. */
  contextOf(index: number): Context.Context<never> | undefined {
    return this.hooks.context?.(index, this.context)
  }

  /** What a step ends in that began with something else than an effect. */
  notAnEffect(index: number, value: unknown): Exit.Exit<never> {
    return notAnEffect(this.program.steps[index]!, "`load`", value)
  }

  /** Monotonic nanoseconds, by which attempts are timed. */
  now(): bigint {
    return (this.clock ??= Context.get(this.context, Clock.Clock)).monotonicTimeNanosUnsafe()
  }

  valueOf(index: number): unknown {
    return this.values[index]
  }

  causeOf(index: number): Cause.Cause<unknown> | undefined {
    return this.ifAnyFailed?.causes.get(index)
  }

  depsOf(index: number): Dependencies {
    const { hot, values } = this
    const keys = hot.keys[index]!
    if (keys.length === 0) return noDependencies
    const { items, start } = hot.sources
    const first = start[index]!
    const deps: Record<string, unknown> = {}
    for (let k = 0; k < keys.length; k++) deps[keys[k]!] = values[items[first + k]!]
    return deps
  }

  isSettled(index: number): boolean {
    return this.values[index] !== Pending && this.values[index] !== Running
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
    const { hooks } = this
    // The slot is offered again only below, when the dependents, which may be more urgent, stand in line too.
    const released = this.gate !== undefined && this.giveBack(index, exit)
    if (exit._tag === "Success") {
      this.ifAnyFailed?.noteFallback(index)
      this.succeed(index, exit.value)
    } else {
      this.failed.noteStart(index, startedAt)
      this.fail(index, hooks.cause?.(index, exit.cause) ?? exit.cause)
    }
    this.settleInline()
    hooks.changed?.()
    if (released) this.interpreter.onSlots()
  }

  /** Records that a step has succeeded, as `settle` does. */
  settleValue(index: number, value: unknown): void {
    if (!this.isPlain || this.gate !== undefined) return this.settle(index, Exit.succeed(value))
    this.succeed(index, value)
    if (this.inline !== undefined) this.settleInline()
  }

  /** Ends the run early: nothing new starts, and the interpreter ends what runs. */
  stop(stop: Stop): void {
    if (this.stopped !== undefined) return
    this.stopped = stop
    this.hooks.stopping?.()
    this.gate?.stop()
    this.hooks.stopped?.()
    this.interpreter.onStop()
  }

  timeOut(limit: Duration.Duration): void {
    this.stop({ _tag: "TimedOut", limit, progress: progressOf(this) })
  }

  /** The end of the run. */
  finish(): void {
    this.hooks.ended?.()
    this.hooks.finished?.()
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

  /** A step may be able to take a slot. */
  onSlots(): void {
    this.interpreter.onSlots()
  }

  /** A step waits for one less. */
  satisfy(index: number): void {
    if (--this.missing[index]! === 0 && this.values[index] === Pending) this.advance(index)
  }

  /** A step that settles by itself is to do so, once more if it has before. */
  settleSoon(index: number): void {
    ;(this.inline ??= []).push(index)
  }

  succeed(index: number, value: unknown): void {
    this.values[index] = value
    this.remaining--
    this.hooks.settled?.(index, succeeded)
    if (this.stopped !== undefined) return
    const { hot, isDirect, missing } = this
    const { items, start } = this.program.dependents
    for (let k = start[index]!, end = start[index + 1]!; k < end; k++) {
      const dependent = items[k]!
      if (--missing[dependent]! > 0) continue
      if (isDirect && hot.kinds[dependent] !== Inline) this.ready.push(dependent)
      else this.advance(dependent)
    }
    this.hooks.followed?.(index, undefined)
  }

  fail(index: number, cause: Cause.Cause<unknown>): void {
    const named = this.failed.named(index, cause)
    if (this.stopped === undefined) return this.conclude(index, named)
    this.values[index] = Failed
    this.remaining--
    this.hooks.settled?.(index, { _tag: "Failed", cause: named })
    if (this.isFatal(index, named)) this.addFailure(named)
  }

  /** A step ends in this cause, which names its resource already; what depends on it cannot be loaded. */
  conclude(index: number, cause: Cause.Cause<unknown>): void {
    const { dependents, steps } = this.program
    this.values[index] = Failed
    this.remaining--
    this.failed.causes.set(index, cause)
    this.hooks.settled?.(index, { _tag: "Failed", cause })
    if (this.isFatal(index, cause)) return this.failWith(index, cause)
    for (let k = dependents.start[index]!; k < dependents.start[index + 1]!; k++) {
      const dependent = dependents.items[k]!
      if (steps[dependent]!.view === undefined) this.skip(dependent, index)
      else if (this.hooks.isUnwanted?.(dependent) !== true) this.settleSoon(dependent)
    }
    this.hooks.followed?.(index, index)
  }

  recover(index: number, label: string, effect: AnyEffect, failure: () => unknown): void {
    if (!Exit.isExit(effect)) {
      this.failed.keep(index, { label, effect, failure })
      this.interpreter.onReady(index)
    } else if (Exit.isSuccess(effect)) {
      this.sink?.(index, undefined, { _tag: "Degraded", fallback: label, error: failure() })
      this.succeed(index, effect.value)
    } else this.fail(index, effect.cause)
  }

  /** The run fails because a step did. */
  failWith(index: number, cause: Cause.Cause<unknown>): void {
    this.failedWith = [cause]
    this.stop({ _tag: "Failed", resource: this.program.steps[index]!.name })
  }

  /** Skips a step, and all that cannot be loaded without it, because of one that failed. */
  skip(first: number, failed: number): void {
    const { toSkip } = this
    if (toSkip !== undefined) return void toSkip.push(first)
    const because: SkipReason = { _tag: "DependencyFailed", resource: this.program.steps[failed]!.name }
    const recovers = recoverable(this.causeOf(failed)!) !== undefined
    const { dependents, steps } = this.program
    const { hooks } = this
    const open = (this.toSkip = [first])
    for (let i = open.pop(); i !== undefined; i = open.pop()) {
      if (this.values[i] !== Pending || hooks.skipping?.(i, failed) === true) continue
      if (recovers && steps[i]!.view?.lens.ancestors === true) {
        this.settleSoon(i)
        continue
      }
      this.values[i] = Skipped
      this.remaining--
      hooks.settled?.(i, { _tag: "Skipped", because })
      hooks.followed?.(i, failed)
      for (let k = dependents.start[i + 1]! - 1; k >= dependents.start[i]!; k--) open.push(dependents.items[k]!)
    }
    this.toSkip = undefined
  }

  /** A step will not be chosen. */
  drop(index: number, because: SkipReason): void {
    this.values[index] = NotChosen
    this.remaining--
    this.hooks.settled?.(index, { _tag: "Skipped", because })
  }

  private get failed(): FailedSteps {
    return (this.ifAnyFailed ??= new FailedSteps(this))
  }

  private advance(index: number): void {
    const { begin, choice, view } = this.program.steps[index]!
    if (view === undefined && choice === undefined) this.hooks.ready?.(index)
    if (this.stopped !== undefined) return
    const known = begin === undefined ? undefined : this.hooks.remembered?.(index)
    if (known !== undefined) (this.known ??= new Map()).set(index, known)
    if (begin === undefined || known !== undefined) this.settleSoon(index)
    else this.interpreter.onReady(index)
  }

  private settleInline(): void {
    if (this.settlingInline || this.inline === undefined) return
    this.settlingInline = true
    const { steps } = this.program
    for (let i = this.inline.pop(); i !== undefined && this.stopped === undefined; i = this.inline.pop()) {
      const known = this.known?.get(i)
      if (known === undefined) steps[i]!.settle!(this, i)
      else if (Exit.isSuccess(known)) this.succeed(i, known.value)
      else this.fail(i, known.cause)
    }
    this.settlingInline = false
  }

  private giveBack(index: number, exit: Exit.Exit<unknown, unknown>): boolean {
    if (this.inSlot?.delete(index) !== true) return this.hooks.giveBack?.(index, exit) === true
    this.gate!.release()
    return true
  }

  /** Whether a load fails with this. What something would have recovered is no failure of the run, whenever it happens. */
  private isFatal(index: number, cause: Cause.Cause<unknown>): boolean {
    const { fatalDefect, fatalFailure } = this.program
    if (!this.failFast) return false
    if (Cause.hasInterruptsOnly(cause)) return true
    if (recoverable(cause) === undefined) return fatalDefect[index] === 1 || isAborted(cause)
    return fatalFailure[index] === 1 || this.hooks.reaches?.(index) === true
  }

  private addFailure(cause: Cause.Cause<unknown>): void {
    const reasons = cause.reasons.filter((reason) => reason._tag !== "Interrupt")
    if (reasons.length > 0) (this.failedWith ??= []).push(Cause.fromReasons(reasons))
  }
}
