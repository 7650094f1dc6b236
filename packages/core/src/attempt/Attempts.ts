/**
 * The attempts of a run: how a load becomes an effect inside its policies, how often it was tried, and which of them
 * hold one of the run's slots.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { ItemLoads, Limited, Load } from "../compile/Program.ts"
import { Held } from "../base/Held.ts"
import type { LimitExceeded } from "../limiter/LimitExceeded.ts"
import type { HeldPermits } from "../limiter/HeldPermits.ts"
import type { RunPermits } from "../permits/RunPermits.ts"
import type { AnyEffect, Dependencies, Rewind } from "../model/Node.ts"
import { OnBegin } from "./OnBegin.ts"
import { Enclosing } from "../nested/ParentRun.ts"
import type { Foresight } from "../request/Foresight.ts"
import { type Host, Layered } from "./PolicyStack.ts"
import type { OuterSlots } from "../nested/ParentSlots.ts"
import { asRequest, Requests } from "../request/Requests.ts"
import type { RunWatch } from "../watch/RunWatch.ts"
import { doing } from "../undo/SideEffect.ts"
import type { Saga } from "../undo/Saga.ts"
import type { Slots, Waiter } from "../run/Slots.ts"
import { type ItemFailure, Tried } from "./AttemptState.ts"
import { asEffect, call, inChildScope, sealIn } from "../model/UserEffect.ts"

/** How attempts are wrapped, and what they hold: see `Load`. */
type Holding = Pick<Load, "asks" | "goesOn" | "holdsSlot" | "inner" | "limit">

/** Whether requests have nothing around them that could need a scope. */
const isBareRequest = ({ asks, inner, outer }: Pick<Load, "asks" | "inner" | "outer">): boolean =>
  asks !== undefined && asks.asking === undefined && inner.length + outer.length === 0

/** Whether items load by themselves, and nothing around their list could count their attempts. */
const isBare = ({ outer }: Load, { asks, inner, limit, outer: around }: ItemLoads): boolean =>
  asks === undefined && limit === undefined && inner.length + outer.length + around.length === 0

/** What an attempt has, and whether it has it yet: from then on it counts as running. */
interface Place {
  readonly attempt: number
  permit: HeldPermits | undefined
  isTaken: boolean
  begun: boolean
}

/** What attempts tell the run that they are of. */
interface Telling {
  /** Somebody may be able to take a slot. */
  readonly onSlots: () => void
  /** Nothing is to go on. */
  readonly abort: (index: number, cause: Cause.Cause<unknown>) => void
  readonly rewind: (index: number, cause: Cause.Cause<unknown>, rewind: Rewind) => boolean
  readonly foresight: Foresight | undefined
}

export class Attempts implements Host {
  readonly watch: RunWatch | undefined
  readonly saga: Saga | undefined
  private readonly slots: Slots | undefined
  private readonly limits: RunPermits | undefined
  private readonly scope: Scope.Scope | undefined
  private readonly requests: Requests
  private readonly run: Telling
  // Made when the first step needs it: most runs never do.
  private tried: Map<number, Tried> | undefined = undefined
  /** Attempts that wait for a slot: when the run is over, nobody else will tell them. */
  private waiting: Set<() => void> | undefined = undefined
  private over = false

  constructor(
    slots: Slots | undefined,
    limits: RunPermits | undefined,
    watch: RunWatch | undefined,
    scope: Scope.Scope | undefined,
    saga: Saga | undefined,
    run: Telling
  ) {
    this.slots = slots
    this.limits = limits
    this.watch = watch
    this.scope = scope
    this.saga = saga
    this.requests = new Requests(watch, run.foresight)
    this.run = run
  }

  /** Few runs ever load anything outside of themselves. */
  get around(): Host["around"] {
    return {
      withPermits: (limit, self) => this.limits!.byHand(limit, self)
    }
  }

  /** How often a step was tried, which is once where nothing could have it tried more or less often. */
  count(index: number): number {
    const tried = this.tried?.get(index)
    return tried === undefined ? 1 : tried.begun
  }

