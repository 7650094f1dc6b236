/** Policies. Each brings the code that runs loads inside layers. */
import type { Layer } from "../model/Node.ts"
import { type Policy, policyOf } from "../model/Policy.ts"
import { host } from "./Host.ts"

/** A layer that brings the code that runs loads inside it. */
export const hosted = (layer: Layer): Layer => ({ ...layer, host })

/** A policy of these layers, innermost first. */
export const fromLayers = <PE, PR>(parts: ReadonlyArray<Layer>): Policy<PE, PR> => policyOf(parts.map(hosted))
