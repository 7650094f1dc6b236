/**
 * Events: the facts of a run, one at a time.
 *
 * @since 0.1.0
 */
export {
  isResourceEnded,
  type AttemptFailed,
  type AttemptInterrupted,
  type AttemptStarted,
  type AttemptSucceeded,
  type CacheRead,
  type CompensationFailed,
  type CompensationStarted,
  type CompensationSucceeded,
  type FallbackStarted,
  type HedgeStarted,
  type ItemsStarted,
  type Limit,
  type PoliciesStarted,
  type PolicyRefused,
  type RequestMade,
  type RequestSent,
  type ResourceChosen,
  type ResourceDegraded,
  type ResourceDied,
  type ResourceEnded,
  type ResourceEvent,
  type ResourceFailed,
  type ResourceInterrupted,
  type ResourceQueued,
  type ResourceReady,
  type ResourceRewound,
  type ResourceSkipped,
  type ResourceSucceeded,
  type RetryScheduled,
  type RunEnd,
  type RunEnded,
  type RunEvent,
  type RunParent,
  type RunStarted,
  type SkipReason
} from "./watch/RunEvent.ts"
