/**
 * From what happens to steps to events about resources.
 *
 * A resource's base and its views settle one by one; people see one resource. So a resource's final event waits until
 * the last of them has settled, and then says the worst that anyone but its own views has seen.
 */
import { Cause, type Clock } from "effect"
import type { Program } from "../compile/Program.ts"
import type { OnEvent } from "./Observer.ts"
import type { RunEnd, RunEvent, SkipReason } from "./RunEvent.ts"

/** How a step ended. */
export type StepEnd =
  | { readonly _tag: "Succeeded" }
  | { readonly _tag: "Failed"; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Skipped"; readonly because: SkipReason }

/** An event without what every event has. */
type Fact = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, "run" | "at"> : never) : never

let runs = 0

interface Fallback {
  readonly fallback: string
  readonly error: unknown
}

const succeeded: StepEnd = { _tag: "Succeeded" }

const severity = (end: StepEnd): number => {
  if (end._tag === "Succeeded") return 0
  if (end._tag === "Skipped") return 1
  if (Cause.hasDies(end.cause)) return 4
  return Cause.hasFails(end.cause) ? 3 : 2
}

const worse = (a: StepEnd, b: StepEnd): StepEnd => (severity(b) > severity(a) ? b : a)

export class Watch {
  private readonly run = ++runs
  private readonly program: Program
  private readonly observers: ReadonlyArray<OnEvent>
  private readonly onCrash: (defect: unknown) => void
  private readonly now: () => number
  private readonly unsettled: Array<number>
  private readonly own: Array<StepEnd | undefined>
  private readonly seen: Array<StepEnd | undefined>
  private readonly fallbacks: Array<Fallback | undefined>
  private crashed = false

  constructor(
    program: Program,
    observers: ReadonlyArray<OnEvent>,
    clock: Clock.Clock,
    onCrash: (defect: unknown) => void
  ) {
    this.program = program
    this.observers = observers
    this.onCrash = onCrash
    const wall = clock.currentTimeMillisUnsafe()
    const start = clock.monotonicTimeNanosUnsafe()
    this.now = () => wall + Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
    this.unsettled = program.steps.map((step) => (step.kind === "preset" ? 0 : 1))
    this.own = program.steps.map(() => undefined)
    this.seen = program.steps.map(() => undefined)
    this.fallbacks = program.steps.map(() => undefined)
    for (const step of program.steps) if (step.kind === "view") this.unsettled[step.base]!++
  }

  runStarted(): void {
    const { declared, name, steps } = this.program
    const resources = declared.flatMap((i) => {
      const step = steps[i]!
      return step.kind === "load" || step.kind === "struct" ? [step.name] : []
    })
    this.emit({ _tag: "RunStarted", loader: name, resources })
  }

  runEnded(end: RunEnd): void {
    this.emit({ _tag: "RunEnded", end })
  }

  ready(index: number): void {
    this.emit({ _tag: "ResourceReady", resource: this.nameOf(index) })
  }

  queued(index: number, attempt: number): void {
    this.emit({ _tag: "ResourceQueued", resource: this.nameOf(index), attempt })
  }

  attemptStarted(index: number, attempt: number): void {
    // What an earlier attempt fell back to is not what the resource will come to.
    this.fallbacks[index] = undefined
    this.emit({ _tag: "AttemptStarted", resource: this.nameOf(index), attempt })
  }

  attemptFailed(index: number, attempt: number, cause: Cause.Cause<unknown>): void {
    this.emit({ _tag: "AttemptFailed", resource: this.nameOf(index), attempt, cause })
  }

  /** A fallback gave a value for a resource, in a view or inside its policies. */
  degraded(index: number, fallback: string, error: unknown): void {
    this.fallbacks[this.program.steps[index]!.base] = { fallback, error }
  }

  settled(index: number, end: StepEnd): void {
    const { base } = this.program.steps[index]!
    if (index === base) this.own[base] = end
    if (this.program.exposed[index] === 1) this.seen[base] = worse(this.seen[base] ?? succeeded, end)
    if (--this.unsettled[base]! === 0) this.emitEnd(base)
  }

  private emitEnd(base: number): void {
    const resource = this.nameOf(base)
    const own = this.own[base] ?? succeeded
    const seen = this.seen[base] ?? own
    // Views that never got to look, because the run was over, have nothing to say.
    const end = own._tag === "Skipped" || seen._tag === "Skipped" ? own : seen
    const fallback = this.fallbacks[base]
    if (this.program.steps[base]!.kind === "preset" && end._tag === "Succeeded") return
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
    const event = { ...fact, run: this.run, at: this.now() } as RunEvent
    for (const observer of this.observers) {
      try {
        observer(event)
      } catch (defect) {
        if (!this.crashed) this.onCrash(defect)
        this.crashed = true
      }
    }
  }
}
