/** What is undone is seen: in spans, metrics, logs, on the wire, in traces and in progress. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, References, Result, Tracer } from "effect"
import { Loader, Logging, Metrics, Report, Resource, type RunEvent, Saga, Tracing } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { failing, Shop } from "./Shop.ts"

/** `a` is undone, `stuck` cannot be, a loader inside is undone, and `failing` is not cleaned up after. */
const order = () => {
  const shop = new Shop()
  const a = shop.step("a")
  const stuck = Resource.make("stuck", {
    deps: { a },
    load: () => Effect.void
  }).pipe(Saga.compensate(() => Effect.fail("offline")))
  const inside = Resource.fromLoader("inside", Loader.make({ x: shop.step("x") }, { name: "inner" }))
  const last = failing({ stuck, inside }).pipe(Saga.cleanup(() => Effect.fail("dirty")))
  return Loader.make({ last }, { name: "order", onCompensationFailure: () => Effect.void })
}

const run = Effect.suspend(() => Effect.exit(Loader.load(order())))

describe("what is undone", () => {
  it.effect("has a span below that of the run, linked to its resource's; a failed one is an error", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      yield* run.pipe(Effect.provide(Tracing.layer), Effect.withTracer(tracer))
      const undone = spans.filter(({ name }) => name.startsWith("undo") || name.startsWith("clean"))
      assert.deepStrictEqual(undone.map(({ name }) => name).toSorted(), [
        "clean up failing",
        "undo a",
        "undo stuck",
        "undo x"
      ])
      for (const { attributes, links, name, parent, status } of undone) {
        assert.strictEqual(
          parent._tag === "Some" && parent.value._tag === "Span" ? parent.value.name : "",
          "load order"
        )
        assert.strictEqual(links.length, 1)
        assert.strictEqual(status._tag, "Ended")
        const failed = name === "undo stuck" || name === "clean up failing"
        assert.strictEqual(attributes.has("error.type"), failed, name)
      }
      assert.strictEqual(undone.find(({ name }) => name === "undo x")?.attributes.get("effect_loader.inside"), "x")
    })
  )

  it.effect("is counted, by kind and outcome", () =>
    Effect.gen(function* () {
      const program = Effect.andThen(run, Metric.snapshot).pipe(Effect.provide(Metrics.layer))
      const counts = (yield* program).flatMap(({ attributes, id, state }) =>
        id === "effect_loader_compensations_total" && attributes?.["loader"] === "order"
          ? [
              `${attributes["resource"]} ${attributes["kind"]} ${attributes["outcome"]} ${(state as { count: number }).count}`
            ]
          : []
      )
      assert.deepStrictEqual(counts.toSorted(), [
        "a compensation succeeded 1",
        "failing cleanup failed 1",
        "inside compensation succeeded 1",
        "stuck compensation failed 1"
      ])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("is logged: an error for what could not be undone", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        const [text] = Array.isArray(message) ? message : [message]
        if (/compensation|cleanup/.test(String(text))) lines.push(`${logLevel} ${String(text)}`)
      })
      yield* run.pipe(
        Effect.provide(Layer.merge(Logging.layer, Logger.layer([logger]))),
        Effect.provideService(References.MinimumLogLevel, "Info")
      )
      assert.deepStrictEqual(lines.toSorted(), [
        "Error cleanup failed: dirty",
        "Error compensation failed: offline",
        "Info compensation done",
        "Info compensation of x done"
      ])
    })
  )

  it.effect("goes over the wire, in events and reports, and is drawn beside the work", () =>
    Effect.gen(function* () {
      const { events } = yield* RunLog.record(run)
      const sent = events.map((event): RunEvent.RunEvent =>
        Result.getOrThrow(Wire.eventFromJson(Wire.eventToJson(event)))
      )
      const report = Report.fromEvents(sent)!
      const again = Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))
      assert.deepStrictEqual(
        again.resources.map(({ notUndone = [], outcome, resource }) => [resource, outcome._tag, notUndone.length]),
        [
          ["a", "Compensated", 0],
          ["stuck", "CompensationFailed", 1],
          ["inside", "Compensated", 0],
          ["failing", "Failed", 1]
        ]
      )
      const { traceEvents } = JSON.parse(Report.toChromeTrace(again)) as {
        traceEvents: ReadonlyArray<{ name: string }>
      }
      const names = traceEvents.map(({ name }) => name).filter((name) => name.startsWith("undo"))
      assert.deepStrictEqual(names.toSorted(), ["undo a", "undo inside", "undo stuck"])
    })
  )
})
