/**
 * Events of runs. Reports, logs, spans and viewers are made from them.
 *
 * @since 0.1.0
 */
import type { Limit, SkipReason } from "../model/Extension.ts"
import type * as Cause from "effect/Cause"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { Plan } from "../compile/Plan.ts"

export type { Limit, SkipReason } from "../model/Extension.ts"

/**
 * How a run ended. A `settle` that was not stopped ends as `Completed`, even if resources failed.
 *
 * @since 0.1.0
 * @category models
 */
export type RunEnd = "Completed" | "Failed" | "TimedOut" | "Interrupted"

export interface InRun {
  /** The number of the run in this process. */
  readonly run: number
  /** The time by the run's clock: milliseconds since 1970, with fractions. It never goes backwards within a run. */
  readonly at: number
}

export interface OfResource extends InRun {
  readonly resource: string
}

export interface OfAttempt extends OfResource {
  /** The number of the attempt, from 1. */
  readonly attempt: number
  /** The index of the item, from 0, if the resource is a list: the attempts of a list are those of its items. */
  readonly item?: number
}

/**
 * The place of a nested run: an attempt of this resource, or of this item.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunParent {
  readonly run: number
  readonly resource: string
  readonly item?: number
}

/**
 * A run begins. The first event of each run.
 *
 * - `plan`: the plan of the loader, the same object for all its runs.
 * - `parent`: the outer resource of a nested run, made by `Resource.fromLoader` or `forEach`.
 *
 * @since 0.1.0
 * @category events
 */
export interface RunStarted extends InRun {
  readonly _tag: "RunStarted"
  readonly loader: string
  readonly plan: Plan
  readonly parent?: RunParent
}

/**
 * All dependencies of a resource are loaded.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceReady extends OfResource {
  readonly _tag: "ResourceReady"
}

/**
 * An attempt, or the handler of a fallback, is ready and waits for `limit`.
 *
 * `attempt` is the waiting one; before a fallback, the last one, or 0 if there was none.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceQueued extends OfAttempt {
  readonly _tag: "ResourceQueued"
  readonly limit: Limit
}

/**
 * A choice was made: `choice` is the deciding value, `chosen` the resource.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceChosen extends OfResource {
  readonly _tag: "ResourceChosen"
  readonly choice: string
  readonly chosen: string
}

/**
 * A list begins to load its items; `items` is their number. Once for each attempt of the whole list.
 *
 * @since 0.1.0
 * @category events
 */
export interface ItemsStarted extends OfResource {
  readonly _tag: "ItemsStarted"
  readonly items: number
}

/**
 * A cache was read for a resource, or for an item (`item`) of a list.
 *
 * After `hit`, `coalesced` and `stale` no attempt follows. An attempt follows a `miss` or an `error` of the last level. A
 * `coalesced` is followed by a `miss` and an attempt if the awaited load is interrupted.
 *
 * An `error` has a `reason`, in words: the error of the store, or its timeout. It contains neither the key nor the value.
 *
 * @since 0.1.0
 * @category events
 */
export interface CacheRead extends OfResource {
  readonly _tag: "CacheRead"
  readonly item?: number
  readonly cache: string
  readonly level: CacheLevel
  readonly result: CacheResult
  readonly reason?: string
}

/**
 * The policies around a resource's attempts begin, if it has any, such as a `retry`.
 *
 * @since 0.1.0
 * @category events
 */
export interface PoliciesStarted extends OfResource {
  readonly _tag: "PoliciesStarted"
}

/**
 * An attempt begins.
 *
 * @since 0.1.0
 * @category events
 */
export interface AttemptStarted extends OfAttempt {
  readonly _tag: "AttemptStarted"
}

/**
 * An attempt has made a request, and waits for the shared call: for other requests to join, and for permits of the call.
 *
 * @since 0.1.0
 * @category events
 */
export interface RequestMade extends OfAttempt {
  readonly _tag: "RequestMade"
}

