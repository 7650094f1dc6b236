/** Spans: the tree equals the plan, every span ends once, and without a tracer there is no cost. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Data,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Request,
  RequestResolver,
  Schedule,
  Tracer
} from "effect"
import { Loader, Observer, Policy, Resource, type RunEvent, Tracing } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { observe } from "../laws/observe.ts"
import { scenario } from "../laws/Scenario.ts"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: string }> {}

/** A tracer that keeps the spans that it makes. */
const makeTracer = () => {
  const { endedTwice, spans, tracer } = recordedSpans()
  const traced = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    self.pipe(Effect.provide(Tracing.layer), Effect.withTracer(tracer))
  const named = (name: string): Tracer.NativeSpan => {
    const span = spans.find((span) => span.name === name)
    assert.isDefined(span, `a span named ${name}`)
    return span!
  }
  return { spans, endedTwice, tracer, traced, named }
}

const parentOf = ({ parent }: Tracer.Span): string | undefined =>
  Option.getOrUndefined(Option.map(parent, (span) => (span._tag === "Span" ? span.name : span.spanId)))

const attributes = (span: Tracer.Span): Record<string, unknown> => Object.fromEntries(span.attributes)

const exitOf = ({ status }: Tracer.Span): Exit.Exit<unknown, unknown> | undefined =>
  status._tag === "Ended" ? status.exit : undefined

const linked = ({ links }: Tracer.Span): ReadonlyArray<unknown> =>
  links.map(({ attributes, span }) => {
    assert.strictEqual(span._tag === "Span" && span.name, attributes["effect_loader.dependency"])
    return attributes["effect_loader.dependency"]
  })

const outcomes: Partial<Record<RunEvent.RunEvent["_tag"], string>> = {
  ResourceSucceeded: "succeeded",
  ResourceDegraded: "degraded",
  ResourceFailed: "failed",
  ResourceDied: "died",
  ResourceInterrupted: "interrupted",
  ResourceSkipped: "skipped"
}

const user = Resource.make("user", { load: () => Effect.as(Effect.sleep(40), "ada") })
const org = Resource.make("org", { load: () => Effect.as(Effect.sleep(100), "acme") })
const members = Resource.make("members", { deps: { org }, after: [user], load: () => Effect.sleep(60) })

