/** Views of a resource, against the combinators of Effect that they are named after. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Result } from "effect"
import { Loader, Policy, Report, Resource, ResourceError, Saga } from "effect-loader"
import fc from "fast-check"

class Gone extends Data.TaggedError("Gone")<{ readonly n: number }> {}
class Busy extends Data.TaggedError("Busy")<{ readonly n: number }> {}
class Mapped extends Data.TaggedError("Mapped")<{ readonly from: unknown }> {}

type Load = Effect.Effect<unknown, Gone | Busy | Mapped>
type One = Resource.Resource<"one", unknown, ResourceError<"one", Gone | Busy | Mapped>>

/** A view, and what Effect has for it. */
interface Combinator {
  readonly name: string
  readonly onResource: (self: One) => Resource.Any
  readonly onEffect: (self: Load) => Effect.Effect<unknown, unknown>
}

const combinators: ReadonlyArray<Combinator> = [
  {
    name: "map",
    onResource: Resource.map((value) => [value]),
    onEffect: Effect.map((value) => [value])
  },
  { name: "as", onResource: Resource.as(7), onEffect: Effect.as(7) },
  {
    name: "tap",
    onResource: Resource.tap(() => Effect.succeed("ignored")),
    onEffect: Effect.tap(() => Effect.succeed("ignored"))
  },
  {
    name: "tap that fails",
    onResource: Resource.tap(() => Effect.fail(new Busy({ n: 3 }))),
    onEffect: Effect.tap(() => Effect.fail(new Busy({ n: 3 })))
  },
  {
    name: "tap that dies",
    onResource: Resource.tap(() => Effect.die("tapped")),
    onEffect: Effect.tap(() => Effect.die("tapped"))
  },
  {
    name: "catchTag",
    onResource: Resource.catchTag("Gone", ({ n }) => Effect.succeed(`gone ${n}`)),
    onEffect: Effect.catchTag("Gone", ({ n }) => Effect.succeed(`gone ${n}`))
  },
  {
    name: "catchTag that fails",
    onResource: Resource.catchTag(["Busy", "Mapped"], () => Effect.fail(new Gone({ n: 4 }))),
    onEffect: Effect.catchTag(["Busy", "Mapped"], () => Effect.fail(new Gone({ n: 4 })))
  },
  {
    name: "mapError",
    onResource: Resource.mapError((from) => new Mapped({ from })),
    onEffect: Effect.mapError((from) => new Mapped({ from }))
  },
  { name: "orNull", onResource: (self) => Resource.orNull(self), onEffect: Effect.orElseSucceed(() => null) },
  { name: "result", onResource: (self) => Resource.result(self), onEffect: Effect.result },
  { name: "a policy", onResource: Policy.around("same", (self) => self), onEffect: (self) => self }
]

const loads: Readonly<Record<string, Load>> = {
  succeeds: Effect.succeed("one"),
  "is gone": Effect.fail(new Gone({ n: 1 })),
  "is busy": Effect.andThen(Effect.yieldNow, Effect.fail(new Busy({ n: 2 }))),
  dies: Effect.die("a bug")
}

/** Resources of any kind may need anything; these need nothing. */
const run = (self: Effect.Effect<void, never, unknown>): Promise<void> => Effect.runPromise(self as Effect.Effect<void>)

/** The exit without what the loader adds to it. */
const plain = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (Exit.isSuccess(exit)) return exit.value
  const [reason] = exit.cause.reasons
  if (reason?._tag === "Fail")
    return { error: reason.error instanceof ResourceError ? reason.error.error : reason.error }
  return reason?._tag === "Die" ? { defect: reason.defect } : reason
}

const chains = fc.array(fc.constantFrom(...combinators), { maxLength: 5 })
const cases = fc.record({
  chain: chains,
  load: fc.constantFrom(...Object.keys(loads)),
  scheduling: fc.constantFrom("eager" as const, "batched" as const)
})

const through = (chain: ReadonlyArray<Combinator>, load: Load): Resource.Any =>
  chain.reduce<Resource.Any>(
    (self, { onResource }) => onResource(self as One),
    Resource.make("one", { load: () => load })
  )

