/** The layers around a load or an item: applies them, and implements what they report and ask. */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Hooks, LoadPlace, StepFact } from "../model/Extension.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver, Refusal, Rewind, SharedCall } from "../model/Node.ts"
import { PerCall } from "../model/PerCall.ts"
import type { FailedItem } from "../model/ResourceError.ts"
import type { Attempted, LayerPlace, ItemPlace, Step } from "../model/Step.ts"
import { wrapIn } from "../model/UserEffect.ts"
import type { Attempts } from "./Attempts.ts"
import type { AttemptState } from "./AttemptState.ts"
import { layersInside } from "./LayersInside.ts"

export class PolicyStack implements LayerObserver, LoadPlace, LayerPlace {
  readonly state: AttemptState
  readonly step: Step
  readonly deps: Dependencies
  private readonly attempts: Attempts
  readonly hooks: Hooks
  readonly item: ItemPlace | undefined

  constructor(attempts: Attempts, state: AttemptState, step: Step, deps: Dependencies, item?: ItemPlace) {
    this.attempts = attempts
    this.hooks = attempts.run.hooks
    this.state = state
    this.step = step
    this.deps = deps
    this.item = item
  }

  get index(): number {
    return this.state.index
  }

  get attempted(): Attempted {
    return this.step.attempts!
  }

  /** Wraps a load in the layers of one attempt. Their work before the read of a cache counts as part of the load. */
  attempt(layers: ReadonlyArray<Layer>, load: AnyEffect): AnyEffect {
    if (this.hooks.layer === undefined || !this.attempted.undoes) return this.within(layers, load)
    const known = layers.findIndex(({ mayKnow }) => mayKnow)
    const own = known < 0 ? layers.length : known
    return this.within(layers.slice(own), this.within(layers.slice(0, own), load, true))
  }

  /** Wraps an effect in layers, the first innermost. */
  within(layers: ReadonlyArray<Layer>, self: AnyEffect, isLoad = false): AnyEffect {
    if (layers.length === 0) return self
    const around = this.hooks.layer
    if (around === undefined) return this.withinRefused(layers, self)
    return wrapIn(this.step, layers, self, (layer, inside) =>
      around(this, layer, isLoad, (inner) => layer.wrap(inner, this), inside)
    )
  }

  /** Wraps a refused attempt in layers. It has not begun, so there is nothing to undo. */
  withinRefused(layers: ReadonlyArray<Layer>, self: AnyEffect): AnyEffect {
    return wrapIn(this.step, layers, self, (layer, inside) => layer.wrap(inside, this))
  }

  get resource(): string {
    return this.step.name
  }

  degraded(fallback: string, error: unknown): void {
    this.attempts.run.sink?.(this.index, undefined, { _tag: "Degraded", fallback, error })
  }

  pausing(pause: Duration.Duration): void {
    this.tell({ _tag: "RetryScheduled", attempt: this.nextAttempt, pause })
    if (!Duration.isZero(pause)) this.attempts.offerSlots(this.state)
  }

  outrun(): void {
    this.attempts.offerSlots(this.state)
  }

  get nextAttempt(): number {
    return this.state.attempts + 1
  }

  refused(refusal: Refusal): void {
    this.tell({ _tag: "Refused", refusal })
  }

  tell(fact: StepFact): void {
    this.attempts.run.sink?.(this.index, this.state.item, fact)
  }

  perCall(report: Effect.Effect<void>): void {
    const { state } = this
    state.perCall ??= new PerCall()
    state.perCall.add(report)
  }

  get call(): SharedCall | undefined {
    return this.state.call
  }

  get place(): LayerPlace {
    return this
  }

  aborting(cause: Cause.Cause<unknown>): AnyEffect {
    this.item?.failed?.(cause)
    this.attempts.abort(this.index, cause)
    return Effect.interrupt
  }

  rewinding(cause: Cause.Cause<unknown>, rewind: Rewind): boolean {
    return this.hooks.rewinding?.(this.index, cause, rewind) === true
  }

  dormant(wait: AnyEffect): AnyEffect {
    const { index, item } = this.state
    const whole = this.hooks.dormant?.(index, item, wait) ?? wait
    return Effect.suspend(() => {
      this.attempts.offerSlots(this.state)
      return whole
    })
  }

  remembered(layer: Layer, value: unknown): AnyEffect {
    const around = this.hooks.layer
    const known = Effect.succeed(value)
    if (around === undefined) return known
    const keep = (self: AnyEffect, inside: Layer): AnyEffect =>
      inside.undo === undefined ? self : around(this, inside, false, (self) => self, self)
    return layersInside(this, layer).reduce(keep, this.hooks.load?.(this, known) ?? known)
  }

  get begun(): number {
    return this.state.begun
  }

  get failedItem(): FailedItem | undefined {
    const { item } = this
    return item === undefined ? undefined : { index: item.index, value: item.value }
  }
}
