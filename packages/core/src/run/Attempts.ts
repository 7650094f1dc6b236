/**
 * The attempts of a run: how a load becomes an effect inside its policies, how often it was tried, and which of them
 * hold one of the run's slots.
 */
import { Cause, type Context, Duration, Effect, Exit, Scope } from "effect"
import type { ItemLoads, Load, Step } from "../compile/Program.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver, Rewind } from "../model/Node.ts"
import type { FailedItem } from "../model/ResourceError.ts"
import { Enclosing } from "./Enclosing.ts"
import type { OuterSlots, Slots } from "./Slots.ts"
import type { RunWatch } from "./RunWatch.ts"
import { frameIn, type Saga } from "./saga/Saga.ts"

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

/** What a layer does with what is inside. */
type Wrap = (layer: Layer, self: AnyEffect) => unknown

/** The layers around an effect. One that throws, or gives no effect, is a defect like any other of the resource. */
const wrapIn = (step: Step, layers: ReadonlyArray<Layer>, self: AnyEffect, wrap: Wrap): AnyEffect =>
  layers.reduce((effect, layer) => Effect.suspend(() => asEffect(step, wrap(layer, effect))), self)

/** Which item failed, and with what. */
interface ItemFailure extends FailedItem {
  readonly attempts: number
  readonly error: unknown
}

/** How attempts hold slots: see `Load`. */
type Holding = Pick<Load, "goesOn" | "holdsSlot">

/** What is tried: a resource, or one item of one that is a list. */
class Tried {
  readonly index: number
  readonly item: number | undefined
  /** How many attempts there were, how many of them run, and how many slots it has. */
  attempts = 0
  running = 0
  slots = 0
  /** Of a list, how its items failed. */
  failures: Array<ItemFailure> | undefined = undefined

  constructor(index: number, item: number | undefined) {
    this.index = index
    this.item = item
  }
}

/** Who is told of what concerns others: that somebody may take a slot, and that nothing is to go on. */
interface Telling {
  readonly onSlots: () => void
  readonly abort: (index: number, cause: Cause.Cause<unknown>) => void
  readonly rewind: (index: number, cause: Cause.Cause<unknown>, rewind: Rewind) => boolean
}

export class Attempts {
  private readonly slots: Slots | undefined
  private readonly watch: RunWatch | undefined
  private readonly scope: Scope.Scope | undefined
  private readonly saga: Saga | undefined
  private readonly run: Telling
  // Made when the first step needs it: most runs never do.
  private tried: Map<number, Tried> | undefined = undefined
  /** Attempts that wait for a slot: when the run is over, nobody else will tell them. */
  private waiting: Set<() => void> | undefined = undefined
  private over = false

  constructor(
    slots: Slots | undefined,
    watch: RunWatch | undefined,
    scope: Scope.Scope | undefined,
    saga: Saga | undefined,
    run: Telling
  ) {
    this.slots = slots
    this.watch = watch
    this.scope = scope
    this.saga = saga
    this.run = run
  }

  /** How often a step was tried, once it has been. */
  count(index: number): number {
    return this.tried?.get(index)?.attempts || 1
  }

  /** A load inside its policies. As `load` is the user's, it may give no effect at all: see `asEffect`. */
  begin(index: number, step: Load, deps: Dependencies): unknown {
    if (step.outer.length > 0) this.watch?.policiesStarted(index)
    else if (step.items === undefined) this.watch?.attemptStarted(index, 1, undefined)
    if (step.plain && this.scope === undefined) return call(step.load, deps)
    const tried = this.of(index)
    const wrap = this.wrapping(tried, step, deps)
    const load = step.items === undefined ? this.alone(tried, step, deps) : this.list(index, step, step.items, deps)
    const attempt = this.scoped(wrapIn(step, step.inner, load, wrap))
    const whole =
      step.outer.length === 0
        ? attempt
        : wrapIn(step, step.outer, this.again(tried, step, this.undoneIfFailed(attempt)), wrap)
    return this.saga !== undefined && step.undoes ? this.saga.whole(whole) : whole
  }

  /** The run is over: whoever waits for a slot will never get one. */
  end(): void {
    this.over = true
    for (const giveUp of this.waiting ?? []) giveUp()
  }

  takeSlot(index: number): void {
    this.of(index).slots++
  }

