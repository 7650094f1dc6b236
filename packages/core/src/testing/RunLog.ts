/**
 * Recorded runs: what happened, in order, for tests that prove what ran, when, and what did not.
 *
 * @since 0.1.0
 */
import { Effect, type Exit } from "effect"
import { observe } from "../run/Observer.ts"
import type { RunEvent } from "../run/RunEvent.ts"

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
 * How often a resource was started.
 *
 * @since 0.1.0
 * @category queries
 */
export const attempts = (events: ReadonlyArray<RunEvent>, resource: string): number =>
  events.filter((event) => event._tag === "AttemptStarted" && event.resource === resource).length

/**
 * The tag of the event that a resource ended with; `undefined` where it has not ended.
 *
 * @since 0.1.0
 * @category queries
 */
export const end = (events: ReadonlyArray<RunEvent>, resource: string): RunEvent["_tag"] | undefined =>
  events.find((event) => "resource" in event && event.resource === resource && isEnd(event))?._tag

const isEnd = ({ _tag }: RunEvent): boolean =>
  _tag.startsWith("Resource") && _tag !== "ResourceReady" && _tag !== "ResourceQueued"

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
    const resource = "resource" in event ? ` ${event.resource}` : ""
    const attempt = "attempt" in event ? ` ${event.attempt}` : ""
    const because =
      "because" in event
        ? ` ${event.because._tag}${"resource" in event.because ? ` ${event.because.resource}` : ""}`
        : ""
    return `${at} ${event._tag}${resource}${attempt}${because}`
  })
