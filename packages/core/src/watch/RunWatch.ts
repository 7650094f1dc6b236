/**
 * From what happens to steps to events about resources.
 *
 * A resource's base and its views settle one by one; people see one resource. So a resource's final event waits until
 * the last of them has settled, and then says the worst that anyone but its own views has seen.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { counter } from "../base/Shared.ts"
import { checked, type Expected } from "../base/UserValue.ts"
import type { Sent } from "../batching/Call.ts"
import type { Plan } from "../compile/Plan.ts"
import type { Program } from "../compile/Program.ts"
import type { Refusal } from "../model/Node.ts"
import type { Compiled } from "../loader/Compiled.ts"
import type { CacheRead, Limit, RunEnd, RunEvent, RunParent, SkipReason } from "./RunEvent.ts"
import type { Watcher } from "./Watchers.ts"

/** How a step ended. */
export type StepEnd =
  | { readonly _tag: "Succeeded" }
  | { readonly _tag: "Failed"; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Skipped"; readonly because: SkipReason }

/** An event without what every event has. */
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

/** A run that is to begin. */
interface Beginning {
  readonly compiled: Compiled
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** The run that it is inside of. */
  readonly parent: RunParent | undefined
  /** Who reports of it: whoever runs it, and whoever reports of the run around. */
  readonly reporters: ReadonlyArray<Reporter>
}

/** What watches a run, if anybody wants to. */
export type WatchRun = (beginning: Beginning) => RunWatch | undefined

/** Somebody who watches one run, with all that run inside it. */
export interface Reporter extends Watcher {
  readonly watchRun: WatchRun
}

export interface RunWatchSetup {
  readonly program: Program
  readonly plan: Plan
  readonly watchers: ReadonlyArray<Watcher>
  /** Who of them reports of this run, and of those inside it. */
  readonly reporter: Reporter | undefined
  /** The run that this one is inside of. */
  readonly parent: RunParent | undefined
  readonly clock: Clock.Clock
  /** Told of the first crash of a watcher. */
  readonly onCrash: (defect: unknown) => void
}

/** What is undone: whose, from the resource of this run inwards. */
interface Undone {
  readonly path: ReadonlyArray<string>
  readonly item: number | undefined
  readonly cleanup: boolean
}

const factOf = ({ cleanup, item, path }: Undone) => ({
  resource: path[0]!,
  ...(item === undefined ? {} : { item }),
  ...(path.length === 1 ? {} : { inside: path.slice(1) }),
  cleanup
})

/** What an event says of an attempt. */
const attemptOf = (resource: string, attempt: number, item: number | undefined) =>
  item === undefined ? { resource, attempt } : { resource, attempt, item }

export class RunWatch {
  readonly reporter: Reporter | undefined
  private readonly parent: RunParent | undefined
  private readonly run = nextRun()
  private readonly program: Program
  private readonly plan: Plan
  private readonly watchers: ReadonlyArray<Watcher>
  /** Those who say in which context resources run. */
  private readonly placing: ReadonlyArray<Watcher>
  private readonly onCrash: (defect: unknown) => void
  private readonly now: () => number
  private readonly unsettled: Array<number>
  /** The views that nobody wants yet: no resource waits for them with its end. */
  private readonly unwanted = new Set<number>()
  private readonly ended = new Set<number>()
  private readonly own: Array<StepEnd | undefined>
  private readonly seen: Array<StepEnd | undefined>
  private readonly fallbacks: Array<Fallback | undefined>
  private crashed = false

  constructor({ clock, onCrash, parent, plan, program, reporter, watchers }: RunWatchSetup) {
    this.parent = parent
    this.reporter = reporter
    this.program = program
    this.plan = plan
    this.watchers = watchers
    this.placing = watchers.filter(({ within }) => within !== undefined)
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

  /** All ends are still to come, but of what is kept. */
  private expect(keep: Uint8Array | undefined): void {
    const { choices, steps } = this.program
    steps.forEach((step, i) => {
      if (keep?.[i] === 1) return
      this.own[i] = this.seen[i] = this.fallbacks[i] = undefined
      this.ended.delete(i)
      this.unsettled[i] = step.kind === "preset" ? 0 : 1
    })
    steps.forEach((step, i) => {
      if (step.kind !== "view" || keep?.[step.base] === 1) return
      if (choices?.optional[i] === 1) this.unwanted.add(i)
      else this.unsettled[step.base]!++
    })
  }

  /** The run was taken back: all that had ended and is not kept will end once more. */
  rewound(keep: Uint8Array, to: string, failed: string, pause: Duration.Duration): void {
    const retryAt = this.now() + Duration.toMillis(pause)
    for (const base of Array.from(this.ended)) {
      if (keep[base] === 1) continue
      this.emit({ _tag: "ResourceRewound", resource: this.nameOf(base), to, failed, retryAt })
    }
    this.expect(keep)
  }

  runStarted(): void {
    const { parent, plan, program } = this
    this.emit({ _tag: "RunStarted", loader: program.name, plan, ...(parent === undefined ? {} : { parent }) })
  }

  runEnded(end: RunEnd): void {
    this.emit({ _tag: "RunEnded", end })
  }

  ready(index: number): void {
    this.emit({ _tag: "ResourceReady", resource: this.nameOf(index) })
  }

  /** Where a run inside a step of this one is. */
  parentOf(index: number, item: number | undefined): RunParent {
    return { run: this.run, resource: this.nameOf(index), ...(item === undefined ? {} : { item }) }
  }

  chosen(index: number, choice: string, chosen: number): void {
    this.emit({ _tag: "ResourceChosen", resource: this.nameOf(index), choice, chosen: this.nameOf(chosen) })
  }

  itemsStarted(index: number, items: number): void {
    this.emit({ _tag: "ItemsStarted", resource: this.nameOf(index), items })
  }

  /** Attempt `attempt` of a step, or a handler after it, has to wait. */
  queued(index: number, attempt: number, item: number | undefined, limit: Limit): void {
    this.emit({ _tag: "ResourceQueued", ...attemptOf(this.nameOf(index), attempt, item), limit })
  }

  cacheRead(
    index: number,
    item: number | undefined,
    read: Pick<CacheRead, "cache" | "level" | "result" | "reason">
  ): void {
    const resource = this.nameOf(index)
    this.emit({ _tag: "CacheRead", ...(item === undefined ? { resource } : { resource, item }), ...read })
  }

  policiesStarted(index: number): void {
    this.emit({ _tag: "PoliciesStarted", resource: this.nameOf(index) })
  }

  attemptStarted(index: number, attempt: number, item: number | undefined): void {
    // What an earlier attempt fell back to is not what the resource will come to.
    if (item === undefined) this.fallbacks[index] = undefined
    this.emit({ _tag: "AttemptStarted", ...attemptOf(this.nameOf(index), attempt, item) })
  }

  requestMade(index: number, attempt: number, item: number | undefined): void {
    this.emit({ _tag: "RequestMade", ...attemptOf(this.nameOf(index), attempt, item) })
  }

  requestSent(index: number, attempt: number, item: number | undefined, sent: Sent): void {
    this.emit({ _tag: "RequestSent", ...attemptOf(this.nameOf(index), attempt, item), ...sent })
  }

  attemptEnded(index: number, attempt: number, item: number | undefined, exit: Exit.Exit<unknown, unknown>): void {
    const of = attemptOf(this.nameOf(index), attempt, item)
    if (exit._tag === "Success") this.emit({ _tag: "AttemptSucceeded", ...of })
    else if (Cause.hasInterruptsOnly(exit.cause)) this.emit({ _tag: "AttemptInterrupted", ...of })
    else this.emit({ _tag: "AttemptFailed", ...of, cause: exit.cause })
  }

  retryScheduled(index: number, attempt: number, item: number | undefined, pause: Duration.Duration): void {
    const retryAt = this.now() + Duration.toMillis(pause)
    this.emit({ _tag: "RetryScheduled", ...attemptOf(this.nameOf(index), attempt, item), retryAt })
  }

  /** Attempt `attempt` is to begin beside those that run. */
  hedgeStarted(index: number, attempt: number, item: number | undefined): void {
    this.emit({ _tag: "HedgeStarted", ...attemptOf(this.nameOf(index), attempt, item) })
  }

  refused(index: number, item: number | undefined, { error, policy }: Refusal): void {
    this.emit({
      _tag: "PolicyRefused",
      resource: this.nameOf(index),
      ...(item === undefined ? {} : { item }),
      policy,
      ...(error === undefined ? {} : { error })
    })
  }

  /** The handler of a fallback begins to run. */
  fallbackStarted(index: number, fallback: string, error: unknown): void {
    if (this.ended.has(this.program.steps[index]!.base)) return
    this.emit({ _tag: "FallbackStarted", resource: this.nameOf(index), fallback, error })
  }

  /** A fallback gave a value for a resource, in a view or inside its policies. */
  degraded(index: number, fallback: string, error: unknown): void {
    this.fallbacks[this.program.steps[index]!.base] = { fallback, error }
  }

  /** What was done is undone now, or cleaned up after: gives the context in which. */
  undoStarted(context: Context.Context<never>, of: Undone): Context.Context<never> {
    const event = { _tag: "CompensationStarted" as const, ...factOf(of), run: this.run, at: this.now() }
    this.tell(event)
    return this.watchers.reduce((outer, { undoing }) => {
      if (undoing === undefined) return outer
      try {
        return checked("an observer", "`undoing`", aContext, undoing(outer, event))
      } catch (defect) {
        this.crash(defect)
        return outer
      }
    }, context)
  }

  undoSucceeded(of: Undone): void {
    this.emit({ _tag: "CompensationSucceeded", ...factOf(of) })
  }

  undoFailed(of: Undone, cause: Cause.Cause<unknown>): void {
    this.emit({ _tag: "CompensationFailed", ...factOf(of), cause })
  }

  /** A choice wants a step. */
  wanted(index: number): void {
    if (this.unwanted.delete(index)) this.unsettled[this.program.steps[index]!.base]!++
  }

  settled(index: number, end: StepEnd): void {
    const { base } = this.program.steps[index]!
    this.wanted(index)
    if (index === base) this.own[base] = end
    const isSeen = this.program.exposed[index] === 1 && !(end._tag === "Skipped" && end.because._tag === "NotChosen")
    if (isSeen) this.seen[base] = worse(this.seen[base] ?? succeeded, end)
    // What is looked at later, because only then it was chosen, has ended already.
    if (--this.unsettled[base]! === 0 && !this.ended.has(base)) this.emitEnd(base)
  }

  /** Whether somebody says in which context resources run. */
  get places(): boolean {
    return this.placing.length > 0
  }

  /** The context in which the effects of a step, or of one of its attempts, run. */
  within(
    context: Context.Context<never>,
    index: number,
    attempt: number | undefined,
    item?: number
  ): Context.Context<never> {
    const resource = this.nameOf(index)
    return this.placing.reduce((outer, watcher) => {
      try {
        return checked("an observer", "`within`", aContext, watcher.within!(outer, resource, attempt, item))
      } catch (defect) {
        this.crash(defect)
        return outer
      }
    }, context)
  }

  private emitEnd(base: number): void {
    const resource = this.nameOf(base)
    const own = this.own[base] ?? succeeded
    const seen = this.seen[base] ?? own
    // Views that never got to look, because the run was over, have nothing to say.
    const end = own._tag === "Skipped" || seen._tag === "Skipped" ? own : seen
    const fallback = this.fallbacks[base]
    if (this.program.steps[base]!.kind === "preset" && end._tag === "Succeeded") return
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
    for (const watcher of this.watchers) {
      try {
        watcher.onEvent(event)
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