describe("a chain of views", () => {
  it("gives what the same chain of Effect's combinators gives", () =>
    fc.assert(
      fc.asyncProperty(cases, ({ chain, load, scheduling }) =>
        run(
          Effect.gen(function* () {
            const effect = chain.reduce<Effect.Effect<unknown, unknown>>(
              (self, { onEffect }) => onEffect(self as Load),
              loads[load]!
            )
            const expected = plain(yield* Effect.exit(effect))
            const page = Loader.make({ one: through(chain, loads[load]!) }, { scheduling })
            const exit = yield* Effect.exit(Loader.load(page).pipe(Effect.map((values) => values.one)))
            assert.deepStrictEqual(plain(exit as Exit.Exit<unknown, unknown>), expected)
          })
        )
      ),
      { numRuns: 300 }
    ))

  it("gives dependents and settled runs what it gives a load", () =>
    fc.assert(
      fc.asyncProperty(cases, ({ chain, load, scheduling }) =>
        run(
          Effect.gen(function* () {
            const one = through(chain, loads[load]!)
            const next = Resource.make("next", { deps: { one }, load: ({ one }) => Effect.succeed({ one }) })
            const exit = yield* Effect.exit(Loader.load(Loader.make({ one }, { scheduling })))
            const report = yield* Loader.settle(Loader.make({ one, next }, { scheduling }))
            const values = Exit.isSuccess(exit) ? { ...exit.value, next: exit.value } : {}
            assert.deepStrictEqual(report.values, values)
          })
        )
      ),
      { numRuns: 200 }
    ))
})

describe("views of a resource whose ancestor fails", () => {
  const ancestors: Readonly<Record<string, Load>> = { ...loads, succeeds: loads["is gone"]! }

  it("leave the ancestor's failure as it is, unless they ask for it", () =>
    fc.assert(
      fc.asyncProperty(chains, fc.constantFrom(...Object.keys(ancestors)), (chain, end) =>
        run(
          Effect.gen(function* () {
            const org = Resource.make("org", { load: () => ancestors[end]! })
            const base = Resource.make("one", { deps: { org }, load: () => Effect.succeed("one") })
            const one = chain.reduce<Resource.Any>((self, { onResource }) => onResource(self as never), base)
            const load = (of: Resource.Any) => Effect.exit(Loader.load(Loader.make({ of })))
            const alone = yield* load(org)
            assert.deepStrictEqual(plain(yield* load(one)), plain(alone))
            const all = yield* load(Resource.result(one as One, { ancestors: true }))
            const none = yield* load(Resource.orNull(one as One, { ancestors: true }))
            if (end === "dies") return assert.deepStrictEqual([plain(all), plain(none)], [plain(alone), plain(alone)])
            const { of } = plain(all) as { readonly of: Result.Result<unknown, unknown> }
            assert.isTrue(Result.isFailure(of))
            if (Result.isSuccess(of)) return
            assert.instanceOf(of.failure, ResourceError)
            assert.strictEqual(of.failure.resource, "org")
            assert.deepStrictEqual(plain(none), { of: null })
          })
        )
      ),
      { numRuns: 200 }
    ))

  it.effect("find the failure through resources that were skipped, and through choices", () =>
    Effect.gen(function* () {
      const org = Resource.make("org", { load: () => Effect.fail("down") })
      const on = Resource.succeed("on", true as boolean)
      const other = Resource.succeed("other", "other")
      const chosen = Resource.match("chosen", { on, cases: { true: org, false: other } })
      const last = Array.from({ length: 50 }).reduce<Resource.Any>(
        (before, _, n) => Resource.make(`r${n}`, { deps: { before }, load: () => Effect.succeed(n) }),
        chosen
      )
      const page = Loader.make({ last: Resource.result(last, { ancestors: true }) })
      const found = (yield* Loader.load(page)).last as Result.Result<unknown, ResourceError<string, string>>
      assert.strictEqual(Result.isFailure(found) && found.failure.resource, "org")
    })
  )
})

