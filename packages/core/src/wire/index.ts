/**
 * Plans, events and reports for other processes: schemas, and JSON.
 *
 * What travels of errors, defects and annotations, of which no schema is known:
 *
 * - what JSON can hold, as it is; dates, maps and sets as JSON has them; big integers, functions and symbols as text; what
 *   refers to itself, is deeper than 8 levels or wider than 1,000 entries is cut;
 * - errors as errors: name, message, own fields and `cause`, but neither class nor stack; a `ResourceError` as one;
 * - causes as causes, their failures, defects and interruptions in their order.
 *
 * The `values` of a report do not travel: they may be secret, and need have no JSON. A report that was read has none.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as CorePlan from "../compile/Plan.ts"
import type * as CoreReport from "../watch/Report.ts"
import type * as CoreEvent from "../watch/RunEvent.ts"
import { jsonText } from "../observe/JsonText.ts"
import { decodeUnknown, encodeUnknown } from "./Unknown.ts"

/** The form that is written; what is read may be of this one or an older one. */
const version = 1

const Unknown: Schema.Codec<unknown> = Schema.Unknown.pipe(
  Schema.decodeTo(
    Schema.Unknown,
    SchemaTransformation.transform({ decode: decodeUnknown, encode: (value: unknown): unknown => encodeUnknown(value) })
  )
)

const AnyCause: Schema.Codec<Cause.Cause<unknown>, unknown> = Schema.Cause(Unknown, Unknown)

const Part = Schema.Struct({ kind: Schema.String, label: Schema.String })

const Names = Schema.Array(Schema.String)

/**
 * The schema of a plan.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Plan: Schema.Codec<CorePlan.Plan, unknown> = Schema.Struct({
  loader: Schema.String,
  scheduling: Schema.Literals(["eager", "batched"]),
  concurrency: Schema.optionalKey(Schema.Number),
  timeout: Schema.optionalKey(Schema.Number),
  resources: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      kind: Schema.Literals(["input", "constant", "load", "request", "list", "loader", "struct", "match"]),
      dependencies: Names,
      dependents: Names,
      batch: Schema.Number,
      rank: Schema.Number,
      attempt: Schema.Array(Part),
      around: Schema.Array(Part),
      items: Schema.optionalKey(
        Schema.Struct({
          concurrency: Schema.optionalKey(Schema.Number),
          requests: Schema.optionalKey(Schema.Boolean),
          attempt: Schema.Array(Part),
          around: Schema.Array(Part)
        })
      ),
      cases: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
      otherwise: Schema.optionalKey(Schema.String),
      loader: Schema.optionalKey(Schema.suspend((): Schema.Codec<CorePlan.Plan, unknown> => Plan)),
      onlyFor: Schema.optionalKey(Names),
      views: Names,
      annotations: Schema.Record(Schema.String, Unknown)
    })
  ),
  batches: Schema.Array(Names),
  targets: Schema.Record(Schema.String, Schema.String)
})

const RunEnd = Schema.Literals(["Completed", "Failed", "TimedOut", "Interrupted"])

const SkipReason = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("DependencyFailed"), resource: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("NotChosen"), resource: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("RunFailed"), resource: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("RunTimedOut") }),
  Schema.Struct({ _tag: Schema.tag("RunInterrupted") })
])

const Limit = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Slot"), concurrency: Schema.Number }),
  Schema.Struct({ _tag: Schema.Literals(["Permit", "FairShare"]), limiter: Schema.String, limit: Schema.Number })
])

const inRun = { run: Schema.Number, at: Schema.Number }
const ofResource = { ...inRun, resource: Schema.String }
const ofAttempt = { ...ofResource, attempt: Schema.Number, item: Schema.optionalKey(Schema.Number) }

const CacheLevel = Schema.Literals(["memory", "persisted"])
const undone = {
  item: Schema.optionalKey(Schema.Number),
  inside: Schema.optionalKey(Names),
  cleanup: Schema.Boolean
}
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

/**
 * Text is no event or report of this library, and why not, or it is of a version that this one does not know.
 *
 * @since 0.1.0
 * @category errors
 */
export class WireError extends Data.TaggedError("WireError")<{ readonly message: string }> {}

const Envelope = Schema.fromJsonString(Schema.Struct({ version: Schema.Number, value: Schema.Unknown }))

const write = <A>(schema: Schema.Codec<A, unknown>) => {
  const encode = Schema.encodeSync(Schema.toCodecJson(schema))
  return (value: A): string => jsonText({ version, value: encode(value) })
}

const read = <A>(what: string, schema: Schema.Codec<A, unknown>) => {
  const openEnvelope = Schema.decodeUnknownResult(Envelope)
  const decode = Schema.decodeUnknownResult(Schema.toCodecJson(schema))
  const fail = (why: string) => Result.fail(new WireError({ message: `this is no ${what}: ${why}` }))
  return (text: string): Result.Result<A, WireError> => {
    const opened = openEnvelope(text)
    if (Result.isFailure(opened)) return fail(String(opened.failure))
    if (opened.success.version > version) {
      return fail(`it is of version ${opened.success.version}, and ${version} is the newest that is known here`)
    }
    const decoded = decode(opened.success.value)
    return Result.isFailure(decoded) ? fail(String(decoded.failure)) : Result.succeed(decoded.success)
  }
}

const writeReport = write(Report)

/**
 * A report as JSON, without its values. See the top of this module for what travels of errors.
 *
 * @example
 * ```ts
 * import { Effect, Result } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 * import * as Wire from "effect-loader/wire"
 *
 * const org = Resource.make("org", { load: () => Effect.fail("down") })
 * const report = Effect.runSync(Loader.settle(Loader.make({ org }, { name: "page" })))
 *
 * const received = Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))
 * console.log(Report.outcome(received, "org")?._tag) // Failed
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const reportToJson = (report: CoreReport.Report<unknown>): string => writeReport({ ...report, values: {} })

/**
 * The report that {@link reportToJson} wrote, or why it is none.
 *
 * @since 0.1.0
 * @category reports
 */
export const reportFromJson: (text: string) => Result.Result<CoreReport.Report, WireError> = read("report", Report)

/**
 * An event as JSON, on one line.
 *
 * @example
 * ```ts
 * import { Effect, Result } from "effect"
 * import { Loader, Observer, Report, Resource, type RunEvent } from "effect-loader"
 * import * as Wire from "effect-loader/wire"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const lines: Array<string> = []
 *
 * Effect.runSync(
 *   Observer.observe(Loader.load(Loader.make({ org })), (event) => lines.push(Wire.eventToJson(event)))
 * )
 * const events = lines.map((line): RunEvent.RunEvent => Result.getOrThrow(Wire.eventFromJson(line)))
 * console.log(Report.fromEvents(events)?.end) // Completed
 * ```
 *
 * @since 0.1.0
 * @category events
 */
export const eventToJson: (event: CoreEvent.RunEvent) => string = write(RunEvent)

/**
 * The event that {@link eventToJson} wrote, or why it is none.
 *
 * @since 0.1.0
 * @category events
 */
export const eventFromJson: (text: string) => Result.Result<CoreEvent.RunEvent, WireError> = read("event", RunEvent)
