/** What is around a load: its layers, what they tell, and what is done about it. */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Origin } from "../cache/Key.ts"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { ItemLoads, Load } from "../compile/Program.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver, Refusal, Rewind } from "../model/Node.ts"
import { type Around, keyOfItem, keyOfWhole, OutsideRun, policiesInside, type Wrapped } from "./Refresh.ts"
import type { RunWatch } from "../watch/RunWatch.ts"
import { PerCall } from "../model/PerCall.ts"
import { beginning, noting } from "../undo/SideEffect.ts"
import type { Saga } from "../undo/Saga.ts"
import type { Of } from "../undo/Undoing.ts"
import type { Tried } from "./AttemptState.ts"
import { wrapIn } from "../model/UserEffect.ts"

/** What layers need of those who run the load. */
export interface Host {
  readonly watch: RunWatch | undefined
  readonly saga: Saga | undefined
  /** What loads that belong to no run need. */
  readonly around: Around
  /** What does not run now needs no slot. */
  readonly pauses: (tried: Tried) => void
  readonly aborts: (tried: Tried, item: unknown, cause: Cause.Cause<unknown>) => AnyEffect
  readonly rewinds: (tried: Tried, cause: Cause.Cause<unknown>, rewind: Rewind) => boolean
}

/** An item of a list. */
interface Item {
  readonly items: ItemLoads
  readonly value: unknown
}

const unchanged = (self: AnyEffect): AnyEffect => self

export class Layered implements LayerObserver {
  private readonly host: Host
  readonly tried: Tried
  private readonly step: Load
  private readonly deps: Dependencies
  private readonly item: Item | undefined
  private ifAnyWrapped: Wrapped | undefined = undefined

  constructor(host: Host, tried: Tried, step: Load, deps: Dependencies, item?: Item) {
    this.host = host
    this.tried = tried
    this.step = step
    this.deps = deps
    this.item = item
  }

  /** A load in the layers of one attempt. What these do before a cache is asked is a part of what the load does. */
  attempt(layers: ReadonlyArray<Layer>, load: AnyEffect): AnyEffect {
    if (this.host.saga === undefined || !this.step.undoes) return this.within(layers, load)
    const known = layers.findIndex(({ mayKnow }) => mayKnow)
    const own = known < 0 ? layers.length : known
    return this.within(layers.slice(own), this.within(layers.slice(0, own), load, beginning))
  }

  /** Layers around an effect, the first innermost. What undoes it is for the run to keep. */
  within(layers: ReadonlyArray<Layer>, self: AnyEffect, each: (self: AnyEffect) => AnyEffect = unchanged): AnyEffect {
    if (layers.length === 0) return self
    const { saga } = this.host
    return wrapIn(this.step, layers, self, ({ mayKnow, undo, wrap }, inside) => {
      if (saga === undefined) return wrap(inside, this)
      if (undo === undefined) return each(wrap(mayKnow === true ? noting(inside) : inside, this))
      return saga.undoable(this.tried.index, inside, undo, this.deps, () => this.done())
    })
  }

  /** Layers around what comes of an attempt that was refused: it has never begun, so nothing of it is to be undone. */
  withinRefused(layers: ReadonlyArray<Layer>, self: AnyEffect): AnyEffect {
    return wrapIn(this.step, layers, self, (layer, inside) => layer.wrap(inside, this))
  }

  get resource(): string {
    return this.step.name
  }

  degraded(fallback: string, error: unknown): void {
    this.host.watch?.degraded(this.tried.index, fallback, error)
  }

  pausing(pause: Duration.Duration): void {
    const { attempts, index, item } = this.tried
    this.host.watch?.retryScheduled(index, attempts + 1, item, pause)
    if (!Duration.isZero(pause)) this.host.pauses(this.tried)
  }

  outrun(): void {
    this.host.pauses(this.tried)
  }

  hedging(): void {
    const { attempts, index, item } = this.tried
    this.host.watch?.hedgeStarted(index, attempts + 1, item)
  }

  refused(refusal: Refusal): void {
    this.host.watch?.refused(this.tried.index, this.tried.item, refusal)
  }

  perCall(report: Effect.Effect<void>): void {
    const { tried } = this
    tried.perCall ??= new PerCall()
    tried.perCall.add(report)
  }

  get call(): object | undefined {
    return this.tried.call
  }

  cacheRead(cache: string, level: CacheLevel, result: CacheResult, reason?: string): void {
    const { index, item } = this.tried
    this.host.watch?.cacheRead(index, item, { cache, level, result, ...(reason === undefined ? {} : { reason }) })
  }

  origin(layer: Layer): string | Origin {
    const { deps, item, step } = this
    const key = item === undefined ? keyOfWhole(step, deps) : keyOfItem(step, item.items, item.value, deps)
    return key ?? this.outside.origin(this.wrapped, layer)
  }

  policiesInside(layer: Layer): string {
    return policiesInside(this.wrapped, layer)
  }

  outsideRun(layer: Layer): AnyEffect {
    return this.outside.inside(this.wrapped, layer)
  }

  aborting(cause: Cause.Cause<unknown>): AnyEffect {
    return this.host.aborts(this.tried, this.item?.value, cause)
  }

  rewinding(cause: Cause.Cause<unknown>, rewind: Rewind): boolean {
    return this.host.rewinds(this.tried, cause, rewind)
  }

  /** What was done here, for what undoes it. */
  private done(): Of {
    const { begun, item } = this.tried
    return {
      resource: this.step.name,
      attempts: begun,
      item: item === undefined ? undefined : { index: item, value: this.item!.value }
    }
  }

  private get outside(): OutsideRun {
    return new OutsideRun(this.step, this.deps, this.host.around)
  }

  private get wrapped(): Wrapped {
    return (this.ifAnyWrapped ??=
      this.item === undefined
        ? this.outside.whole()
        : this.outside.item(this.item.items, this.item.value, this.tried.item!))
  }
}
