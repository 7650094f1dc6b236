/** What those who watch see of limits: metrics of limiters, refusals in logs, spans and on the wire. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, Metric, References } from "effect"
import { TestClock } from "effect/testing"
import { Limiter, Loader, Logging, Metrics, Policy, Report, Resource, type RunEvent, Tracing } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { fork } from "../fork.ts"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}

/** One load is running, one waits, and one is refused, as only one may wait. */
const a = Resource.make("a", { load: () => Effect.sleep(10) }).pipe(Policy.limit(Postgres))
const refusedPage = Effect.gen(function* () {
  const holder = yield* fork(
    Effect.all(
      [1, 2].map(() => Postgres.withPermit(Effect.sleep(30))),
      { concurrency: 2 }
    )
  )
  const recorded = yield* RunLog.record(Loader.settle(Loader.make({ a }, { name: "page" })))
  yield* Fiber.join(holder)
  return recorded
})

const live = Postgres.layer({ limit: 1, queue: { max: 1 } })

const values = (snapshot: ReadonlyArray<Metric.Metric.Snapshot>): Record<string, unknown> =>
  Object.fromEntries(
    snapshot
      .filter(({ id }) => id.includes("limiter_") || id.includes("refusals"))
      .map(({ attributes, id, state }) => {
        const { policy, reason = policy } = attributes as Record<string, string>
        const name = id.replace("effect_loader_", "") + (reason === undefined ? "" : ` ${reason}`)
        return [name, "value" in state ? state.value : "count" in state ? state.count : undefined]
      })
  )

describe("metrics of a limiter", () => {
  it.effect("are read every so often, and a last time when their layer goes", () =>
    Effect.gen(function* () {
      const during = yield* Effect.gen(function* () {
        const page = yield* fork(refusedPage)
        yield* TestClock.adjust(15)
        const during = values(yield* Metric.snapshot)
        yield* TestClock.adjust(100)
        yield* Fiber.join(page)
        return during
      }).pipe(Effect.provide(Metrics.layerLimiter(Postgres, { every: "10 millis" }).pipe(Layer.provideMerge(live))))
      assert.deepInclude(during, { limiter_limit: 1, limiter_in_flight: 1, limiter_waiting: 1 })
      const after = values(yield* Metric.snapshot)
      assert.deepInclude(after, {
        limiter_in_flight: 0,
        limiter_waiting: 0,
        limiter_granted_total: 2,
        "limiter_refused_total queue_full": 1,
        "limiter_refused_total shed": 0,
        limiter_queue_delay_seconds: 0.03
      })
      assert.notProperty(after, "limiter_baseline_seconds")
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("runs count their refusals by resource and policy", () =>
    Effect.gen(function* () {
      yield* withTime(refusedPage).pipe(Effect.provide([live, Metrics.layer]))
      assert.deepInclude(values(yield* Metric.snapshot), { "refusals_total limit(Postgres)": 1 })
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

describe("a refusal", () => {
  it.effect("is logged, with what refused it and after how long", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      yield* withTime(refusedPage).pipe(
        Effect.provide([live, Logging.layer, Logger.layer([logger])]),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      assert.include(lines, "refused by limit(Postgres)")
    })
  )

  it.effect("is an event of the resource's span", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recordedSpans()
      yield* withTime(refusedPage).pipe(Effect.provide([live, Tracing.layer]), Effect.withTracer(tracer))
      const events = spans.find(({ name }) => name === "a")?.events.map(([name, , attributes]) => [name, attributes])
      assert.deepStrictEqual(events, [
        ["refused", { "effect_loader.policy": "limit(Postgres)", "error.type": "LimitExceeded" }]
      ])
    })
  )

  it.effect("and each reason for waiting go over a wire and come back", () =>
    Effect.gen(function* () {
      const refused = yield* withTime(Effect.provide(refusedPage, live))
      const waiting = yield* withTime(
        Effect.gen(function* () {
          const others = yield* fork(
            Effect.all(
              [1, 2].map(() => Postgres.withPermit(Effect.sleep(30))),
              { concurrency: 2 }
            )
          )
          const recorded = yield* RunLog.record(Loader.settle(Loader.make({ a, b: a.pipe(Resource.map(() => 1)) })))
          yield* Fiber.join(others)
          return recorded
        }).pipe(Effect.provide(Postgres.layer({ limit: 1 })))
      )
      const limits = (event: RunEvent.RunEvent) => (event._tag === "ResourceQueued" ? [event.limit._tag] : [])
      assert.deepStrictEqual(waiting.events.flatMap(limits), ["FairShare"])
      for (const event of [...refused.events, ...waiting.events]) {
        const back = Wire.eventFromJson(Wire.eventToJson(event))
        assert.isTrue(back._tag === "Success" && back.success._tag === event._tag)
        if (event._tag !== "PolicyRefused" || back._tag === "Failure") continue
        assert.deepInclude(back.success, { resource: "a", policy: "limit(Postgres)" })
      }
      const report = Report.fromEvents(waiting.events)!
      assert.include(Report.toWaterfall(report), "waits for its share of a limiter")
      assert.include(Report.toSummary(report), "for permits")
      assert.deepInclude(Report.get(report, "a"), { queued: 30 })
    })
  )
})
