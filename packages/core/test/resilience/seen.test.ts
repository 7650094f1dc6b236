/** Hedges and refusals in events, metrics, spans and logs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, References, Result } from "effect"
import { Loader, Logging, Metrics, Policy, Report, Resource, Tracing } from "effect-loader"
import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"

class Rates extends CircuitBreaker.Service<Rates>()("app/Rates") {}

const layer = Rates.layer({ opens: { failures: 1 }, openDuration: "1 minute" })

/** A slow read that is hedged, and two reads of a backend that is down, the second of which is refused. */
const page = () => {
  let asked = 0
  const price = Resource.make("price", { load: () => Effect.sleep(asked++ === 0 ? 50 : 5) }).pipe(
    Policy.hedge({ after: 10 })
  )
  const rate = Resource.make("rate", { load: () => Effect.fail("down") }).pipe(circuitBreaker(Rates))
  const tax = Resource.make("tax", { after: [rate.pipe(Resource.option)], load: () => Effect.void }).pipe(
    circuitBreaker(Rates)
  )
  return Loader.make({ price, rate, tax }, { name: "page" })
}

const load = <A, E, R>(around: (self: Effect.Effect<unknown, never, Rates>) => Effect.Effect<A, E, R | Rates>) =>
  withTime(Effect.suspend(() => around(Loader.settle(page()))).pipe(Effect.provide(layer)))

const recorded = load(RunLog.record)

describe("hedges and refusals", () => {
  it.effect("are encoded for other processes", () =>
    Effect.gen(function* () {
      const { events } = yield* recorded
      const told = events.filter(({ _tag }) => _tag === "HedgeStarted" || _tag === "PolicyRefused")
      assert.deepStrictEqual(
        told.map(({ _tag }) => _tag),
        ["PolicyRefused", "HedgeStarted"]
      )
      const again = told.map((event) => Result.getOrThrow(Wire.eventFromJson(Wire.eventToJson(event))))
      assert.deepInclude(again[0], { resource: "tax", policy: "circuitBreaker(app/Rates)" })
      assert.deepStrictEqual(again[1], told[1])
    })
  )

  it.effect("are in reports: phases without a gap, and concurrent attempts as one stretch", () =>
    Effect.gen(function* () {
      const { events } = yield* recorded
      const report = Report.fromEvents(events)!
      const price = Report.get(report, "price")!
      assert.deepStrictEqual([price.attempts, price.running], [2, 15])
      assert.deepStrictEqual(
        price.phases.map(({ _tag, from, to }) => `${_tag} ${from}-${to}`),
        ["Attempt 0-10", "Attempt 10-15"]
      )
      assert.strictEqual(Report.get(report, "tax")?.attempts, 0)
    })
  )

  it.effect("are counted", () =>
    Effect.gen(function* () {
      const registry = new Map()
      yield* load((self) =>
        self.pipe(Effect.provide(Metrics.layer), Effect.provideService(Metric.MetricRegistry, registry))
      )
      const snapshot = yield* Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry)
      const of = (id: string) =>
        snapshot.filter((metric) => metric.id === id).map(({ attributes, state }) => ({ attributes, state }))
      assert.deepStrictEqual(of("effect_loader_hedges_total"), [
        { attributes: { loader: "page", resource: "price" }, state: { count: 1, incremental: true } }
      ])
      assert.deepStrictEqual(of("effect_loader_refusals_total"), [
        {
          attributes: { loader: "page", resource: "tax", policy: "circuitBreaker(app/Rates)" },
          state: { count: 1, incremental: true }
        }
      ])
    })
  )

  it.effect("are events of their resources' spans, and each attempt has a span of its own", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recordedSpans()
      yield* load((self) => self.pipe(Effect.provide(Tracing.layer), Effect.withTracer(tracer)))
      const eventsOf = (name: string) =>
        spans
          .find((span) => span.name === name)
          ?.events.map(([what, , attributes]): Record<string, unknown> => ({ what, ...attributes }))
      assert.deepStrictEqual(eventsOf("price"), [{ what: "hedge", "effect_loader.attempt": 2 }])
      assert.deepStrictEqual(eventsOf("tax"), [
        { what: "refused", "effect_loader.policy": "circuitBreaker(app/Rates)", "error.type": "CircuitOpen" }
      ])
      assert.isTrue(spans.every(({ status }) => status._tag === "Ended"))
      const attempts = spans.filter(({ attributes }) => attributes.has("effect_loader.attempt"))
      assert.strictEqual(attempts.length, 3)
    })
  )

  it.effect("are logged", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => lines.push(String(message)))
      yield* load((self) =>
        self.pipe(
          Effect.provide(Layer.merge(Logging.layer, Logger.layer([logger]))),
          Effect.provideService(References.MinimumLogLevel, "Debug")
        )
      )
      const [hedged, refused] = ["attempt 2 starts as a hedge", "refused by circuitBreaker(app/Rates)"]
      assert.includeMembers(lines, [hedged, refused])
    })
  )
})
