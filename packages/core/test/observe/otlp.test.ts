/** Spans at a collector: through Effect's own OTLP exporter, over HTTP, to a receiver in this process. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Layer, Schedule } from "effect"
import { Loader, Policy, Resource, Tracing } from "effect-loader"
import { FetchHttpClient } from "effect/http"
import { Otlp, OtlpExporter } from "effect/observability"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { json } from "node:stream/consumers"

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A span by the JSON form of `opentelemetry/proto/trace/v1/trace.proto`, with the fields that this test reads. */
interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<KeyValue>
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: ReadonlyArray<KeyValue> }>
  readonly links: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
  readonly status: { readonly code: number; readonly message?: string }
}

interface Traces {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
  }>
}

const spansIn = ({ resourceSpans }: Traces): ReadonlyArray<Span> =>
  resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))

/** A collector on a free port, until its scope closes: its spans and its address. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly spans: Array<Span>; readonly close: () => void }>((resume) => {
    const spans: Array<Span> = []
    const receive = async (request: IncomingMessage): Promise<void> => {
      const body = await json(request)
      if (request.url === "/v1/traces") spans.push(...spansIn(body as Traces))
    }
    const server = createServer((request, response) => {
      const answer = (status: number) => () =>
        response.writeHead(status, { "content-type": "application/json" }).end("{}")
      receive(request).then(answer(200), answer(400))
    })
    const close = (): void => {
      server.closeAllConnections()
      server.close()
    }
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, spans, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The spans that a collector has received from an effect, after all of them were sent. */
const collected = (self: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const { spans, url } = yield* collector
    const exporter = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "test" }, shutdownTimeout: "5 seconds" })
    const program = Effect.gen(function* () {
      yield* Effect.exit(self)
      const { flush } = yield* OtlpExporter.Flusher
      yield* flush
    })
    yield* program.pipe(Effect.provide(Layer.merge(Tracing.layer, Layer.provide(exporter, FetchHttpClient.layer))))
    return spans
  }).pipe(Effect.scoped, Effect.timeout("20 seconds"))

const read = (attributes: ReadonlyArray<KeyValue>): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value["stringValue"] ?? value["intValue"] ?? value["boolValue"]])
  )

const statuses = ["unset", "ok", "error"]

/** Spans as a tree of text: their names, statuses and the names of their links. Siblings are sorted by name. */
const treeOf = (spans: ReadonlyArray<Span>): ReadonlyArray<string> => {
  const names = new Map(spans.map(({ name, spanId }) => [spanId, name]))
  const below = (parent: string | undefined, depth: number): ReadonlyArray<string> =>
    spans
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ links, name, spanId, status }) => {
        const linked = links.map((link) => ` <- ${names.get(link.spanId)}`).join("")
        return [`${"  ".repeat(depth)}${name} ${statuses[status.code]}${linked}`, ...below(spanId, depth + 1)]
      })
  return below(undefined, 0)
}

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

const page = () => {
  let attempts = 0
  const query = Effect.withSpan(Effect.yieldNow, "SELECT org")
  const org = Resource.make("org", { load: () => query })
  const user = Resource.make("user", {
    load: () =>
      Effect.withSpan(
        Effect.suspend(() => (++attempts < 2 ? Effect.fail("busy") : Effect.void)),
        "GET user"
      )
  }).pipe(Policy.retry({ times: 1, schedule: Schedule.spaced(1) }))
  const members = Resource.make("members", { deps: { org }, after: [user], load: () => Effect.void })
  const missing = Resource.make("missing", { deps: { org }, load: () => Effect.fail(new NotFound({ id: "x" })) })
  const below = Resource.make("below", { deps: { missing }, load: () => Effect.void })
  return Loader.make({ below, members }, { name: "page" })
}

describe("spans at a collector", () => {
  it.live("are the tree of the run: resources, attempts, spans of the user, links, errors and skips", () =>
    Effect.gen(function* () {
      const spans = yield* collected(Effect.withSpan(Loader.settle(page()), "GET /page"))
      assert.deepStrictEqual(treeOf(spans), [
        "GET /page ok",
        "  load page ok",
        "    below unset <- missing",
        "    members ok <- org <- user",
        "    missing error <- org",
        "    org ok",
        "      SELECT org ok",
        "    user ok",
        "      user 1 error",
        "        GET user error",
        "      user 2 ok",
        "        GET user ok"
      ])
      const named = (name: string): Span => spans.find((span) => span.name === name)!
      const [exception] = named("missing").events
      assert.strictEqual(exception?.name, "exception")
      assert.deepInclude(read(named("missing").attributes), {
        "effect_loader.outcome": "failed",
        "error.type": "NotFound"
      })
      assert.deepInclude(read(named("below").attributes), {
        "effect_loader.outcome": "skipped",
        "effect_loader.skip.reason": "dependency_failed",
        "effect_loader.skip.resource": "missing",
        "effect.fiber.interrupted": true
      })
      assert.deepInclude(read(named("user").attributes), {
        "effect_loader.loader": "page",
        "effect_loader.attempts": 2
      })
      assert.deepStrictEqual(
        named("user").events.map(({ name }) => name),
        ["retry"]
      )
    })
  )

  it.live("have ids and times as the protocol demands, in one trace", () =>
    Effect.gen(function* () {
      const spans = yield* collected(Loader.load(page()))
      const byId = new Map(spans.map((span) => [span.spanId, span]))
      assert.strictEqual(byId.size, spans.length)
      assert.lengthOf(new Set(spans.map(({ traceId }) => traceId)), 1)
      for (const { endTimeUnixNano, links, name, parentSpanId, spanId, startTimeUnixNano, traceId } of spans) {
        assert.match(traceId, /^[0-9a-f]{32}$/)
        assert.match(spanId, /^[0-9a-f]{16}$/)
        const [from, to] = [BigInt(startTimeUnixNano), BigInt(endTimeUnixNano)]
        assert.isTrue(from <= to, `${name} ends after its start`)
        for (const link of links) assert.isTrue(byId.has(link.spanId), `${name} links to a span that was sent`)
        if (parentSpanId === undefined) continue
        const parent = byId.get(parentSpanId)!
        assert.isTrue(BigInt(parent.startTimeUnixNano) <= from && to <= BigInt(parent.endTimeUnixNano))
      }
      const run = spans.find(({ parentSpanId }) => parentSpanId === undefined)!
      assert.strictEqual(run.name, "load page")
      assert.strictEqual(statuses[run.status.code], "error")
      assert.include(run.status.message, "missing")
    })
  )
})
