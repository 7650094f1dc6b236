/**
 * The attempts of a run: how a load becomes an effect inside its policies, how often it was tried, and which of them
 * hold one of the run's slots.
 */
import { Cause, Duration, Effect, Exit, Scope } from "effect"
import type { Load, Step } from "../compile/Program.ts"
import type { AnyEffect, Layer, LayerObserver } from "../model/Node.ts"
import type { Slots } from "./Slots.ts"
import type { Watch } from "./Watch.ts"

/** What a user's function gives; what it throws is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** What a user's function gave, if it is an effect, and otherwise a defect that says so. */
export const asEffect = (step: Step, value: unknown): AnyEffect =>
  Effect.isEffect(value)
    ? (value as AnyEffect)
    : Exit.die(
        new TypeError(
          `resource "${step.name}" gave ${value === null ? "null" : typeof value} where an Effect was expected: ` +
            "its `load`, or the handler of its `catch`, must return an Effect"
        )
      )

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

const wrapIn = (layers: ReadonlyArray<Layer>, self: AnyEffect, observer: LayerObserver): AnyEffect =>
  layers.reduce((effect, layer) => layer.wrap(effect, observer), self)

export class Attempts {
  readonly slots: Slots | undefined
  private readonly watch: Watch | undefined
  private readonly scope: Scope.Scope | undefined
  /** Tells the interpreter that somebody may be able to take a slot. */
  private readonly onSlots: () => void
  // Made when the first step needs them: most runs never do.
  private counts: Map<number, number> | undefined = undefined
  private holders: Set<number> | undefined = undefined

  constructor(slots: Slots | undefined, watch: Watch | undefined, scope: Scope.Scope | undefined, onSlots: () => void) {
    this.slots = slots
    this.watch = watch
    this.scope = scope
    this.onSlots = onSlots
  }

  /** How often a step was tried, once it has been. */
  count(index: number): number {
    return this.counts?.get(index) ?? 1
  }

  /** A load inside its policies. As `load` is the user's, it may give no effect at all: see `asEffect`. */
  begin(index: number, step: Load, deps: Readonly<Record<string, unknown>>): unknown {
    if (step.outer.length === 0) this.watch?.attemptStarted(index, 1)
    if (step.inner.length === 0 && step.outer.length === 0 && this.scope === undefined) return call(step.load, deps)
    const observer: LayerObserver = {
      degraded: (fallback, error) => this.watch?.degraded(index, fallback, error),
      pausing: (pause) => {
        if (!Duration.isZero(pause)) this.offerSlot(index)
      }
    }
    const load = Effect.suspend(() => asEffect(step, call(step.load, deps)))
    const inner = wrapIn(step.inner, load, observer)
    const attempt = this.scope === undefined ? inner : inChildScope(inner, this.scope)
    return step.outer.length === 0 ? attempt : wrapIn(step.outer, this.repeated(index, step, attempt), observer)
  }

  takeSlot(index: number): void {
    if (this.slots !== undefined) (this.holders ??= new Set()).add(index)
  }

  /** Gives a step's slot back, if it holds one, and says whether it did. Nobody is told yet. */
  giveBackSlot(index: number): boolean {
    if (this.slots === undefined || this.holders?.delete(index) !== true) return false
    this.slots.release()
    return true
  }

  /** A step's turn has come, and there is no slot for it. */
  queued(index: number, attempt: number): void {
    this.watch?.queued(index, attempt)
  }

  /** Waits for a slot in the order of urgency. Interrupting it gives up the place. */
  waitForSlot(index: number, attempt: number, slots: Slots): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (slots.full) this.queued(index, attempt)
      slots.request(index, () => {
        this.takeSlot(index)
        resume(Effect.void)
      })
      this.onSlots()
      return Effect.sync(() => slots.cancel(index))
    })
  }

  /** One attempt, as often as it is run: it is counted and watched, and holds a slot while it lasts. */
  private repeated(index: number, step: Load, self: AnyEffect): AnyEffect {
    return Effect.suspend(() => {
      const attempt = (this.counts?.get(index) ?? 0) + 1
      const started = Effect.suspend(() => {
        ;(this.counts ??= new Map()).set(index, attempt)
        this.watch?.attemptStarted(index, attempt)
        return self
      })
      const withSlot =
        this.slots === undefined || this.holders?.has(index) === true
          ? started
          : Effect.andThen(this.waitForSlot(index, attempt, this.slots), started)
      return Effect.onExit(withSlot, (exit) => {
        if (Exit.isSuccess(exit)) {
          // Only what goes on after an attempt frees its slot here. Otherwise the resource settles now, and until its
          // dependents stand in line nobody else may take the slot; likewise after a failure, until a pause begins.
          if (step.outer.some(({ continues }) => continues)) this.offerSlot(index)
        } else if (!Cause.hasInterruptsOnly(exit.cause)) this.watch?.attemptFailed(index, attempt, exit.cause)
        return Effect.void
      })
    })
  }

  private offerSlot(index: number): void {
    if (this.giveBackSlot(index)) this.onSlots()
  }
}
