/**
 * One run of a program: what has been settled so far, and what follows from that.
 *
 * It decides; an interpreter (`Eager`, `Batched`) acts. The interpreter calls `begin` for a step whose turn has come,
 * runs the effect that it gets, and gives its exit to `settle`. In return it is told of the steps that have become
 * ready (`onReady`) and that the run has failed (`onStop`).
 *
 *  1. A step succeeds: its dependents wait for one less. Structs, and views that need no effect, settle on the spot.
 *  2. A step fails: its views see the failure, its other dependents are skipped, and theirs.
 *  3. In a load, a failure that reaches a target stops the run: nothing new starts, what runs is interrupted.
 */
import { Cause, type Clock, Context, Duration, Effect, Exit, Scope } from "effect"
import { pathTo } from "../compile/Path.ts"
import { type Load, Pending, type Program, type Step, type View } from "../compile/Program.ts"
import type { AnyEffect, Layer, LayerObserver } from "../model/Node.ts"
import { ResourceError } from "../model/ResourceError.ts"
import { InputError } from "./InputError.ts"
import type { SkipReason } from "./RunEvent.ts"
import type { Slots } from "./Slots.ts"
import type { Watch } from "./Watch.ts"

/**
 * The resource that a part of a cause comes from: an annotation on each failure, defect and interruption of a run.
 *
 * @since 0.1.0
 * @category annotations
 */
export class FailedResource extends Context.Service<FailedResource, string>()("effect-loader/FailedResource") {}

/** Stand in the place of values that are not there, beside `Pending`. */
const Running = Symbol("running")
const Failed = Symbol("failed")
const Skipped = Symbol("skipped")

/** What had become of every resource when a run's time was over. */
export interface Progress {
  readonly done: ReadonlyArray<string>
  readonly inFlight: ReadonlyArray<string>
  readonly notStarted: ReadonlyArray<string>
}

/** Why a run stopped before everything was settled. */
export type Stop =
  | { readonly _tag: "Failed"; readonly resource: string }
  | { readonly _tag: "TimedOut"; readonly progress: Progress }
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
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly slots: Slots | undefined
  readonly watch: Watch | undefined
}

const idle: Interpreter = { onReady: () => {}, onStop: () => {}, onSlots: () => {} }

const noDependencies = Object.freeze({})

const isGiven = (inputs: object, name: string): boolean =>
  Object.hasOwn(inputs, name) || (name in inputs && !(name in Object.prototype))

const asDefect = (step: Step, value: unknown): Exit.Exit<never> =>
  Exit.die(
    new TypeError(
      `resource "${step.name}" gave ${value === null ? "null" : typeof value} where an Effect was expected: ` +
        "its `load`, or the handler of its `catch`, must return an Effect"
    )
  )

