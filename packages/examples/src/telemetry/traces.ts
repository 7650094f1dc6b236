/**
 * Exports the traces of a run over OTLP: to `OTEL_EXPORTER_OTLP_ENDPOINT` if it is set, and otherwise to a collector in
 * this program, which then shows what it got.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Option } from "effect"
import { Loader, Tracing } from "effect-loader"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import { dim, print, section } from "../terminal/Text.ts"
import { Collector } from "./Collector.ts"
import { makeOrderPage } from "./order.ts"
import { spanTree } from "./spanTree.ts"

/** What an application provides once, at its top: spans for runs, and where they go. */
const exportTo = (url: string) =>
  Layer.merge(
    Tracing.layer,
    Otlp.layerJson({ baseUrl: url, resource: { serviceName: "effect-loader-example" } }).pipe(
      Layer.provide(FetchHttpClient.layer)
    )
  )

/** A request as a server would handle it. What is left to be exported is sent when its layers are released. */
const request = (url: string) =>
  Loader.settle(makeOrderPage(), { orderId: 7 }).pipe(
    Effect.withSpan("GET /orders/7", { kind: "server" }),
    Effect.provide(exportTo(url))
  )

const toEndpoint = (endpoint: string) =>
  Effect.andThen(request(endpoint), print(`The spans went to ${endpoint}, as service "effect-loader-example".`))

const toOwnCollector = Effect.gen(function* () {
  const { spans, url } = yield* Collector
  yield* request(url)
  yield* section("What the collector got", `${spans.length} spans over OTLP, on ${url}`)
  yield* print(spanTree(spans).join("\n"))
  yield* print("", dim("✓ ok, ✗ error, - interrupted: what was skipped never ran."))
  yield* Console.log("")
}).pipe(Effect.provide(Collector.layer))

const program = Effect.gen(function* () {
  const endpoint = yield* Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"))
  yield* Option.match(endpoint, { onNone: () => toOwnCollector, onSome: toEndpoint })
})

NodeRuntime.runMain(program)
