/** Which steps of a program are to be waited for by batches that are held: see `Batching.graphAware`. */
import { type Hold, holdOf } from "../batching/Hold.ts"
import { baseOf } from "../model/Node.ts"
import type { Choices, Lists, Program, Step } from "../compile/Program.ts"

/** A step that will ask graph-aware resolvers, or that has others inside that may. */
export interface Foreseen {
  readonly index: number
  readonly holds: ReadonlyArray<Hold>
  /** The choices that may want it, where nothing else does. */
  readonly choosers: ReadonlyArray<number>
}

const none: ReadonlyArray<never> = []

const holdsOf = (step: Step, inside: (loader: unknown) => ReadonlyArray<Hold>): ReadonlyArray<Hold> => {
  if (step.kind !== "load") return none
  const { source } = baseOf(step.node)
  if (source._tag === "Loader") return inside(source.loader())
  const resolvers =
    source._tag === "Request"
      ? [source.resolver]
      : source._tag === "List"
        ? [...(source.resolver === undefined ? none : [source.resolver]), ...source.resolvers]
        : none
  return resolvers.flatMap((resolver) => holdOf(resolver) ?? none)
}

/** The choices that may want a step, or what waits for it. */
const choosersOf = (index: number, { choosers, optional }: Choices, dependents: Lists): ReadonlyArray<number> => {
  if (optional[index] === 0) return none
  const found = new Set<number>()
  const seen = new Set([index])
  // A set tells of what is added while it is gone through.
  for (const i of seen) {
    for (let k = choosers.start[i]!; k < choosers.start[i + 1]!; k++) {
      const match = choosers.items[k]!
      found.add(match)
      if (optional[match] === 1) seen.add(match)
    }
    for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) {
      if (optional[dependents.items[k]!] === 1) seen.add(dependents.items[k]!)
    }
  }
  return [...found]
}

/** The steps that batches may be held for; nothing, where there are none. */
export const foresee = (
  { choices, dependents, steps }: Program,
  inside: (loader: unknown) => ReadonlyArray<Hold>
): ReadonlyArray<Foreseen> | undefined => {
  const foreseen = steps.flatMap((step, index): ReadonlyArray<Foreseen> => {
    const holds = holdsOf(step, inside)
    if (holds.length === 0) return none
    return [{ index, holds, choosers: choices === undefined ? none : choosersOf(index, choices, dependents) }]
  })
  return foreseen.length === 0 ? undefined : foreseen
}
