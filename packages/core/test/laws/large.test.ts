/**
 * Lists that are longer than the stack takes arguments: some 120,000. Nothing may depend on their length but time.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Request, RequestResolver } from "effect"
import { Loader, Plan, Report, Resource, type ResourceError, Saga } from "effect-loader"

const size = 160_000

type Many = Readonly<Record<string, Resource.Resource<string, number>>>

const many = (make: (name: string, i: number) => Resource.Any): Many =>
  Object.fromEntries(Array.from({ length: size }, (_, i) => [`r${i}`, make(`r${i}`, i)])) as Many

const failing = (deps: Many) => Resource.make("last", { deps, load: () => Effect.fail("bad" as const) })

const errorOf = (exit: Exit.Exit<unknown, unknown>): string => {
  const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
  if (reason === undefined || !Cause.isFailReason(reason)) return assert.fail(String(exit))
  return (reason.error as ResourceError<string, string>).error
}

class Ask extends Request.TaggedClass("Ask")<{ readonly id: number }, number> {}

const asked = RequestResolver.fromFunctionBatched<Ask>((entries) => entries.map(({ request }) => request.id))

describe(`with ${size} of a kind`, () => {
  it("what is beyond resources that did nothing is undone", () => {
    let undone = 0
    const first = Resource.make("first", { load: () => Effect.succeed(1) }).pipe(
      Saga.compensate(() => Effect.sync(() => void undone++))
    )
    const deps = many((name, i) => Resource.make(name, { deps: { first }, load: () => Effect.succeed(i) }))
    const middle = Resource.make("middle", { deps, load: () => Effect.succeed(1) })
    const exit = Effect.runSyncExit(Loader.load(Loader.make({ last: failing({ middle }) })))
    assert.deepStrictEqual([errorOf(exit), undone], ["bad", 1])
  })

  it("all is undone, and what fails then is told beside the load's own error, in a message that can be read", () => {
    let undone = 0
    let told = 0
    const compensate = (i: number) => (undone++ % 8 === 0 ? Effect.fail(`offline ${i}`) : Effect.void)
    const deps = many((name, i) =>
      Resource.make(name, { load: () => Effect.succeed(i) }).pipe(Saga.compensate(compensate))
    )
    const onCompensationFailure = ({ failures }: Saga.RollbackError) => Effect.sync(() => void (told = failures.length))
    const loader = Loader.make({ last: failing(deps) }, { onCompensationFailure })
    const exit = Effect.runSyncExit(Loader.load(loader))
    assert.deepStrictEqual([errorOf(exit), told], ["bad", size / 8])
    assert.strictEqual(undone, size)
    const error = Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause) : undefined
    assert.strictEqual(error?.failures.length, size / 8)
    assert.isBelow((error?.message ?? "").length, 10_000)
  })

  it.live("requests are answered: equal ones, those of many resources, and those of a list", () =>
    Effect.gen(function* () {
      const equal = many((name) => Resource.fromRequest(name, { request: () => new Ask({ id: 1 }), resolver: asked }))
      const values: Readonly<Record<string, number>> = yield* Effect.orDie(Loader.load(Loader.make(equal)))
      assert.isTrue(Object.values(values).every((value) => value === 1))
      const list = Resource.forEachRequest("list", {
        items: () => Array.from({ length: size }, (_, i) => i),
        request: (id) => new Ask({ id }),
        resolver: asked
      })
      const loaded = yield* Loader.load(Loader.make({ list }))
      assert.deepStrictEqual([loaded.list.length, loaded.list.at(-1)], [size, size - 1])
    })
  )

  it("choices choose one resource, and are skipped when it fails", () => {
    const on = Resource.succeed("on", true)
    const chosen = Resource.make("chosen", { load: (): Effect.Effect<number, string> => Effect.fail("bad") })
    const choices = many((name) => Resource.match(name, { on, cases: { true: chosen, false: chosen } }))
    const loader = Loader.make(choices) as Loader.Loader<Readonly<Record<string, number>>>
    const values = Effect.runSync(Loader.load(Loader.override(loader, chosen, 1)))
    assert.strictEqual(Object.keys(values).length, size)
    assert.deepStrictEqual(Effect.runSync(Loader.settle(loader)).values, {})
  })

  it("items of a list are loaded, and the last that fails is told", () => {
    const items = Array.from({ length: size }, (_, i) => i)
    const list = Resource.forEach("list", {
      items: () => items,
      load: (i) => (i === size - 1 ? Effect.fail(i) : Effect.succeed(i))
    })
    const error = Effect.runSync(Effect.flip(Loader.load(Loader.make({ list }))))
    assert.strictEqual(error.item?.index, size - 1)
  })

  it("resources are in reports, plans, texts and predictions", () => {
    const plain = many((name, i) => Resource.make(name, { load: () => Effect.succeed(i) }))
    const loader = Loader.make(plain, { scheduling: "batched" })
    const plan = Loader.plan(loader)
    assert.strictEqual(plan.resources.length, size)
    assert.isAbove(Plan.toText(plan).length, size)
    assert.isAtLeast(Loader.explain(loader).atLeast, 0)
    const report = Effect.runSync(Loader.settle(loader))
    assert.strictEqual(report.resources.length, size)
    assert.isAbove(Report.toSummary(report).length, 0)
    assert.isAtLeast(Report.analyze(report).work, 0)
  })
})
