import * as Schema from "effect/Schema"
import type * as CoreReport from "../watch/Report.ts"
import { AnyCause, CacheLevel, RunEnd, SkipReason, undone, Unknown } from "./Parts.ts"
import { Plan } from "./Plan.ts"

const Outcome = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Succeeded") }),
  Schema.Struct({ _tag: Schema.tag("Degraded"), fallback: Schema.String, error: Unknown }),
  Schema.Struct({ _tag: Schema.tag("Failed"), cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("Died"), cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("Interrupted") }),
  Schema.Struct({ _tag: Schema.tag("Skipped"), because: SkipReason }),
  Schema.Struct({ _tag: Schema.tag("Compensated") }),
  Schema.Struct({ _tag: Schema.tag("CompensationFailed"), cause: AnyCause }),
  Schema.Struct({ _tag: Schema.tag("Unfinished") })
])

const stretch = { from: Schema.Number, to: Schema.Number }

const Phase = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Dependency"), ...stretch, resource: Schema.UndefinedOr(Schema.String) }),
  Schema.Struct({
    _tag: Schema.Literals([
      "Batch",
      "Slot",
      "Permit",
      "FairShare",
      "Thread",
      "Collecting",
      "Retry",
      "Policy",
      "Items",
      "Compensation"
    ]),
    ...stretch
  }),
  Schema.Struct({ _tag: Schema.tag("Attempt"), ...stretch, attempt: Schema.Number }),
  Schema.Struct({ _tag: Schema.tag("Fallback"), ...stretch, fallback: Schema.String })
])

const Instant = Schema.UndefinedOr(Schema.Number)

/**
 * The schema of a report without its values.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Report: Schema.Codec<CoreReport.Report, unknown> = Schema.Struct({
  loader: Schema.String,
  run: Schema.Number,
  plan: Plan,
  startedAt: Schema.Number,
  until: Schema.Number,
  endedAt: Instant,
  end: Schema.UndefinedOr(RunEnd),
  timedOut: Schema.Boolean,
  resources: Schema.Array(
    Schema.Struct({
      resource: Schema.String,
      outcome: Outcome,
      attempts: Schema.Number,
      readyAt: Instant,
      startedAt: Instant,
      endedAt: Instant,
      running: Schema.Number,
      queued: Schema.Number,
      refusals: Schema.optionalKey(Schema.Number),
      items: Schema.optionalKey(Schema.Struct({ total: Schema.Number, loaded: Schema.Number, took: Schema.Number })),
      chosen: Schema.optionalKey(Schema.String),
      caches: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            cache: Schema.String,
            level: CacheLevel,
            hit: Schema.Number,
            miss: Schema.Number,
            coalesced: Schema.Number,
            stale: Schema.Number,
            error: Schema.Number
          })
        )
      ),
      runs: Schema.optionalKey(Schema.Array(Schema.suspend((): Schema.Codec<CoreReport.Report, unknown> => Report))),
      phases: Schema.Array(Phase),
      notUndone: Schema.optionalKey(Schema.Array(Schema.Struct({ ...undone, cause: AnyCause })))
    })
  ),
  values: Schema.Struct({})
})
