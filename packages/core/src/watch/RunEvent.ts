/**
 * What happens in a run, one fact at a time. Reports, logs, spans and viewers are all made from these.
 *
 * @since 0.1.0
 */
import type { Limit, SkipReason } from "../model/Extension.ts"
import type * as Cause from "effect/Cause"
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { Plan } from "../compile/Plan.ts"

export type { Limit, SkipReason } from "../model/Extension.ts"

/**
 * How a run ended. A run that `settle` saw to its end has `Completed`, whatever failed in it.
 *
 * @since 0.1.0
 * @category models
 */
export type RunEnd = "Completed" | "Failed" | "TimedOut" | "Interrupted"

export interface InRun {
  /** Which run, in this process. */
  readonly run: number
  /** When, by the run's clock: milliseconds since 1970, with fractions. It never goes backwards within a run. */
  readonly at: number
}

export interface OfResource extends InRun {
  readonly resource: string
}

export interface OfAttempt extends OfResource {
  /** Which attempt, from 1. */
  readonly attempt: number
  /** Of which item, from 0, where the resource is a list: the attempts of a list are those of its items. */
  readonly item?: number
}

/**
 * Where a run is inside another one: in the attempt of this resource, or of this item of it.
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
 * - `plan`: what it could load, the same object for every run of a loader.
 * - `parent`: the resource that this run is inside of, where that was made by `Resource.fromLoader` or `forEach`.
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
 * Everything that a resource waits for is there.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceReady extends OfResource {
  readonly _tag: "ResourceReady"
}

/**
 * An attempt, or the handler of a fallback, could begin and has to wait for `limit`.
 *
 * `attempt` is the one that waits; before a fallback, the last one, 0 where there was none.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceQueued extends OfAttempt {
  readonly _tag: "ResourceQueued"
  readonly limit: Limit
}

/**
 * A choice was made: `choice` is the value that decided, `chosen` the resource.
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
 * A list begins to load its items, of which there are so many. Once for each attempt of the whole.
 *
 * @since 0.1.0
 * @category events
 */
export interface ItemsStarted extends OfResource {
  readonly _tag: "ItemsStarted"
  readonly items: number
}

/**
 * A cache was looked into for a resource, or for an item of it (`item`) where it is a list.
 *
 * With `hit`, `coalesced` and `stale` nothing is loaded here. A `miss` or an `error` of the last level is followed by an
 * attempt; so is a `coalesced`, by way of a `miss`, where the one that was waited for is interrupted.
 *
 * An `error` has a `reason`, in words: what the store said, or that it took too long. It shows neither the key nor the value.
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
 * The policies around a resource's attempts begin. Only where there are any, such as a `retry`.
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
 * An attempt has made a request, and waits for the call that it shares: for others to join, and for permits of the call.
 *
 * @since 0.1.0
 * @category events
 */
export interface RequestMade extends OfAttempt {
  readonly _tag: "RequestMade"
}

/**
 * The call begins that an attempt's request is sent with.
 *
 * - `batch`: which call, in this process: the same for all that share it, in whichever run.
 * - `requests`: how many requests the call is for; `callers`: how many attempts wait for an answer to one of them.
 * - `outOfTime`: there where more could have come, and the time for which the resolver holds its batches was over.
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
 * An attempt succeeded inside policies that may go on. The end of an only attempt is the end of its resource.
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
 * Attempt `attempt` will begin at `retryAt`, or when it then gets a slot.
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
 * Attempt `attempt` is to begin beside those that run, because they take long.
 *
 * @since 0.1.0
 * @category events
 */
export interface HedgeStarted extends OfAttempt {
  readonly _tag: "HedgeStarted"
}

/**
 * A policy let something not happen: an attempt, of a limiter that refuses, a breaker that is open or a rate that is exceeded,
 * or a further one, of a budget that is spent.
 *
 * - `policy`: its label, as the plan has it.
 * - `error`: what the resource, or its item, fails with for that; missing where it goes on.
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
 * The handler of a fallback begins to run, because of `error`. A handler that has its value at hand has no such event.
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
 * A resource's value is there.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceSucceeded extends OfResource {
  readonly _tag: "ResourceSucceeded"
}

/**
 * A resource failed with `error`, and `fallback` gave a value in its place wherever it is needed.
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
 * A resource never ran, and why.
 *
 * @since 0.1.0
 * @category events
 */
export interface ResourceSkipped extends OfResource {
  readonly _tag: "ResourceSkipped"
  readonly because: SkipReason
}

export interface OfUndo extends OfResource {
  /** Of which item, from 0, where the resource is a list. */
  readonly item?: number
  /** The resources inside, outermost first, where this undoes what a loader inside the resource did. */
  readonly inside?: ReadonlyArray<string>
  /** Whether this is the `Saga.cleanup` of a resource that did not succeed. */
  readonly cleanup: boolean
}

/**
 * The compensation of a resource that had been loaded begins; or, where `cleanup` says so, the cleanup after one that did
 * not succeed. A cleanup comes before the end of its resource, a compensation after it.
 *
 * @since 0.1.0
 * @category events
 */
export interface CompensationStarted extends OfUndo {
  readonly _tag: "CompensationStarted"
}

/**
 * What a resource did is undone.
 *
 * @since 0.1.0
 * @category events
 */
export interface CompensationSucceeded extends OfUndo {
  readonly _tag: "CompensationSucceeded"
}

/**
 * A compensation failed: what its resource did is still there.
 *
 * @since 0.1.0
 * @category events
 */
export interface CompensationFailed extends OfUndo {
  readonly _tag: "CompensationFailed"
  readonly cause: Cause.Cause<unknown>
}

/**
 * The run was taken back to the resource `to` because `failed` did: what had ended of this resource is undone, and it is
 * loaded again, from `retryAt` on. It will end once more.
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
 * A run is over: nothing of it runs any more. The last event of each run; what a caller undoes later, of a load that had
 * succeeded, comes after it.
 *
 * @since 0.1.0
 * @category events
 */
export interface RunEnded extends InRun {
  readonly _tag: "RunEnded"
  readonly end: RunEnd
}

/**
 * What a resource ends with. Each resource that a run could load has exactly one of these, and one more each time that the
 * run is taken back before it.
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
 * What happens to a resource.
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
 * One fact of a run, as it happens.
 *
 * Inputs and constants are there from the start and have no events; neither has whatever a run has no need to load.
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
