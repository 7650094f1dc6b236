/** Metrics of runs: their counts, and that gauges return to zero. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Fiber, Layer, Metric, RequestResolver, Schedule } from "effect"
import { Batching, Loader, Logging, Metrics, Observer, Policy, Resource, type RunEvent, Tracing } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { Backend, GetUser } from "../batching/Backend.ts"
import { golden } from "../golden.ts"
import { observe } from "../laws/observe.ts"
import { scenario } from "../laws/Scenario.ts"
import { withTime } from "../withTime.ts"

type Counts = Record<string, number>

const isolated = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.provideService(self, Metric.MetricRegistry, new Map())

/** Every counter and gauge, and the count of every histogram, by name and by the value of one attribute. */
const countsBy = (attribute: string, snapshot: ReadonlyArray<Metric.Metric.Snapshot>): Counts => {
  const counts: Counts = {}
  for (const { attributes, id, state } of snapshot) {
    if (!id.startsWith("effect_loader_")) continue
    const key = `${id.replace("effect_loader_", "")} ${String(attributes?.[attribute as never] ?? "")}`.trim()
    const value = "count" in state ? Number(state.count) : "value" in state ? Number(state.value) : 0
    counts[key] = (counts[key] ?? 0) + value
  }
  return counts
}

const flaky = () => {
  let attempts = 0
  return Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        Effect.sleep(20),
        Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy") : Effect.void))
      )
  }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced(100) }))
}
const user = Resource.make("user", { load: () => Effect.sleep(40) })
const org = Resource.make("org", { load: () => Effect.never }).pipe(Policy.timeout(300))
const members = Resource.make("members", { deps: { org }, load: () => Effect.void })
const avatar = Resource.make("avatar", { deps: { user }, load: () => Effect.fail("none") }).pipe(
  Resource.orElseSucceed(() => "nobody.png")
)
const broken = Resource.make("broken", { load: () => Effect.die("a bug") })
const page = () => Loader.make({ flaky: flaky(), members, avatar, broken }, { name: "page", concurrency: 2 })

