/**
 * Loads that belong to no run, such as refreshes of a cache: no observer sees them, they take no slot, and they release what
 * they acquire when they end. They take permits of limiters like any other load.
 */
import * as Effect from "effect/Effect"
import type { Origin } from "../cache/Key.ts"
import type { Permitting } from "../model/Extension.ts"
import type { AnyEffect, Dependencies, Layer, LayerObserver } from "../model/Node.ts"
import { PerCall } from "../model/PerCall.ts"
import { unheard } from "../model/Unheard.ts"
import { answerOf, aString } from "../base/UserValue.ts"
import type { Asks, Attempted, ItemLoads, Step, Wrapped } from "../model/Step.ts"
import type { Loading } from "./Loading.ts"
import { sealIn, wrapIn } from "../model/UserEffect.ts"

/** The load inside layers, and what identifies its value. */
export interface RefreshableLoad {
  readonly load: AnyEffect
  readonly layers: Pick<Wrapped, "inner" | "outer" | "limit">
  /** The key that the declaration gives. */
  readonly key: () => string | undefined
  /** What identifies a value without a key: its dependencies, and its makers, of which the load function is the first. */
  readonly of: unknown
  readonly makers: readonly [object, ...ReadonlyArray<unknown>]
}

/** The labels of the policies inside a layer. */
export const policiesInside = ({ layers }: RefreshableLoad, layer: Layer): string =>
  insideOf(layers, layer)
    .map(({ label }) => label)
    .join()

/** The key that the declaration of a resource gives, if it gives any. */
export const keyOfWhole = (step: Step, deps: Dependencies): string | undefined => {
  const { key } = step.attempts!
  return key === undefined ? undefined : answerOf(step, "`key`", aString, () => key(deps))
}

/** The key that it gives for an item of its list. */
export const keyOfItem = (step: Step, { itemKey }: ItemLoads, item: unknown, deps: Dependencies): string | undefined =>
  itemKey === undefined ? undefined : answerOf(step, "`itemKey`", aString, () => itemKey(item, deps))

export class Refresh {
  private readonly step: Step
  private readonly deps: Dependencies
  private readonly permits: Permitting | undefined

  constructor(step: Step, deps: Dependencies, permits: Permitting | undefined) {
    this.step = step
    this.deps = deps
    this.permits = permits
  }

  get resource(): string {
    return this.step.name
  }

  /** The load of the whole. */
  whole(): RefreshableLoad {
    const { deps, step } = this
    const attempted = step.attempts!
    const { asks, items, load } = attempted
    return {
      load: items === undefined ? this.one(attempted, () => load(deps)) : this.all(items),
      layers: attempted,
      key: () => keyOfWhole(step, deps),
      of: deps,
      makers: items === undefined ? [load, ...askedBy(asks)] : [items.load, items.items, ...askedBy(items.asks)]
    }
  }

  /** The load of one item of a list. */
  item(items: ItemLoads, item: unknown, index: number): RefreshableLoad {
    const { deps, step } = this
    return {
      load: this.one(items, () => items.load(item, deps, index)),
      layers: items,
      key: () => keyOfItem(step, items, item, deps),
      // Most loads ignore the index, so an item is found again at another position.
      of: isIndexUsed(items) ? { item, deps, index } : { item, deps },
      makers: [items.load, ...askedBy(items.asks)]
    }
  }

  /** Identifies the value inside a layer whose declaration gives no key. */
  origin({ layers, makers, of }: RefreshableLoad, layer: Layer): Origin {
    const [load, ...others] = makers
    for (const { changes } of insideOf(layers, layer)) if (changes !== undefined) others.push(changes)
    return { resource: this.resource, load, others, of }
  }

  /** The load with the policies inside a layer, or with all policies where no layer is given. */
  inside(wrapped: RefreshableLoad, layer?: Layer): AnyEffect {
    const { inner, limit, outer } = wrapped.layers
    const count = layer === undefined ? Infinity : [...inner, ...outer].indexOf(layer)
    const perCall = new PerCall()
    const observer: LayerObserver = {
      ...unheard,
      perCall: (report) => perCall.add(report),
      resource: this.resource,
      origin: (layer) => wrapped.key() ?? this.origin(wrapped, layer),
      refresh: (layer) => this.inside(wrapped, layer),
      policiesInside: (layer) => policiesInside(wrapped, layer)
    }
    const wrap = (layer: Layer, self: AnyEffect): AnyEffect => layer.wrap(self, observer)
    const attempt = wrapIn(this.step, inner.slice(0, count), perCall.before(Effect.scoped(wrapped.load)), wrap)
    const limited = limit === undefined ? attempt : this.permits!.byHand(limit, attempt)
    return wrapIn(this.step, outer.slice(0, Math.max(0, count - inner.length)), limited, wrap)
  }

  private one({ loading, seal }: Pick<Attempted, "loading" | "seal">, given: () => unknown): AnyEffect {
    return sealIn(seal, this.step, (loading as Loading).outside(this.step, given))
  }

  private all(items: ItemLoads): AnyEffect {
    const load = (item: unknown, index: number): AnyEffect => this.inside(this.item(items, item, index))
    return Effect.suspend(() =>
      Effect.forEach(items.read(this.step, items.items(this.deps)), load, { concurrency: items.concurrency })
    )
  }
}

/** What else decides the answer to a request. */
const askedBy = (asks: Asks | undefined): ReadonlyArray<unknown> =>
  asks === undefined ? [] : [asks.resolver, asks.asking]

/** The layers inside a layer, innermost first. */
export const insideOf = ({ inner, outer }: RefreshableLoad["layers"], layer: Layer): ReadonlyArray<Layer> => {
  const all = [...inner, ...outer]
  return all.slice(0, all.indexOf(layer))
}

/** Whether a load may use the index: unless it declares one or two parameters. (A length of 0 may hide rest parameters.) */
const isIndexUsed = ({ load }: ItemLoads): boolean => load.length !== 1 && load.length !== 2