describe("spans", () => {
  it(
    "are one for each run, each resource and each attempt of several, linked like the plan",
    { timeout: 120_000 },
    () =>
      fc.assert(
        fc.asyncProperty(scenario, async (given) => {
          const { endedTwice, spans, traced } = makeTracer()
          const { events } = await observe(given, traced)
          const started = events[0] as RunEvent.RunStarted
          const [run, ...rest] = spans
          assert.strictEqual(run!.name, "load anonymous")
          assert.deepStrictEqual(endedTwice, [])
          for (const span of spans) assert.strictEqual(span.status._tag, "Ended", span.name)
          const isAttempt = (span: Tracer.Span): boolean => span.attributes.has("effect_loader.attempt")
          const resources = rest.filter((span) => !isAttempt(span))
          assert.sameMembers(
            resources.map(({ name }) => name),
            started.plan.resources.map(({ name }) => name)
          )
          for (const span of resources) {
            assert.strictEqual(parentOf(span), "load anonymous")
            const ended = events.find(
              (event) => event._tag in outcomes && "resource" in event && event.resource === span.name
            )!
            assert.strictEqual(span.attributes.get("effect_loader.outcome"), outcomes[ended._tag])
            const { around, dependencies } = started.plan.resources.find(({ name }) => name === span.name)!
            const before = resources.slice(0, resources.indexOf(span)).map(({ name }) => name)
            assert.sameMembers(
              [...linked(span)],
              dependencies.filter((name) => before.includes(name))
            )
            const attempts = events.filter((event) => event._tag === "AttemptStarted" && event.resource === span.name)
            assert.strictEqual(span.attributes.get("effect_loader.attempts") ?? 0, attempts.length)
            const own = rest.filter((other) => isAttempt(other) && parentOf(other) === span.name)
            assert.deepStrictEqual(
              own.map(({ name }) => name),
              around.length === 0 ? [] : attempts.map((_, k) => `${span.name} ${k + 1}`)
            )
            for (const attempt of own) assert.isTrue(within(attempt, span), `${attempt.name} within its resource`)
            assert.isTrue(within(span, run!), `${span.name} within the run`)
          }
        }),
        { numRuns: 1000 }
      )
  )

  it.effect("end, if the run is interrupted at any step", () =>
    Effect.gen(function* () {
      const flaky = Resource.make("flaky", {
        deps: { user },
        load: () => Effect.andThen(Effect.sleep(5), Effect.fail("no"))
      }).pipe(
        Policy.retry({ times: 2, schedule: Schedule.spaced("5 millis") }),
        Resource.catch(() => Effect.sleep(5))
      )
      let kept = makeTracer()
      yield* Interruption.atEveryEvent(
        () => {
          kept = makeTracer()
          return kept.traced(Loader.load(Loader.make({ flaky, members }, { concurrency: 1 })))
        },
        {
          check: (_, k) => {
            for (const span of kept.spans) assert.strictEqual(span.status._tag, "Ended", `${span.name} after ${k}`)
            assert.deepStrictEqual(kept.endedTwice, [])
          }
        }
      )
    })
  )

  it.effect("have outcomes, errors, skips, waits, fallbacks and retries", () =>
    Effect.gen(function* () {
      const { named, traced } = makeTracer()
      const failing = Resource.make("failing", {
        load: () => Effect.andThen(Effect.sleep(10), Effect.fail(new NotFound({ id: "x" })))
      })
      const dying = Resource.make("dying", { load: () => Effect.die(new TypeError("a bug")) })
      const skipped = Resource.make("skipped", { deps: { failing }, load: () => Effect.void })
      const degraded = Resource.make("degraded", { load: () => Effect.fail(new NotFound({ id: "y" })) }).pipe(
        Resource.catch(() => Effect.sleep(5))
      )
      const flaky = Resource.make("flaky", { load: () => Effect.andThen(Effect.sleep(10), Effect.fail("busy")) }).pipe(
        Policy.retry({ times: 1, schedule: Schedule.spaced("50 millis") })
      )
      const all = Resource.struct("all", { degraded })
      const targets = { failing, dying, skipped, all, flaky, user }
      yield* withTime(traced(Loader.settle(Loader.make(targets, { name: "page", concurrency: 1 }))))

      assert.deepInclude(attributes(named("failing")), { "effect_loader.outcome": "failed", "error.type": "NotFound" })
      assert.isTrue(Exit.isFailure(exitOf(named("failing"))!))
      assert.deepInclude(attributes(named("dying")), { "effect_loader.outcome": "died", "error.type": "TypeError" })
      assert.deepInclude(attributes(named("skipped")), {
        "effect_loader.outcome": "skipped",
        "effect_loader.skip.reason": "dependency_failed",
        "effect_loader.skip.resource": "failing"
      })
      assert.isTrue(Exit.hasInterrupts(exitOf(named("skipped"))!))
      assert.deepInclude(attributes(named("degraded")), {
        "effect_loader.outcome": "degraded",
        "effect_loader.fallback": "catch",
        "error.type": "NotFound"
      })
      assert.isTrue(Exit.isSuccess(exitOf(named("degraded"))!))
      assert.deepInclude(attributes(named("all")), { "effect_loader.outcome": "succeeded" })
      assert.deepInclude(attributes(named("flaky")), { "effect_loader.attempts": 2, "error.type": "_OTHER" })
      assert.deepStrictEqual(
        named("flaky").events.map(([name, , given]) => [name, given]),
        [["retry", { "effect_loader.attempt": 2, "effect_loader.delay": 50 }]]
      )
      assert.deepInclude(attributes(named("flaky 1")), { "effect_loader.attempt": 1, "error.type": "_OTHER" })
      assert.isAbove(Number(named("user").attributes.get("effect_loader.queued")), 0)
      assert.deepInclude(attributes(named("load page")), {
        "effect_loader.loader": "page",
        "effect_loader.end": "completed"
      })
    })
  )

  it.effect("of runs end like the runs", () =>
    Effect.gen(function* () {
      const failing = Resource.make("failing", { load: () => Effect.fail(new NotFound({ id: "x" })) })
      const slow = Resource.make("slow", { load: () => Effect.never })
      const endOf = (self: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          const { named, traced } = makeTracer()
          const fiber = yield* Effect.forkChild(Effect.exit(traced(self)), { startImmediately: true })
          yield* TestClock.adjust("1 second")
          yield* Fiber.interrupt(fiber)
          const run = named("load anonymous")
          return [run.attributes.get("effect_loader.end"), exitOf(run)!] as const
        })
      const [failed, why] = yield* endOf(Loader.load(Loader.make({ failing })))
      assert.strictEqual(failed, "failed")
      assert.isTrue(Exit.isFailure(why) && Cause.hasFails(why.cause))
      const [timedOut, limit] = yield* endOf(Loader.load(Loader.make({ slow }, { timeout: 50 })))
      assert.strictEqual(timedOut, "timed_out")
      assert.isTrue(Exit.isFailure(limit) && Cause.pretty(limit.cause).includes("not loaded within 50ms"))
      const [interrupted, cut] = yield* endOf(Loader.load(Loader.make({ slow })))
      assert.strictEqual(interrupted, "interrupted")
      assert.isTrue(Exit.hasInterrupts(cut))
    })
  )

  it.effect("are children of the caller's span, and parents of the user's spans", () =>
    Effect.gen(function* () {
      const { named, traced } = makeTracer()
      const inner = Effect.withSpan(Effect.sleep(1), "query")
      const plain = Resource.make("plain", { load: () => inner })
      const tried = Resource.make("tried", { load: () => Effect.withSpan(Effect.sleep(1), "try") }).pipe(
        Policy.retry({ times: 1 })
      )
      const fallen = Resource.make("fallen", { load: () => Effect.fail("no") }).pipe(
        Resource.catch(() => Effect.withSpan(Effect.sleep(1), "instead"))
      )
      yield* withTime(traced(Effect.withSpan(Loader.load(Loader.make({ plain, tried, fallen })), "handler")))
      assert.strictEqual(parentOf(named("load anonymous")), "handler")
      assert.strictEqual(parentOf(named("query")), "plain")
      assert.strictEqual(parentOf(named("try")), "tried 1")
      assert.strictEqual(parentOf(named("instead")), "fallen")
    })
  )

  it.effect("of a batch link to every resource that waits for it", () =>
    Effect.gen(function* () {
      const { named, traced } = makeTracer()
      class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
      const resolver = RequestResolver.make<GetUser>((entries) =>
        Effect.sync(() => {
          for (const entry of entries) entry.completeUnsafe(Exit.succeed(`user ${entry.request.id}`))
        })
      ).pipe(RequestResolver.withSpan("batch"))
      const one = (id: number) =>
        Resource.make(`user${id}`, { load: () => Effect.request(new GetUser({ id }), resolver) })
      const targets = { a: one(1), b: one(2), c: one(3) }
      assert.deepStrictEqual(yield* withTime(traced(Loader.load(Loader.make(targets)))), {
        a: "user 1",
        b: "user 2",
        c: "user 3"
      })
      const callers = named("batch").links.map(({ span }) => (span._tag === "Span" ? span.name : ""))
      assert.sameMembers([...callers, parentOf(named("batch"))!], ["user1", "user1", "user2", "user3"])
    })
  )
})

