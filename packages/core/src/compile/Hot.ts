/** The data of steps that a plain run reads, in flat arrays, which fit into the processor's cache. */
import type { Dependencies } from "../model/Node.ts"
import type { Step } from "../model/Step.ts"
import type { Lists } from "./Layout.ts"

/** A load without layers; any other step with an effect; a step that settles on the spot. */
export const Bare = 0
const Wrapped = 1
export const Inline = 2

export interface Hot {
  readonly kinds: Uint8Array
  readonly loads: ReadonlyArray<(deps: Dependencies) => unknown>
  /** The local keys of the values that each step reads. Equal lists of keys share one array. */
  readonly keys: ReadonlyArray<ReadonlyArray<string>>
  /** The indices of the values that each step reads. */
  readonly sources: Lists
}

const none: ReadonlyArray<never> = []

const noLoad = (): undefined => undefined

const kindOf = ({ begin, load }: Step): number => {
  if (load !== undefined) return Bare
  return begin === undefined ? Inline : Wrapped
}

export const toHot = (steps: ReadonlyArray<Step>): Hot => {
  const known = new Map<string, ReadonlyArray<string>>()
  const start = new Int32Array(steps.length + 1)
  steps.forEach(({ sources }, i) => (start[i + 1] = start[i]! + sources.length))
  const items = new Int32Array(start[steps.length]!)
  steps.forEach(({ sources }, i) => items.set(sources, start[i]))
  return {
    kinds: Uint8Array.from(steps, kindOf),
    loads: steps.map(({ load = noLoad }) => load),
    keys: steps.map(({ keys }) => {
      if (keys.length === 0) return none
      const name = keys.length === 1 ? keys[0]! : JSON.stringify(keys)
      const same = known.get(name)
      if (same === undefined) known.set(name, keys)
      return same ?? keys
    }),
    sources: { start, items }
  }
}
