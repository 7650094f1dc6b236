/** What must have been loaded before, for every kind of resource. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Request, RequestResolver } from "effect"
import { Loader, Plan, Report, Resource } from "effect-loader"
import { withTime } from "../withTime.ts"

class Built extends Context.Service<Built, { readonly n: number }>()("app/Built") {}
class Ask extends Request.TaggedClass("Ask")<{ readonly id: number }, number> {}

/** One resource of each kind that does something, which notes when it does. */
const kinds = (after: () => ReadonlyArray<Resource.Any>, log: Array<string>) => {
  const note = Effect.sync(() => {
    log.push("kind")
    return 1
  })
  const resolver = RequestResolver.make<Ask>((entries) =>
    Effect.andThen(
      note,
      Effect.sync(() => {
        for (const entry of entries) entry.completeUnsafe(Exit.succeed(1))
      })
    )
  )
  const noted = Resource.make("noted", { load: () => note })
  return {
    make: Resource.make("kind", { after, load: () => note }),
    fromLayer: Resource.fromLayer(
      "kind",
      Built,
      Layer.effect(
        Built,
        Effect.map(note, (n) => ({ n }))
      ),
      { after }
    ),
    forEach: Resource.forEach("kind", { after, items: () => [1], load: () => note }),
    fromRequest: Resource.fromRequest("kind", { after, request: () => new Ask({ id: 1 }), resolver }),
    forEachRequest: Resource.forEachRequest("kind", {
      after,
      items: () => [1],
      request: (id) => new Ask({ id }),
      resolver
    }),
    match: Resource.match("kind", { on: Resource.succeed("on", true), cases: { true: noted, false: noted }, after }),
    fromLoader: Resource.fromLoader("kind", Loader.make({ noted }) as Loader.Loader<unknown>, { after })
  }
}

const loggedAfter = (ends: Effect.Effect<void, string>, log: Array<string>) =>
  Resource.make("before", {
    load: () =>
      Effect.andThen(
        Effect.sleep(10),
        Effect.ensuring(
          ends,
          Effect.sync(() => log.push("before"))
        )
      )
  })

describe("after", () => {
  for (const kind of Object.keys(kinds(() => [], [])) as ReadonlyArray<keyof ReturnType<typeof kinds>>) {
    for (const scheduling of ["eager", "batched"] as const) {
      it.effect(`${kind} begins when all that it comes after has been loaded, ${scheduling}`, () =>
        Effect.gen(function* () {
          const log: Array<string> = []
          const before = loggedAfter(Effect.void, log)
          const loader = Loader.make({ it: kinds(() => [before], log)[kind] }, { scheduling })
          const values = yield* withTime(Loader.load(loader as Loader.Loader<{ readonly it: unknown }>))
          assert.deepStrictEqual(log, ["before", "kind"])
          assert.isDefined(values.it)
          assert.isTrue(Plan.get(Loader.plan(loader), "kind")?.dependencies.includes("before"))
        })
      )
    }

    it.effect(`${kind} does not begin when what it comes after fails`, () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const before = loggedAfter(Effect.fail("bad"), log)
        const loader = Loader.make({ it: kinds(() => [before], log)[kind] })
        const report = yield* withTime(Loader.settle(loader as Loader.Loader<unknown>))
        assert.deepStrictEqual(log, ["before"])
        assert.deepStrictEqual(Report.outcome(report, "kind"), {
          _tag: "Skipped",
          because: { _tag: "DependencyFailed", resource: "before" }
        })
      })
    )
  }
})
