/**
 * The attempts of a run: makes the effect of a load inside its policies, counts attempts, and keeps track of their slots.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Attempting, Extension, FailureFacts, Hooks, SlotTurn } from "../model/Extension.ts"
import type { AnyEffect, Dependencies } from "../model/Node.ts"
import { abortedKey } from "../model/Recovery.ts"
import type { Attempted, Limited, Step } from "../model/Step.ts"
import { inChildScope, sealIn } from "../model/UserEffect.ts"
import type { Run } from "../run/Run.ts"
import type { Slots, Waiter } from "../run/Slots.ts"
import { AttemptState } from "./AttemptState.ts"
import type { Loading } from "./Loading.ts"
import { OnBegin } from "./OnBegin.ts"
import { PolicyStack } from "./PolicyStack.ts"

/** The layers around an attempt, and what it holds. */
export type AttemptForm = Pick<Attempted, "asks" | "goesOn" | "holdsSlot" | "inner" | "limit">

/** The slot and the permits of an attempt. An attempt counts as running from the moment it has them. */
export interface Place {
  readonly attempt: number
  permits: unknown
  isTaken: boolean
  begun: boolean
}

export const permitsOf = (turn: SlotTurn): unknown => turn.answer?.permits

export const isRefused = (turn: SlotTurn): boolean => turn.answer?.refusal !== undefined

/** An attempt that takes permits. */
interface Limiting {
  readonly limit: Limited
  readonly gate: Slots
  readonly place: Place
  readonly self: AnyEffect
}

/** How attempts take permits. The limit of a resource brings it. */
export interface Taking {
  /** One of several attempts. */
  readonly attempt: (attempts: Attempts, stack: PolicyStack, limiting: Limiting) => AnyEffect
  /** The attempt that is the whole of a step. */
  readonly whole: (attempts: Attempts, stack: PolicyStack, limit: Limited, self: AnyEffect) => AnyEffect
}

const takingOf = (limit: Limited): Taking => limit.takes.taking as Taking

export class Attempts implements Attempting {
  readonly run: Run
  // Made when the first step needs it: many runs need none.
  private states: Map<number, AttemptState> | undefined = undefined
  /** The attempts that wait for a slot. The end of the run interrupts them. */
  private waiting: Set<() => void> | undefined = undefined
  private aborted: Map<number, Cause.Cause<unknown>> | undefined = undefined
  private over = false

  constructor(run: Run) {
    this.run = run
  }

  get hooks(): Hooks {
    return {
      attempts: this,
      cause: (index, cause) => this.aborted?.get(index) ?? cause,
      failure: (base, error) => this.failureOf(base, error),
      giveBack: (index, exit) => this.giveBack(index, exit),
      stopped: () => this.end(),
      turn: (turn) => this.takeTurn(turn)
    }
  }

  begin(index: number, step: Step, deps: Dependencies): AnyEffect {
    const { hooks, sink } = this.run
    const attempted = step.attempts!
    const { inner, limit, outer } = attempted
    if (outer.length > 0) sink?.(index, undefined, { _tag: "PoliciesStarted" })
    else if (attempted.items === undefined && limit === undefined) {
      sink?.(index, undefined, { _tag: "AttemptStarted", attempt: 1 })
    }
    // A list begins with its first item. A request is an attempt as well.
    if ((attempted.holdsSlot || attempted.asks !== undefined) && limit === undefined) hooks.permits?.begun()
    const state = this.of(index)
    if (outer.length > 0) state.attempts = 0
    const stack = new PolicyStack(this, state, step, deps)
    const loading = attempted.loading as Loading
    const one = loading.inRun(this, stack, () => attempted.load(deps))
    // The items of a list are its loads.
    const load = attempted.items === undefined ? this.load(stack, attempted, one) : one
    const attempt = this.inScope(this.inSlot(attempted, stack.attempt(inner, load)))
    let whole = attempt
    if (outer.length > 0) {
      const kept = hooks.retried?.(index, attempt) ?? attempt
      whole = stack.within(outer, loading.again?.(this, stack, kept) ?? this.watched(stack, attempted, kept))
    } else if (limit !== undefined) whole = takingOf(limit).whole(this, stack, limit, attempt)
    return hooks.whole?.(index, whole) ?? whole
  }

