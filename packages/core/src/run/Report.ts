/**
 * What one run did, resource by resource.
 *
 * @since 0.1.0
 */
import type { Cause } from "effect"
import type { RunEnd, RunEvent, SkipReason } from "./RunEvent.ts"

/**
 * What became of one resource.
 *
 * - `Succeeded`: its value is there.
 * - `Degraded`: it failed with `error`, and `fallback` gave a value in its place.
 * - `Failed`: it failed; the cause holds a `ResourceError`.
 * - `Died`: it failed with a defect.
 * - `Interrupted`: it was running when it was interrupted.
 * - `Skipped`: it never ran, and why.
 * - `Unfinished`: the events end before it does.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome =
  | { readonly _tag: "Succeeded" }
  | { readonly _tag: "Degraded"; readonly fallback: string; readonly error: unknown }
  | { readonly _tag: "Failed"; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Died"; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Interrupted" }
  | { readonly _tag: "Skipped"; readonly because: SkipReason }
  | { readonly _tag: "Unfinished" }

/**
 * One resource of a report. Instants are milliseconds since 1970, with fractions; `undefined` for what never came.
 *
 * - `attempts`: how often it was started.
 * - `readyAt`: when everything it waits for was there; `startedAt`: its first attempt; `endedAt`: its end.
 * - `queued`, `running`: milliseconds that it waited for a slot, and that its attempts ran. The pauses between
 *   attempts are neither.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResourceReport {
  readonly resource: string
  readonly outcome: Outcome
  readonly attempts: number
  readonly readyAt: number | undefined
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly queued: number
  readonly running: number
}

/**
 * What one run did.
 *
 * - `resources`: all that the run could load, in declaration order. Inputs and constants are not among them.
 * - `values`: what the targets were loaded to, by their keys; a key is missing where there is no value.
 * - `startedAt`, `endedAt`: milliseconds since 1970; `endedAt` is `undefined` where the events end before the run.
 * - `end`: how the run ended; `undefined` as `endedAt`. `timedOut`: whether the loader's own limit ended it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report<out Values = Readonly<Record<string, unknown>>> {
  readonly loader: string
  readonly run: number
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly end: RunEnd | undefined
  readonly timedOut: boolean
  readonly resources: ReadonlyArray<ResourceReport>
  readonly values: Partial<Values>
}

class Row {
  outcome: Outcome = { _tag: "Unfinished" }
  attempts = 0
  readyAt: number | undefined
  startedAt: number | undefined
  endedAt: number | undefined
  queued = 0
  running = 0
  private queuedAt: number | undefined
  private attemptAt: number | undefined
  readonly resource: string

  constructor(resource: string) {
    this.resource = resource
  }

  attemptStarted(at: number): void {
    this.leaveQueue(at)
    this.attemptEnded(at)
    this.attempts++
    this.startedAt ??= at
    this.attemptAt = at
  }

  enterQueue(at: number): void {
    this.queuedAt = at
  }

  attemptEnded(at: number): void {
    if (this.attemptAt !== undefined) this.running += at - this.attemptAt
    this.attemptAt = undefined
  }

  ended(at: number, outcome: Outcome): void {
    this.leaveQueue(at)
    this.attemptEnded(at)
    this.endedAt = at
    this.outcome = outcome
  }

  private leaveQueue(at: number): void {
    if (this.queuedAt !== undefined) this.queued += at - this.queuedAt
    this.queuedAt = undefined
  }

  toReport(): ResourceReport {
    const { attempts, endedAt, outcome, queued, readyAt, resource, running, startedAt } = this
    return { resource, outcome, attempts, readyAt, startedAt, endedAt, queued, running }
  }
}

const applyTo = (row: Row, event: RunEvent): void => {
  switch (event._tag) {
    case "ResourceReady":
      row.readyAt = event.at
      return
    case "ResourceQueued":
      return row.enterQueue(event.at)
    case "AttemptStarted":
      return row.attemptStarted(event.at)
    case "AttemptFailed":
      return row.attemptEnded(event.at)
    case "ResourceSucceeded":
      return row.ended(event.at, { _tag: "Succeeded" })
    case "ResourceDegraded":
      return row.ended(event.at, { _tag: "Degraded", fallback: event.fallback, error: event.error })
    case "ResourceFailed":
      return row.ended(event.at, { _tag: "Failed", cause: event.cause })
    case "ResourceDied":
      return row.ended(event.at, { _tag: "Died", cause: event.cause })
    case "ResourceInterrupted":
      return row.ended(event.at, { _tag: "Interrupted" })
    case "ResourceSkipped":
      return row.ended(event.at, { _tag: "Skipped", because: event.because })
  }
}

/**
 * The report that a run's events make, also while it is still running. Events of other runs are passed over; the run
 * is that of the first event. `undefined` without a `RunStarted`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Observer, Report, Resource, type RunEvent } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const events: Array<RunEvent.RunEvent> = []
 *
 * Effect.runSync(Observer.observe(Loader.load(Loader.make({ org })), (event) => events.push(event)))
 * console.log(Report.fromEvents(events)?.resources.length) // 1
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromEvents = (events: Iterable<RunEvent>): Report | undefined => {
  let started: Extract<RunEvent, { readonly _tag: "RunStarted" }> | undefined
  let ended: Extract<RunEvent, { readonly _tag: "RunEnded" }> | undefined
  const rows = new Map<string, Row>()
  for (const event of events) {
    if (started !== undefined && event.run !== started.run) continue
    if (event._tag === "RunStarted") {
      started = event
      for (const resource of event.resources) rows.set(resource, new Row(resource))
    } else if (event._tag === "RunEnded") ended = event
    else {
      let row = rows.get(event.resource)
      if (row === undefined) rows.set(event.resource, (row = new Row(event.resource)))
      applyTo(row, event)
    }
  }
  if (started === undefined) return undefined
  return {
    loader: started.loader,
    run: started.run,
    startedAt: started.at,
    endedAt: ended?.at,
    end: ended?.end,
    timedOut: ended?.end === "TimedOut",
    resources: Array.from(rows.values(), (row) => row.toReport()),
    values: {}
  }
}

/**
 * One resource of a report, by name; `undefined` if the run had none of that name to load.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const report = Effect.runSync(Loader.settle(Loader.make({ org })))
 * console.log(Report.get(report, "org")?.attempts) // 1
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const get = (self: Report<unknown>, resource: string): ResourceReport | undefined =>
  self.resources.find((row) => row.resource === resource)

/**
 * What became of a resource, by name; `undefined` if the run had none of that name to load.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.fail("down") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 *
 * const report = Effect.runSync(Loader.settle(Loader.make({ members })))
 * console.log(Report.outcome(report, "members"))
 * // { _tag: "Skipped", because: { _tag: "DependencyFailed", resource: "org" } }
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const outcome = (self: Report<unknown>, resource: string): Outcome | undefined => get(self, resource)?.outcome
