/** Records the events of runs. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { observe } from "../watch/Observer.ts"
import type { RunEvent } from "../watch/RunEvent.ts"

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
 * Runs an effect and records the events of all runs inside it. It never fails: the exit is part of the recording.
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
 * The recorded events of each run, in the order in which the runs began.
 *
 * All queries use all events that they get. To query one run of several, give them the events of that run.
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
