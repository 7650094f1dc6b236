/** The limits of one span, for any events of a list's items. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Request, RequestResolver } from "effect"
import { Loader, Policy, Resource, ResourceCache, Tracing } from "effect-loader"
import { RetryBudget } from "effect-loader/resilience"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"

class Values extends ResourceCache.Service<Values>()("app/Values") {}
class Spent extends RetryBudget.Service<Spent>()("app/Spent") {}
class Get extends Request.TaggedClass("Get")<{ readonly id: number }, string> {}

const many = 10_000
const items = () => Array.from({ length: many }, (_, k) => k)
const values = Values.layer({ timeToLive: "1 minute", capacity: many })
const spent = Spent.layer({ ratio: 0, perSecond: 0 })

const answers = RequestResolver.make<Get>((entries) =>
  Effect.sync(() => entries.forEach((entry) => entry.completeUnsafe(Exit.succeed("x"))))
)

/** Each item fails in its first attempt. */
const flaky = () => {
  const tried = new Set<number>()
  return (k: number) => Effect.suspend(() => (tried.size < tried.add(k).size ? Effect.fail("busy") : Effect.succeed(k)))
}

const lists = {
  cache: Resource.forEach("list", {
    items,
    itemKey: (k) => `${k}`,
    load: (k) => Effect.succeed(k),
    each: Policy.cache(Values)
  }),
  retry: Resource.forEach("list", { items, load: flaky(), each: Policy.retry({ times: 1 }) }),
  refused: Resource.forEach("list", {
    items,
    load: (k) => Effect.as(Effect.yieldNow, k),
    each: Policy.hedge({ after: 0, budget: Spent })
  })
}

const traced = <A, E>(self: Effect.Effect<A, E, Values | Spent>, layer = Tracing.layer) => {
  const { spans, tracer } = recordedSpans()
  const run = self.pipe(Effect.provide([layer, values, spent]), Effect.withTracer(tracer))
  return Effect.as(withTime(Effect.exit(run)), spans)
}

const spanNamed = (spans: ReturnType<typeof recordedSpans>["spans"], name: string) =>
  spans.find((span) => span.name === name) ?? assert.fail(`no span ${name}`)

describe("a span", () => {
  for (const [kind, list] of Object.entries(lists)) {
    it.live(`keeps 128 events of 10,000 items (${kind}), and counts those that were left out`, () =>
      Effect.gen(function* () {
        const spans = yield* traced(
          Loader.load(Loader.make({ list: list as Resource.Resource<"list", unknown, never, Values | Spent> }))
        )
        const { attributes, events } = spanNamed(spans, "list")
        assert.strictEqual(events.length, 128)
        assert.strictEqual(attributes.get("otel.dropped_events_count"), many - 128)
      })
    )
  }

  it.live("of a batch keeps 128 links of 10,000 callers, and counts those that were left out", () =>
    Effect.gen(function* () {
      const list = Resource.forEachRequest("list", { items, request: (id) => new Get({ id }), resolver: answers })
      const { attributes, links } = spanNamed(yield* traced(Loader.load(Loader.make({ list }))), "batch Get")
      assert.strictEqual(links.length, 128)
      assert.strictEqual(attributes.get("otel.dropped_links_count"), many - 128)
      assert.strictEqual(attributes.get("effect_loader.batch.callers"), many)
    })
  )

  it.live("of a resource keeps 128 links of 10,000 dependencies, and counts those that were left out", () =>
    Effect.gen(function* () {
      const deps = Object.fromEntries(
        items().map((k) => [`r${k}`, Resource.make(`r${k}`, { load: () => Effect.succeed(k) })])
      )
      const all = Resource.make("all", { deps, load: () => Effect.void })
      const { attributes, links } = spanNamed(yield* traced(Loader.load(Loader.make({ all }))), "all")
      assert.strictEqual(links.length, 128)
      assert.strictEqual(attributes.get("otel.dropped_links_count"), many - 128)
    })
  )

  it.effect("has the limits of its layer, and no count if nothing was left out", () =>
    Effect.gen(function* () {
      const list = Resource.forEachRequest("list", {
        items: () => [1, 2, 3],
        itemKey: (id) => `${id}`,
        request: (id) => new Get({ id }),
        resolver: answers,
        each: Policy.cache(Values)
      })
      const page = Loader.load(Loader.make({ list }))
      const seen = (eventCountLimit: number, linkCountLimit: number) =>
        Effect.map(traced(page, Tracing.layerWith({ eventCountLimit, linkCountLimit })), (spans) => {
          const [of, batch] = [spanNamed(spans, "list"), spanNamed(spans, "batch Get")]
          return [
            [of.events.length, of.attributes.get("otel.dropped_events_count")],
            [batch.links.length, batch.attributes.get("otel.dropped_links_count")]
          ]
        })
      assert.deepStrictEqual(yield* seen(3, 3), [
        [3, undefined],
        [3, undefined]
      ])
      assert.deepStrictEqual(yield* seen(2, 1), [
        [2, 1],
        [1, 2]
      ])
      assert.deepStrictEqual(yield* seen(0, 0), [
        [0, 3],
        [0, 3]
      ])
    })
  )

  it("has limits that are whole numbers from 0; others throw", () => {
    for (const given of [-1, 0.5, Number.NaN, Infinity]) {
      for (const option of ["eventCountLimit", "linkCountLimit"]) {
        const make = () => Tracing.layerWith({ [option]: given })
        assert.throws(
          make,
          Cause.IllegalArgumentError as never,
          `\`${option}\` must be a whole number from 0, got ${given}`
        )
      }
    }
  })
})
