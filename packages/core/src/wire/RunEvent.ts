import * as Schema from "effect/Schema"
import type * as CoreEvent from "../watch/RunEvent.ts"
import { AnyCause, CacheLevel, RunEnd, SkipReason, undone, Unknown } from "./Parts.ts"
import { Plan } from "./Plan.ts"

const Limit = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Slot"), concurrency: Schema.Number }),
  Schema.Struct({ _tag: Schema.Literals(["Permit", "FairShare"]), limiter: Schema.String, limit: Schema.Number })
])

const inRun = { run: Schema.Number, at: Schema.Number }
const ofResource = { ...inRun, resource: Schema.String }
const ofAttempt = { ...ofResource, attempt: Schema.Number, item: Schema.optionalKey(Schema.Number) }
const ofUndo = { ...ofResource, ...undone }

const RunParent = Schema.Struct({
  run: Schema.Number,
  resource: Schema.String,
  item: Schema.optionalKey(Schema.Number)
})

/**
 * The schema of an event.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RunEvent: Schema.Codec<CoreEvent.RunEvent, unknown> = Schema.Union([
  Schema.Struct({
    _tag: Schema.tag("RunStarted"),
    ...inRun,
    loader: Schema.String,
    plan: Plan,
    parent: Schema.optionalKey(RunParent)
  }),
  Schema.Struct({ _tag: Schema.tag("ResourceReady"), ...ofResource }),
  Schema.Struct({ _tag: Schema.tag("ResourceChosen"), ...ofResource, choice: Schema.String, chosen: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("ItemsStarted"), ...ofResource, items: Schema.Number }),
  Schema.Struct({ _tag: Schema.tag("ResourceQueued"), ...ofAttempt, limit: Limit }),
  Schema.Struct({ _tag: Schema.tag("PoliciesStarted"), ...ofResource }),
  Schema.Struct({
    _tag: Schema.tag("CacheRead"),
    ...ofResource,
    item: Schema.optionalKey(Schema.Number),
    cache: Schema.String,
    level: CacheLevel,
    result: Schema.Literals(["hit", "miss", "coalesced", "stale", "error"]),
    reason: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({ _tag: Schema.tag("AttemptStarted"), ...ofAttempt }),
  Schema.Struct({ _tag: Schema.tag("RequestMade"), ...ofAttempt }),
  Schema.Struct({
    _tag: Schema.tag("RequestSent"),
    ...ofAttempt,
    batch: Schema.Number,
    requests: Schema.Number,
    callers: Schema.Number,
    outOfTime: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.Struct({ _tag: Schema.tag("AttemptSucceeded"), ...ofAttempt }),
  Schema.Struct({ _tag: Schema.tag("AttemptFailed"), ...ofAttempt, cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("AttemptInterrupted"), ...ofAttempt }),
  Schema.Struct({ _tag: Schema.tag("RetryScheduled"), ...ofAttempt, retryAt: Schema.Number }),
  Schema.Struct({ _tag: Schema.tag("HedgeStarted"), ...ofAttempt }),
  Schema.Struct({
    _tag: Schema.tag("PolicyRefused"),
    ...ofResource,
    item: Schema.optionalKey(Schema.Number),
    policy: Schema.String,
    error: Schema.optionalKey(Unknown)
  }),
  Schema.Struct({ _tag: Schema.tag("FallbackStarted"), ...ofResource, fallback: Schema.String, error: Unknown }),
  Schema.Struct({ _tag: Schema.tag("CompensationStarted"), ...ofUndo }),
  Schema.Struct({
    _tag: Schema.tag("ResourceRewound"),
    ...ofResource,
    to: Schema.String,
    failed: Schema.String,
    retryAt: Schema.Number
  }),
  Schema.Struct({ _tag: Schema.tag("CompensationSucceeded"), ...ofUndo }),
  Schema.Struct({ _tag: Schema.tag("CompensationFailed"), ...ofUndo, cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("ResourceSucceeded"), ...ofResource }),
  Schema.Struct({ _tag: Schema.tag("ResourceDegraded"), ...ofResource, fallback: Schema.String, error: Unknown }),
  Schema.Struct({ _tag: Schema.tag("ResourceFailed"), ...ofResource, cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("ResourceDied"), ...ofResource, cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("ResourceInterrupted"), ...ofResource }),
  Schema.Struct({ _tag: Schema.tag("ResourceSkipped"), ...ofResource, because: SkipReason }),
  Schema.Struct({ _tag: Schema.tag("RunEnded"), ...inRun, end: RunEnd })
])
