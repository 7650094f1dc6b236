/** What a report comes to: what held the run up, and how much faster it could have been. */
import { criticalPath } from "../compile/CriticalPath.ts"
import { onlyAsks } from "../compile/Plan.ts"
import type { Phase, PhaseTag, Report, ResourceReport } from "../watch/Report.ts"
import { timeIn } from "../watch/Timeline.ts"

/**
 * How long one resource waited, in milliseconds, by what for; see `Report.Phase`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Waited {
  readonly dependency: number
  readonly batch: number
  readonly slot: number
  /** For permits of a limiter, be it for its limit or for a fair share of it. */
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
 * - `slack`: how much longer it could have taken before the critical path would have been longer; 0 for what is on it.
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
 * What a report comes to. Times are milliseconds; what never ran took none.
 *
 * - `work`: how long attempts and fallbacks ran, all together; `parallelism`: how many of them ran at once, on average.
 * - `criticalPath`: the resources that make the longest chain of dependencies by what each took, and `criticalPathTook`.
 * - `lowerBound`: what the run would have taken at the least with these resources under its `concurrency`: the longer of
 *   the critical path and of `work / concurrency`, but never more than it took; `boundBy` says which.
 * - `gap`: how much longer than that it took.
 * - `lastChain`: what ended last, and before it what that had waited for, back to the start of the run: where the time
 *   went, as one line of phases. What of it was waiting for a batch, a slot, a permit, the thread or a shared call is
 *   `heldUp`.
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

/** What a resource needs of its own, whoever else runs. */
const own: ReadonlyArray<PhaseTag> = ["Attempt", "Items", "Fallback", "Policy", "Retry"]

/** How long a resource took by itself, in milliseconds. */
export const tookOf = ({ phases }: ResourceReport): number => timeIn(phases, own)

/** How long attempts and fallbacks ran, all together; of a list its items do, of a loader inside its resources. */
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

/** What waits for answers to requests holds no slot. */
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
 * What a report comes to: critical path, slack, parallelism, how fast the run could have been, and what held it up.
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
  // Where a resource goes on for one of its views when others already use it, or the path leads through one that was
  // skipped before all that it depends on was there, the path is longer than the run was.
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
