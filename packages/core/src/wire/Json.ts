/** Events and reports as JSON text, in an envelope with a version. */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as CoreReport from "../watch/Report.ts"
import type * as CoreEvent from "../watch/RunEvent.ts"
import { jsonText } from "../observe/JsonText.ts"
import { Report } from "./Report.ts"
import { RunEvent } from "./RunEvent.ts"

/** The version that is written. Older versions are read, too. */
const version = 1

/**
 * The text is not an event or a report, or a newer version of the library wrote it. `message` says which.
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
  const fail = (why: string) => Result.fail(new WireError({ message: `this is not ${what}: ${why}` }))
  return (text: string): Result.Result<A, WireError> => {
    const opened = openEnvelope(text)
    if (Result.isFailure(opened)) return fail(String(opened.failure))
    if (opened.success.version > version) {
      return fail(`it has version ${opened.success.version}, and this library reads versions up to ${version}`)
    }
    const decoded = decode(opened.success.value)
    return Result.isFailure(decoded) ? fail(String(decoded.failure)) : Result.succeed(decoded.success)
  }
}

const writeReport = write(Report)

/**
 * A report as JSON, without its values. The top of this module says how errors are encoded.
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
 * Reads a report that {@link reportToJson} wrote. Any other text is a {@link WireError}.
 *
 * @since 0.1.0
 * @category reports
 */
export const reportFromJson: (text: string) => Result.Result<CoreReport.Report, WireError> = read("a report", Report)

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
 * Reads an event that {@link eventToJson} wrote. Any other text is a {@link WireError}.
 *
 * @since 0.1.0
 * @category events
 */
export const eventFromJson: (text: string) => Result.Result<CoreEvent.RunEvent, WireError> = read("an event", RunEvent)
