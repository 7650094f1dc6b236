/** The host of loads: compiles and checks loads inside layers. */
import type { Host } from "../model/Kind.ts"
import { check } from "./Check.ts"
import { layerOf } from "./LensLayer.ts"
import { attempted, wrapped } from "./Layering.ts"

export const host: Host = {
  check,
  layerOf,
  toStep: ({ source }, common, layers, load) =>
    attempted(common, wrapped(layers, common.name), { load, key: source.key })
}
