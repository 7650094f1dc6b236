/**
 * Turns what happens to steps into events about resources.
 *
 * A base and its views settle one by one, but users see one resource. So the final event of a resource waits until the
 * last of them has settled. It reports the worst end that a dependent or the caller sees.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { counter } from "../base/Shared.ts"
import { checked, type Expected } from "../base/UserValue.ts"
import type { Plan } from "../compile/Plan.ts"
import type { Program } from "../compile/Program.ts"
import type { StepFact, Hooks, StepEnd, Undone, UndoSink, SkipReason, Stop } from "../model/Extension.ts"
import type { Run } from "../run/Run.ts"
import { Pending, Skipped } from "../model/Absent.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { RunEnd, RunEvent, RunParent } from "./RunEvent.ts"
import type { Watcher } from "./Watcher.ts"

/** An event without the fields that all events have. */
type Fact = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, "run" | "at"> : never) : never

const nextRun = /* @__PURE__ */ counter("runs")

interface Fallback {
  readonly fallback: string
  readonly error: unknown
}

const aContext: Expected<Context.Context<never>> = {
  text: "a Context",
  read: (value) => (Context.isContext(value) ? (value as Context.Context<never>) : undefined)
}

const succeeded: StepEnd = { _tag: "Succeeded" }

const severity = (end: StepEnd): number => {
  if (end._tag === "Succeeded") return 0
  if (end._tag === "Skipped") return 1
  if (Cause.hasDies(end.cause)) return 4
  return Cause.hasFails(end.cause) ? 3 : 2
}

const worse = (a: StepEnd, b: StepEnd): StepEnd => (severity(b) > severity(a) ? b : a)

export interface RunEmitterSetup {
  readonly program: Program
  readonly plan: Plan
  readonly observers: ReadonlyArray<Watcher>
  /** The step of another run that this run is inside, if any. */
  readonly parent: RunParent | undefined
  readonly clock: Clock.Clock
  /** Called with the first defect of an observer. */
  readonly onCrash: (defect: unknown) => void
}

const factOf = ({ cleanup, item, path }: Undone) => ({
  resource: path[0]!,
  ...(item === undefined ? {} : { item }),
  ...(path.length === 1 ? {} : { inside: path.slice(1) }),
  cleanup
})

/** The fields of an event about an attempt. */
const attemptOf = (resource: string, attempt: number, item: number | undefined) =>
  item === undefined ? { resource, attempt } : { resource, attempt, item }

export class RunEmitter {
  private readonly parent: RunParent | undefined
  private readonly run = nextRun()
  private readonly program: Program
  private readonly plan: Plan
  private readonly observers: ReadonlyArray<Watcher>
  /** The observers that choose the context in which resources run. */
  private readonly placing: ReadonlyArray<Watcher>
  private readonly onCrash: (defect: unknown) => void
  private readonly now: () => number
  private readonly unsettled: Array<number>
  /** The views that no choice wants yet: the ends of their resources do not wait for them. */
  private readonly unwanted = new Set<number>()
  private readonly ended = new Set<number>()
  private readonly own: Array<StepEnd | undefined>
  private readonly seen: Array<StepEnd | undefined>
  private readonly fallbacks: Array<Fallback | undefined>
  private crashed = false
  private started = false
  private finished = false

  constructor({ clock, onCrash, parent, plan, program, observers }: RunEmitterSetup) {
    this.parent = parent
    this.program = program
    this.plan = plan
    this.observers = observers
    this.placing = observers.filter(({ within }) => within !== undefined)
    this.onCrash = onCrash
    const wall = Number(clock.currentTimeNanosUnsafe()) / 1e6
    const start = clock.monotonicTimeNanosUnsafe()
    this.now = () => wall + Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
    this.unsettled = program.steps.map(() => 0)
    this.own = program.steps.map(() => undefined)
    this.seen = program.steps.map(() => undefined)
    this.fallbacks = program.steps.map(() => undefined)
    this.expect(undefined)
  }

  /** Forgets all ends, except those of the steps that a rewind keeps. */
  private expect(keep: Uint8Array | undefined): void {
    const { optional, steps } = this.program
    steps.forEach((step, i) => {
      if (keep?.[i] === 1) return
      this.own[i] = this.seen[i] = this.fallbacks[i] = undefined
      this.ended.delete(i)
      this.unsettled[i] = step.given === undefined ? 1 : 0
    })
    steps.forEach((step, i) => {
      if (step.view === undefined || keep?.[step.base] === 1) return
      if (optional?.[i] === 1) this.unwanted.add(i)
      else this.unsettled[step.base]!++
    })
  }

  /** The run was rewound: each resource that had ended and is not kept will end a second time. */
  private rewound(keep: Uint8Array, to: string, failed: string, pause: Duration.Duration): void {
    const retryAt = this.now() + Duration.toMillis(pause)
    for (const base of Array.from(this.ended)) {
      if (keep[base] === 1) continue
      this.emit({ _tag: "ResourceRewound", resource: this.nameOf(base), to, failed, retryAt })
    }
    this.expect(keep)
  }

