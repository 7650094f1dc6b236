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

/** The loaders inside the steps of a program. */
export const insidesOf = ({ steps }: Program): ReadonlyArray<Inside> =>
  steps.flatMap(({ node }): Inside | ReadonlyArray<never> => insideOf(node) ?? [])

/**
 * What `make` gives for one, kept in `known`, after the same for each one `inside` it. Uses a loop, since loaders may be
 * nested deep.
 */
export const innerFirst = <One extends object, A>(
  outer: One,
  known: WeakMap<One, A>,
  inside: (one: One) => ReadonlyArray<One>,
  make: (one: One) => A
): A => {
  const open = [outer]
  for (let one = open.at(-1); one !== undefined && !known.has(outer); one = open.at(-1)) {
    const before = open.length
    for (const inner of inside(one)) if (!known.has(inner)) open.push(inner)
    if (open.length > before) continue
    if (!known.has(one)) known.set(one, make(one))
    open.pop()
  }
  return known.get(outer)!
}
