/** The analysis of a report: what delayed the run, and how fast it could have been. */
import { criticalPath } from "../compile/CriticalPath.ts"
import { onlyAsks } from "../compile/Plan.ts"
import type { Phase, PhaseTag, Report, ResourceReport } from "../watch/Report.ts"
import { timeIn } from "../watch/Timeline.ts"

/**
 * The waits of one resource in milliseconds, by reason; see `Report.Phase`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Waited {
  readonly dependency: number
  readonly batch: number
  readonly slot: number
  /** For permits of a limiter, because of its limit or of a fair share of it. */
  readonly permit: number
  readonly thread: number
  /** For the call that a request shares with others. */
  readonly collecting: number
  readonly retry: number
}

/**
 * One resource of an analysis. Times are milliseconds.
 *
 * - `took`: from its start to its end, without waits for slots and permits: its attempts and the pauses between them, its policies
 *   and its fallbacks.
 * - `slack`: by how much it could have been slower without a longer critical path; 0 for resources on that path.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResourceAnalysis {
  readonly resource: string
  readonly took: number
  readonly waited: Waited
  readonly slack: number
}

/**
 * The analysis of a report. Times are milliseconds; a resource that never ran took 0.
 *
 * - `work`: the total time of attempts and fallbacks; `parallelism`: their average number at once.
 * - `criticalPath`: the resources of the longest chain of dependencies, by `took`; `criticalPathTook` is the length of the chain.
 * - `lowerBound`: the shortest possible time of the run with these resources and its `concurrency`: the longer of
 *   the critical path and of `work / concurrency`, but at most the time of the run; `boundBy` says which.
 * - `gap`: the time of the run minus `lowerBound`.
 * - `lastChain`: the resource that ended last, and before it the one that it waited for, back to the start of the run, as one
 *   line of phases. `heldUp` are the waits of this line for a batch, a slot, a permit, the thread or a shared call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Analysis {
  readonly duration: number
  readonly work: number
  readonly parallelism: number
  readonly criticalPath: ReadonlyArray<string>
  readonly criticalPathTook: number
  readonly lowerBound: number
  readonly boundBy: "critical path" | "concurrency"
  readonly gap: number
  readonly lastChain: ReadonlyArray<{ readonly resource: string; readonly phases: ReadonlyArray<Phase> }>
  readonly heldUp: Pick<Waited, "batch" | "slot" | "permit" | "thread" | "collecting">
  readonly resources: ReadonlyArray<ResourceAnalysis>
}

/** The phases of a resource's own time, without waits for other resources. */
const own: ReadonlyArray<PhaseTag> = ["Attempt", "Items", "Fallback", "Policy", "Retry"]

/** The own time of a resource, in milliseconds. */
export const tookOf = ({ phases }: ResourceReport): number => timeIn(phases, own)

/** The total time of attempts and fallbacks: for a list those of its items, for a nested loader those of its resources. */
const workOf = (report: Report<unknown>, leavesOut: (report: Report<unknown>) => ReadonlySet<string>): number => {
  let sum = 0
  const open = [report]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const leftOut = leavesOut(one)
    for (const { items, resource, running, runs } of one.resources) {
      if (leftOut.has(resource)) continue
      if (items !== undefined) sum += items.took
      else if (runs === undefined) sum += running
      else for (const run of runs) open.push(run)
    }
  }
  return sum
}

const nothing: ReadonlySet<string> = new Set()

/** The resources that only make requests. They hold no slot while they wait for the answers. */
const requestsOf = ({ plan }: Report<unknown>): ReadonlySet<string> =>
  new Set(plan.resources.filter(onlyAsks).map(({ name }) => name))

const waitedOf = (phases: ReadonlyArray<Phase>): Waited => ({
  dependency: timeIn(phases, ["Dependency"]),
  batch: timeIn(phases, ["Batch"]),
  slot: timeIn(phases, ["Slot"]),
  permit: timeIn(phases, ["Permit", "FairShare"]),
  thread: timeIn(phases, ["Thread"]),
  collecting: timeIn(phases, ["Collecting"]),
  retry: timeIn(phases, ["Retry"])
})

const lastChainOf = (report: Report<unknown>): Analysis["lastChain"] => {
  const byName = new Map(report.resources.map((row) => [row.resource, row]))
  const endOf = ({ endedAt, startedAt }: ResourceReport): number =>
    startedAt === undefined ? -Infinity : (endedAt ?? Infinity)
  const last = report.resources.reduce<ResourceReport | undefined>(
    (latest, row) => (latest === undefined || endOf(row) > endOf(latest) ? row : latest),
    undefined
  )
  const chain: Array<Analysis["lastChain"][number]> = []
  let row = last?.startedAt === undefined ? undefined : last
  while (row !== undefined) {
    const [first] = row.phases
    chain.push({ resource: row.resource, phases: row.phases.filter(({ _tag }) => _tag !== "Dependency") })
    row = first?._tag === "Dependency" && first.resource !== undefined ? byName.get(first.resource) : undefined
  }
  return chain.reverse()
}

/**
 * Analyses a report: critical path, slack, parallelism, the shortest possible time, and the waits that delayed the run.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.sleep("20 millis") })
 * const user = Resource.make("user", { load: () => Effect.sleep("5 millis") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.sleep("10 millis") })
 *
 * Effect.runPromise(Loader.settle(Loader.make({ user, members }))).then((report) => {
 *   const { criticalPath, boundBy } = Report.analyze(report)
 *   console.log(criticalPath, boundBy) // [ "org", "members" ] critical path
 * })
 * ```
 *
 * @since 0.1.0
 * @category analysing
 */
export const analyze = (self: Report<unknown>): Analysis => {
  const duration = self.until - self.startedAt
  const took = new Map(self.resources.map((row) => [row.resource, tookOf(row)]))
  const { length, resources, slack } = criticalPath(self.plan, (name) => took.get(name) ?? 0)
  const work = workOf(self, () => nothing)
  const { concurrency } = self.plan
  const bySlots = concurrency === undefined ? 0 : workOf(self, requestsOf) / concurrency
  // The path can be longer than the run: if a resource still runs for one view while another view is in use, or if the path
  // contains a resource that was skipped before its dependencies were done.
  const lowerBound = Math.min(duration, Math.max(length, bySlots))
  const lastChain = lastChainOf(self)
  const { batch, collecting, permit, slot, thread } = waitedOf(lastChain.flatMap(({ phases }) => phases))
  return {
    duration,
    work,
    parallelism: duration === 0 ? 0 : work / duration,
    criticalPath: resources,
    criticalPathTook: length,
    lowerBound,
    boundBy: bySlots > length ? "concurrency" : "critical path",
    gap: duration - lowerBound,
    lastChain,
    heldUp: { batch, permit, slot, thread, collecting },
    resources: self.resources.map(({ phases, resource }) => ({
      resource,
      took: took.get(resource)!,
      waited: waitedOf(phases),
      slack: slack.get(resource) ?? length
    }))
  }
}