  abort(index: number, cause: Cause.Cause<unknown>): void {
    if (this.run.stopped !== undefined) return
    const key = Context.Service<never, true>(abortedKey)
    ;(this.aborted ??= new Map()).set(index, Cause.annotate(cause, Context.make(key, true as never)))
    if (this.run.failFast) this.run.stop({ _tag: "Failed", resource: this.run.program.steps[index]!.name })
  }

  /** The load itself, inside its seal. */
  load(stack: PolicyStack, { seal }: Pick<Attempted, "seal">, self: AnyEffect): AnyEffect {
    const sealed = sealIn(seal, stack.step, self)
    return this.run.hooks.load?.(stack, sealed) ?? sealed
  }

  /** Releases the slots that no running attempt needs, and offers them at once. */
  offerSlots(state: AttemptState): void {
    if (this.keepSlots(state, state.running)) this.run.onSlots()
  }

  private failureOf(base: number, error: unknown): FailureFacts | undefined {
    const state = this.states?.get(base)
    return state && (state.failures?.find(error) ?? { attempts: state.begun, item: undefined })
  }

  /** The run has ended: interrupts the attempts that wait for a slot. */
  private end(): void {
    this.over = true
    for (const giveUp of this.waiting ?? []) giveUp()
  }

  private takeTurn(turn: SlotTurn): boolean {
    if (this.run.program.steps[turn.index]!.attempts === undefined) return false
    const state = this.of(turn.index)
    if (!isRefused(turn)) state.slots++
    if (turn.limit !== undefined) state.turn = turn
    return true
  }

  private giveBack(index: number, exit: Exit.Exit<unknown, unknown>): boolean {
    const state = this.states?.get(index)
    if (state === undefined) return false
    if (state.turn !== undefined && !isRefused(state.turn)) this.run.hooks.permits!.end(permitsOf(state.turn), exit)
    return this.keepSlots(state, 0)
  }

  of(index: number): AttemptState {
    this.states ??= new Map()
    let state = this.states.get(index)
    if (state === undefined) this.states.set(index, (state = new AttemptState(index, undefined, 1)))
    return state
  }

  /** Releases all slots except `kept`. Returns whether it released any. */
  private keepSlots(state: AttemptState, kept: number): boolean {
    const { gate } = this.run
    if (gate === undefined || state.slots <= kept) return false
    for (; state.slots > kept; state.slots--) gate.release()
    return true
  }

  /**
   * Waits for a turn in the order of urgency. An interruption gives up the place, and the end of the run interrupts the wait. The
   * wait is always interruptible: an attempt that lost against another one would otherwise wait for that one's slot.
   */
  waitForTurn(state: AttemptState, place: Place, slots: Slots, limit?: Limited): Effect.Effect<Waiter> {
    const wait = Effect.callback<Waiter>((resume) => {
      if (this.over) return resume(Effect.interrupt)
      const giveUp = () => resume(Effect.interrupt)
      const waiting = (this.waiting ??= new Set())
      waiting.add(giveUp)
      const waiter = slots.request(state.index, limit, () => {
        waiting.delete(giveUp)
        if (!isRefused(waiter)) {
          state.slots++
          this.take(state, place, waiter)
        }
        resume(Effect.succeed(waiter))
      })
      this.run.onSlots()
      if (waiter.waits) {
        const limit = slots.reasonOf(waiter)
        this.run.sink?.(state.index, state.item, { _tag: "Queued", attempt: place.attempt, limit })
      }
      return Effect.sync(() => {
        waiting.delete(giveUp)
        waiter.waits = false
      })
    })
    return Effect.interruptible(wait)
  }

