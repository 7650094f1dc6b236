/** The layers inside a layer. */
import type { Layer } from "../model/Node.ts"
import type { LayerPlace, Wrapped } from "../model/Step.ts"

/** The load at a place: an item, or a whole resource. */
export const wrappedIn = ({ item, step }: LayerPlace): Wrapped => item?.items ?? step.attempts!

/** The layers inside a layer, innermost first. */
export const layersInside = (place: LayerPlace, layer: Layer): ReadonlyArray<Layer> => {
  const { inner, outer } = wrappedIn(place)
  const all = [...inner, ...outer]
  return all.slice(0, all.indexOf(layer))
}
