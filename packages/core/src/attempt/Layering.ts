/** Sorts the layers of a load: those around one attempt, those around all attempts, and the limit that attempts take. */
import type { Extension } from "../model/Extension.ts"
import type { Layer, Seal } from "../model/Node.ts"
import { type Attempted, type Common, type Step, stepOf, type Wrapped } from "../model/Step.ts"
import { attempting } from "./Attempts.ts"
import { effects, type Loading } from "./Loading.ts"

const none: ReadonlyArray<never> = []

/**
 * Splits layers into those of one attempt and those around all attempts. The boundary is the first layer that repeats;
 * without one, the first that may know the value.
 */
export const splitLayers = (layers: ReadonlyArray<Layer>): readonly [ReadonlyArray<Layer>, ReadonlyArray<Layer>] => {
  if (layers.length === 0) return [none, none]
  const repeats = layers.findIndex((layer) => layer.repeats)
  const boundary = repeats < 0 ? layers.findIndex((layer) => layer.mayKnow) : repeats
  return boundary < 0 ? [layers, none] : [layers.slice(0, boundary), layers.slice(boundary)]
}

/** Whether an outer layer may end without an attempt, or continue after the attempts: then only attempts take slots. */
const beginsFree = (outer: ReadonlyArray<Layer>): boolean =>
  outer.some(({ continues, mayKnow }) => continues || mayKnow === true)

export const takesPermits = ({ takes }: Layer): boolean => takes !== undefined

/** Whether a layer may refuse an attempt before it takes permits. */
export const guards = ({ protects, takes }: Layer): boolean => protects !== undefined && takes === undefined

/** The part of a moved layer that stays in its place and passes the refusals of calls to the waiters. */
export const toRefusals = (layer: Layer): Layer =>
  layer.protects === undefined ? layer : { ...layer, repeats: false, wrap: layer.protects.inPlace }

/** A protection counts calls of its backend, so it moves inside of caches: a cache hit is not a call. */
export const insideCaches = (layers: ReadonlyArray<Layer>): ReadonlyArray<Layer> => {
  const cache = layers.findIndex(({ mayKnow }) => mayKnow)
  const around = cache < 0 ? none : layers.slice(cache + 1).filter(guards)
  if (around.length === 0) return layers
  const inside = around.map((layer) => ({ ...layer, wrap: layer.protects!.furtherIn }))
  const listed = (layer: Layer): Layer => (guards(layer) ? { ...toRefusals(layer), unlisted: true } : layer)
  return [...layers.slice(0, cache), ...inside, ...layers.slice(cache).map(listed)]
}

/** All layers, innermost first. */
const layersIn = ({ inner, outer }: Pick<Wrapped, "inner" | "outer">): ReadonlyArray<Layer> => [...inner, ...outer]

/** `around`: the layers around the list, of its items. */
export type ToWrapped = (layers: ReadonlyArray<Layer>, resource: string, around?: ReadonlyArray<Layer>) => Wrapped

/**
 * Sorts the layers of a load. Permits are taken outside of one attempt, wherever the limit was piped. If the limit was piped
 * further out, its layer stays there and turns a refusal into an error.
 */
export const wrapped: ToWrapped = (given, resource, around = none) => {
  const layers = given.find(({ arrange }) => arrange !== undefined)?.arrange!(given) ?? given
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

/** The layers around a list. Its items take the permits of a limit. */
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
 * The seal that the layers of a load ask for. A load with a `key` needs none. Policies around the calls of a resolver read the
 * services of the callers, so their requests are not sealed.
 */
export const sealOf = (wrapped: Wrapped, key: object | undefined): Seal | undefined =>
  key !== undefined || (wrapped.asks?.calls.length ?? 0) > 0
    ? undefined
    : layersIn(wrapped).find(({ seal }) => seal !== undefined)?.seal

/** Whether a layer undoes or rewinds. */
export const undoesIn = (wrapped: Wrapped): boolean =>
  layersIn(wrapped).some(({ rewind, undo }) => undo !== undefined || rewind !== undefined)

/** The extensions that layers bring. A cache inside an attempt needs none: the attempt has its slot already. */
export const extensionsIn = ({ asks, inner, limit, outer }: Wrapped): ReadonlyArray<Extension> =>
  [
    limit?.takes.extension,
    asks?.limit?.takes.extension,
    ...inner.map(({ extension, mayKnow }) => (mayKnow === true ? undefined : extension)),
    ...outer.map(({ extension }) => extension)
  ].filter((extension) => extension !== undefined)

/** The load, and the changes of a kind to its attempts. */
type Loaded = Partial<Attempted> & Pick<Attempted, "load" | "key">

/** Makes a step that attempts load. */
export const attempted = (
  common: Common,
  wrapped: Wrapped,
  loaded: Loaded,
  extensions: ReadonlyArray<Extension> = none
): Step => {
  const attempts: Attempted = {
    ...wrapped,
    items: undefined,
    isLoader: false,
    undoes: undoesIn(wrapped),
    seal: sealOf(wrapped, loaded.key),
    ...loaded
  }
  const step: Step = stepOf(common, {
    begin: ({ hooks }, index, deps) => hooks.attempts!.begin(index, step, deps),
    limit: wrapped.limit,
    beginsFree: wrapped.beginsFree || !attempts.holdsSlot,
    attempts,
    extensions: [attempting, ...extensionsIn(wrapped), ...extensions]
  })
  return step
}
