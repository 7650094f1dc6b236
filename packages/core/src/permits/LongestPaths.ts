/** Estimates the time from each step to the end of the run, by learned latencies of limited attempts. Linear in the program. */
import { mayWaitFor } from "../compile/Layout.ts"
import type { Program } from "../compile/Program.ts"
import type { Limited, Step } from "../model/Step.ts"

const limitOf = ({ attempts }: Step): Limited | undefined => attempts?.limit ?? attempts?.items?.limit

/** The longest path from each step, itself included. Steps without limits count as 0. */
export const longestPaths = ({ steps }: Program, usual: (limit: Limited) => number): Float64Array => {
  const paths = new Float64Array(steps.length)
  for (let i = steps.length - 1; i >= 0; i--) {
    const limit = limitOf(steps[i]!)
    if (limit !== undefined) paths[i]! += usual(limit)
    for (const j of mayWaitFor(steps[i]!)) paths[j] = Math.max(paths[j]!, paths[i]!)
  }
  return paths
}