/** What a user's function gives; what it throws is a defect. */
const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** What a user's function gave, if it is an effect. */
const asEffect = (step: Step, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : asDefect(step, value)

/** The error of a cause that may be recovered: one that holds an error and no defect. */
const recoverable = (cause: Cause.Cause<unknown>): ResourceError<string, unknown> | undefined => {
  if (Cause.hasDies(cause)) return undefined
  const fail = cause.reasons.find(Cause.isFailReason)
  return fail?.error as ResourceError<string, unknown> | undefined
}

/** Runs an attempt in a scope of its own, which is closed with it if it fails, and with `parent` otherwise. */
const inChildScope = (self: AnyEffect, parent: Scope.Scope): AnyEffect =>
  Effect.suspend(() => {
    const child = Scope.makeUnsafe()
    return Effect.onExit(Effect.provideService(self, Scope.Scope, child), (exit) => {
      if (child.state._tag === "Empty") return Effect.void
      return Exit.isSuccess(exit)
        ? Scope.addFinalizerExit(parent, (end) => Scope.close(child, end))
        : Scope.close(child, exit)
    })
  })

/** What only some steps have: those that failed, recover, try again, or hold one of few slots. */
class Rare {
  readonly causes = new Map<number, Cause.Cause<unknown>>()
  readonly handlers = new Map<number, AnyEffect>()
  readonly attempts = new Map<number, number>()
  readonly startedAt = new Map<number, number>()
  readonly holdsSlot = new Set<number>()
}

const wrapIn = (layers: ReadonlyArray<Layer>, self: AnyEffect, observer: LayerObserver): AnyEffect =>
  layers.reduce((effect, layer) => layer.wrap(effect, observer), self)

export class Run {
  readonly program: Program
  readonly slots: Slots | undefined
  stopped: Stop | undefined = undefined
  /** How many steps have yet to settle. */
  remaining: number
  /** What the run has failed with, in the order of time. */
  readonly failures: Array<Cause.Cause<unknown>> = []

  private readonly setup: RunSetup
  private readonly watch: Watch | undefined
  private readonly scope: Scope.Scope | undefined
  private readonly values: Array<unknown>
  private readonly missing: Array<number>
  private interpreter: Interpreter = idle
  /** Steps that settle without running an effect. Emptied by a loop, so that long chains of them use no stack. */
  private readonly inline: Array<number> = []
  private settlingInline = false
  /** Made when the first step needs them: most runs never do. */
  private rare: Rare | undefined = undefined

  constructor(setup: RunSetup) {
    this.setup = setup
    this.program = setup.program
    this.slots = setup.slots
    this.watch = setup.watch
    this.scope = Context.getOrUndefined(setup.context as Context.Context<Scope.Scope>, Scope.Scope)
    this.remaining = setup.program.toSettle
    this.values = setup.program.initial.slice()
    this.missing = setup.program.missing.slice()
  }

  /** Puts the inputs in their places, or says which are not there. */
  giveInputs(inputs: unknown): InputError | undefined {
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
    this.watch?.runStarted()
    for (const i of this.program.roots) this.advance(i)
    this.settleInline()
  }

  /**
   * The effect of a step whose turn has come. Its exit goes to `settle`. As `load` is the user's, it may be no effect at
   * all: see `checked`.
   */
  begin(index: number): unknown {
    const step = this.program.steps[index]!
    this.values[index] = Running
    return step.kind === "load" ? this.load(index, step) : this.kept.handlers.get(index)!
  }

  /** What a step began with, if it is an effect, and otherwise a defect that says so. */
  checked(index: number, effect: unknown): AnyEffect {
    return asEffect(this.program.steps[index]!, effect)
  }

  now(): number {
    return this.setup.clock.currentTimeMillisUnsafe()
  }

  /** A step's turn has come, and there is no slot for it. */
  queued(index: number): void {
    this.watch?.queued(index, 1)
  }

  isPending(index: number): boolean {
    return this.values[index] === Pending
  }

  takeSlot(index: number): void {
    this.kept.holdsSlot.add(index)
  }

  /**
   * Records how a step ended, and everything that follows from that. `startedAt` is by the run's clock; without it the
   * step ended where it began.
   */
  settle(index: number, exit: Exit.Exit<unknown, unknown>, startedAt?: number): void {
    // The slot is offered again only below, when the dependents, which may be more urgent, stand in line too.
    const released = this.giveBackSlot(index)
    if (exit._tag === "Success") {
      this.noteFallback(index)
      this.succeed(index, exit.value)
    } else {
      this.noteStart(index, startedAt)
      this.fail(index, exit.cause)
    }
    this.settleInline()
    if (released) this.interpreter.onSlots()
  }

  /** Ends the run early: nothing new starts, and the interpreter ends what runs. */
  stop(stop: Stop): void {
    if (this.stopped !== undefined) return
    this.stopped = stop
    this.interpreter.onStop()
  }

  timeOut(): void {
    this.stop({ _tag: "TimedOut", progress: this.progress() })
  }

  /** What became of the resources that were never started, and the end of the run, for those who watch. */
  finish(): void {
    if (this.watch === undefined) return
    const because = stopReason(this.stopped)
    this.values.forEach((value, i) => {
      if (value === Pending) this.watch?.settled(i, { _tag: "Skipped", because })
    })
    this.watch.runEnded(this.stopped?._tag ?? "Completed")
  }

  /** The value of a step, or `undefined` where there is none. */
  value(index: number): { readonly value: unknown } | undefined {
    const value = this.values[index]
    return value === Pending || value === Running || value === Failed || value === Skipped ? undefined : { value }
  }

  /** The values of all targets. Only of a run in which every one of them was loaded. */
  result(): Record<string, unknown> {
    const { keys, sources } = this.program.targets
    const result: Record<string, unknown> = {}
    for (let k = 0; k < keys.length; k++) result[keys[k]!] = this.values[sources[k]!]
    return result
  }

  private get kept(): Rare {
    return (this.rare ??= new Rare())
  }

  private advance(index: number): void {
    const { kind } = this.program.steps[index]!
    if (kind !== "view") this.watch?.ready(index)
    if (this.stopped !== undefined) return
    if (kind === "load") this.interpreter.onReady(index)
    else this.inline.push(index)
  }

  private settleInline(): void {
    if (this.settlingInline || this.inline.length === 0) return
    this.settlingInline = true
    for (let i = this.inline.pop(); i !== undefined && this.stopped === undefined; i = this.inline.pop()) {
      const step = this.program.steps[i]!
      if (step.kind === "view") this.look(i, step)
      else this.succeed(i, this.gather(step))
    }
    this.settlingInline = false
  }

  /** Settles a view by what its parent ended in, or hands its handler to the interpreter. */
  private look(index: number, { lens, parent }: View): void {
    const value = this.values[parent]
    const step = this.program.steps[index]!
    if (value === Failed) {
      const cause = this.kept.causes.get(parent)!
      const error = recoverable(cause)
      if (lens._tag === "Map" || error === undefined) return this.conclude(index, cause)
      return this.handle(index, asEffect(step, call(lens.onFailure, error.error)))
    }
    if (lens._tag === "Recover") {
      if (value === Skipped) return this.handle(index, asEffect(step, call(lens.onFailure, undefined)))
      return this.succeed(index, lens.onSuccess === undefined ? value : lens.onSuccess(value))
    }
    try {
      this.succeed(index, lens.f(value))
    } catch (defect) {
      this.fail(index, Cause.die(defect))
    }
  }

  private handle(index: number, handler: AnyEffect): void {
    if (!Exit.isExit(handler)) {
      this.kept.handlers.set(index, handler)
      this.interpreter.onReady(index)
    } else if (Exit.isSuccess(handler)) {
      this.noteFallback(index)
      this.succeed(index, handler.value)
    } else this.fail(index, handler.cause)
  }

  /** A resource that fails tells how long it took, the handlers of its fallbacks included. */
  private noteStart(index: number, startedAt: number | undefined): void {
    const { base } = this.program.steps[index]!
    if (startedAt !== undefined && !this.kept.startedAt.has(base)) this.kept.startedAt.set(base, startedAt)
  }

  private noteFallback(index: number): void {
    const step = this.program.steps[index]!
    if (this.watch === undefined || step.kind !== "view") return
    const cause = this.kept.causes.get(step.parent)
    const error = cause === undefined ? undefined : recoverable(cause)
    this.watch.degraded(index, step.lens.label, error?.error)
  }

  private succeed(index: number, value: unknown): void {
    this.values[index] = value
    this.remaining--
    this.watch?.settled(index, { _tag: "Succeeded" })
    if (this.stopped !== undefined) return
    const { items, start } = this.program.dependents
    for (let k = start[index]!, end = start[index + 1]!; k < end; k++) {
      const dependent = items[k]!
      if (--this.missing[dependent]! === 0) this.advance(dependent)
    }
  }

  private fail(index: number, cause: Cause.Cause<unknown>): void {
    const named = this.name(index, cause)
    if (this.stopped === undefined) return this.conclude(index, named)
    this.values[index] = Failed
    this.remaining--
    this.watch?.settled(index, { _tag: "Failed", cause: named })
    // A failure that something would have recovered is no failure of the run, whenever it happens.
    const counts = recoverable(named) === undefined || this.program.fatalFailure[index] === 1
    if (counts && this.setup.failFast) this.addFailure(named)
  }

  private addFailure(cause: Cause.Cause<unknown>): void {
    const reasons = cause.reasons.filter((reason) => reason._tag !== "Interrupt")
    if (reasons.length > 0) this.failures.push(Cause.fromReasons(reasons))
  }

  /** A step ends in this cause, which names its resource already; what depends on it cannot be loaded. */
  private conclude(index: number, cause: Cause.Cause<unknown>): void {
    this.values[index] = Failed
    this.remaining--
    this.kept.causes.set(index, cause)
    this.watch?.settled(index, { _tag: "Failed", cause })
    const isFatal = recoverable(cause) === undefined || this.program.fatalFailure[index] === 1
    if (this.setup.failFast && isFatal) {
      this.failures.push(cause)
      return this.stop({ _tag: "Failed", resource: this.program.steps[index]!.name })
    }
    const { items, start } = this.program.dependents
    for (let k = start[index]!; k < start[index + 1]!; k++) {
      const dependent = items[k]!
      if (this.program.steps[dependent]!.kind === "view") this.inline.push(dependent)
      else this.skip(dependent, index)
    }
  }

  /** Skips a step and all that cannot be loaded without it. */
  private skip(first: number, failed: number): void {
    const because: SkipReason = { _tag: "DependencyFailed", resource: this.program.steps[failed]!.name }
    const recovers = recoverable(this.kept.causes.get(failed)!) !== undefined
    const { items, start } = this.program.dependents
    const toSkip = [first]
    for (let i = toSkip.pop(); i !== undefined; i = toSkip.pop()) {
      if (this.values[i] !== Pending) continue
      const step = this.program.steps[i]!
      if (recovers && step.kind === "view" && step.lens._tag === "Recover" && step.lens.ancestors) {
        this.inline.push(i)
        continue
      }
      this.values[i] = Skipped
      this.remaining--
      this.watch?.settled(i, { _tag: "Skipped", because })
      for (let k = start[i + 1]! - 1; k >= start[i]!; k--) toSkip.push(items[k]!)
    }
  }

  /** The same cause, its typed failures as {@link ResourceError}s, and every reason annotated with the resource. */
  private name(index: number, cause: Cause.Cause<unknown>): Cause.Cause<unknown> {
    const { base, name } = this.program.steps[index]!
    const startedAt = this.kept.startedAt.get(base)
    const named = Cause.map(
      cause,
      (error) =>
        new ResourceError({
          resource: name,
          error,
          attempts: this.kept.attempts.get(base) ?? 1,
          path: pathTo(this.program, index),
          elapsed: Duration.millis(startedAt === undefined ? 0 : this.now() - startedAt)
        })
    )
    return Cause.annotate(named, Context.make(FailedResource, name))
  }

  private gather({ keys, sources }: Step): Readonly<Record<string, unknown>> {
    if (keys.length === 0) return noDependencies
    const deps: Record<string, unknown> = {}
    for (let k = 0; k < keys.length; k++) deps[keys[k]!] = this.values[sources[k]!]
    return deps
  }

  private load(index: number, step: Load): unknown {
    const deps = this.gather(step)
    if (step.inner.length === 0 && step.outer.length === 0 && this.scope === undefined) {
      this.watch?.attemptStarted(index, 1)
      return call(step.load, deps)
    }
    const observer: LayerObserver = {
      degraded: (fallback, error) => this.watch?.degraded(index, fallback, error),
      pausing: (pause) => {
        if (!Duration.isZero(pause) && this.giveBackSlot(index)) this.interpreter.onSlots()
      }
    }
    const inner = wrapIn(
      step.inner,
      Effect.suspend(() => asEffect(step, call(step.load, deps))),
      observer
    )
    const scoped = this.scope === undefined ? inner : inChildScope(inner, this.scope)
    return wrapIn(step.outer, this.attempt(index, scoped, step), observer)
  }

  /** One attempt, as often as it is run: it is counted and watched, and holds a slot while it lasts. */
  private attempt(index: number, self: AnyEffect, step: Load): AnyEffect {
    if (step.outer.length === 0) {
      this.watch?.attemptStarted(index, 1)
      return self
    }
    return Effect.suspend(() => {
      const attempt = (this.kept.attempts.get(index) ?? 0) + 1
      this.kept.attempts.set(index, attempt)
      const started = Effect.suspend(() => {
        this.watch?.attemptStarted(index, attempt)
        return self
      })
      const withSlot =
        this.slots === undefined || this.kept.holdsSlot.has(index)
          ? started
          : Effect.andThen(this.waitForSlot(index, attempt, this.slots), started)
      return Effect.onExit(withSlot, (exit) => {
        if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
          this.watch?.attemptFailed(index, attempt, exit.cause)
        }
        // Only what goes on after an attempt frees its slot here; otherwise the resource settles now, and until its
        // dependents stand in line, or the run stops, nobody else may take the slot.
        if (Exit.isSuccess(exit) && step.outer.some(({ continues }) => continues) && this.giveBackSlot(index)) {
          this.interpreter.onSlots()
        }
        return Effect.void
      })
    })
  }

  waitForSlot(index: number, attempt: number, slots: Slots): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (slots.full) this.watch?.queued(index, attempt)
      slots.request(index, () => {
        this.takeSlot(index)
        resume(Effect.void)
      })
      this.interpreter.onSlots()
      return Effect.sync(() => slots.cancel(index))
    })
  }

  private giveBackSlot(index: number): boolean {
    if (this.slots === undefined || !this.kept.holdsSlot.delete(index)) return false
    this.slots.release()
    return true
  }

  private progress(): Progress {
    const done: Array<string> = []
    const inFlight: Array<string> = []
    const notStarted: Array<string> = []
    this.program.steps.forEach(({ kind, name }, i) => {
      if (kind === "preset" || kind === "view") return
      const value = this.values[i]
      if (value === Running) inFlight.push(name)
      else if (value === Pending || value === Skipped) notStarted.push(name)
      else if (value !== Failed) done.push(name)
    })
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
