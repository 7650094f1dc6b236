/** Caches in reports, metrics, logs, spans and on the wire. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Layer, Logger, Metric, References, Result, Schema } from "effect"
import { Persistence } from "effect/persistence"
import { Loader, Logging, Metrics, Policy, Report, Resource, ResourceCache, Tracing } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { RunLog } from "effect-loader/testing"
import * as Wire from "effect-loader/wire"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"

class Users extends ResourceCache.Service<Users, string>()("app/Users", { keyed: true }) {}

const layer = Persisted.layer(Users, {
  value: Schema.String,
  timeToLive: "1 hour",
  memory: { timeToLive: "1 minute", staleWhileRevalidate: "1 minute" }
}).pipe(Layer.provide(Persistence.layerBackingMemory))

const ids = Resource.input<ReadonlyArray<number>>()("ids")
const find = (id: number) => Effect.as(Effect.sleep(10), `user ${id}`)
const user = Resource.make("user", { key: () => "1", load: () => find(1) }).pipe(Policy.cache(Users))
const users = Resource.forEach("users", {
  deps: { ids },
  items: ({ ids }) => ids,
  itemKey: (id) => String(id),
  load: find,
  each: Policy.cache(Users)
})
const page = Loader.make({ user, users }, { name: "page" })

/** A run with an empty cache, and one with fresh and stale values. */
const twice = Effect.gen(function* () {
  yield* Loader.load(page, { ids: [1, 2] })
  yield* Effect.sleep("90 seconds")
  yield* Users.get("3", find(3))
  yield* Loader.load(page, { ids: [1, 3, 3, 4] })
})

const recorded = withTime(Effect.provide(RunLog.record(twice), layer))

describe("a cache", () => {
  it.effect("is in reports, by resource and level", () =>
    Effect.gen(function* () {
      const { events } = yield* recorded
      const [first, second] = RunLog.runs(events)
      const row = { cache: "app/Users", hit: 0, miss: 0, coalesced: 0, stale: 0, error: 0 }
      const cachesOf = (run: typeof first, resource: string) => Report.get(Report.fromEvents(run!)!, resource)?.caches
      assert.deepStrictEqual(cachesOf(first, "user"), [
        { ...row, level: "memory", miss: 1 },
        { ...row, level: "persisted", miss: 1 }
      ])
      assert.deepStrictEqual(cachesOf(second, "user"), [{ ...row, level: "memory", stale: 1 }])
      assert.deepStrictEqual(cachesOf(second, "users"), [
        // A stale value of the memory is fresh in the store, which is read at the end of the tick.
        { ...row, level: "memory", hit: 2, stale: 1, miss: 1 },
        { ...row, level: "persisted", miss: 1 }
      ])
      assert.strictEqual(
        RunLog.timeline(second!),
        [
          '"page" took 10ms',
          "✓ user   0-0   stale from app/Users",
          "✓ users  0-10  4 items, 2 from app/Users, 1 stale from app/Users"
        ].join("\n")
      )
      assert.include(Report.toWaterfall(Report.fromEvents(second!)!), "stale from app/Users")
    })
  )

  it.effect("is on the wire, and the decoded report says the same", () =>
    Effect.gen(function* () {
      const { events } = yield* recorded
      const sent = events.map((event) => Result.getOrThrow(Wire.eventFromJson(Wire.eventToJson(event))))
      assert.deepStrictEqual(RunLog.lines(sent), RunLog.lines(events))
      const report = Report.fromEvents(events)!
      const received = Result.getOrThrow(Wire.reportFromJson(Wire.reportToJson(report)))
      assert.deepStrictEqual(
        received.resources.map(({ caches }) => caches),
        report.resources.map(({ caches }) => caches)
      )
    })
  )

  it.effect("counts in metrics, by result", () =>
    Effect.gen(function* () {
      const program = Effect.provide(Effect.andThen(twice, Metric.snapshot), Layer.merge(Metrics.layer, layer))
      const snapshot = yield* Effect.provideService(withTime(program), Metric.MetricRegistry, new Map())
      const counts: ReadonlyArray<Record<string, unknown>> = snapshot.flatMap(({ attributes, id, state }) =>
        id === "effect_loader_cache_reads_total" && "count" in state
          ? [{ ...attributes, count: Number(state.count) }]
          : []
      )
      const of = { loader: "page", cache: "app/Users" }
      assert.sameDeepMembers(
        [...counts],
        [
          { ...of, resource: "user", level: "memory", result: "miss", count: 1 },
          { ...of, resource: "user", level: "persisted", result: "miss", count: 1 },
          { ...of, resource: "user", level: "memory", result: "stale", count: 1 },
          { ...of, resource: "users", level: "memory", result: "coalesced", count: 1 },
          { ...of, resource: "users", level: "memory", result: "miss", count: 2 },
          { ...of, resource: "users", level: "persisted", result: "miss", count: 2 },
          { ...of, resource: "users", level: "memory", result: "stale", count: 1 },
          { ...of, resource: "users", level: "memory", result: "hit", count: 2 }
        ]
      )
    })
  )

  it.effect("is in logs and in spans", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push([message].flat().map(String).join(" ")))
      const { spans, tracer } = recordedSpans()
      const watching = Layer.mergeAll(layer, Logging.layer, Tracing.layer, Logger.layer([logger]))
      yield* withTime(Effect.provide(twice, watching)).pipe(
        Effect.provideService(References.MinimumLogLevel, "Debug"),
        Effect.withTracer(tracer)
      )
      assert.includeMembers(lines, ["stale in cache app/Users (memory)", "miss in cache app/Users (persisted)"])
      const events = spans.filter(({ name }) => name === "user").map((span) => span.events)
      assert.deepStrictEqual(
        events.map((of) => of.map(([name, , attributes]) => [name, attributes])),
        [
          ["memory", "persisted"].map((level) => [
            "cache",
            {
              "effect_loader.cache": "app/Users",
              "effect_loader.cache.level": level,
              "effect_loader.cache.result": "miss"
            }
          ]),
          [
            [
              "cache",
              {
                "effect_loader.cache": "app/Users",
                "effect_loader.cache.level": "memory",
                "effect_loader.cache.result": "stale"
              }
            ]
          ]
        ]
      )
    })
  )

  it.effect("whose key cannot be made dies, with the name of its resource", () =>
    Effect.gen(function* () {
      const keyless = Resource.make("keyless", {
        key: () => {
          throw new Error("no key")
        },
        load: () => Effect.succeed("value")
      }).pipe(Policy.cache(Users))
      const report = yield* withTime(Effect.provide(Loader.settle(Loader.make({ keyless })), layer))
      const outcome = Report.outcome(report, "keyless")
      assert.isTrue(outcome?._tag === "Died" && Cause.pretty(outcome.cause).includes("no key"))
    })
  )

  it.effect("does not keep the value of an override of its resource", () =>
    Effect.gen(function* () {
      const changed = Loader.override(Loader.make({ user }), user, Effect.succeed("a fake"))
      const program = Effect.gen(function* () {
        yield* Loader.load(changed)
        return [yield* Loader.load(Loader.make({ user })), (yield* Users.stats).entries] as const
      })
      assert.deepStrictEqual(yield* withTime(Effect.provide(program, layer)), [{ user: "user 1" }, 1])
    })
  )
})
