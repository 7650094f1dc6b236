/**
 * The load inside a layer: how its value is identified, and how it loads outside of a run, as in a refresh of a cache. Such loads
 * are not reported, take no slot, and release their resources at their end. They take permits of limiters like other loads.
 */
import * as Effect from "effect/Effect"
import { answerOf, aString } from "../base/UserValue.ts"
import type { Origin } from "../cache/Key.ts"
import type { AnyEffect, Layer, LayerObserver } from "../model/Node.ts"
import { PerCall } from "../model/PerCall.ts"
import type { Asks, Attempted, LayerPlace, ItemLoads } from "../model/Step.ts"
import { unheard } from "../model/Unheard.ts"
import { sealIn, wrapIn } from "../model/UserEffect.ts"
import { layersInside, wrappedIn } from "./LayersInside.ts"
import type { Loading } from "./Loading.ts"

export interface InsideLayer {
  /** Identifies the value: by the key of the declaration, or by its makers and dependencies. */
  readonly origin: () => string | Origin
  /** The load, for use outside of the run. */
  readonly load: () => AnyEffect
  /** The labels of the policies, default policies included: they decide when a load gives up. */
  readonly policies: () => string
}

/** The load inside a layer. Around the call of a resolver, it is `self`. */
export const insideOf = ({ place }: LayerObserver, layer: Layer, self: AnyEffect): InsideLayer =>
  place === undefined
    ? { origin: () => layer.label, load: () => self, policies: () => "" }
    : {
        origin: () => keyIn(place) ?? originIn(place, layer),
        load: () => loadIn(place, layer),
        policies: () =>
          layersInside(place, layer)
            .map(({ label }) => label)
            .join()
      }

/** The key that the declaration computes, if any. */
const keyIn = ({ deps, item, step }: LayerPlace): string | undefined => {
  const { key } = step.attempts!
  if (item === undefined) return key === undefined ? undefined : answerOf(step, "`key`", aString, () => key(deps))
  const { itemKey } = item.items
  return itemKey === undefined ? undefined : answerOf(step, "`itemKey`", aString, () => itemKey(item.value, deps))
}

/** The makers of an answer besides the request. */
const askedBy = (asks: Asks | undefined): ReadonlyArray<unknown> =>
  asks === undefined ? [] : [asks.resolver, asks.asking]

/** Whether a load may use the index: unless it declares one or two parameters. (A length of 0 may hide rest parameters.) */
const isIndexUsed = ({ load }: ItemLoads): boolean => load.length !== 1 && load.length !== 2

/** Identifies the value inside a layer without a key of the declaration: by its dependencies and its makers. */
const originIn = (place: LayerPlace, layer: Layer): Origin => {
  const { deps, item, step } = place
  const { asks, items, load } = step.attempts!
  const changes = layersInside(place, layer).flatMap(({ changes }) => (changes === undefined ? [] : [changes]))
  const origin = { resource: step.name, load: items?.load ?? load }
  if (item === undefined) {
    const others = items === undefined ? askedBy(asks) : [items.items, ...askedBy(items.asks)]
    return { ...origin, others: [...others, ...changes], of: deps }
  }
  const { index, value } = item
  // Most loads ignore the index. Then the cached value of an item is valid at another position.
  const of = isIndexUsed(item.items) ? { item: value, deps, index } : { item: value, deps }
  return { ...origin, others: [...askedBy(item.items.asks), ...changes], of }
}

/** The load with the policies inside a layer, or with all policies. */
const loadIn = (place: LayerPlace, layer?: Layer): AnyEffect => {
  const { inner, limit, outer } = wrappedIn(place)
  const count = layer === undefined ? Infinity : [...inner, ...outer].indexOf(layer)
  const perCall = new PerCall()
  const observer: LayerObserver = {
    ...unheard,
    perCall: (report) => perCall.add(report),
    resource: place.step.name,
    place
  }
  const wrap = (layer: Layer, self: AnyEffect): AnyEffect => layer.wrap(self, observer)
  const load = perCall.before(Effect.scoped(bareIn(place)))
  const attempt = wrapIn(place.step, inner.slice(0, count), load, wrap)
  const limited = limit === undefined ? attempt : place.hooks.permits!.byHand(limit, attempt)
  return wrapIn(place.step, outer.slice(0, Math.max(0, count - inner.length)), limited, wrap)
}

/** The load without policies. */
const bareIn = (place: LayerPlace): AnyEffect => {
  const { deps, hooks, item, step } = place
  const attempted = step.attempts!
  const { items, load } = attempted
  const one = ({ loading, seal }: Pick<Attempted, "loading" | "seal">, given: () => unknown): AnyEffect =>
    sealIn(seal, step, (loading as Loading).outside(step, given))
  if (item !== undefined) return one(item.items, () => item.items.load(item.value, deps, item.index))
  if (items === undefined) return one(attempted, () => load(deps))
  return Effect.suspend(() =>
    Effect.forEach(
      items.read(step, items.items(deps)),
      (value, index) => loadIn({ step, deps, hooks, item: { items, value, index } }),
      { concurrency: items.concurrency }
    )
  )
}
