/** The longest path through a plan, by the duration of each resource, and the slack of all others. */
import type { Plan } from "./Plan.ts"

export interface CriticalPath {
  /** The resources on the longest path, first to last. Of several paths, the first declared. */
  readonly resources: ReadonlyArray<string>
  /** The duration of the path, in the unit of the weights. */
  readonly length: number
  /** By name, how much longer each resource could take without a longer path. */
  readonly slack: ReadonlyMap<string, number>
}

/** Computes the earliest end of each resource forwards and the time after it backwards: linear in the plan. */
export const criticalPath = (plan: Plan, weightOf: (resource: string) => number): CriticalPath => {
  const done = new Map<string, number>()
  const before = new Map<string, string>()
  let last: string | undefined
  for (const { dependencies, name } of plan.resources) {
    const latest = longest(dependencies, done)
    if (latest !== undefined) before.set(name, latest)
    done.set(name, weightOf(name) + (latest === undefined ? 0 : done.get(latest)!))
    if (last === undefined || done.get(name)! > done.get(last)!) last = name
  }
  const length = last === undefined ? 0 : done.get(last)!
  const after = new Map<string, number>()
  for (const { dependents, name } of plan.resources.toReversed()) {
    const next = longest(dependents, after)
    after.set(name, weightOf(name) + (next === undefined ? 0 : after.get(next)!))
  }
  const slack = new Map(
    plan.resources.map(({ name }) => [name, length - (done.get(name)! + after.get(name)! - weightOf(name))])
  )
  const isGiven = new Set(plan.resources.flatMap(({ batch, name }) => (batch < 0 ? [name] : [])))
  const resources: Array<string> = []
  for (let name = last; name !== undefined; name = before.get(name)) if (!isGiven.has(name)) resources.push(name)
  return { resources: resources.reverse(), length, slack }
}

const longest = (names: ReadonlyArray<string>, lengths: ReadonlyMap<string, number>): string | undefined =>
  names.reduce<string | undefined>(
    (best, name) => (best === undefined || lengths.get(name)! > lengths.get(best)! ? name : best),
    undefined
  )