  /** A load inside its policies. As `load` is the user's, it may give no effect at all: see `asEffect`. */
  begin(index: number, step: Load, deps: Dependencies): unknown {
    if (step.outer.length > 0) this.watch?.policiesStarted(index)
    else if (step.items === undefined && step.limit === undefined) this.watch?.attemptStarted(index, 1, undefined)
    // A list has begun when one of its items has; a request is an attempt as well.
    const isAttempt = step.holdsSlot || step.asks !== undefined
    if (this.limits !== undefined && isAttempt && step.limit === undefined) this.limits.hasBegun = true
    if (step.plain && step.asks !== undefined && this.watch === undefined) {
      return this.requests.askBarely(index, step, step.asks, deps)
    }
    const isBareLoad = step.plain && step.asks === undefined && this.slots?.supply === undefined
    if (isBareLoad && this.scope === undefined) return call(step.load, deps)
    const tried = this.of(index)
    if (step.outer.length > 0) tried.attempts = 0
    const layered = new Layered(this, tried, step, deps)
    const load = step.items === undefined ? this.alone(tried, step, deps) : this.list(index, step, step.items, deps)
    const inner = this.inSlot(step, layered.attempt(step.inner, load))
    const attempt = isBareRequest(step) ? inner : this.inScope(inner)
    if (step.outer.length > 0) return this.whole(index, step, this.inPolicies(layered, step, attempt))
    return this.whole(index, step, step.limit === undefined ? attempt : this.only(layered, step, step.limit, attempt))
  }

  /** The run is over: whoever waits for a slot will never get one. */
  end(): void {
    this.over = true
    for (const giveUp of this.waiting ?? []) giveUp()
  }

  /** A step is given its turn. */
  takeTurn(turn: Waiter): void {
    const tried = this.of(turn.index)
    if (!turn.isRefused) tried.slots++
    if (turn.limit !== undefined) tried.turn = turn
  }

  /** Gives back what a step has that has settled, and says whether there were any slots. Of those nobody is told yet. */
  giveBack(index: number, exit: Exit.Exit<unknown, unknown>): boolean {
    const tried = this.tried?.get(index)
    if (tried === undefined) return false
    if (tried.turn?.loan !== undefined) this.limits!.end(tried.turn.loan, exit)
    return this.keepSlots(tried, 0)
  }

  private of(index: number): Tried {
    this.tried ??= new Map()
    let tried = this.tried.get(index)
    if (tried === undefined) this.tried.set(index, (tried = new Tried(index, undefined, 1)))
    return tried
  }

  pauses(tried: Tried): void {
    this.offerSlots(tried)
  }

  aborts(tried: Tried, item: unknown, cause: Cause.Cause<unknown>): AnyEffect {
    if (tried.item !== undefined) this.itemFailed(tried, item, cause)
    this.run.abort(tried.index, cause)
    return Effect.interrupt
  }

  rewinds(tried: Tried, cause: Cause.Cause<unknown>, rewind: Rewind): boolean {
    return this.run.rewind(tried.index, cause, rewind)
  }

  /** Attempts in the policies around them. */
  private inPolicies(layered: Layered, step: Load, attempt: AnyEffect): AnyEffect {
    return layered.within(step.outer, this.again(layered, step, this.undoneIfFailed(step, attempt)))
  }

  /** All of a step: what it has done is the run's when it succeeds. */
  private whole(index: number, step: Load, self: AnyEffect): AnyEffect {
    if (this.saga === undefined || !step.undoes) return self
    const runsLoaders = step.isLoader || step.items !== undefined
    return this.saga.whole(self, runsLoaders ? { index, resource: step.name } : undefined)
  }

  /** An attempt that others may follow: what it had done is undone when it fails. */
  private undoneIfFailed(step: Load, self: AnyEffect): AnyEffect {
    return this.saga === undefined || !step.undoes ? self : this.saga.attempt(self)
  }

  /** The load of a resource that is one thing. */
  private alone(tried: Tried, step: Load, deps: Dependencies): AnyEffect {
    if (step.asks !== undefined) {
      const asked = this.requests.ask(tried, step.asks, () => asRequest(step, step.load(deps)))
      return this.deed(step, sealIn(step.seal, step, asked))
    }
    const load = sealIn(
      step.seal,
      step,
      Effect.suspend(() => asEffect(step, "`load`", call(step.load, deps)))
    )
    return this.deed(step, step.isLoader ? this.enclosed(tried, load, this.slotsAround(tried.index)) : load)
  }

  /** What may have to be undone, or cleaned up after, from when it begins. */
  private deed(step: Load, self: AnyEffect): AnyEffect {
    return this.saga === undefined || !step.undoes ? self : doing(self)
  }

  /** The loads of a list, side by side. The first that fails interrupts the others. */
  private list(index: number, step: Load, items: ItemLoads, deps: Dependencies): AnyEffect {
    return Effect.suspend(() => {
      const all = items.read(step, items.items(deps))
      this.watch?.itemsStarted(index, all.length)
      if (items.asks !== undefined && this.watch === undefined && isBareRequest(items)) {
        const onFailure = (k: number, cause: Cause.Cause<unknown>): void =>
          this.itemFailed(new Tried(index, k, 1), all[k], cause)
        const { asks } = items
        const asked = this.requests.askForAll(index, step, { ...items, asks }, all, deps, onFailure)
        return this.deed(step, sealIn(items.seal, step, asked))
      }
      if (this.isBare && isBare(step, items)) {
        const bare = (item: unknown, k: number) => this.bareItem(index, step, items, item, k, deps)
        return this.deed(step, Effect.forEach(all, bare, { concurrency: items.concurrency }))
      }
      this.run.foresight?.listBegins(
        index,
        all.length,
        items.concurrency === "unbounded" ? Infinity : items.concurrency
      )
      const load = (item: unknown, k: number) => this.item(new Tried(index, k, 0), step, items, item, deps)
      const loads = Effect.forEach(all, load, { concurrency: items.concurrency })
      // What a list does is what its items do.
      return all.length === 0 ? this.deed(step, loads) : loads
    })
  }