  /**
   * The effect of one attempt, counted and reported, with its own slot. Several attempts may run at once. An attempt counts as
   * running from the moment it has its slot, so that no other attempt of its resource takes that slot as free.
   */
  watched(stack: PolicyStack, holding: AttemptForm, self: AnyEffect): AnyEffect {
    const { state } = stack
    return Effect.suspend(() => {
      const place: Place = { attempt: ++state.attempts, permits: undefined, isTaken: false, begun: false }
      const counted = holding.asks === undefined && state.perCall !== undefined ? state.perCall.before(self) : self
      const whole = Effect.withFiber((fiber) => this.inPlace(fiber, stack, holding, place, counted))
      return Effect.onExitPrimitive(whole, (exit) => {
        if (place.isTaken) this.leave(state, holding, place, exit)
        return undefined
      })
    })
  }

  private inPlace(
    fiber: Fiber.Fiber<unknown, unknown>,
    stack: PolicyStack,
    holding: AttemptForm,
    place: Place,
    self: AnyEffect
  ): AnyEffect {
    const { gate } = this.run
    const { state } = stack
    if (gate !== undefined && holding.holdsSlot) {
      const { limit } = holding
      if (limit !== undefined) return takingOf(limit).attempt(this, stack, { gate, limit, place, self })
      if (state.slots <= state.running) {
        return Effect.andThen(this.waitForTurn(state, place, gate), this.trying(state, place, self))
      }
    }
    this.take(state, place)
    return this.attempt(fiber, state, place, self)
  }

  /** An attempt inside a slot, noted in its context. */
  inSlot({ holdsSlot }: Pick<AttemptForm, "holdsSlot">, self: AnyEffect): AnyEffect {
    return holdsSlot ? (this.run.hooks.inSlot?.(self) ?? self) : self
  }

  take(state: AttemptState, place: Place, turn?: SlotTurn): void {
    state.running++
    place.isTaken = true
    place.permits = turn === undefined ? undefined : permitsOf(turn)
  }

  trying(state: AttemptState, place: Place, self: AnyEffect): AnyEffect {
    return Effect.withFiber((fiber) => this.attempt(fiber, state, place, self))
  }

  private attempt(
    fiber: Fiber.Fiber<unknown, unknown>,
    { index, item }: AttemptState,
    place: Place,
    self: AnyEffect
  ): AnyEffect {
    const { hooks, sink } = this.run
    place.begun = true
    sink?.(index, item, { _tag: "AttemptStarted", attempt: place.attempt })
    fiber.getRef(OnBegin)()
    return hooks.attemptContext?.(index, place.attempt, item, self) ?? self
  }

  private leave(state: AttemptState, { goesOn }: AttemptForm, place: Place, exit: Exit.Exit<unknown, unknown>): void {
    const { hooks, sink } = this.run
    const { attempt, begun, permits } = place
    state.running--
    if (permits !== undefined) hooks.permits!.end(permits, exit)
    if (begun) sink?.(state.index, state.item, { _tag: "AttemptEnded", attempt, exit })
    // One slot stays with the resource. Either a pause follows, which releases it, or the resource settles, and no other step may
    // take the slot before its dependents are in line. Layers that continue after an attempt continue without a slot.
    if (goesOn) this.offerSlots(state)
    else if (this.keepSlots(state, Math.max(state.running, 1))) this.run.onSlots()
  }

  /** An attempt in its own scope, if the caller has a scope. */
  inScope(self: AnyEffect): AnyEffect {
    const { scope } = this.run
    return scope === undefined ? self : inChildScope(self, scope)
  }
}

/** Runs the attempts of steps with policies, lists, requests and nested loaders. */
export const attempting: Extension = { open: (run: Run) => new Attempts(run).hooks }
