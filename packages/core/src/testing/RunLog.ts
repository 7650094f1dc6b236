/**
 * Recorded runs: what happened, in order, for tests that prove what ran, when, and what did not.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import { observe } from "../watch/Observer.ts"
import { type Outcome, outcome as outcomeIn } from "../watch/Report.ts"
import { isResourceEnded, type RunEvent } from "../watch/RunEvent.ts"
import { fromEvents } from "../watch/Timeline.ts"
import { running } from "./Running.ts"
import { timelineText } from "./TimelineText.ts"

/**
 * An effect's exit, and the events of all runs inside it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recorded<out A, out E> {
  readonly exit: Exit.Exit<A, E>
  readonly events: ReadonlyArray<RunEvent>
}

/**
 * Runs an effect and records the events of all runs inside it. It never fails: the exit is part of what is recorded.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.fail("down") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 *
 * const { events } = Effect.runSync(RunLog.record(Loader.load(Loader.make({ members }))))
 * console.log(RunLog.attempts(events, "members")) // 0
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const record = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Recorded<A, E>, never, R> =>
  Effect.suspend(() => {
    const events: Array<RunEvent> = []
    return Effect.map(Effect.exit(observe(self, (event) => events.push(event))), (exit) => ({ exit, events }))
  })

/**
 * What was recorded, run by run, in the order in which the runs began.
 *
 * All queries answer for all the events that they are given: where a recording has several runs, and only one of them is
 * meant, give them that one.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { RunLog } from "effect-loader/testing"
 *
 * const page = Loader.make({ org: Resource.make("org", { load: () => Effect.succeed("acme") }) })
 * const { events } = Effect.runSync(RunLog.record(Effect.andThen(Loader.load(page), Loader.load(page))))
 * console.log(RunLog.runs(events).map((run) => RunLog.attempts(run, "org"))) // [ 1, 1 ]
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const runs = (events: ReadonlyArray<RunEvent>): ReadonlyArray<ReadonlyArray<RunEvent>> => {
  const byRun = new Map<number, Array<RunEvent>>()
  for (const event of events) {
    const known = byRun.get(event.run)
    if (known === undefined) byRun.set(event.run, [event])
    else known.push(event)
  }
  return Array.from(byRun.values())
}

/** Whether a resource begins to do something of its own with this event. */
const isStart = ({ _tag }: RunEvent): boolean =>
  _tag === "AttemptStarted" || _tag === "PoliciesStarted" || _tag === "FallbackStarted"

const startOf = (events: ReadonlyArray<RunEvent>, resource: string): number =>
  events.findIndex((event) => "resource" in event && event.resource === resource && isStart(event))

const endOf = (events: ReadonlyArray<RunEvent>, resource: string): number =>
  events.findIndex((event) => "resource" in event && event.resource === resource && isResourceEnded(event))

/**
 * How often a resource was started.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.failing("org", "down")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
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
 * What was found in caches for a resource, look by look.
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
 * Whether nothing of a resource ever ran: no attempt, no policy, no fallback.
 *
 * So it is, too, of a resource that no run knows: a name with a mistake in it never ran.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.failing("org", "down")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
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
 * When each resource started first, in milliseconds since its run began; in the order of their starts.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.taking("org", "40 millis", "acme")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
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
 * Whether both started, and `first` before `second`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.taking("org", "40 millis", "acme")
 * const user = Fake.taking("user", "15 millis", "ada")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
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
 * Whether `second` started, and `first` had ended by then.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.taking("org", "40 millis", "acme")
 * const user = Fake.taking("user", "15 millis", "ada")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
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
 * Whether there was a moment at which both ran.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.taking("org", "40 millis", "acme")
 * const user = Fake.taking("user", "15 millis", "ada")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ user, members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.ranSideBySide(events, "org", "user"))) // true
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const ranSideBySide = (events: ReadonlyArray<RunEvent>, first: string, second: string): boolean =>
  running(events).some((now) => now.includes(first) && now.includes(second))

/**
 * How many attempts and handlers of fallbacks ran at once, at most: of `resources`, or of all there are.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.taking("org", "40 millis", "acme")
 * const user = Fake.taking("user", "15 millis", "ada")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(Loader.make({ user, members }))))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.mostAtOnce(events))) // 2
 * ```
 *
 * @since 0.1.0
 * @category queries
 */
export const mostAtOnce = (events: ReadonlyArray<RunEvent>, resources?: ReadonlyArray<string>): number =>
  running(events).reduce(
    (most, now) =>
      Math.max(most, resources === undefined ? now.length : now.filter((name) => resources.includes(name)).length),
    0
  )

/**
 * What became of a resource, in the first run that could load it; `undefined` where none could.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.failing("org", "down")
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
 * Why a resource was skipped: the resource that was the reason, or the reason's tag where it was none. `undefined` if it
 * was not.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog } from "effect-loader/testing"
 *
 * const org = Fake.failing("org", "down")
 * const members = Fake.taking("members", "20 millis", ["ada"], { deps: { org } })
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

/**
 * What ran when and what became of it, as text for inline snapshots: under virtual time it is always the same.
 *
 * A line a resource: from when to when it ran, in milliseconds since its run began, and why it did not go well. Several
 * runs follow each other, an empty line between them.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader } from "effect-loader"
 * import { Fake, RunLog, VirtualTime } from "effect-loader/testing"
 *
 * const org = Fake.taking("org", "40 millis", "acme")
 * const members = Fake.failing("members", "down", { deps: { org } })
 * const mails = Fake.taking("mails", "5 millis", [], { deps: { members } })
 * const page = Loader.make({ mails }, { name: "page" })
 *
 * const program = VirtualTime.run(RunLog.record(Loader.load(page)))
 * Effect.runPromise(program).then(({ events }) => console.log(RunLog.timeline(events)))
 * // "page" failed after 40ms
 * // ✓ org      0-40
 * // ✗ members  40-40  down
 * // - mails           skipped because of members
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const timeline = (events: ReadonlyArray<RunEvent>): string =>
  runs(events)
    .flatMap((run) => {
      const report = fromEvents(run)
      return report === undefined ? [] : [timelineText(report)]
    })
    .join("\n\n")

/**
 * Events as lines, for snapshots: milliseconds since the first event, what happened, to which resource.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { RunLog } from "effect-loader/testing"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const { events } = Effect.runSync(RunLog.record(Loader.load(Loader.make({ org }))))
 * console.log(RunLog.lines(events).length) // 5
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const lines = (events: ReadonlyArray<RunEvent>): ReadonlyArray<string> =>
  events.map((event) => {
    const at = Math.round(event.at - events[0]!.at)
    const item = "item" in event ? `[${event.item}]` : ""
    const resource = "resource" in event ? ` ${event.resource}${item}` : ""
    const attempt = "attempt" in event ? ` ${event.attempt}` : ""
    const because =
      "because" in event
        ? ` ${event.because._tag}${"resource" in event.because ? ` ${event.because.resource}` : ""}`
        : ""
    const inside = "inside" in event && event.inside !== undefined ? ` > ${event.inside.join(" > ")}` : ""
    const cleanup = "cleanup" in event && event.cleanup ? " (cleanup)" : ""
    const found = event._tag === "CacheRead" ? ` ${event.result} in ${event.cache} (${event.level})` : ""
    return `${at} ${event._tag}${resource}${inside}${attempt}${because}${cleanup}${found}`
  })
