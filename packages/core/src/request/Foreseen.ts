/** Finds the steps for whose requests held batches wait: see `Batching.graphAware`. */
import { type Hold, holdOf } from "../batching/Hold.ts"
import { innerFirst, insideOf, insidesOf } from "../compile/Inside.ts"
import { type Lists, mayChooseOf, reversed } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import type { Step } from "../model/Step.ts"

/** A step that asks graph-aware resolvers, itself or in nested loaders. */
export interface Foreseen {
  readonly index: number
  readonly holds: ReadonlyArray<Hold>
  /** The choices that may want it, if nothing else does. */
  readonly choosers: ReadonlyArray<number>
}

const none: ReadonlyArray<never> = []

const holdsInside = (program: Program): ReadonlyArray<Hold> =>
  Array.from(new Set((foreseenBy.get(program) ?? none).flatMap(({ holds }) => holds)))

const holdsOf = ({ attempts, node }: Step): ReadonlyArray<Hold> => {
  const inside = insideOf(node)
  if (inside !== undefined) return holdsInside(inside.program)
  const items = attempts?.items
  const resolvers = [attempts?.asks?.resolver, items?.asks?.resolver, ...(items?.resolvers ?? none)]
  return resolvers.flatMap((resolver) => (resolver === undefined ? none : (holdOf(resolver) ?? none)))
}

/** The choices that may want a step or a dependent of it. */
const choosersOf = (index: number, optional: Uint8Array, choosers: Lists, dependents: Lists): ReadonlyArray<number> => {
  if (optional[index] === 0) return none
  const found = new Set<number>()
  const seen = new Set([index])
  // The iteration of a set also visits items that are added meanwhile.
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

const foreseenIn = ({ dependents, optional, steps }: Program): ReadonlyArray<Foreseen> => {
  let choosers: Lists | undefined
  return steps.flatMap((step, index): ReadonlyArray<Foreseen> => {
    const holds = holdsOf(step)
    if (holds.length === 0) return none
    if (optional === undefined) return [{ index, holds, choosers: none }]
    choosers ??= reversed(steps, mayChooseOf)
    return [{ index, holds, choosers: choosersOf(index, optional, choosers, dependents) }]
  })
}

const foreseenBy = new WeakMap<Program, ReadonlyArray<Foreseen>>()

const programsInside = (program: Program): ReadonlyArray<Program> => insidesOf(program).map((inside) => inside.program)

/** The steps for which batches may be held. */
export const foreseenOf = (program: Program): ReadonlyArray<Foreseen> =>
  innerFirst(program, foreseenBy, programsInside, foreseenIn)
