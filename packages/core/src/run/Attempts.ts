/**
 * The attempts of a run: how a load becomes an effect inside its policies, how often it was tried, and which of them
 * hold one of the run's slots.
 */
import { Cause, type Context, Duration, Effect, Exit, Request, Scope } from "effect"
import type { AnyRequest } from "../batching/AnyResolver.ts"
import { ask, askAll, type Telling } from "../batching/Asking.ts"
import { type Batches, batchesOf } from "../batching/Batches.ts"
import type { Asks, ItemLoads, Limited, Load, Step } from "../compile/Program.ts"
import { LimitExceeded } from "../limiter/LimitExceeded.ts"
import { Loan } from "../limiter/Loan.ts"
import { refused } from "../limiter/Refusal.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver } from "../model/Node.ts"
import type { FailedItem } from "../model/ResourceError.ts"
import { Enclosing } from "./Enclosing.ts"
import type { Foresight } from "./Foresight.ts"
import type { OuterSlots } from "./OuterSlots.ts"
import type { RunLimits } from "./RunLimits.ts"
import type { Slots, Waiter } from "./Slots.ts"
import type { RunWatch } from "./RunWatch.ts"

/** What a user's function gives; what it throws is a defect. */
export const call = <A>(f: (argument: A) => unknown, argument: A): unknown => {
  try {
    return f(argument)
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** What a message calls by its name. */
type Named = Pick<Step, "name">

export const notAnEffect = (step: Named, value: unknown): Exit.Exit<never> =>
  Exit.die(
    new TypeError(
      `resource "${step.name}" gave ${value === null ? "null" : typeof value} where an Effect was expected: ` +
        "its `load`, the handler of its `catch`, and a policy around it must return an Effect"
    )
  )

/** What a user's function gave, if it is an effect, and otherwise a defect that says so. */
export const asEffect = (step: Named, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : notAnEffect(step, value)

/** What a user's function gave, if it is a request; otherwise a defect that says so. */
const asRequest = ({ name }: Named, value: unknown): AnyRequest => {
  if (Request.isRequest(value)) return value
  const given = value === null ? "null" : typeof value
  throw new TypeError(`resource "${name}" gave ${given} where a Request was expected: its \`request\` must return one`)
}

/** What loads a step by itself; for one that asks, a request stands in the place of an effect. */
export const loadOf = (step: Load, deps: Dependencies): unknown =>
  step.asks === undefined
    ? call(step.load, deps)
    : ask(batchesOf(step.asks.resolver), () => asRequest(step, step.load(deps)))

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
const wrapIn = (step: Named, layers: ReadonlyArray<Layer>, self: AnyEffect, observer: LayerObserver): AnyEffect =>
  layers.reduce((effect, layer) => Effect.suspend(() => asEffect(step, layer.wrap(effect, observer))), self)

/** Which item failed, and with what. */
interface ItemFailure extends FailedItem {
  readonly attempts: number
  readonly error: unknown
}

/** How attempts are wrapped, and what they hold: see `Load`. */
type Holding = Pick<Load, "goesOn" | "holdsSlot" | "inner" | "limit">

/** Whether requests have nothing around them that could need a scope. */
const isBareRequest = ({ asks, inner, outer }: Pick<Load, "asks" | "inner" | "outer">): boolean =>
  asks !== undefined && asks.asking === undefined && inner.length + outer.length === 0

/** What is tried: a resource, or one item of one that is a list. */
class Tried {
  readonly index: number
  readonly item: number | undefined
  /** How many attempts there were, how many of them run, and how many slots it has. */
  attempts = 0
  running = 0
  slots = 0
  /** The turn that its step was given: for its first attempt, which is its whole step where nothing is around it. */
  turn: Waiter | undefined = undefined
  /** Of a list, how its items failed. */
  failures: Array<ItemFailure> | undefined = undefined

  constructor(index: number, item: number | undefined) {
    this.index = index
    this.item = item
  }
}

/** Whether a limiter refused somebody whose turn has come, so that there is no slot with it. */
const isRefused = ({ answer }: Waiter): boolean => answer instanceof LimitExceeded

export class Attempts {
  private readonly slots: Slots | undefined
  private readonly limits: RunLimits | undefined
  private readonly watch: RunWatch | undefined
  private readonly scope: Scope.Scope | undefined
  /** Who is told that somebody may be able to take a slot. */
  private readonly run: { readonly onSlots: () => void; readonly foresight: Foresight | undefined }
  // Made when the first step needs it: most runs never do.
  private tried: Map<number, Tried> | undefined = undefined
  /** Attempts that wait for a slot: when the run is over, nobody else will tell them. */
  private waiting: Set<() => void> | undefined = undefined
  private over = false

  constructor(
    slots: Slots | undefined,
    limits: RunLimits | undefined,
    watch: RunWatch | undefined,
    scope: Scope.Scope | undefined,
    run: { readonly onSlots: () => void; readonly foresight: Foresight | undefined }
  ) {
    this.slots = slots
    this.limits = limits
    this.watch = watch
    this.scope = scope
    this.run = run
  }

  /** How often a step was tried, once it has been. */
  count(index: number): number {
    return this.tried?.get(index)?.attempts || 1
  }

  /** A load inside its policies. As `load` is the user's, it may give no effect at all: see `asEffect`. */
  begin(index: number, step: Load, deps: Dependencies): unknown {
    if (step.outer.length > 0) this.watch?.policiesStarted(index)
    else if (step.items === undefined && step.limit === undefined) this.watch?.attemptStarted(index, 1, undefined)
    if (this.limits !== undefined && step.limit === undefined) this.limits.hasBegun = true
    if (step.plain && this.scope === undefined && step.asks === undefined) return call(step.load, deps)
    const tried = this.of(index)
    const observer = this.observerOf(tried)
    const load = step.items === undefined ? this.alone(tried, step, deps) : this.list(index, step, step.items, deps)
    const inner = wrapIn(step, step.inner, load, observer)
    const attempt = isBareRequest(step) ? inner : this.inScope(inner)
    if (step.outer.length === 0) return step.limit === undefined ? attempt : this.only(tried, step, step.limit, attempt)
    return wrapIn(step, step.outer, this.again(tried, step, attempt), observer)
  }

  /** The run is over: whoever waits for a slot will never get one. */
  end(): void {
    this.over = true
    for (const giveUp of this.waiting ?? []) giveUp()
  }

  /** A step is given its turn. */
  takeTurn(turn: Waiter): void {
    const tried = this.of(turn.index)
    if (!isRefused(turn)) tried.slots++
    if (turn.limit !== undefined) tried.turn = turn
  }

  /** Gives back what a step has that has settled, and says whether there were any slots. Of those nobody is told yet. */
  giveBack(index: number, exit: Exit.Exit<unknown, unknown>): boolean {
    const tried = this.tried?.get(index)
    if (tried === undefined) return false
    if (tried.turn?.answer instanceof Loan) this.limits!.end(tried.turn.answer, exit)
    return this.keepSlots(tried, 0)
  }

  private of(index: number): Tried {
    this.tried ??= new Map()
    let tried = this.tried.get(index)
    if (tried === undefined) this.tried.set(index, (tried = new Tried(index, undefined)))
    return tried
  }

  private observerOf(tried: Tried): LayerObserver {
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
    if (step.asks !== undefined) return this.asking(tried, step.asks, () => asRequest(step, step.load(deps)))
    const load = Effect.suspend(() => asEffect(step, call(step.load, deps)))
    return step.isLoader ? this.enclosed(tried, load, this.around(tried.index)) : load
  }

  /** The loads of a list, side by side. The first that fails interrupts the others. */
  private list(index: number, step: Load, items: ItemLoads, deps: Dependencies): AnyEffect {
    return Effect.suspend(() => {
      const all = Array.from(items.items(deps))
      this.watch?.itemsStarted(index, all.length)
      if (items.asks !== undefined && this.watch === undefined && isBareRequest(items)) {
        return this.askForAll(index, step, items, items.asks, all, deps)
      }
      this.run.foresight?.listBegins(
        index,
        all.length,
        items.concurrency === "unbounded" ? Infinity : items.concurrency
      )
      const load = (item: unknown, k: number) => this.item(new Tried(index, k), step, items, item, deps)
      return Effect.forEach(all, load, { concurrency: items.concurrency })
    })
  }

  /** The requests of a list whose items nothing wraps, all at once. */
  private askForAll(
    index: number,
    step: Load,
    items: ItemLoads,
    asks: Asks,
    all: ReadonlyArray<unknown>,
    deps: Dependencies
  ): AnyEffect {
    return Effect.suspend(() => {
      const requests = all.map((item, k) => asRequest(step, items.load(item, deps, k)))
      const onFailure = (k: number, cause: Cause.Cause<unknown>): void => {
        const tried = new Tried(index, k)
        tried.attempts = 1
        this.itemFailed(tried, all[k], cause)
      }
      this.run.foresight?.hasCome(index, undefined)
      return askAll(this.batchesFor(asks), requests, onFailure, this.tellingOf(index))
    })
  }

  /** Asks, and tells when. */
  private asking(tried: Tried, asks: Asks, request: () => AnyRequest): AnyEffect {
    const { index, item } = tried
    const { watch } = this
    const asked = Effect.suspend(() => {
      const attempt = tried.attempts || 1
      const onSent: Telling["onSent"] = watch && ((sent) => watch.requestSent(index, attempt, item, sent))
      watch?.requestMade(index, attempt, item)
      this.run.foresight?.hasCome(index, item)
      return ask(this.batchesFor(asks), request, { ...this.tellingOf(index), onSent })
    })
    return asks.asking === undefined ? asked : asks.asking(asked)
  }

  private tellingOf(index: number): Telling {
    return { place: this.run.foresight?.placeOf(index) }
  }

  /** Where to ask. What is limited shares calls with what asks for the same permits. */
  private batchesFor({ limit, resolver }: Asks): Batches {
    return limit === undefined ? batchesOf(resolver) : this.limits!.batchesOf(limit, resolver)
  }

  /** The load of one item inside its policies. */
  private item(tried: Tried, step: Load, items: ItemLoads, item: unknown, deps: Dependencies): AnyEffect {
    const observer = this.observerOf(tried)
    const given = () => items.load(item, deps, tried.item!)
    const load =
      items.asks === undefined
        ? this.enclosed(
            tried,
            Effect.suspend(() => asEffect(step, given())),
            undefined
          )
        : this.asking(tried, items.asks, () => asRequest(step, given()))
    const inner = wrapIn(step, items.inner, load, observer)
    const attempt = this.inScope(inner)
    const whole = wrapIn(step, items.outer, this.watched(tried, items, attempt), observer)
    const foreseen = this.foreseeing(tried, whole)
    return Effect.onExit(foreseen, (exit) => {
      if (Exit.isSuccess(exit)) this.offerSlots(tried)
      else this.itemFailed(tried, item, exit.cause)
      return Effect.void
    })
  }

  /** An item of which batches know that it runs. */
  private foreseeing({ index, item }: Tried, self: AnyEffect): AnyEffect {
    const { foresight } = this.run
    if (foresight === undefined) return self
    return Effect.suspend(() => {
      foresight.itemBegins(index, item!)
      return Effect.onExit(self, () => Effect.sync(() => foresight.itemEnds(index, item!)))
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
  private enclosed(tried: Tried, load: AnyEffect, slots: OuterSlots | undefined): AnyEffect {
    const { watch } = this
    const { foresight } = this.run
    if (slots === undefined && watch === undefined && foresight === undefined) return load
    const { index, item } = tried
    return Effect.provideService(load, Enclosing, {
      slots,
      inside: foresight === undefined ? undefined : { foresight, index, item },
      parent: watch?.parentOf(index, item),
      reporter: watch?.reporter
    })
  }

  /** The slots of this run, for a run inside one of its steps. */
  private around(index: number): OuterSlots | undefined {
    const { run, slots } = this
    if (slots === undefined) return undefined
    return {
      limit: slots.limit,
      request: (resume) => slots.request(index, undefined, resume),
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

  /** Waits for a turn in the order of urgency. Interrupting it gives up the place; the end of the run interrupts it. */
  private waitForTurn(
    tried: Tried,
    attempt: number,
    slots: Slots,
    asked: { limit?: Limited; turn?: Waiter }
  ): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.over) return resume(Effect.interrupt)
      const giveUp = () => resume(Effect.interrupt)
      const waiting = (this.waiting ??= new Set())
      waiting.add(giveUp)
      const waiter = slots.request(tried.index, asked.limit, () => {
        waiting.delete(giveUp)
        if (!isRefused(waiter)) tried.slots++
        resume(Effect.void)
      })
      asked.turn = waiter
      this.run.onSlots()
      if (waiter.waits) this.watch?.queued(tried.index, attempt, tried.item, slots.reasonOf(waiter))
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

  /** One attempt, as often as it is run: it is counted and watched, and has a place of its own while it lasts. */
  private watched(tried: Tried, step: Holding, self: AnyEffect): AnyEffect {
    return Effect.suspend(() => {
      const attempt = ++tried.attempts
      const { slots } = this
      if (slots === undefined || !step.holdsSlot) return this.trying(tried, step, attempt, self)
      if (step.limit !== undefined) return this.limited(tried, step, step.limit, attempt, slots, self)
      const trying = this.trying(tried, step, attempt, self)
      if (tried.slots > tried.running) return trying
      return Effect.andThen(this.waitForTurn(tried, attempt, slots, {}), trying)
    })
  }

  private trying(tried: Tried, { goesOn }: Holding, attempt: number, self: AnyEffect, permit?: Loan): AnyEffect {
    return Effect.suspend(() => {
      tried.running++
      this.watch?.attemptStarted(tried.index, attempt, tried.item)
      return Effect.onExit(this.placed(tried, attempt, self), (exit) => {
        tried.running--
        if (permit !== undefined) this.limits!.end(permit, exit)
        this.watch?.attemptEnded(tried.index, attempt, tried.item, exit)
        // One slot stays: either a pause comes next, which frees it, or the resource settles now, and until its
        // dependents stand in line nobody else may take it. Only what goes on after an attempt goes on without.
        if (goesOn) this.offerSlots(tried)
        else if (this.keepSlots(tried, Math.max(tried.running, 1))) this.run.onSlots()
        return Effect.void
      })
    })
  }

  /** An attempt that takes permits. From asking to giving back, only the wait and the attempt can be interrupted. */
  private limited(
    tried: Tried,
    step: Holding,
    limit: Limited,
    attempt: number,
    slots: Slots,
    self: AnyEffect
  ): AnyEffect {
    return Effect.uninterruptibleMask((restore) => {
      const inTurn = ({ answer }: Waiter): AnyEffect =>
        answer instanceof Loan
          ? this.trying(tried, step, attempt, restore(this.limits!.lend(limit, answer, self)), answer)
          : restore(this.refusal(tried, step, limit, attempt, answer!))
      const given = tried.turn
      tried.turn = undefined
      if (given !== undefined) return inTurn(given)
      // It is not to hold a slot while it waits for permits.
      this.offerSlots(tried)
      const asked: { limit: Limited; turn?: Waiter } = { limit }
      const wait = Effect.onExit(restore(this.waitForTurn(tried, attempt, slots, asked)), (exit) => {
        // Its turn may have come in the moment in which it was interrupted.
        if (Exit.isFailure(exit) && asked.turn?.answer instanceof Loan) this.limits!.end(asked.turn.answer, exit)
        return Effect.void
      })
      return Effect.flatMap(wait, () => inTurn(asked.turn!))
    })
  }

  /** The attempt that is the whole of a step, in the turn that its step was given. */
  private only(tried: Tried, step: Load, limit: Limited, self: AnyEffect): AnyEffect {
    const { answer } = tried.turn!
    if (!(answer instanceof Loan)) return this.refusal(tried, step, limit, 1, answer!)
    this.watch?.attemptStarted(tried.index, 1, undefined)
    return this.limits!.lend(limit, answer, self)
  }

  /** What an attempt comes to that was refused: as if it had failed where its limit was piped. */
  private refusal(tried: Tried, step: Holding, limit: Limited, attempt: number, error: LimitExceeded): AnyEffect {
    this.watch?.refused(tried.index, attempt, tried.item, error)
    const failure = limit.surfaces ? refused(error) : Exit.fail(error)
    const rest = wrapIn({ name: limit.resource }, step.inner.slice(limit.inside), failure, this.observerOf(tried))
    return this.inScope(rest)
  }

  /** An attempt in a scope of its own, where the caller has one. */
  private inScope(self: AnyEffect): AnyEffect {
    return this.scope === undefined ? self : inChildScope(self, this.scope)
  }
}