const within = (inner: Tracer.Span, outer: Tracer.Span): boolean => {
  const [a, b] = [inner.status, outer.status]
  if (a._tag !== "Ended" || b._tag !== "Ended") return false
  return a.startTime >= b.startTime && a.endTime <= b.endTime
}

describe("Tracing", () => {
  const page = Loader.make({ org: Resource.make("org", { load: () => Effect.succeed("acme") }) })

  const spanAt = Resource.make("spanAt", {
    load: () =>
      Effect.map(
        Effect.option(Effect.currentSpan),
        Option.map((span) => span.name)
      )
  })
  const current = Effect.map(Loader.load(Loader.make({ spanAt })), ({ spanAt }) => Option.getOrUndefined(spanAt))

  it.effect("makes no spans without a tracer and a parent span, and can be forced on and off", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* current.pipe(Effect.provide(Tracing.layer)))
      assert.strictEqual(yield* current.pipe(Effect.provide(Tracing.layer), Effect.withSpan("caller")), "spanAt")
      assert.strictEqual(yield* current.pipe(Effect.provide(Tracing.layerWith({ spans: "always" }))), "spanAt")
      const never = Tracing.layerWith({ spans: "never" })
      assert.strictEqual(yield* current.pipe(Effect.provide(never), Effect.withSpan("caller")), "caller")
      const always = Tracing.layerWith({ spans: "always" })
      assert.isUndefined(yield* current.pipe(Effect.provide(always), Effect.withTracerEnabled(false)))
    })
  )

  it.effect(
    "respects the settings of Effect's tracing: annotations, links, levels, sampling, propagation and timing",
    () =>
      Effect.gen(function* () {
        const { named, spans, traced } = makeTracer()
        const outer = Tracer.externalSpan({ spanId: "s", traceId: "t", sampled: false })
        yield* traced(Loader.load(page)).pipe(
          Effect.annotateSpans("tenant", "acme"),
          Effect.linkSpans(outer),
          Effect.withParentSpan(outer),
          Effect.withTracerTiming(false)
        )
        const org = named("org")
        assert.strictEqual(org.attributes.get("tenant"), "acme")
        assert.strictEqual(org.links[0]?.span, outer)
        assert.isFalse(org.sampled)
        assert.strictEqual(org.status.startTime, 0n)
        assert.strictEqual(parentOf(spans[0]!), "s")

        const hidden = makeTracer()
        yield* hidden.traced(
          Loader.load(page).pipe(
            Effect.withSpan("hidden", { annotations: Context.make(Tracer.DisablePropagation, true) }),
            Effect.withSpan("seen")
          )
        )
        assert.strictEqual(parentOf(hidden.named("load anonymous")), "seen")

        const quiet = makeTracer()
        yield* quiet.traced(Loader.load(page)).pipe(Effect.provideService(Tracer.MinimumTraceLevel, "Error"))
        assert.isFalse(quiet.named("org").sampled)
        assert.isTrue(hidden.named("org").sampled)
      })
  )

  it.effect("changes no result if the tracer crashes", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const broken = Tracer.make({
        span: () => {
          throw new Error("no spans today")
        }
      })
      const loaded = yield* Loader.load(page).pipe(
        Effect.provide(Tracing.layer),
        Effect.withTracer(broken),
        Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(message))]))
      )
      assert.deepStrictEqual(loaded, { org: "acme" })
      yield* TestClock.adjust(1)
      assert.lengthOf(logged, 1)
    })
  )

  it.effect("works with other observers, for any composition of the layers", () =>
    Effect.gen(function* () {
      const { spans, tracer } = makeTracer()
      const seen: Array<string> = []
      const first = Observer.layer((event) => seen.push(`first ${event._tag}`))
      const second = Observer.layer((event) => seen.push(`second ${event._tag}`))
      const load = Effect.withTracer(Loader.load(page), tracer)
      yield* load.pipe(Effect.provide(Layer.mergeAll(Tracing.layer, first, second, first)))
      assert.lengthOf(spans, 2)
      assert.lengthOf(seen, 10)
      yield* load.pipe(Effect.provide(first.pipe(Layer.provideMerge(second), Layer.merge(Tracing.layer))))
      assert.lengthOf(spans, 4)
      assert.lengthOf(seen, 20)
    })
  )
})
