/** The path of a failure to a target, for errors that name it. */
import { mayWaitFor } from "./Layout.ts"
import type { Program } from "./Program.ts"

const none = -1

/** For each step, the next step on a shortest path to a target; of several paths, the first declared. */
const towardsTargets = (program: Program): Int32Array => {
  const next = new Int32Array(program.steps.length).fill(none)
  const seen = new Uint8Array(program.steps.length)
  const queue: Array<number> = []
  const visit = (i: number, from: number): void => {
    if (seen[i] === 1) return
    seen[i] = 1
    next[i] = from
    queue.push(i)
  }
  for (const i of program.targets.sources) visit(i, none)
  for (let head = 0; head < queue.length; head++) {
    for (const j of mayWaitFor(program.steps[queue[head]!]!)) visit(j, queue[head]!)
  }
  return next
}

const computed = new WeakMap<Program, Int32Array>()

/**
 * The names on a shortest path from a target to a step. Computed for the whole program when the first step fails.
 */
export const pathTo = (program: Program, index: number): ReadonlyArray<string> => {
  let next = computed.get(program)
  if (next === undefined) computed.set(program, (next = towardsTargets(program)))
  const names: Array<string> = []
  for (let i = index; i !== none; i = next[i]!) {
    const { name } = program.steps[i]!
    if (names.at(-1) !== name) names.push(name)
  }
  return names.reverse()
}
