/** Predictions for a plan, without a run. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { criticalPath } from "../compile/CriticalPath.ts"
import { describe } from "../base/ErrorText.ts"
import { doesWork, onlyAsks, type Plan } from "../compile/Plan.ts"
import type { Report } from "../watch/Report.ts"
import { tookOf } from "./Analysis.ts"
import { millis } from "./Millis.ts"
import { toText as planText } from "./PlanText.ts"
import { namesText } from "./Names.ts"

/**
 * The expected times of the resources of a plan, by name.
 *
 * - `expected`: the time of each resource.
 * - `reports`: earlier runs. A resource without an entry in `expected` has the median of its times in those runs in which it had
 *   a value.
 *
 * @since 0.1.0
 * @category models
 */
export interface Expectations {
  readonly expected?: Readonly<Record<string, Duration.Input>>
  readonly reports?: Iterable<Report<unknown>>
}

/**
 * A prediction for a plan. Times are milliseconds.
 *
 * - `expected`: the expected time of each resource; `unknown` are the resources without one, which count as 0 everywhere below.
 * - `work`: the sum of all resources.
 * - `criticalPath`, `criticalPathTakes`: the slowest chain of dependencies.
 * - `atLeast`, `atMost`: the bounds of a run's time, if each resource takes its expected time and starts as soon as it may.
 *   Without a limit on the concurrency of an eager run, they are equal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Explanation {
  readonly plan: Plan
  readonly expected: Readonly<Record<string, number>>
  readonly unknown: ReadonlyArray<string>
  readonly work: number
  readonly criticalPath: ReadonlyArray<string>
  readonly criticalPathTakes: number
  readonly atLeast: number
  readonly atMost: number
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The times of each resource in the runs in which it had a value. */
const learn = (reports: Iterable<Report<unknown>>): ReadonlyMap<string, number> => {
  const samples = new Map<string, Array<number>>()
  for (const { resources } of reports) {
    for (const row of resources) {
      if (row.outcome._tag !== "Succeeded" && row.outcome._tag !== "Degraded") continue
      const known = samples.get(row.resource)
      if (known === undefined) samples.set(row.resource, [tookOf(row)])
      else known.push(tookOf(row))
    }
  }
  return new Map(Array.from(samples, ([name, took]) => [name, median(took)]))
}

const toMillis = (name: string, input: Duration.Input): number => {
  const duration = Duration.fromInput(input)
  if (Option.isSome(duration) && Duration.isFinite(duration.value)) return Duration.toMillis(duration.value)
  throw new Cause.IllegalArgumentError(
    `Loader.explain: ${JSON.stringify(name)} is expected to take ${describe(input)}, which is no finite duration`
  )
}

const checkNames = (plan: Plan, expected: Readonly<Record<string, unknown>>): void => {
  const names = new Set(plan.resources.map(({ name }) => name))
  const strangers = Object.keys(expected).filter((name) => !names.has(name))
  if (strangers.length === 0) return
  throw new Cause.IllegalArgumentError(
    `Loader.explain: the plan of ${JSON.stringify(plan.loader)} loads no resource named ${strangers.map((name) => JSON.stringify(name)).join(", ")}`
  )
}

interface Makespan {
  readonly atLeast: number
  readonly atMost: number
}

/**
 * The bounds of a greedy schedule of tasks with precedences.
 *
 * R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM Journal on Applied Mathematics 17 (1969): no schedule
 * that leaves no place free while a task could run takes longer than `work / n + (1 - 1 / n) * longest chain`.
 */
const makespan = (work: number, longest: number, places: number): Makespan =>
  places === Infinity
    ? { atLeast: longest, atMost: longest }
    : { atLeast: Math.max(longest, work / places), atMost: work / places + (1 - 1 / places) * longest }

const boundsOf = (plan: Plan, weightOf: (name: string) => number): Makespan => {
  const places = plan.concurrency ?? Infinity
  if (plan.scheduling === "eager") {
    const work = plan.resources.reduce((sum, resource) => sum + (onlyAsks(resource) ? 0 : weightOf(resource.name)), 0)
    return makespan(work, criticalPath(plan, weightOf).length, places)
  }
  const batches = plan.batches.map((names) => {
    const weights = names.map(weightOf)
    return makespan(
      weights.reduce((sum, weight) => sum + weight, 0),
      weights.reduce((most, weight) => Math.max(most, weight), 0),
      places
    )
  })
  return {
    atLeast: batches.reduce((sum, { atLeast }) => sum + atLeast, 0),
    atMost: batches.reduce((sum, { atMost }) => sum + atMost, 0)
  }
}

/** The prediction for a plan: see `Loader.explain`. */
export const explainPlan = (plan: Plan, { expected = {}, reports = [] }: Expectations): Explanation => {
  checkNames(plan, expected)
  const learnt = learn(reports)
  const loads = plan.resources.filter(doesWork)
  const known = new Map<string, number>()
  for (const { name } of loads) {
    const given = Object.hasOwn(expected, name) ? toMillis(name, expected[name]!) : learnt.get(name)
    if (given !== undefined) known.set(name, given)
  }
  const weightOf = (name: string): number => known.get(name) ?? 0
  const work = loads.reduce((sum, { name }) => sum + weightOf(name), 0)
  // A resource that only a choice needs may not run at all.
  const optional = new Set(plan.resources.flatMap(({ name, onlyFor }) => (onlyFor === undefined ? [] : [name])))
  const leastOf = (name: string): number => (optional.has(name) ? 0 : weightOf(name))
  const { length, resources } = criticalPath(plan, weightOf)
  return {
    plan,
    expected: Object.fromEntries(known),
    unknown: loads.flatMap(({ name }) => (known.has(name) ? [] : [name])),
    work,
    criticalPath: resources,
    criticalPathTakes: length,
    atLeast: boundsOf(plan, leastOf).atLeast,
    atMost: boundsOf(plan, weightOf).atMost
  }
}

const bounds = ({ atLeast, atMost }: Explanation): string =>
  millis(atLeast) === millis(atMost)
    ? `takes ${millis(atMost)}`
    : `takes between ${millis(atLeast)} and ${millis(atMost)}`

/**
 * A prediction for people: the plan and its expected times.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Explanation, Loader, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const user = Resource.make("user", { load: () => Effect.succeed("ada") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 * const page = Loader.make({ user, members }, { name: "page", concurrency: 2 })
 *
 * const expected = { org: "100 millis", user: "40 millis", members: "60 millis" } as const
 * console.log(Explanation.toText(Loader.explain(page, { expected })))
 * // plan of "page": 3 resources in 2 batches, concurrency 2
 * //   1  org
 * //      user
 * //   2  members <- org
 * // takes between 160ms and 180ms
 * //   critical path  160ms  org > members
 * //   work           200ms
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toText = (self: Explanation): string => {
  const { criticalPath, criticalPathTakes, plan, unknown, work } = self
  const known = plan.resources.filter(doesWork).length - unknown.length
  const path = `  critical path  ${millis(criticalPathTakes)}  ${namesText(criticalPath, " > ")}`
  const figures = known === 0 ? [] : [bounds(self), path, `  work           ${millis(work)}`]
  const missing = namesText(unknown, ", ")
  return [planText(plan), ...figures, ...(unknown.length === 0 ? [] : [`  no expected time for: ${missing}`])].join(
    "\n"
  )
}
