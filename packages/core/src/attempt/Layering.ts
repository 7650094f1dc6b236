/** Layers as they stand around attempts: what is around one attempt, what repeats attempts, and what attempts take. */
import type { Extension } from "../model/Extension.ts"
import type { KeyOf, Layer, Seal } from "../model/Node.ts"
import {
  type Asks,
  type Attempted,
  type Common,
  type ItemLoads,
  type Step,
  stepOf,
  type Wrapped
} from "../model/Step.ts"
import { attempting } from "./Attempts.ts"
import { effects, type Loading } from "./Loading.ts"

const none: ReadonlyArray<never> = []

/**
 * Layers up to the first that repeats are one attempt; without one, up to the first that may know the value. That one and
 * what follows go around the attempts.
 */
export const splitLayers = (layers: ReadonlyArray<Layer>): readonly [ReadonlyArray<Layer>, ReadonlyArray<Layer>] => {
  if (layers.length === 0) return [none, none]
  const repeats = layers.findIndex((layer) => layer.repeats)
  const boundary = repeats < 0 ? layers.findIndex((layer) => layer.mayKnow) : repeats
  return boundary < 0 ? [layers, none] : [layers.slice(0, boundary), layers.slice(boundary)]
}

/** Whether what is around attempts may get by without them, or goes on after them: then only they take slots. */
const beginsFree = (outer: ReadonlyArray<Layer>): boolean =>
  outer.some(({ continues, mayKnow }) => continues || mayKnow === true)

export const takesPermits = ({ takes }: Layer): boolean => takes !== undefined

/** Whether it may refuse what is inside before that takes permits. */
export const guards = ({ protects, takes }: Layer): boolean => protects !== undefined && takes === undefined

/** What stays of a layer in its place when it stands around calls: it gives their refusals to who waits. */
export const toRefusals = (layer: Layer): Layer =>
  layer.protects === undefined ? layer : { ...layer, repeats: false, wrap: layer.protects.inPlace }

/** What protects a backend counts its calls: what a cache knows, or another caller loads, is none. */
const insideCaches = (layers: ReadonlyArray<Layer>): ReadonlyArray<Layer> => {
  const cache = layers.findIndex(({ mayKnow }) => mayKnow)
  const around = cache < 0 ? none : layers.slice(cache + 1).filter(guards)
  if (around.length === 0) return layers
  const inside = around.map((layer) => ({ ...layer, wrap: layer.protects!.furtherIn }))
  const listed = (layer: Layer): Layer => (guards(layer) ? { ...toRefusals(layer), unlisted: true } : layer)
  return [...layers.slice(0, cache), ...inside, ...layers.slice(cache).map(listed)]
}

/** All layers around attempts, innermost first. */
const layersIn = ({ inner, outer }: Pick<Wrapped, "inner" | "outer">): ReadonlyArray<Layer> => [...inner, ...outer]

/** `around`: the layers around the list, of its items. */
export type ToWrapped = (layers: ReadonlyArray<Layer>, resource: string, around?: ReadonlyArray<Layer>) => Wrapped

/**
 * Layers as they stand around attempts. Wherever a limit was piped, its permits are taken outside of one attempt: where
 * that is further in than it was piped, the layer stays there, and turns a refusal into the error that it is.
 */
export const wrapped: ToWrapped = (given, resource, around = none) => {
  const layers = insideCaches(given)
  const [inner, outer] = splitLayers(layers)
  const layer = layers.find(takesPermits) ?? around.find(takesPermits)
  const inside = inner.findIndex(takesPermits)
  const limit = layer?.takes && {
    label: layer.label,
    takes: layer.takes,
    limiter: -1,
    permits: layer.takes.count,
    resource,
    inside: inside < 0 ? inner.length : inside,
    surfaces: inside < 0
  }
  return {
    inner: inside < 0 ? inner : inner.toSpliced(inside, 1),
    outer,
    limit,
    goesOn: outer.some(({ continues }) => continues),
    beginsFree: beginsFree(outer),
    holdsSlot: true,
    asks: undefined,
    loading: effects
  }
}

/** A list in its layers. Where they limit it, it is each item that takes permits. */
export const aroundItems = (layers: ReadonlyArray<Layer>, loading: Loading): Wrapped => {
  const [inner, outer] = splitLayers(layers)
  return {
    inner,
    outer,
    limit: undefined,
    goesOn: outer.some(({ continues }) => continues),
    beginsFree: beginsFree(outer),
    holdsSlot: false,
    asks: undefined,
    loading
  }
}

/**
 * What the layers around a load seal it with: nothing where a `key` says what its value depends on. Policies of a resolver's
 * calls take their services from those who ask, so that what asks through them is not sealed.
 */
const sealOf = (wrapped: Wrapped, asks: Asks | undefined, key: object | undefined): Seal | undefined =>
  key !== undefined || (asks?.calls.length ?? 0) > 0
    ? undefined
    : layersIn(wrapped).find(({ seal }) => seal !== undefined)?.seal

/** Whether something is undone, or what is around may be taken back. */
const undoesIn = (wrapped: Wrapped): boolean =>
  layersIn(wrapped).some(({ rewind, undo }) => undo !== undefined || rewind !== undefined)

/** A cache inside an attempt has its slot already: no load waits there for one. */
const extensionsIn = ({ asks, inner, limit, outer }: Wrapped): ReadonlyArray<Extension> =>
  [
    limit?.takes.extension,
    asks?.limit?.takes.extension,
    ...inner.map(({ extension, mayKnow }) => (mayKnow === true ? undefined : extension)),
    ...outer.map(({ extension }) => extension)
  ].filter((extension) => extension !== undefined)

interface Loaded {
  readonly load: Attempted["load"]
  readonly key: KeyOf | undefined
  readonly items?: ItemLoads
  readonly isLoader?: boolean
}

/**
 * A step that is loaded by attempts. A list, and what runs another loader, hold others that do the work: they take no slot
 * from them. What they do may be undone, whatever they are wrapped in.
 */
export const attempted = (
  common: Common,
  wrapped: Wrapped,
  { isLoader = false, items, key, load }: Loaded,
  extensions: ReadonlyArray<Extension> = none
): Step => {
  const holdsSlot = wrapped.holdsSlot && items === undefined && !isLoader
  const undoes = isLoader || undoesIn(wrapped) || (items !== undefined && (items.asks === undefined || undoesIn(items)))
  const sealOfItems = items && (sealOf(wrapped, items.asks, key) ?? sealOf(items, items.asks, items.itemKey))
  const attempts: Attempted = {
    ...wrapped,
    load,
    key,
    items: items && { ...items, seal: sealOfItems },
    isLoader,
    holdsSlot,
    undoes,
    seal: sealOf(wrapped, wrapped.asks, key)
  }
  const step: Step = stepOf(common, {
    begin: ({ hooks }, index, deps) => hooks.attempts!.begin(index, step, deps),
    limit: wrapped.limit,
    beginsFree: wrapped.beginsFree || !holdsSlot,
    attempts,
    extensions: [
      attempting,
      ...extensionsIn(wrapped),
      ...(items === undefined ? none : extensionsIn(items)),
      ...extensions
    ]
  })
  return step
}
