/** Queries on recorded events. */
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import { type Outcome, outcome as outcomeIn } from "../watch/Report.ts"
import { isResourceEnded, type RunEvent } from "../watch/RunEvent.ts"
import { fromEvents } from "../watch/Timeline.ts"
import { runs } from "./Recording.ts"
import { running } from "./Running.ts"

/** Whether a resource begins work with this event. */
const isStart = ({ _tag }: RunEvent): boolean =>
  _tag === "AttemptStarted" || _tag === "PoliciesStarted" || _tag === "FallbackStarted"

const startOf = (events: ReadonlyArray<RunEvent>, resource: string): number =>
  events.findIndex((event) => "resource" in event && event.resource === resource && isStart(event))

const endOf = (events: ReadonlyArray<RunEvent>, resource: string): number =>
  events.findIndex((event) => "resource" in event && event.resource === resource && isResourceEnded(event))

/**
 * The number of attempts of a resource.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.fail("org", "down")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.load(Loader.make({ members }))))
 * console.log(RunLog.attempts(events, "org"), RunLog.attempts(events, "members")) // 1 0
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const attempts = (events: ReadonlyArray<RunEvent>, resource: string): number =>
  events.filter((event) => event._tag === "AttemptStarted" && event.resource === resource).length

/**
 * The results of the reads of caches for a resource, in order.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
 * import { RunLog } from "effect-loader/testing"
 *
 * class Orgs extends ResourceCache.Service<Orgs>()("app/Orgs") {}
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") }).pipe(Policy.cache(Orgs))
 * const page = Loader.make({ org })
 * const program = Effect.andThen(Loader.load(page), Loader.load(page)).pipe(
 *   Effect.provide(Orgs.layer({ timeToLive: "1 minute" }))
 * )
 * const { events } = Effect.runSync(RunLog.record(program))
 * console.log(RunLog.cacheReads(events, "org")) // [ "miss", "hit" ]
 * console.log(RunLog.attempts(events, "org")) // 1
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const cacheReads = (
  events: ReadonlyArray<RunEvent>,
  resource: string,
  level: CacheLevel = "memory"
): ReadonlyArray<CacheResult> =>
  events.flatMap((event) =>
    event._tag === "CacheRead" && event.resource === resource && event.level === level ? [event.result] : []
  )

/**
 * Whether no part of a resource ever ran: no attempt, no policy, no fallback.
 *
 * It is also `true` for an unknown name, such as a misspelled one.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.fail("org", "down")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.load(Loader.make({ members }))))
 * console.log(RunLog.neverRan(events, "members")) // true
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const neverRan = (events: ReadonlyArray<RunEvent>, resource: string): boolean => startOf(events, resource) < 0

/**
 * The first start of each resource, in milliseconds since the start of its run, in order.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.starts(events))) // { org: 0, members: 40 }
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const starts = (events: ReadonlyArray<RunEvent>): Readonly<Record<string, number>> => {
  const began = new Map<number, number>()
  const first: Record<string, number> = {}
  for (const event of events) {
    if (event._tag === "RunStarted") began.set(event.run, event.at)
    if ("resource" in event && isStart(event) && !Object.hasOwn(first, event.resource)) {
      first[event.resource] = Math.round(event.at - (began.get(event.run) ?? event.at))
    }
  }
  return first
}

/**
 * Whether both resources started, `first` before `second`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const user = Fake.delay("user", "15 millis", "ada")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ user, members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.startedBefore(events, "user", "members"))) // true
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const startedBefore = (events: ReadonlyArray<RunEvent>, first: string, second: string): boolean => {
  const [a, b] = [startOf(events, first), startOf(events, second)]
  return a >= 0 && a < b
}

/**
 * Whether `second` started after the end of `first`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const user = Fake.delay("user", "15 millis", "ada")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ user, members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.endedBefore(events, "org", "members"))) // true
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const endedBefore = (events: ReadonlyArray<RunEvent>, first: string, second: string): boolean => {
  const [a, b] = [endOf(events, first), startOf(events, second)]
  return a >= 0 && a < b
}

/**
 * Whether both resources ran at the same time.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const user = Fake.delay("user", "15 millis", "ada")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ user, members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.overlapped(events, "org", "user"))) // true
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const overlapped = (events: ReadonlyArray<RunEvent>, first: string, second: string): boolean =>
  running(events).some((now) => now.includes(first) && now.includes(second))

/**
 * The largest number of attempts and fallback handlers at the same time, of `resources` or of all resources.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.delay("org", "40 millis", "acme")
 * const user = Fake.delay("user", "15 millis", "ada")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ user, members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.maxConcurrency(events))) // 2
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const maxConcurrency = (events: ReadonlyArray<RunEvent>, resources?: ReadonlyArray<string>): number =>
  running(events).reduce(
    (most, now) =>
      Math.max(most, resources === undefined ? now.length : now.filter((name) => resources.includes(name)).length),
    0
  )

/**
 * The outcome of a resource in the first run whose plan contains it; `undefined` if there is none.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.fail("org", "down")
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.settle(Loader.make({ members }))))
 * console.log(RunLog.outcome(events, "members"))
 * // { _tag: "Skipped", because: { _tag: "DependencyFailed", resource: "org" } }
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const outcome = (events: ReadonlyArray<RunEvent>, resource: string): Outcome | undefined => {
  for (const run of runs(events)) {
    const report = fromEvents(run)
    const found = report === undefined ? undefined : outcomeIn(report, resource)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Why a resource was skipped: the resource that was the reason, or else the tag of the reason. `undefined` if it was not skipped.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.fail("org", "down")
 * const members = Fake.delay("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.load(Loader.make({ members }))))
 * console.log(RunLog.skippedBecause(events, "members")) // org
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const skippedBecause = (events: ReadonlyArray<RunEvent>, resource: string): string | undefined => {
  const found = outcome(events, resource)
  if (found?._tag !== "Skipped") return undefined
  return "resource" in found.because ? found.because.resource : found.because._tag
}
