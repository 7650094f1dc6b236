/**
 * Reports: the outcome and the phases of each resource of one run.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { Plan } from "../compile/Plan.ts"
import type { RunEnd, SkipReason } from "./RunEvent.ts"

/**
 * The outcome of one resource.
 *
 * - `Succeeded`: it has a value.
 * - `Degraded`: it failed with `error`, and `fallback` replaced the failure by a value.
 * - `Failed`: it failed; the cause holds a `ResourceError`.
 * - `Died`: it failed with a defect.
 * - `Interrupted`: it was running when it was interrupted.
 * - `Skipped`: it did not run, with the reason.
 * - `Compensated`: it succeeded, and was undone when the load failed later.
 * - `CompensationFailed`: it succeeded, and its compensation failed.
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
  | { readonly _tag: "Compensated" }
  | { readonly _tag: "CompensationFailed"; readonly cause: Cause.Cause<unknown> }
  | { readonly _tag: "Unfinished" }

/**
 * A period of time in which one resource ran or waited. Instants are milliseconds since 1970.
 *
 * - `Dependency`: it waited for dependencies; `resource` loaded last, is still loading, or failed and so ended the wait.
 * - `Batch`: it was ready, and waited for its batch to start.
 * - `Slot`: it waited for a slot of the run's `concurrency`.
 * - `Permit`: it waited for permits of a limiter.
 * - `FairShare`: as `Permit`, while others waited for the same limiter, so that shares decided which one was next.
 * - `Thread`: it could have started, but the process was busy.
 * - `Collecting`: it had made a request, and waited for the shared call to begin: for other requests to join, or for permits.
 * - `Attempt`, `Fallback`: an attempt, or the handler of a fallback, ran.
 * - `Items`: attempts of items of a list ran.
 * - `Retry`: it waited for its next attempt.
 * - `Policy`: a policy around its attempts ran.
 * - `Compensation`: its compensation ran.
 *
 * @since 0.1.0
 * @category models
 */
export type Phase =
  | (Stretch & { readonly _tag: "Dependency"; readonly resource: string | undefined })
  | (Stretch & {
      readonly _tag:
        | "Batch"
        | "Slot"
        | "Permit"
        | "FairShare"
        | "Thread"
        | "Collecting"
        | "Retry"
        | "Policy"
        | "Items"
        | "Compensation"
    })
  | (Stretch & { readonly _tag: "Attempt"; readonly attempt: number })
  | (Stretch & { readonly _tag: "Fallback"; readonly fallback: string })

export interface Stretch {
  readonly from: number
  readonly to: number
}

/**
 * The kinds of {@link Phase}.
 *
 * @since 0.1.0
 * @category models
 */
export type PhaseTag = Phase["_tag"]

/**
 * The reads of one level of a cache by one resource or all items of a list, counted by result.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheReads extends Readonly<Record<CacheResult, number>> {
  readonly cache: string
  readonly level: CacheLevel
}

/**
 * One resource of a report. Instants are milliseconds since 1970, with fractions; `undefined` if they did not occur.
 *
 * - `attempts`: the number of its attempts; for a list, those of all items.
 * - `readyAt`: when all its dependencies were loaded; `startedAt`: the start of its first attempt, or of the policies around its
 *   attempts; `endedAt`: its end.
 * - `items`: for a list, the number of items, the number of loaded items (for a list that did not succeed, without those from
 *   caches), and the milliseconds of all their attempts together.
 * - `chosen`: for a choice, the chosen resource.
 * - `caches`: its reads of caches, if any.
 * - `runs`: the reports of its nested runs, in the order in which they began.
 * - `running`: milliseconds in its attempts and fallbacks; `queued`: milliseconds in waits for slots and permits.
 * - `refusals`: the number of attempts that a limiter, a breaker or a rate limit refused, if any.
 * - `phases`: all its time, without gaps, from the start of the run to its end, or to the last event. A later compensation is a
 *   phase after its end.
 * - `notUndone`: the failed compensations and cleanups of the resource, its items and its nested loaders.
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
  readonly running: number
  readonly queued: number
  readonly refusals?: number
  readonly items?: { readonly total: number; readonly loaded: number; readonly took: number }
  readonly chosen?: string
  readonly caches?: ReadonlyArray<CacheReads>
  readonly runs?: ReadonlyArray<Report>
  readonly phases: ReadonlyArray<Phase>
  readonly notUndone?: ReadonlyArray<NotUndone>
}

/**
 * A failed compensation or cleanup: of a resource, an item, or a resource of a nested loader (`inside`), with its cause.
 *
 * @since 0.1.0
 * @category models
 */
export interface NotUndone {
  readonly item?: number
  readonly inside?: ReadonlyArray<string>
  readonly cleanup: boolean
  readonly cause: Cause.Cause<unknown>
}

/**
 * The report of one run.
 *
 * - `plan`: the plan of its loader.
 * - `resources`: all resources of the loader, in declaration order, without inputs and constants.
 * - `values`: the values of the targets, by key. A target without a value has no key.
 * - `startedAt`, `endedAt`: milliseconds since 1970; `endedAt` is `undefined` if the events end before the run.
 * - `until`: the last known instant: the end of the run, or the last event.
 * - `end`: how the run ended; `undefined` like `endedAt`. `timedOut`: whether the `timeout` of the loader ended it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report<out Values = Readonly<Record<string, unknown>>> {
  readonly loader: string
  readonly run: number
  readonly plan: Plan
  readonly startedAt: number
  readonly until: number
  readonly endedAt: number | undefined
  readonly end: RunEnd | undefined
  readonly timedOut: boolean
  readonly resources: ReadonlyArray<ResourceReport>
  readonly values: Partial<Values>
}

/**
 * One resource of a report, by name; `undefined` if the report has none of that name.
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
 * The outcome of a resource, by name; `undefined` if the report has none of that name.
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
