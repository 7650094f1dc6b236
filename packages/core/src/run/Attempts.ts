/**
 * The attempts of a run: how a load becomes an effect inside its policies, how often it was tried, and which of them
 * hold one of the run's slots.
 */
import { type Context, Duration, Effect, Exit, Scope } from "effect"
import type { Load, Step } from "../compile/Program.ts"
import type { AnyEffect, Layer, LayerObserver } from "../model/Node.ts"
import type { Slots } from "./Slots.ts"
import type { RunWatch } from "./RunWatch.ts"

/** What a user's function gives; what it throws is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

export const notAnEffect = (step: Step, value: unknown): Exit.Exit<never> =>
  Exit.die(
    new TypeError(
      `resource "${step.name}" gave ${value === null ? "null" : typeof value} where an Effect was expected: ` +
        "its `load`, the handler of its `catch`, and a policy around it must return an Effect"
    )
  )

/** What a user's function gave, if it is an effect, and otherwise a defect that says so. */
export const asEffect = (step: Step, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : notAnEffect(step, value)

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

/** The layers around an effect. One that throws, or gives no effect, is a defect like any other of the resource. */
const wrapIn = (step: Step, layers: ReadonlyArray<Layer>, self: AnyEffect, observer: LayerObserver): AnyEffect =>
  layers.reduce((effect, layer) => Effect.suspend(() => asEffect(step, layer.wrap(effect, observer))), self)

/** Of one step: how many of its attempts run, and how many slots it has. */
interface Holding {
  running: number
  slots: number
}

export class Attempts {
  private readonly slots: Slots | undefined
  private readonly watch: RunWatch | undefined
  private readonly scope: Scope.Scope | undefined
  /** Who is told that somebody may be able to take a slot. */
  private readonly run: { readonly onSlots: () => void }
  // Made when the first step needs them: most runs never do.
  private counts: Map<number, number> | undefined = undefined
  private holdings: Map<number, Holding> | undefined = undefined
  /** Attempts that wait for a slot: when the run is over, nobody else will tell them. */
  private waiting: Set<() => void> | undefined = undefined
  private over = false

  constructor(
    slots: Slots | undefined,
    watch: RunWatch | undefined,
    scope: Scope.Scope | undefined,
    run: { readonly onSlots: () => void }
  ) {
    this.slots = slots
    this.watch = watch
    this.scope = scope
    this.run = run
  }

  /** How often a step was tried, once it has been. */
  count(index: number): number {
    return this.counts?.get(index) ?? 1
  }

  /** A load inside its policies. As `load` is the user's, it may give no effect at all: see `asEffect`. */
  begin(index: number, step: Load, deps: Readonly<Record<string, unknown>>): unknown {
    if (step.outer.length === 0) this.watch?.attemptStarted(index, 1)
    else this.watch?.policiesStarted(index)
    if (step.plain && this.scope === undefined) return call(step.load, deps)
    const observer: LayerObserver = {
      degraded: (fallback, error) => this.watch?.degraded(index, fallback, error),
      pausing: (pause) => {
        this.watch?.retryScheduled(index, this.count(index) + 1, pause)
        if (!Duration.isZero(pause)) this.offerSlots(index)
      }
    }
    const load = Effect.suspend(() => asEffect(step, call(step.load, deps)))
    const inner = wrapIn(step, step.inner, load, observer)
    const attempt = this.scope === undefined ? inner : inChildScope(inner, this.scope)
    return step.outer.length === 0 ? attempt : wrapIn(step, step.outer, this.repeated(index, step, attempt), observer)
  }

  /** The run is over: whoever waits for a slot will never get one. */
  end(): void {
    this.over = true
    for (const giveUp of this.waiting ?? []) giveUp()
  }

  takeSlot(index: number): void {
    this.holding(index).slots++
  }

  /** Gives back the slots of a step that has settled, and says whether there were any. Nobody is told yet. */
  giveBackSlots(index: number): boolean {
    return this.slots !== undefined && this.keepSlots(index, 0)
  }

  private holding(index: number): Holding {
    this.holdings ??= new Map()
    let holding = this.holdings.get(index)
    if (holding === undefined) this.holdings.set(index, (holding = { running: 0, slots: 0 }))
    return holding
  }

  /** Gives back all slots of a step but so many, and says whether there were any to give back. */
  private keepSlots(index: number, kept: number): boolean {
    const holding = this.holdings?.get(index)
    if (this.slots === undefined || holding === undefined || holding.slots <= kept) return false
    for (; holding.slots > kept; holding.slots--) this.slots.release()
    return true
  }

  /** Gives back what no running attempt of a step needs, and says so at once. */
  private offerSlots(index: number): void {
    if (this.keepSlots(index, this.holdings?.get(index)?.running ?? 0)) this.run.onSlots()
  }

  /** Waits for a slot in the order of urgency. Interrupting it gives up the place; the end of the run interrupts it. */
  private waitForSlot(index: number, attempt: number, slots: Slots): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.over) return resume(Effect.interrupt)
      const giveUp = () => resume(Effect.interrupt)
      const waiting = (this.waiting ??= new Set())
      waiting.add(giveUp)
      const waiter = slots.request(index, () => {
        waiting.delete(giveUp)
        this.takeSlot(index)
        resume(Effect.void)
      })
      this.run.onSlots()
      if (waiter.waits) this.watch?.queued(index, attempt)
      return Effect.sync(() => {
        waiting.delete(giveUp)
        waiter.waits = false
      })
    })
  }

  /** An attempt in the context that those who watch give it. */
  private placed(index: number, attempt: number, self: AnyEffect): AnyEffect {
    const { watch } = this
    if (watch === undefined || !watch.places) return self
    const within = (context: Context.Context<unknown>): Context.Context<unknown> =>
      watch.within(context as Context.Context<never>, index, attempt) as Context.Context<unknown>
    return Effect.updateContext(self, within)
  }

  /** One attempt, as often as it is run: it is counted and watched, and holds a slot of its own while it lasts. */
  private repeated(index: number, step: Load, self: AnyEffect): AnyEffect {
    return Effect.suspend(() => {
      const attempt = (this.counts?.get(index) ?? 0) + 1
      ;(this.counts ??= new Map()).set(index, attempt)
      const holding = this.holding(index)
      const run = Effect.suspend(() => {
        holding.running++
        this.watch?.attemptStarted(index, attempt)
        return Effect.onExit(this.placed(index, attempt, self), (exit) => {
          holding.running--
          this.watch?.attemptEnded(index, attempt, exit)
          // One slot stays: either a pause comes next, which frees it, or the resource settles now, and until its
          // dependents stand in line nobody else may take it. Only what goes on after an attempt goes on without.
          if (step.entersWithoutSlot) this.offerSlots(index)
          else if (this.keepSlots(index, Math.max(holding.running, 1))) this.run.onSlots()
          return Effect.void
        })
      })
      const mayRun = this.slots === undefined || holding.slots > holding.running
      return mayRun ? run : Effect.andThen(this.waitForSlot(index, attempt, this.slots!), run)
    })
  }
}