describe("Resource.mapError", () => {
  it.effect("keeps the attempts, the path and the item of the failure", () =>
    Effect.gen(function* () {
      const list = Resource.forEach("list", {
        items: () => ["a", "b"],
        load: (item) => (item === "b" ? Effect.fail(new Busy({ n: 1 })) : Effect.succeed(item)),
        each: Policy.retry({ times: 2 })
      }).pipe(Resource.mapError((from) => new Mapped({ from })))
      const next = Resource.make("next", { deps: { list }, load: () => Effect.succeed(1) })
      const error = yield* Effect.flip(Loader.load(Loader.make({ next })))
      assert.instanceOf(error.error, Mapped)
      assert.deepStrictEqual([error.attempts, error.path, error.item?.index], [3, ["next", "list"], 1])
    })
  )

  it.effect("leaves an error that ended the run at once", () =>
    Effect.gen(function* () {
      const one = Resource.make("one", { load: () => Effect.fail(new Busy({ n: 1 })) }).pipe(
        Saga.abortIf(() => true),
        Resource.mapError((from) => new Mapped({ from }))
      )
      const exit = yield* Effect.exit(Loader.load(Loader.make({ one })))
      assert.instanceOf((plain(exit) as { readonly error: unknown }).error, Busy)
    })
  )

  it.effect("leaves the failure, with a defect that names the resource, where its function throws", () =>
    Effect.gen(function* () {
      const one = Resource.make("one", { load: () => Effect.fail(new Busy({ n: 1 })) }).pipe(
        Resource.mapError((): Mapped => {
          throw new Error("no mapping")
        })
      )
      const exit = yield* Effect.exit(Loader.load(Loader.make({ one })))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && Cause.hasFails(exit.cause))
    })
  )

  it.effect("lets what undoes be piped after it", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const one = Resource.make("one", {
        load: (): Effect.Effect<string, Busy> => Effect.succeed("one")
      }).pipe(
        Resource.mapError((from) => new Mapped({ from })),
        Saga.compensate((one) => Effect.sync(() => log.push(`${one} undone`)))
      )
      const next = Resource.make("next", { deps: { one }, load: () => Effect.fail("down") })
      yield* Effect.exit(Loader.load(Loader.make({ next })))
      assert.deepStrictEqual(log, ["one undone"])
    })
  )
})

describe("the report", () => {
  it.effect(
    "tells of a resource whose failure a view made a value that it is degraded, and of others that they failed",
    () =>
      Effect.gen(function* () {
        const one = Resource.make("one", { load: () => Effect.fail(new Gone({ n: 1 })) })
        const outcomes = {
          Degraded: [
            Resource.orNull(one),
            Resource.result(one),
            one.pipe(Resource.catchTag("Gone", () => Effect.succeed(1)))
          ],
          Failed: [one.pipe(Resource.mapError((from) => new Mapped({ from }))), one.pipe(Resource.as(1))]
        }
        for (const [outcome, views] of Object.entries(outcomes)) {
          for (const view of views as ReadonlyArray<Resource.Any>) {
            const report = yield* Loader.settle(Loader.make({ view }))
            assert.strictEqual(Report.outcome(report, "one")?._tag, outcome)
          }
        }
      })
  )
})

describe("Resource.tap", () => {
  it.effect("runs again with a retry that is piped after it, and not where the load fails", () =>
    Effect.gen(function* () {
      let loads = 0
      let taps = 0
      const tapped = Resource.make("one", { load: () => Effect.sync(() => ++loads) }).pipe(
        Resource.tap(() => (++taps < 3 ? Effect.fail("busy") : Effect.void)),
        Policy.retry({ times: 5 })
      )
      assert.strictEqual((yield* Loader.load(Loader.make({ tapped }))).tapped, 3)
      assert.deepStrictEqual([loads, taps], [3, 3])
      const failing = Resource.make("one", { load: () => Effect.fail("down") }).pipe(
        Resource.tap(() => Effect.sync(() => taps++))
      )
      yield* Effect.exit(Loader.load(Loader.make({ failing })))
      assert.strictEqual(taps, 3)
    })
  )
})