/**
 * The call with an attempt's request begins.
 *
 * - `batch`: the number of the call in this process, the same for all attempts that share it.
 * - `requests`: the number of requests in the call; `callers`: the number of attempts that wait for their answers.
 * - `outOfTime`: set if `maxHold` of the resolver expired before all expected requests had come.
 *
 * @since 0.1.0
 * @category events
 */
export interface RequestSent extends OfAttempt {
  readonly _tag: "RequestSent"
  readonly batch: number
  readonly requests: number
  readonly callers: number
  readonly outOfTime?: boolean
}

/**
 * An attempt succeeded inside policies that may continue. A single attempt has no such event: its resource ends.
 *
 * @since 0.1.0
 * @category events
 */
export interface AttemptSucceeded extends OfAttempt {
  readonly _tag: "AttemptSucceeded"
}

/**
 * An attempt failed inside policies that may try again: see {@link RetryScheduled}.
 *
 * @since 0.1.0
 * @category events
 */
export interface AttemptFailed extends OfAttempt {
  readonly _tag: "AttemptFailed"
  readonly cause: Cause.Cause<unknown>
}

/**
 * An attempt was interrupted inside its policies: by one of them, or by the end of the run.
 *
 * @since 0.1.0
 * @category events
 */
export interface AttemptInterrupted extends OfAttempt {
  readonly _tag: "AttemptInterrupted"
}

/**
 * Attempt `attempt` will begin at `retryAt`, or later when it gets a slot.
 *
 * @since 0.1.0
 * @category events
 */
export interface RetryScheduled extends OfAttempt {
  readonly _tag: "RetryScheduled"
  /** Milliseconds since 1970, with fractions. */
  readonly retryAt: number
}

/**
 * Attempt `attempt` is about to begin while others run, because they take long.
 *
 * @since 0.1.0
 * @category events
 */
export interface HedgeStarted extends OfAttempt {
  readonly _tag: "HedgeStarted"
}

/**
 * A policy refused an attempt (a limiter, an open breaker, an exceeded rate), or a further attempt (a spent budget).
 *
 * - `policy`: its label, as in the plan.
 * - `error`: the error with which the resource or item fails; missing if it continues.
 *
 * @since 0.1.0
 * @category events
 */
export interface PolicyRefused extends OfResource {
  readonly _tag: "PolicyRefused"
  readonly item?: number
  readonly policy: string
  readonly error?: unknown
}

/**
 * The handler of a fallback begins to run, because of `error`. A handler whose effect is an exit has no such event.
 *
 * @since 0.1.0
 * @category events
 */
export interface FallbackStarted extends OfResource {
  readonly _tag: "FallbackStarted"
  readonly fallback: string
  readonly error: unknown
}

/**
 * A resource has loaded.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceSucceeded extends OfResource {
  readonly _tag: "ResourceSucceeded"
}

/**
 * A resource failed with `error`, and `fallback` replaced the failure by a value for all its dependents.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceDegraded extends OfResource {
  readonly _tag: "ResourceDegraded"
  readonly fallback: string
  readonly error: unknown
}

/**
 * A resource failed with a typed error; the cause holds a `ResourceError`.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceFailed extends OfResource {
  readonly _tag: "ResourceFailed"
  readonly cause: Cause.Cause<unknown>
}

/**
 * A resource failed with a defect.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceDied extends OfResource {
  readonly _tag: "ResourceDied"
  readonly cause: Cause.Cause<unknown>
}

/**
 * A resource was running when it was interrupted.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceInterrupted extends OfResource {
  readonly _tag: "ResourceInterrupted"
}

/**
 * A resource did not run, with the reason.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceSkipped extends OfResource {
  readonly _tag: "ResourceSkipped"
  readonly because: SkipReason
}

export interface OfUndo extends OfResource {
  /** The index of the item, from 0, if the resource is a list. */
  readonly item?: number
  /** The resources of nested loaders, outermost first, if this undoes one of them. */
  readonly inside?: ReadonlyArray<string>
  /** Whether it is the `Saga.cleanup` of a resource that did not succeed. */
  readonly cleanup: boolean
}