  hooksOf(run: Run): Hooks {
    return {
      context: this.places ? (index, context) => this.within(context, index, undefined) : undefined,
      attemptContext: this.places ? (index, attempt, item, self) => this.placed(index, attempt, item, self) : undefined,
      fact: (index, item, fact) => this.fact(index, item, fact),
      finished: () => this.runEnded(run),
      ready: (index) => this.emit({ _tag: "ResourceReady", resource: this.nameOf(index) }),
      rest: () => this.skipRest(run),
      settled: (index, end) => {
        this.settled(index, end)
        if (run.stopped !== undefined) this.overlook(run, index)
      },
      stopping: () => run.program.steps.forEach((_, i) => this.overlook(run, i)),
      started: () => this.runStarted(),
      undone: this.undone
    }
  }

  private get undone(): UndoSink {
    return {
      failed: (of, cause) => this.emit({ _tag: "CompensationFailed", ...factOf(of), cause }),
      rewound: (keep, to, because, pause) => this.rewound(keep, to, because, pause),
      started: (of, context) => this.undoStarted(context, of),
      succeeded: (of) => this.emit({ _tag: "CompensationSucceeded", ...factOf(of) })
    }
  }

  /** A run that continues after a rewind is the same run for observers. */
  private runStarted(): void {
    if (this.started) return
    this.started = true
    const { parent, plan, program } = this
    this.emit({ _tag: "RunStarted", loader: program.name, plan, ...(parent === undefined ? {} : { parent }) })
  }

  /** An observer can interrupt the run, so it may end twice. A run that was interrupted before its start has no events. */
  private runEnded(run: Run): void {
    if (!this.started || this.finished) return
    this.finished = true
    this.skipRest(run)
    const end: RunEnd = run.stopped?._tag ?? "Completed"
    this.emit({ _tag: "RunEnded", end })
  }