  /** The load of an item that nothing wraps, and that nobody is told of. */
  private bareItem(
    index: number,
    step: Load,
    items: ItemLoads,
    item: unknown,
    k: number,
    deps: Dependencies
  ): AnyEffect {
    const load = Effect.suspend(() => asEffect(step, "`load`", items.load(item, deps, k)))
    return Effect.onExitPrimitive(load, (exit) => {
      if (Exit.isFailure(exit)) this.itemFailed(new Tried(index, k, 1), item, exit.cause)
      return undefined
    })
  }

  /** Whether nobody is told of anything, and nothing has to be had. */
  private get isBare(): boolean {
    const { scope, slots, watch } = this
    return watch === undefined && slots === undefined && scope === undefined && this.run.foresight === undefined
  }

  /** The load of one item inside its policies. */
  private item(tried: Tried, step: Load, items: ItemLoads, item: unknown, deps: Dependencies): AnyEffect {
    const layered = new Layered(this, tried, step, deps, { items, value: item })
    const given = () => items.load(item, deps, tried.item!)
    const load =
      items.asks === undefined
        ? this.enclosed(
            tried,
            Effect.suspend(() => asEffect(step, "`load`", given())),
            undefined
          )
        : this.requests.ask(tried, items.asks, () => asRequest(step, given()))
    const own = this.deed(step, sealIn(items.seal, step, load))
    const attempt = this.inScope(this.inSlot(items, layered.attempt(items.inner, own)))
    const kept = items.outer.length === 0 ? attempt : this.undoneIfFailed(step, attempt)
    const whole = layered.within(items.outer, this.watched(layered, items, kept))
    const foreseen = this.foreseeing(tried, whole)
    return Effect.onExitPrimitive(foreseen, (exit) => {
      if (Exit.isSuccess(exit)) this.offerSlots(tried)
      else this.itemFailed(tried, item, exit.cause)
      return undefined
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
    list.failures.push({ index: tried.item!, value, attempts: tried.begun, error: reason.error })
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
  private slotsAround(index: number): OuterSlots | undefined {
    const { run, slots } = this
    if (slots === undefined) return undefined
    return {
      limit: slots.limit,
      request: (resume) => slots.requestInside(index, resume),
      release: () => slots.releaseHere(),
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

  /**
   * Waits for a turn in the order of urgency. Interrupting it gives up the place; the end of the run interrupts it. It can be
   * interrupted wherever it is: what lost against another attempt of its resource would wait for that one's slot.
   */
  private waitForTurn(tried: Tried, place: Place, slots: Slots, limit?: Limited): Effect.Effect<Waiter> {
    const wait = Effect.callback<Waiter>((resume) => {
      if (this.over) return resume(Effect.interrupt)
      const giveUp = () => resume(Effect.interrupt)
      const waiting = (this.waiting ??= new Set())
      waiting.add(giveUp)
      const waiter = slots.request(tried.index, limit, () => {
        waiting.delete(giveUp)
        if (!waiter.isRefused) {
          tried.slots++
          this.take(tried, place, waiter)
        }
        resume(Effect.succeed(waiter))
      })
      this.run.onSlots()
      if (waiter.waits) this.watch?.queued(tried.index, place.attempt, tried.item, slots.reasonOf(waiter))
      return Effect.sync(() => {
        waiting.delete(giveUp)
        waiter.waits = false
      })
    })
    return Effect.interruptible(wait)
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
  private again(layered: Layered, step: Load, self: AnyEffect): AnyEffect {
    if (step.items === undefined) return this.watched(layered, step, self)
    // Of a list, the attempts are those of its items.
    return Effect.suspend(() => {
      layered.tried.attempts++
      // The slots of items that failed before, which the list has kept, are for the items that follow.
      this.offerSlots(layered.tried)
      return self
    })
  }

  /**
   * One attempt, as often as it is run: it is counted and watched, and has a place of its own while it lasts. Several may
   * run at once, so it counts as running from the moment it has its place: nobody else of its resource takes it for free.
   */
  private watched(layered: Layered, step: Holding, self: AnyEffect): AnyEffect {
    const { tried } = layered
    return Effect.suspend(() => {
      const place: Place = { attempt: ++tried.attempts, permit: undefined, isTaken: false, begun: false }
      const counted = step.asks === undefined && tried.perCall !== undefined ? tried.perCall.before(self) : self
      const whole = Effect.withFiber((fiber) => this.inPlace(fiber, layered, step, place, counted))
      return Effect.onExitPrimitive(whole, (exit) => {
        if (place.isTaken) this.leave(tried, step, place, exit)
        return undefined
      })
    })
  }

  private inPlace(
    fiber: Fiber.Fiber<unknown, unknown>,
    layered: Layered,
    step: Holding,
    place: Place,
    self: AnyEffect
  ): AnyEffect {
    const { slots } = this
    const { tried } = layered
    if (slots !== undefined && step.holdsSlot) {
      if (step.limit !== undefined) return this.limited(layered, step, step.limit, place, slots, self)
      if (tried.slots <= tried.running) {
        return Effect.andThen(this.waitForTurn(tried, place, slots), this.trying(tried, place, self))
      }
    }
    this.take(tried, place)
    return this.attempt(fiber, tried, place, self)
  }

  /** An attempt that takes permits: as soon as its turn has come, in the one that its step was given, or refused. */
  private limited(
    layered: Layered,
    step: Holding,
    limit: Limited,
    place: Place,
    slots: Slots,
    self: AnyEffect
  ): AnyEffect {
    const { tried } = layered
    const given = tried.turn
    tried.turn = undefined
    if (given?.isRefused === false) this.take(tried, place, given)
    // It is not to hold a slot while it waits for permits.
    if (given === undefined) this.offerSlots(tried)
    const turn = given === undefined ? this.waitForTurn(tried, place, slots, limit) : Effect.succeed(given)
    return Effect.flatMap(turn, ({ answer, loan }) =>
      loan === undefined
        ? this.refusal(layered, step, limit, answer as LimitExceeded)
        : this.trying(tried, place, this.limits!.lend(loan, self))
    )
  }

  /** What runs in a slot, and knows that. */
  private inSlot({ holdsSlot }: Pick<Holding, "holdsSlot">, self: AnyEffect): AnyEffect {
    const supply = this.slots?.supply
    if (supply === undefined || !holdsSlot) return self
    return Effect.updateService(self, Held, (around): Held => ({ from: supply, isOver: false, around }))
  }

  private take(tried: Tried, place: Place, turn?: Waiter): void {
    tried.running++
    place.isTaken = true
    place.permit = turn?.loan
  }

  private trying(tried: Tried, place: Place, self: AnyEffect): AnyEffect {
    return Effect.withFiber((fiber) => this.attempt(fiber, tried, place, self))
  }

  private attempt(fiber: Fiber.Fiber<unknown, unknown>, tried: Tried, place: Place, self: AnyEffect): AnyEffect {
    place.begun = true
    this.watch?.attemptStarted(tried.index, place.attempt, tried.item)
    fiber.getRef(OnBegin)()
    return this.placed(tried, place.attempt, self)
  }

  private leave(tried: Tried, { goesOn }: Holding, place: Place, exit: Exit.Exit<unknown, unknown>): void {
    tried.running--
    if (place.permit !== undefined) this.limits!.end(place.permit, exit)
    if (place.begun) this.watch?.attemptEnded(tried.index, place.attempt, tried.item, exit)
    // One slot stays: either a pause comes next, which frees it, or the resource settles now, and until its dependents
    // stand in line nobody else may take it. Only what goes on after an attempt goes on without.
    if (goesOn) this.offerSlots(tried)
    else if (this.keepSlots(tried, Math.max(tried.running, 1))) this.run.onSlots()
  }

  /** The attempt that is the whole of a step, in the turn that its step was given. */
  private only(layered: Layered, step: Load, limit: Limited, self: AnyEffect): AnyEffect {
    const { tried } = layered
    const { answer, loan } = tried.turn!
    if (loan === undefined) return this.refusal(layered, step, limit, answer as LimitExceeded)
    this.watch?.attemptStarted(tried.index, 1, undefined)
    return this.limits!.lend(loan, self)
  }

  /** What an attempt comes to that was refused: as if it had failed where its limit was piped. */
  private refusal(layered: Layered, step: Holding, limit: Limited, error: LimitExceeded): AnyEffect {
    layered.tried.refusals++
    layered.refused({ policy: limit.label, error })
    const failure = this.limits!.refuse(limit, error)
    return this.inScope(layered.withinRefused(step.inner.slice(limit.inside), failure))
  }

  /** An attempt in a scope of its own, where the caller has one. */
  private inScope(self: AnyEffect): AnyEffect {
    return this.scope === undefined ? self : inChildScope(self, this.scope)
  }
}