/**
 * The compensation of a loaded resource begins, or, if `cleanup`, the cleanup after a resource that did not succeed. A cleanup
 * comes before the end of its resource, a compensation after it.
 *
 * @since 0.1.0
 * @category events
 */
export interface CompensationStarted extends OfUndo {
  readonly _tag: "CompensationStarted"
}

/**
 * A compensation or cleanup succeeded.
 *
 * @since 0.1.0
 * @category events
 */
export interface CompensationSucceeded extends OfUndo {
  readonly _tag: "CompensationSucceeded"
}

/**
 * A compensation or cleanup failed: the side effect of its resource remains.
 *
 * @since 0.1.0
 * @category events
 */
export interface CompensationFailed extends OfUndo {
  readonly _tag: "CompensationFailed"
  readonly cause: Cause.Cause<unknown>
}

/**
 * The run rewinds to the resource `to` because `failed` failed. This resource had ended; it is undone and loads again from
 * `retryAt` on. It will end a second time.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceRewound extends OfResource {
  readonly _tag: "ResourceRewound"
  readonly to: string
  readonly failed: string
  /** Milliseconds since 1970, with fractions. */
  readonly retryAt: number
}

/**
 * A run has ended: the last event of each run. Only compensations that a caller runs later, for a load that succeeded, follow.
 *
 * @since 0.1.0
 * @category events
 */
export interface RunEnded extends InRun {
  readonly _tag: "RunEnded"
  readonly end: RunEnd
}

/**
 * The last event of a resource. Each resource of a run has exactly one, and another one after each rewind to a resource before
 * it.
 *
 * @since 0.1.0
 * @category models
 */
export type ResourceEnded =
  | ResourceSucceeded
  | ResourceDegraded
  | ResourceFailed
  | ResourceDied
  | ResourceInterrupted
  | ResourceSkipped

/**
 * An event about a resource.
 *
 * @since 0.1.0
 * @category models
 */
export type ResourceEvent =
  | ResourceReady
  | ResourceChosen
  | ItemsStarted
  | ResourceQueued
  | PoliciesStarted
  | CacheRead
  | AttemptStarted
  | RequestMade
  | RequestSent
  | AttemptSucceeded
  | AttemptFailed
  | AttemptInterrupted
  | RetryScheduled
  | HedgeStarted
  | PolicyRefused
  | FallbackStarted
  | CompensationStarted
  | CompensationSucceeded
  | CompensationFailed
  | ResourceRewound
  | ResourceEnded

/**
 * An event of a run.
 *
 * Inputs and constants have no events, and neither have resources that the run does not need.
 *
 * @since 0.1.0
 * @category models
 */
export type RunEvent = RunStarted | ResourceEvent | RunEnded

const ends: Partial<Record<RunEvent["_tag"], true>> = {
  ResourceSucceeded: true,
  ResourceDegraded: true,
  ResourceFailed: true,
  ResourceDied: true,
  ResourceInterrupted: true,
  ResourceSkipped: true
}

/**
 * Whether an event is the last of its resource.
 *
 * @since 0.1.0
 * @category guards
 */
export const isResourceEnded = (event: RunEvent): event is ResourceEnded => ends[event._tag] === true

/** Identifies an attempt of one resource, also that of an item of a list. */
export const attemptKey = ({
  attempt,
  item
}: {
  readonly attempt: number
  readonly item?: number | undefined
}): string => `${item} ${attempt}`

/** Identifies an undo of one resource: its own, that of an item, or that of a resource of a loader inside it. */
export const undoKey = ({
  cleanup,
  inside = [],
  item
}: {
  readonly item?: number
  readonly inside?: ReadonlyArray<string>
  readonly cleanup: boolean
}): string => JSON.stringify([cleanup, item, ...inside])