  /** When a run has stopped, the pending views of a settled step will never settle, so the resource has ended. */
  private overlook(run: Run, index: number): void {
    const { dependents, steps } = this.program
    const over = [index]
    for (let i = over.pop(); i !== undefined; i = over.pop()) {
      if (!run.isSettled(i)) continue
      for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) {
        const view = dependents.items[k]!
        if (steps[view]!.view === undefined || !run.isPending(view)) continue
        this.neverStarted(run, view)
        over.push(view)
      }
    }
  }

  /** Skips all steps that have not started. */
  private skipRest(run: Run): void {
    if (!this.started) return
    run.values.forEach((value, i) => {
      if (value === Pending) this.neverStarted(run, i)
    })
  }

  private neverStarted(run: Run, index: number): void {
    run.values[index] = Skipped
    this.settled(index, { _tag: "Skipped", because: stopReason(run.stopped) })
  }

  /** The parent of a run inside a step of this run. */
  parentOf(index: number, item: number | undefined): RunParent {
    return { run: this.run, resource: this.nameOf(index), ...(item === undefined ? {} : { item }) }
  }

  private fact(index: number, item: number | undefined, fact: StepFact): void {
    const resource = this.nameOf(index)
    const of = item === undefined ? { resource } : { resource, item }
    switch (fact._tag) {
      case "PoliciesStarted":
        return this.emit({ _tag: "PoliciesStarted", resource })
      case "AttemptStarted":
        // The fallback of an earlier attempt is not the resource's.
        if (item === undefined) this.fallbacks[index] = undefined
        return this.emit({ _tag: "AttemptStarted", ...attemptOf(resource, fact.attempt, item) })
      case "AttemptEnded":
        return this.attemptEnded(attemptOf(resource, fact.attempt, item), fact.exit)
      case "Queued":
        return this.emit({ _tag: "ResourceQueued", ...attemptOf(resource, fact.attempt, item), limit: fact.limit })
      case "RetryScheduled": {
        const retryAt = this.now() + Duration.toMillis(fact.pause)
        return this.emit({ _tag: "RetryScheduled", ...attemptOf(resource, fact.attempt, item), retryAt })
      }
      case "HedgeStarted":
        return this.emit({ _tag: "HedgeStarted", ...attemptOf(resource, fact.attempt, item) })
      case "RequestMade":
        return this.emit({ _tag: "RequestMade", ...attemptOf(resource, fact.attempt, item) })
      case "RequestSent":
        return this.emit({ _tag: "RequestSent", ...attemptOf(resource, fact.attempt, item), ...fact.sent })
      case "Refused": {
        const { error, policy } = fact.refusal
        return this.emit({ _tag: "PolicyRefused", ...of, policy, ...(error === undefined ? {} : { error }) })
      }
      case "CacheRead": {
        const { _tag, ...read } = fact
        return this.emit({ _tag, ...of, ...read })
      }
      case "ItemsStarted":
        return this.emit({ _tag: "ItemsStarted", resource, items: fact.items })
      case "FallbackStarted": {
        const { _tag, error, fallback } = fact
        return this.ended.has(this.baseOf(index)) ? undefined : this.emit({ _tag, resource, fallback, error })
      }
      case "Degraded":
        this.fallbacks[this.baseOf(index)] = { fallback: fact.fallback, error: fact.error }
        return
      case "Chosen": {
        const { choice, chosen } = fact
        return this.emit({ _tag: "ResourceChosen", resource, choice, chosen: this.nameOf(chosen) })
      }
      case "Wanted":
        return this.wanted(index)
    }
  }

  private attemptEnded(of: ReturnType<typeof attemptOf>, exit: Exit.Exit<unknown, unknown>): void {
    if (exit._tag === "Success") this.emit({ _tag: "AttemptSucceeded", ...of })
    else if (Cause.hasInterruptsOnly(exit.cause)) this.emit({ _tag: "AttemptInterrupted", ...of })
    else this.emit({ _tag: "AttemptFailed", ...of, cause: exit.cause })
  }

  /** A compensation or a cleanup starts. Returns the context in which it runs. */
  private undoStarted(context: Context.Context<never>, of: Undone): Context.Context<never> {
    const event = { _tag: "CompensationStarted" as const, ...factOf(of), run: this.run, at: this.now() }
    this.tell(event)
    return this.observers.reduce((outer, { undoing }) => {
      if (undoing === undefined) return outer
      try {
        return checked("an observer", "`undoing`", aContext, undoing(outer, event))
      } catch (defect) {
        this.crash(defect)
        return outer
      }
    }, context)
  }

  /** A choice wants a step. */
  private wanted(index: number): void {
    if (this.unwanted.delete(index)) this.unsettled[this.program.steps[index]!.base]!++
  }

  private settled(index: number, end: StepEnd): void {
    const { base } = this.program.steps[index]!
    this.wanted(index)
    if (index === base) this.own[base] = end
    const isSeen = this.program.exposed[index] === 1 && !(end._tag === "Skipped" && end.because._tag === "NotChosen")
    if (isSeen) this.seen[base] = worse(this.seen[base] ?? succeeded, end)
    // The resource of a view that a choice wants late may have ended already.
    if (--this.unsettled[base]! === 0 && !this.ended.has(base)) this.emitEnd(base)
  }

  /** Whether an observer chooses the context in which resources run. */
  private get places(): boolean {
    return this.placing.length > 0
  }

  /** The context in which the effects of a step, or of one of its attempts, run. */
  private within(
    context: Context.Context<never>,
    index: number,
    attempt: number | undefined,
    item?: number
  ): Context.Context<never> {
    const resource = this.nameOf(index)
    return this.placing.reduce((outer, observer) => {
      try {
        return checked("an observer", "`within`", aContext, observer.within!(outer, resource, attempt, item))
      } catch (defect) {
        this.crash(defect)
        return outer
      }
    }, context)
  }

  /** An attempt in the context that observers give it. */
  private placed(index: number, attempt: number, item: number | undefined, self: AnyEffect): AnyEffect {
    const within = (context: Context.Context<unknown>): Context.Context<unknown> =>
      this.within(context as Context.Context<never>, index, attempt, item) as Context.Context<unknown>
    return Effect.updateContext(self, within)
  }

  private baseOf(index: number): number {
    return this.program.steps[index]!.base
  }

  private emitEnd(base: number): void {
    const resource = this.nameOf(base)
    const own = this.own[base] ?? succeeded
    const seen = this.seen[base] ?? own
    // A view that was skipped because the run stopped does not change the outcome.
    const end = own._tag === "Skipped" || seen._tag === "Skipped" ? own : seen
    const fallback = this.fallbacks[base]
    if (this.program.steps[base]!.given !== undefined && end._tag === "Succeeded") return
    this.ended.add(base)
    switch (end._tag) {
      case "Skipped":
        return this.emit({ _tag: "ResourceSkipped", resource, because: end.because })
      case "Succeeded":
        return this.emit(
          fallback === undefined
            ? { _tag: "ResourceSucceeded", resource }
            : { _tag: "ResourceDegraded", resource, ...fallback }
        )
      case "Failed":
        if (Cause.hasDies(end.cause)) return this.emit({ _tag: "ResourceDied", resource, cause: end.cause })
        if (Cause.hasFails(end.cause)) return this.emit({ _tag: "ResourceFailed", resource, cause: end.cause })
        return this.emit({ _tag: "ResourceInterrupted", resource })
    }
  }

  private nameOf(index: number): string {
    return this.program.steps[index]!.name
  }

  private emit(fact: Fact): void {
    this.tell({ ...fact, run: this.run, at: this.now() } as RunEvent)
  }

  private tell(event: RunEvent): void {
    for (const observer of this.observers) {
      try {
        observer.onEvent(event)
      } catch (defect) {
        this.crash(defect)
      }
    }
  }

  private crash(defect: unknown): void {
    if (!this.crashed) this.onCrash(defect)
    this.crashed = true
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
