/** Loaders inside the steps of a program. */
import type * as Duration from "effect/Duration"
import type { Node } from "../model/Node.ts"
import type { Program } from "./Program.ts"

/** A compiled loader: its program, and how it runs. */
export interface Inside {
  readonly program: Program
  readonly limit: number | undefined
  readonly timeout: Duration.Duration | undefined
  readonly inBatches: boolean
}

/** The loader inside a step, if it runs one. */
export const insideOf = (node: Node): Inside | undefined =>
  node._tag === "View" || node.source.loader === undefined
    ? undefined
    : (node.source.loader() as { readonly compiled: Inside }).compiled
