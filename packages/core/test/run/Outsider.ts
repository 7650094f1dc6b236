/**
 * An extension as another package writes one: it knows what `effect-loader/internal` exports, and nothing else of core. Durable
 * runs and replays need what it does.
 */
import { type Cause, Context, Effect, type Exit, type Fiber } from "effect"
import type { Policy } from "effect-loader"
import {
  type Extension,
  fromLayers,
  type Hooks,
  type Layer,
  type RunView,
  type StepEnd,
  type StepFact,
  withExtension
} from "effect-loader/internal"

type AnyEffect = Effect.Effect<unknown, unknown>

/** What the extension does in its runs. */
interface Plans {
  /** The exits that steps have already, by place. */
  readonly remembered?: ReadonlyMap<string, Exit.Exit<unknown, unknown>>
  /** What a failure is held back for. */
  readonly failing?: (place: string, cause: Cause.Cause<unknown>) => Effect.Effect<void> | undefined
  /** Called each time that all that runs has come to wait for something outside. */
  readonly onDormant?: () => void
}

/** What a run is inside of. */
interface Parent {
  readonly tracker: Tracker
  readonly index: number
}

const CurrentParent = Context.Reference<Parent | undefined>("outsider/Parent", { defaultValue: () => undefined })

/** Which steps of a run are in progress, and which of those do nothing but wait for something outside. */
class Tracker {
  private readonly parent: Parent | undefined
  private readonly onDormant: () => void
  private readonly inProgress = new Set<number>()
  /** How many items of each list have yet to end, and how many may run at once. */
  private readonly items = new Map<number, number>()
  private readonly limits = new Map<number, number>()
  /** How many parts of each step wait outside: the step itself, its items, or the runs inside it. */
  private readonly asleep = new Map<number, number>()
  private isDormant = false

  constructor(parent: Parent | undefined, onDormant: () => void) {
    this.parent = parent
    this.onDormant = onDormant
  }

  start(index: number): void {
    this.inProgress.add(index)
    this.check()
  }

  end(index: number): void {
    this.inProgress.delete(index)
  }

  list(index: number, items: number, limit: number): void {
    this.items.set(index, items)
    this.limits.set(index, limit)
  }

  item(index: number, self: AnyEffect): AnyEffect {
    return Effect.onExit(self, () => Effect.sync(() => this.count(this.items, index, -1)))
  }

  wait(index: number, self: AnyEffect): AnyEffect {
    return Effect.acquireUseRelease(
      Effect.sync(() => this.count(this.asleep, index, 1)),
      () => self,
      () => Effect.sync(() => this.count(this.asleep, index, -1))
    )
  }

  /** What follows from the end of a step is known: so it is known, too, whether anything is left to run. */
  check(): void {
    const all = [...this.inProgress]
    const isDormant = all.length > 0 && all.every((i) => this.isAsleep(i))
    if (isDormant === this.isDormant) return
    this.isDormant = isDormant
    if (this.parent !== undefined) this.parent.tracker.tell(this.parent.index, isDormant)
    else if (isDormant) this.onDormant()
  }

  private isAsleep(index: number): boolean {
    const parts = Math.min(this.items.get(index) ?? 1, this.limits.get(index) ?? 1)
    return parts > 0 && this.asleep.get(index) === parts
  }

  private tell(index: number, isAsleep: boolean): void {
    this.count(this.asleep, index, isAsleep ? 1 : -1)
  }

  private count(counts: Map<number, number>, index: number, change: 1 | -1): void {
    counts.set(index, (counts.get(index) ?? 0) + change)
    this.check()
  }
}

export class Outsider {
  /** What began and settled, in order: `begin page/user`, `Succeeded page/user`. */
  readonly lines: Array<string> = []
  /** The exits of what began, by place. */
  readonly exits = new Map<string, Exit.Exit<unknown, unknown>>()
  readonly facts: Array<readonly [place: string, fact: StepFact]> = []
  readonly undone: Array<string> = []
  private readonly plans: Plans
  private readonly name: string

  constructor(plans: Plans = {}, name = "outsider") {
    this.plans = plans
    this.name = name
  }

  readonly extension: Extension = {
    open: (run: RunView, _data: unknown, { fiber }: { readonly fiber: Fiber.Fiber<unknown, unknown> }) =>
      this.hooksOf(run, fiber.getRef(CurrentParent))
  }

  /** Brings it into all runs of an effect, those inside others included. */
  readonly around = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.updateContext(
      self,
      (context: Context.Context<R>) =>
        withExtension(context as Context.Context<never>, this.name, this.extension) as Context.Context<R>
    )

  private hooksOf({ program }: RunView, parent: Parent | undefined): Hooks {
    const { plans } = this
    const placeOf = (index: number): string => `${program.name}/${program.steps[index]!.name}`
    const tracker = new Tracker(parent, plans.onDormant ?? (() => {}))
    return {
      ready: (index) => tracker.start(index),
      remembered: (index) => plans.remembered?.get(placeOf(index)),
      begin: (index, self) =>
        Effect.suspend(() => {
          this.lines.push(`begin ${placeOf(index)}`)
          return Effect.onExit(self as AnyEffect, (exit) => Effect.sync(() => this.exits.set(placeOf(index), exit)))
        }),
      failing: (index, cause) => plans.failing?.(placeOf(index), cause),
      settled: (index, end) => {
        this.lines.push(`${textOf(end)} ${placeOf(index)}`)
        tracker.end(index)
      },
      changed: () => tracker.check(),
      dormant: (index, _item, self) => tracker.wait(index, self as AnyEffect),
      listed: (index, items, limit) => tracker.list(index, items, limit),
      item: (index, _item, self) => tracker.item(index, self as AnyEffect),
      enclose: (index, _item, self) => Effect.provideService(self, CurrentParent, { tracker, index }),
      wrapUndo: ({ cleanup, path }, self) =>
        Effect.onExit(self as AnyEffect, (exit) =>
          Effect.sync(() => this.undone.push(`${cleanup ? "cleanup" : "undo"} ${path.join("/")}: ${exit._tag}`))
        ),
      fact: (index, _item, fact) => {
        this.facts.push([placeOf(index), fact])
        // The effect of a fallback is no step of its own: its view has begun.
        if (fact._tag === "FallbackStarted") tracker.start(index)
      }
    }
  }
}

const textOf = (end: StepEnd): string => (end._tag === "Skipped" ? end.because._tag : end._tag)

const outside = (label: string, wrap: Layer["wrap"], continues = true): Layer => ({
  kind: label,
  label,
  // It stands around all attempts. Where it goes on without them, only they take slots, not their step.
  repeats: true,
  continues,
  refused: undefined,
  wrap
})

/** A policy: the load waits for something outside of the process. */
export const waitsFor = (something: Effect.Effect<unknown>): Policy.Policy =>
  fromLayers([outside("signal", (self, observer) => Effect.andThen(observer.dormant(something), self))])

/** A policy: a value of an earlier run takes the place of the load, and of what is piped before. */
export const remembers = (value: unknown): Policy.Policy => {
  const layer: Layer = outside("step", (_self, observer) => observer.remembered(layer, value))
  return fromLayers([layer])
}

/** A policy: an attempt that failed is followed by another one when something outside has happened. */
export const retriesAfter = (something: Effect.Effect<unknown>): Policy.Policy =>
  fromLayers([
    outside(
      "retry",
      (self, observer) => Effect.catch(self, () => Effect.andThen(observer.dormant(something), self)),
      false
    )
  ])