  /** Gives back the slots of a step that has settled, and says whether there were any. Nobody is told yet. */
  giveBackSlots(index: number): boolean {
    const tried = this.tried?.get(index)
    return tried !== undefined && this.keepSlots(tried, 0)
  }

  private of(index: number): Tried {
    this.tried ??= new Map()
    let tried = this.tried.get(index)
    if (tried === undefined) this.tried.set(index, (tried = new Tried(index, undefined)))
    return tried
  }

  private scoped(self: AnyEffect): AnyEffect {
    return this.scope === undefined ? self : inChildScope(self, this.scope)
  }

  /** An attempt that others may follow: what it had done is undone when it fails. */
  private undoneIfFailed(self: AnyEffect): AnyEffect {
    return this.saga === undefined ? self : this.saga.attempt(self)
  }

  private wrapping(tried: Tried, step: Load, deps: Dependencies, item?: unknown): Wrap {
    const aborting = (cause: Cause.Cause<unknown>): AnyEffect => {
      if (tried.item !== undefined) this.itemFailed(tried, item, cause)
      this.run.abort(tried.index, cause)
      return Effect.interrupt
    }
    const rewinding: LayerObserver["rewinding"] = (cause, rewind) => this.run.rewind(tried.index, cause, rewind)
    const observer: LayerObserver = { ...this.observerOf(tried), aborting, rewinding }
    return ({ undo, wrap }, self) => {
      if (undo === undefined || this.saga === undefined) return wrap(self, observer)
      return this.saga.undoable(tried.index, self, undo, deps, () => ({
        resource: step.name,
        attempts: tried.attempts || 1,
        item: tried.item === undefined ? undefined : { index: tried.item, value: item }
      }))
    }
  }

  private observerOf(tried: Tried): Omit<LayerObserver, "aborting" | "rewinding"> {
    return {
      degraded: (fallback, error) => this.watch?.degraded(tried.index, fallback, error),
      pausing: (pause) => {
        this.watch?.retryScheduled(tried.index, tried.attempts + 1, tried.item, pause)
        if (!Duration.isZero(pause)) this.offerSlots(tried)
      }
    }
  }

  /** The load of a resource that is one thing. */
  private alone(tried: Tried, step: Load, deps: Dependencies): AnyEffect {
    const load = Effect.suspend(() => asEffect(step, call(step.load, deps)))
    return step.isLoader ? this.enclosed(tried, step, load, this.around(tried.index)) : load
  }

  /** The loads of a list, side by side. The first that fails interrupts the others. */
  private list(index: number, step: Load, items: ItemLoads, deps: Dependencies): AnyEffect {
    return Effect.suspend(() => {
      const all = Array.from(items.items(deps))
      this.watch?.itemsStarted(index, all.length)
      const load = (item: unknown, k: number) => this.item(new Tried(index, k), step, items, item, deps)
      return Effect.forEach(all, load, { concurrency: items.concurrency })
    })
  }

  /** The load of one item inside its policies. */
  private item(tried: Tried, step: Load, items: ItemLoads, item: unknown, deps: Dependencies): AnyEffect {
    const wrap = this.wrapping(tried, step, deps, item)
    const load = Effect.suspend(() => asEffect(step, items.load(item, deps, tried.item!)))
    const attempt = this.scoped(wrapIn(step, items.inner, this.enclosed(tried, step, load, undefined), wrap))
    const tries = this.watched(tried, items, items.outer.length === 0 ? attempt : this.undoneIfFailed(attempt))
    const whole = wrapIn(step, items.outer, tries, wrap)
    return Effect.onExit(whole, (exit) => {
      if (Exit.isSuccess(exit)) this.offerSlots(tried)
      else this.itemFailed(tried, item, exit.cause)
      return Effect.void
    })
  }

  /** What failed is noted by its list, and so are its slots: until what follows is known, nobody else may have them. */
  private itemFailed(tried: Tried, value: unknown, cause: Cause.Cause<unknown>): void {
    const list = this.of(tried.index)
    list.slots += tried.slots
    tried.slots = 0
    const reason = cause.reasons.find(Cause.isFailReason)
    if (reason === undefined) return
    list.failures ??= []
    list.failures.push({ index: tried.item!, value, attempts: tried.attempts, error: reason.error })
  }

