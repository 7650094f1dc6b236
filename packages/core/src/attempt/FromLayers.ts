/** Policies. Each brings what runs loads inside its layers. */
import type { Layer } from "../model/Node.ts"
import { type Policy, policyOf } from "../model/Policy.ts"
import { host } from "./Host.ts"

/** A layer inside which loads are run. */
export const hosted = (layer: Layer): Layer => ({ ...layer, host })

/** A policy of these layers, innermost first. */
export const fromLayers = <PE, PR>(parts: ReadonlyArray<Layer>): Policy<PE, PR> => policyOf(parts.map(hosted))
