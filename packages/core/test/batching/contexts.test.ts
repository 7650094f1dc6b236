/** The context of a resolver's call that several callers wait for. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Option, References, Request, RequestResolver, Tracer } from "effect"
import * as fc from "fast-check"
import { Limiter, Loader, Resource, Saga, Tracing } from "effect-loader"
import { isOfWait, isRunLocal } from "../../src/base/RunLocal.ts"
import { innermostAround } from "../../src/batching/CommonSpan.ts"
import { recordedSpans } from "../recordedSpans.ts"
import { withTime } from "../withTime.ts"

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}

/** A resolver that records the context of each call. */
const remembering = () => {
  const calls: Array<Context.Context<never>> = []
  const resolver = RequestResolver.make<GetUser>((entries) =>
    Effect.gen(function* () {
      calls.push(yield* Effect.context<never>())
      yield* Effect.forEach(entries, (entry) => Request.succeed(entry, "Ada"), { discard: true })
    })
  )
  return { calls, resolver }
}

const userOf = (resolver: RequestResolver.RequestResolver<GetUser>) => {
  const id = Resource.input<number>()("id")
  const user = Resource.fromRequest("user", { deps: { id }, request: ({ id }) => new GetUser({ id }), resolver })
  return Loader.make({ user: user.pipe(Saga.compensate(() => Effect.void)) })
}

const together = <E>(...loads: ReadonlyArray<Effect.Effect<unknown, E>>) =>
  withTime(Effect.scoped(Effect.all(loads, { concurrency: "unbounded" })))

const annotationsOf = (context: Context.Context<never>) => Context.get(context, References.CurrentLogAnnotations)

describe("a call for several callers", () => {
  it.effect("has the log annotations and the share of its callers if all have the same, otherwise none", () =>
    Effect.gen(function* () {
      for (const [ann, bob] of [
        ["one", "one"],
        ["one", "other"]
      ] as const) {
        const { calls, resolver } = remembering()
        const page = userOf(resolver)
        const of = (tenant: string, id: number) =>
          Loader.load(page, { id }).pipe(Limiter.withShare({ tenant }), Effect.annotateLogs({ tenant }))
        yield* together(of(ann, 1), of(bob, 2))
        assert.strictEqual(calls.length, 1)
        assert.deepStrictEqual(annotationsOf(calls[0]!), ann === bob ? { tenant: ann } : {})
        const shares = Array.from(calls[0]!.mapUnsafe).filter(([key]) => key.endsWith("/CurrentShare"))
        assert.deepStrictEqual(
          shares.map(([, share]) => share),
          ann === bob ? [{ tenant: ann }] : []
        )
      }
    })
  )

  it.effect("runs in no step of a run, and in no caller's scope", () =>
    Effect.gen(function* () {
      const { calls, resolver } = remembering()
      const page = userOf(resolver)
      yield* together(Loader.load(page, { id: 1 }))
      yield* together(Loader.load(page, { id: 2 }), Loader.load(page, { id: 3 }))
      assert.strictEqual(calls.length, 2)
      for (const { mapUnsafe } of calls) {
        const left = Array.from(mapUnsafe).filter(
          ([key, value]) => isRunLocal(key) && !isOfWait(key) && value !== undefined
        )
        assert.deepStrictEqual(left, [])
        assert.isFalse(mapUnsafe.has("effect/Scope"))
      }
    })
  )

  it.effect("has its span in the innermost span around all its callers, and in no span if there is none", () =>
    Effect.gen(function* () {
      for (const isOneTrace of [true, false]) {
        const { resolver } = remembering()
        const { spans, tracer } = recordedSpans()
        const page = userOf(resolver)
        const of = (id: number) => Effect.withSpan(Loader.load(page, { id }), `request ${id}`)
        const both = together(of(1), of(2))
        yield* (isOneTrace ? Effect.withSpan(both, "job") : both).pipe(
          Effect.provide(Tracing.layer),
          Effect.withTracer(tracer)
        )
        const batch = spans.find(({ name }) => name === "batch GetUser")!
        assert.strictEqual(batch.links.length, 2)
        const parent = Option.map(batch.parent, (span) => (span._tag === "Span" ? span.name : ""))
        assert.deepStrictEqual(parent, isOneTrace ? Option.some("job") : Option.none())
      }
    })
  )
})

describe("the innermost span around several spans", () => {
  it("is the last one that their paths from the outermost span have in common", () => {
    // The parent of each span is an earlier one, or none.
    const trees = fc.array(fc.option(fc.nat()), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(trees, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (parents, picks) => {
        const spans: Array<Tracer.Span> = []
        parents.forEach((parent, k) => {
          const outer = parent === null || k === 0 ? undefined : spans[parent % k]
          spans.push(
            new Tracer.NativeSpan({
              name: `${k}`,
              parent: Option.fromUndefinedOr(outer),
              annotations: Context.empty(),
              links: [],
              startTime: 0n,
              kind: "internal",
              sampled: true
            })
          )
        })
        const wayTo = (span: Tracer.AnySpan): ReadonlyArray<Tracer.AnySpan> =>
          span._tag === "Span" && span.parent._tag === "Some" ? [...wayTo(span.parent.value), span] : [span]
        const ways = picks.map((pick) => wayTo(spans[pick % spans.length]!))
        const common = ways[0]!.filter((span) => ways.every((way) => way.includes(span)))
        assert.strictEqual(innermostAround(picks.map((pick) => spans[pick % spans.length]!)), common.at(-1))
      })
    )
  })
})