describe("Metrics", () => {
  it.effect("can be read by Prometheus", () =>
    Effect.gen(function* () {
      yield* withTime(Loader.settle(page()))
      yield* withTime(Effect.exit(Loader.load(Loader.make({ org }, { name: "other", timeout: 100 }))))
      const text = yield* PrometheusMetrics.format()
      yield* golden("metrics.prom", text)
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("have at most two thousand series each, and count everything all the same", () =>
    Effect.gen(function* () {
      for (let k = 0; k < 2500; k++) {
        yield* Loader.load(Loader.make({ [`row ${k}`]: Resource.make(`row ${k}`, { load: () => Effect.void }) }))
      }
      const all = yield* Metric.snapshot
      const attempts = all.filter(({ id }) => id === "effect_loader_attempts_total")
      assert.lengthOf(attempts, 2001)
      assert.strictEqual(countsBy("none", attempts)["attempts_total"], 2500)
      const rest = attempts.find(({ attributes }) => attributes?.["otel.metric.overflow" as never] === "true")
      assert.strictEqual(rest !== undefined && "count" in rest.state && Number(rest.state.count), 500)
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it("count the events of every generated run", { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const registry = new Map()
        const { events } = await observe(given, (self) =>
          self.pipe(Effect.provide(Metrics.layer), Effect.provideService(Metric.MetricRegistry, registry))
        )
        const snapshot = await Effect.runPromise(
          Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry)
        )
        const number = (tag: RunEvent.RunEvent["_tag"]): number => events.filter(({ _tag }) => _tag === tag).length
        const counts = countsBy("", snapshot)
        const read = (name: string): number => counts[name] ?? 0
        assert.strictEqual(read("attempts_total"), number("AttemptStarted"))
        assert.strictEqual(read("retries_total"), number("RetryScheduled"))
        assert.strictEqual(read("fallbacks_total"), number("ResourceDegraded"))
        assert.strictEqual(read("skips_total"), number("ResourceSkipped"))
        assert.strictEqual(read("run_duration_seconds"), 1)
        assert.strictEqual(read("resources_running"), 0)
        assert.strictEqual(read("resources_waiting"), 0)
        const outcomes = countsBy("outcome", snapshot)
        const started = new Set(events.flatMap((event) => (event._tag === "AttemptStarted" ? [event.resource] : [])))
        const ended = (tag: RunEvent.RunEvent["_tag"]): number =>
          events.filter((event) => event._tag === tag && "resource" in event && started.has(event.resource)).length
        assert.strictEqual(outcomes["resource_duration_seconds succeeded"] ?? 0, ended("ResourceSucceeded"))
        assert.strictEqual(outcomes["resource_duration_seconds degraded"] ?? 0, ended("ResourceDegraded"))
        assert.strictEqual(outcomes["resource_duration_seconds failed"] ?? 0, ended("ResourceFailed"))
        assert.strictEqual(outcomes["resource_duration_seconds died"] ?? 0, ended("ResourceDied"))
        assert.strictEqual(outcomes["resource_duration_seconds interrupted"] ?? 0, ended("ResourceInterrupted"))
      }),
      { numRuns: 500 }
    )
  )

  it.effect("count running and waiting resources, and return to zero afterwards", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [number, number]> = []
      const look = Effect.map(Metric.snapshot, (snapshot) => {
        const counts = countsBy("", snapshot)
        seen.push([counts["resources_running"] ?? 0, counts["resources_waiting"] ?? 0])
      })
      const run = yield* Effect.forkChild(Loader.settle(page()), { startImmediately: true })
      yield* look
      yield* TestClock.adjust(30)
      yield* look
      yield* TestClock.adjust("1 minute")
      yield* look
      yield* Fiber.join(run)
      assert.deepStrictEqual(seen[2], [0, 0])
      assert.deepStrictEqual(seen[0], [2, 2])
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("return their gauges to zero, if a run is interrupted at any step", () =>
    Effect.gen(function* () {
      yield* Interruption.atEveryEvent(() => Loader.load(page()), {
        check: (_, k) =>
          Effect.map(Metric.snapshot, (snapshot) => {
            const counts = countsBy("", snapshot)
            assert.strictEqual(counts["resources_running"] ?? 0, 0, `running after ${k}`)
            assert.strictEqual(counts["resources_waiting"] ?? 0, 0, `waiting after ${k}`)
          })
      })
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("count a timeout once, even if it is also the error of the resource or of its fallback", () =>
    Effect.gen(function* () {
      const slow = (name: string) => Resource.make(name, { load: () => Effect.never }).pipe(Policy.timeout(10))
      const targets = {
        once: slow("once"),
        thrice: slow("thrice").pipe(Policy.retry({ times: 2 })),
        fallen: slow("fallen").pipe(Resource.option),
        outer: slow("outer").pipe(Policy.retry({ times: 1 }), Policy.timeout(15))
      }
      yield* withTime(Loader.settle(Loader.make(targets)))
      const counts = countsBy("resource", yield* Metric.snapshot)
      assert.deepStrictEqual(
        ["once", "thrice", "fallen", "outer"].map((name) => counts[`timeouts_total ${name}`]),
        [1, 3, 1, 2]
      )
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("count failures and defects by the type of the error, of which there are a hundred at most", () =>
    Effect.gen(function* () {
      class NotFound extends Data.TaggedError("NotFound")<{}> {}
      const missing = Resource.make("missing", { load: () => Effect.fail(new NotFound()) })
      const dying = Resource.make("dying", { load: () => Effect.die(new RangeError("a bug")) })
      const plain = Resource.make("plain", { load: () => Effect.fail("no") })
      const recovered = Resource.make("recovered", { load: () => Effect.fail("no") }).pipe(Resource.option)
      yield* Loader.settle(Loader.make({ missing, dying, plain, recovered }))
      const counts = countsBy("error", yield* Metric.snapshot)
      const failures = Object.entries(counts).filter(([key]) => key.startsWith("failures_total"))
      assert.deepStrictEqual(Object.fromEntries(failures), {
        "failures_total NotFound": 1,
        "failures_total RangeError": 1,
        "failures_total _OTHER": 1
      })
      const made = (k: number) => Resource.make("made", { load: () => Effect.fail({ _tag: `made for ${k}` }) })
      for (let k = 0; k < 200; k++) yield* Loader.settle(Loader.make({ made: made(k) }))
      const all = yield* Metric.snapshot
      const types = new Set(
        all
          .filter(({ id }) => id === "effect_loader_failures_total")
          .map(({ attributes }) => attributes?.["error" as never])
      )
      assert.strictEqual(types.size, 100)
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("have the given boundaries", () =>
    Effect.gen(function* () {
      yield* withTime(Loader.settle(Loader.make({ user })))
      const text = yield* PrometheusMetrics.format()
      assert.match(text, /resource_duration_seconds_bucket\{.*le="0.03"\} 0/)
      assert.match(text, /resource_duration_seconds_bucket\{.*le="0.05"\} 1/)
    }).pipe(Effect.provide(Metrics.layerWith({ boundaries: [0.03, 0.05] })), isolated)
  )

  it.effect("work with other observers in any order, even with one that crashes", () =>
    Effect.gen(function* () {
      const crashing = Observer.layer(() => {
        throw new Error("no")
      })
      const layers = [Metrics.layer, crashing, Tracing.layer, Logging.layerWith({ events: false })] as const
      for (const all of [Layer.mergeAll(...layers), Layer.mergeAll(layers[3], layers[2], layers[1], layers[0])]) {
        yield* withTime(
          Effect.gen(function* () {
            yield* Loader.settle(Loader.make({ user }))
            assert.strictEqual(countsBy("", yield* Metric.snapshot)["attempts_total"], 1)
          }).pipe(Effect.provide(all), isolated)
        )
      }
    })
  )
})

/** Three users: two are requested at once, one of them twice, and the third 30ms later. */
const users = ({ resolver }: Pick<Backend, "resolver">, name: string) => {
  const project = Resource.make("project", { load: () => Effect.as(Effect.sleep(30), 3) })
  return Loader.make(
    {
      viewers: Resource.forEachRequest("viewers", {
        items: () => [1, 2, 1],
        request: (id) => new GetUser({ id }),
        resolver
      }),
      owner: Resource.fromRequest("owner", {
        deps: { project },
        request: ({ project }) => new GetUser({ id: project }),
        resolver
      })
    },
    { name }
  )
}

/** The histograms of batches: their counts and sums. */
const batchesIn = (snapshot: ReadonlyArray<Metric.Metric.Snapshot>) =>
  snapshot.flatMap(({ attributes, id, state }) =>
    id.startsWith("effect_loader_batch_") && "sum" in state
      ? [[id.replace("effect_loader_batch_", ""), ...Object.values(attributes ?? {}), state.count, state.sum].join(" ")]
      : []
  )

describe("Metrics of batches", () => {
  it.effect("count each call once, for any number of runs that share it, with the number of its requests", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const resolver = RequestResolver.setDelay(backend.resolver, 5)
      const both = ["page", "other"].map((name) => Loader.load(users({ resolver }, name)))
      yield* withTime(Effect.all(both, { concurrency: "unbounded" }))
      assert.deepStrictEqual(backend.calls, [[1, 2], [3]])
      assert.deepStrictEqual(batchesIn(yield* Metric.snapshot), [
        "requests page 2 3",
        "wait_seconds page false s 2 0.01"
      ])
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("measure how long a call was held, and whether `maxHold` expired", () =>
    Effect.gen(function* () {
      const held = (maxHold: number) => ({
        resolver: new Backend().resolver.pipe(Batching.graphAware({ maxHold }))
      })
      yield* withTime(Loader.load(users(held(50), "patient")))
      yield* withTime(Loader.load(users(held(20), "hasty")))
      assert.deepStrictEqual(batchesIn(yield* Metric.snapshot).toSorted(), [
        "requests hasty 2 3",
        "requests patient 1 3",
        "wait_seconds hasty false s 1 0",
        "wait_seconds hasty true s 1 0.02",
        "wait_seconds patient false s 1 0.03"
      ])
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )

  it.effect("do not count a call that was never made", () =>
    Effect.gen(function* () {
      const { resolver } = new Backend()
      const slow = RequestResolver.setDelay(resolver, 50)
      yield* withTime(Effect.exit(Loader.load(users({ resolver: slow }, "page")).pipe(Effect.timeout(20))))
      assert.deepStrictEqual(batchesIn(yield* Metric.snapshot), [])
    }).pipe(Effect.provide(Metrics.layer), isolated)
  )
})
