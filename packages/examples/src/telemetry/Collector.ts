/** A collector of traces in this program, for those who have none at hand: it keeps what it gets. It listens on a free port. */
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { type Span, spansIn, Traces } from "./OtlpTraces.ts"

const serve = (spans: Array<Span>) =>
  HttpRouter.serve(
    HttpRouter.addAll([
      HttpRouter.route(
        "POST",
        "/v1/traces",
        Effect.gen(function* () {
          for (const span of spansIn(yield* HttpServerRequest.schemaBodyJson(Traces))) spans.push(span)
          return HttpServerResponse.jsonUnsafe({})
        })
      ),
      // Logs and metrics come too; this program shows spans only.
      HttpRouter.route("POST", "/v1/:signal", Effect.succeed(HttpServerResponse.jsonUnsafe({})))
    ]),
    { disableLogger: true, disableListenLog: true }
  ).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: "1 second" })
    )
  )

export class Collector extends Context.Service<
  Collector,
  { readonly url: string; readonly spans: ReadonlyArray<Span> }
>()("examples/Collector") {
  static readonly layer = Layer.effect(
    Collector,
    Effect.gen(function* () {
      const spans: Array<Span> = []
      const server = Context.get(yield* Layer.build(serve(spans)), HttpServer.HttpServer)
      return { url: HttpServer.formatAddress(server.address), spans }
    })
  )
}
