/** The spans of batches. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Loader, Resource, Tracing } from "effect-loader"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"
import { Backend, GetUser } from "./Backend.ts"

const page = ({ resolver }: Backend) =>
  Loader.make({
    ada: Resource.fromRequest("ada", { request: () => new GetUser({ id: 1 }), resolver }),
    again: Resource.fromRequest("again", { request: () => new GetUser({ id: 1 }), resolver }),
    list: Resource.forEachRequest("list", { items: () => [2], request: (id) => new GetUser({ id }), resolver })
  })

describe("a batch", () => {
  it.effect("has a span with links to all its callers, those of merged requests and of other runs included", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recordedSpans()
      const load = Loader.load(page(new Backend()))
      const both = Effect.all([load, load], { concurrency: "unbounded" })
      yield* withTime(both.pipe(Effect.provide(Tracing.layer), Effect.withTracer(tracer)))
      const batches = spans.filter(({ name }) => name.startsWith("batch"))
      assert.strictEqual(batches.length, 1)
      const batch = batches[0]!
      assert.strictEqual(batch.name, "batch GetUser")
      assert.deepStrictEqual(batch.links.map(({ span }) => (span._tag === "Span" ? span.name : "")).toSorted(), [
        "ada",
        "ada",
        "again",
        "again",
        "list item",
        "list item"
      ])
      assert.strictEqual(batch.attributes.get("effect_loader.batch.requests"), 2)
      assert.strictEqual(batch.attributes.get("effect_loader.batch.callers"), 6)
      assert.strictEqual(batch.status._tag, "Ended")
    })
  )

  it.effect("has no span if no run is traced", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recordedSpans()
      yield* withTime(Loader.settle(page(new Backend())).pipe(Effect.withTracer(tracer)))
      assert.deepStrictEqual(spans, [])
    })
  )
})