  /** The item of a list whose failure this is, the last such one. */
  failedItem(index: number, error: unknown): ItemFailure | undefined {
    return this.tried?.get(index)?.failures?.findLast((failure) => Object.is(failure.error, error))
  }

  /** What runs inside a load that may run another loader. */
  private enclosed(tried: Tried, step: Load, load: AnyEffect, slots: OuterSlots | undefined): AnyEffect {
    const { saga, watch } = this
    if (slots === undefined && watch === undefined && saga === undefined) return load
    const reporter = watch?.reporter
    const parent = watch?.parentOf(tried.index, tried.item)
    return Effect.withFiber((fiber) => {
      const frame = saga === undefined ? undefined : frameIn(fiber.context)
      const keeper = frame === undefined ? undefined : { frame, index: tried.index, resource: step.name }
      return Effect.provideService(load, Enclosing, { slots, parent, reporter, keeper })
    })
  }

  /** The slots of this run, for a run inside one of its steps. */
  private around(index: number): OuterSlots | undefined {
    const { run, slots } = this
    if (slots === undefined) return undefined
    return {
      limit: slots.limit,
      request: (resume) => slots.request(index, resume),
      release: () => slots.release(),
      offer: () => run.onSlots()
    }
  }

  /** Gives back all slots but so many, and says whether there were any to give back. */
  private keepSlots(tried: Tried, kept: number): boolean {
    if (this.slots === undefined || tried.slots <= kept) return false
    for (; tried.slots > kept; tried.slots--) this.slots.release()
    return true
  }

  /** Gives back what no running attempt needs, and says so at once. */
  private offerSlots(tried: Tried): void {
    if (this.keepSlots(tried, tried.running)) this.run.onSlots()
  }

  /** Waits for a slot in the order of urgency. Interrupting it gives up the place; the end of the run interrupts it. */
  private waitForSlot(tried: Tried, attempt: number, slots: Slots): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.over) return resume(Effect.interrupt)
      const giveUp = () => resume(Effect.interrupt)
      const waiting = (this.waiting ??= new Set())
      waiting.add(giveUp)
      const waiter = slots.request(tried.index, () => {
        waiting.delete(giveUp)
        tried.slots++
        resume(Effect.void)
      })
      this.run.onSlots()
      if (waiter.waits) this.watch?.queued(tried.index, attempt, tried.item)
      return Effect.sync(() => {
        waiting.delete(giveUp)
        waiter.waits = false
      })
    })
  }

  /** An attempt in the context that those who watch give it. */
  private placed({ index, item }: Tried, attempt: number, self: AnyEffect): AnyEffect {
    const { watch } = this
    if (watch === undefined || !watch.places) return self
    const within = (context: Context.Context<unknown>): Context.Context<unknown> =>
      watch.within(context as Context.Context<never>, index, attempt, item) as Context.Context<unknown>
    return Effect.updateContext(self, within)
  }

  /** One attempt of a resource, as often as it is run. */
  private again(tried: Tried, step: Load, self: AnyEffect): AnyEffect {
    if (step.items === undefined) return this.watched(tried, step, self)
    // Of a list, the attempts are those of its items.
    return Effect.suspend(() => {
      tried.attempts++
      return self
    })
  }

  /** One attempt, as often as it is run: it is counted and watched, and holds a slot of its own while it lasts. */
  private watched(tried: Tried, { goesOn, holdsSlot }: Holding, self: AnyEffect): AnyEffect {
    return Effect.suspend(() => {
      const attempt = ++tried.attempts
      const run = Effect.suspend(() => {
        tried.running++
        this.watch?.attemptStarted(tried.index, attempt, tried.item)
        return Effect.onExit(this.placed(tried, attempt, self), (exit) => {
          tried.running--
          this.watch?.attemptEnded(tried.index, attempt, tried.item, exit)
          // One slot stays: either a pause comes next, which frees it, or the resource settles now, and until its
          // dependents stand in line nobody else may take it. Only what goes on after an attempt goes on without.
          if (goesOn) this.offerSlots(tried)
          else if (this.keepSlots(tried, Math.max(tried.running, 1))) this.run.onSlots()
          return Effect.void
        })
      })
      if (this.slots === undefined || !holdsSlot || tried.slots > tried.running) return run
      return Effect.andThen(this.waitForSlot(tried, attempt, this.slots), run)
    })
  }
}
