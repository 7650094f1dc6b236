/**
 * What one run did, resource by resource.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { Plan } from "../compile/Plan.ts"
import type { RunEnd, SkipReason } from "./RunEvent.ts"

/**
 * What became of one resource.
 *
 * - `Succeeded`: its value is there.
 * - `Degraded`: it failed with `error`, and `fallback` gave a value in its place.
 * - `Failed`: it failed; the cause holds a `ResourceError`.
 * - `Died`: it failed with a defect.
 * - `Interrupted`: it was running when it was interrupted.
 * - `Skipped`: it never ran, and why.
 * - `Compensated`: its value was there, and what it did was undone when the load failed later.
 * - `CompensationFailed`: its value was there, and what it did could not be undone.
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
 * A stretch of time of one resource, and what it did or waited for. Instants are milliseconds since 1970.
 *
 * - `Dependency`: not everything it depends on was there; `resource` came last, or is still to come.
 * - `Batch`: it was ready, and its batch was not to start yet.
 * - `Slot`: the run's `concurrency` had no place for it.
 * - `Permit`: a limiter had no permits for it.
 * - `FairShare`: a limiter had none for it either, and others waited too: it was a matter of shares who was next.
 * - `Thread`: it could have started, and the process was busy with something else.
 * - `Collecting`: it had made a request, and the call that it shares had not begun: others were to join, or the call had
 *   to wait for permits.
 * - `Attempt`, `Fallback`: an attempt, or the handler of a fallback, ran.
 * - `Items`: attempts of items of a list ran.
 * - `Retry`: it waited for its next attempt.
 * - `Policy`: a policy around its attempts was at work.
 * - `Compensation`: what it did was being undone.
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
 * What one resource found in one level of a cache, and how often; of a list, all its items together.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheReads extends Readonly<Record<CacheResult, number>> {
  readonly cache: string
  readonly level: CacheLevel
}

/**
 * One resource of a report. Instants are milliseconds since 1970, with fractions; `undefined` for what never came.
 *
 * - `attempts`: how often it was started; of a list, how often its items were, all together.
 * - `readyAt`: when everything it waits for was there; `startedAt`: its first attempt, or that of the policies around
 *   its attempts; `endedAt`: its end.
 * - `items`: of a list, how many there were, how many of them were loaded (of one that did not succeed, those that no
 *   cache knew), and how many milliseconds their attempts took all together.
 * - `chosen`: of a choice, the resource that was chosen.
 * - `caches`: what it found in caches, where it looked into any.
 * - `runs`: the reports of the runs inside it, in the order in which they began.
 * - `running`: milliseconds that its attempts and fallbacks ran; `queued`: those that it waited for a slot or a permit.
 * - `refusals`: how many of its attempts policies refused, where they did: a limiter, a breaker, a rate limit.
 * - `phases`: all its time, without a gap, from the start of the run to its own end, or to the end of what is known. When
 *   it is undone later, that is a phase beyond its end.
 * - `notUndone`: what could not be undone of it, its items and the loaders inside it, and after what it was not cleaned up.
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
 * Something that could not be undone: of which item of a list, of which resource of the loaders inside, and why.
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
 * What one run did.
 *
 * - `plan`: what it could load, and under which limits.
 * - `resources`: all that the run could load, in declaration order. Inputs and constants are not among them.
 * - `values`: what the targets were loaded to, by their keys; a key is missing where there is no value.
 * - `startedAt`, `endedAt`: milliseconds since 1970; `endedAt` is `undefined` where the events end before the run.
 * - `until`: the last instant that the report knows of: the end of the run, or that of the events.
 * - `end`: how the run ended; `undefined` as `endedAt`. `timedOut`: whether the loader's own limit ended it.
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
