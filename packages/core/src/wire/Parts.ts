/** Schemas that plans, events and reports have in common. */
import type * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { decodeUnknown, encodeUnknown } from "./Unknown.ts"

/** A value whose schema is not known. */
export const Unknown: Schema.Codec<unknown> = Schema.Unknown.pipe(
  Schema.decodeTo(
    Schema.Unknown,
    SchemaTransformation.transform({ decode: decodeUnknown, encode: (value: unknown): unknown => encodeUnknown(value) })
  )
)

export const AnyCause: Schema.Codec<Cause.Cause<unknown>, unknown> = Schema.Cause(Unknown, Unknown)

export const Names = Schema.Array(Schema.String)

export const RunEnd = Schema.Literals(["Completed", "Failed", "TimedOut", "Interrupted"])

export const SkipReason = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("DependencyFailed"), resource: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("NotChosen"), resource: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("RunFailed"), resource: Schema.String }),
  Schema.Struct({ _tag: Schema.tag("RunTimedOut") }),
  Schema.Struct({ _tag: Schema.tag("RunInterrupted") })
])

export const CacheLevel = Schema.Literals(["memory", "persisted"])

/** The fields that name what a compensation is for. */
export const undone = {
  item: Schema.optionalKey(Schema.Number),
  inside: Schema.optionalKey(Names),
  cleanup: Schema.Boolean
}
