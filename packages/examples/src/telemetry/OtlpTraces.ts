/** What an exporter of traces sends: the JSON form of OpenTelemetry's `opentelemetry/proto/trace/v1/trace.proto`. */
import { Schema } from "effect"

export class Span extends Schema.Class<Span>("Span")({
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  name: Schema.String,
  startTimeUnixNano: Schema.String,
  endTimeUnixNano: Schema.String,
  links: Schema.Array(Schema.Struct({ spanId: Schema.String })),
  status: Schema.Struct({ code: Schema.Literals([0, 1, 2]), message: Schema.optionalKey(Schema.String) })
}) {
  /** In milliseconds since 1970. */
  get startedAt(): number {
    return Number(this.startTimeUnixNano) / 1e6
  }

  /** In milliseconds. */
  get took(): number {
    return Number(BigInt(this.endTimeUnixNano) - BigInt(this.startTimeUnixNano)) / 1e6
  }
}

export const Traces = Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) }))
})

export const spansIn = ({ resourceSpans }: typeof Traces.Type): ReadonlyArray<Span> =>
  resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
