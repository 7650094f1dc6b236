/** Loaders inside loaders. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Result, Schedule } from "effect"
import { GraphError, Loader, Plan, Policy, Report, Resource, type ResourceError, Tracing } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"

const orgId = Resource.input<string>()("orgId")
const org = Resource.make("org", {
  deps: { orgId },
  load: ({ orgId }) =>
    Effect.andThen(
      Effect.sleep(10),
      orgId === "acme" ? Effect.succeed({ name: "Acme" }) : Effect.fail("unknown" as const)
    )
})
const members = Resource.make("members", { deps: { org }, load: () => Effect.as(Effect.sleep(10), ["ada"]) })
const inner = Loader.make({ org, members }, { name: "inner" })

const session = Resource.make("session", { load: () => Effect.as(Effect.sleep(10), "acme") })
const company = Resource.fromLoader("company", inner, { inputs: { orgId: session } })

describe("Resource.fromLoader", () => {
  it.effect("runs a loader as one resource: names are apart, values nest, reports nest", () =>
    Effect.gen(function* () {
      const mine = Resource.make("org", { load: () => Effect.succeed("mine") })
      const report = yield* withTime(Loader.settle(Loader.make({ company, mine }, { name: "outer" })))
      assert.deepStrictEqual(report.values, { company: { org: { name: "Acme" }, members: ["ada"] }, mine: "mine" })
      const [run] = Report.get(report, "company")?.runs ?? []
      assert.deepStrictEqual(
        run?.resources.map(({ resource, startedAt }) => [resource, startedAt! - report.startedAt]),
        [
          ["org", 10],
          ["members", 20]
        ]
      )
      assert.strictEqual(Report.analyze(report).work, 30)
    })
  )

  it.effect("its errors nest, and say both names", () =>
    Effect.gen(function* () {
      const other = Resource.fromLoader("other", inner, { inputs: { orgId: Resource.succeed("nobody", "nobody") } })
      const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ other }))))
      const error: ResourceError<"other", ResourceError<"org", "unknown">> = yield* Effect.flip(exit)
      assert.deepStrictEqual([error.resource, error.error.resource, error.error.error], ["other", "org", "unknown"])
      assert.strictEqual(
        error.message,
        'resource "other" failed (10ms): ResourceError: resource "org" failed (10ms): unknown'
      )
    })
  )

  it.effect("its policies are around the whole run", () =>
    Effect.gen(function* () {
      let tries = 0
      const flaky = Resource.make("flaky", {
        load: () => Effect.andThen(Effect.sleep(5), ++tries < 3 ? Effect.fail("busy") : Effect.succeed(tries))
      })
      const whole = Resource.fromLoader("whole", Loader.make({ flaky })).pipe(
        Policy.retry({ times: 5, schedule: Schedule.spaced(10), while: (error) => error.error === "busy" }),
        Policy.timeout("1 minute")
      )
      const report = yield* withTime(Loader.settle(Loader.make({ whole }, { concurrency: 1 })))
      assert.deepStrictEqual(report.values, { whole: { flaky: 3 } })
      assert.deepStrictEqual([Report.get(report, "whole")?.attempts, Report.get(report, "whole")?.runs?.length], [3, 3])
    })
  )

  it.effect("attempts inside take slots of both loaders, and a loader that waits inside holds none", () =>
    Effect.gen(function* () {
      const wide = Loader.make(
        Object.fromEntries(
          ["a", "b", "c", "d"].map((name) => [name, Resource.make(name, { load: () => Effect.sleep(10) })])
        ),
        { name: "wide", concurrency: 3 }
      )
      const outer = Loader.make(
        {
          first: Resource.fromLoader("first", wide as Loader.Loader<unknown>),
          second: Resource.fromLoader("second", wide as Loader.Loader<unknown>),
          own: Resource.make("own", { load: () => Effect.sleep(10) })
        },
        { concurrency: 2 }
      )
      const { events, exit } = yield* withTime(RunLog.record(Loader.settle(outer)))
      const report = yield* exit
      // Nine loads of 10 ms, two at a time.
      assert.strictEqual(report.until - report.startedAt, 50)
      const limits = events.flatMap((event) =>
        event._tag === "ResourceQueued" && event.limit._tag === "Slot" ? [event.limit.concurrency] : []
      )
      assert.include(limits, 2)
    })
  )

  it.effect("where the loader around has no limit, its own limit holds", () =>
    Effect.gen(function* () {
      const narrow = Loader.make({ org, other: session }, { concurrency: 1 })
      const whole = Resource.fromLoader("whole", narrow, { inputs: { orgId: Resource.succeed("id", "acme") } })
      const report = yield* withTime(Loader.settle(Loader.make({ whole })))
      assert.strictEqual(report.until - report.startedAt, 20)
    })
  )

  it.effect("interrupting the run around ends the run inside, and gives back its slots", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const stuck = Resource.make("stuck", {
        load: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("interrupted")))
      })
      const bad = Resource.make("bad", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail("bad")) })
      const nested = Resource.fromLoader("nested", Loader.make({ stuck, more: stuck.pipe(Resource.map(() => 1)) }))
      const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ nested, bad }, { concurrency: 2 }))))
      assert.isTrue(Exit.isFailure(exit) && !Cause.hasInterrupts(exit.cause))
      assert.deepStrictEqual(log, ["interrupted"])
    })
  )

  it.effect("a run that fails inside frees its slots for the run around, which goes on in settle", () =>
    Effect.gen(function* () {
      const bad = Resource.make("bad", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail("bad")) })
      const slow = Resource.make("slow", { load: () => Effect.sleep(100) })
      const nested = Resource.fromLoader("nested", Loader.make({ bad, slow }))
      const later = Resource.make("later", { load: () => Effect.sleep(10) })
      const report = yield* withTime(Loader.settle(Loader.make({ nested, later }, { concurrency: 2 })))
      assert.strictEqual(Report.outcome(report, "nested")?._tag, "Failed")
      assert.strictEqual(report.until - report.startedAt, 15)
    })
  )

  it.effect("a loader inside that only waits for slots around ends at its own timeout", () =>
    Effect.gen(function* () {
      const busy = Resource.make("busy", { load: () => Effect.sleep(100) })
      const later = Resource.make("later", { deps: { busy }, load: () => Effect.void })
      const stuck = Resource.make("stuck", { load: () => Effect.void })
      const nested = Resource.fromLoader("nested", Loader.make({ stuck }, { timeout: 10 }))
      const report = yield* withTime(Loader.settle(Loader.make({ later, nested }, { concurrency: 1 })))
      assert.strictEqual(Report.get(report, "nested")!.endedAt! - report.startedAt, 10)
      assert.deepStrictEqual(Report.get(report, "nested")?.runs?.[0]?.end, "TimedOut")
      assert.deepStrictEqual([report.end, report.until - report.startedAt], ["Completed", 100])
    })
  )

  it.effect("spans nest: the run inside is below the resource that it is", () =>
    Effect.gen(function* () {
      const parents = new Map<string, string | undefined>()
      const page = Loader.make({ company }, { name: "outer" })
      const name = Effect.map(Effect.currentSpan, (span) => {
        for (let at = span; ;) {
          const { parent } = at
          const above = parent._tag === "Some" && parent.value._tag === "Span" ? parent.value : undefined
          parents.set(at.name, above?.name)
          if (above === undefined) return at.name
          at = above
        }
      })
      const spied = Resource.fromLoader(
        "spied",
        Loader.make({ spy: Resource.make("spy", { load: () => name }) }, { name: "inner" })
      )
      yield* withTime(Loader.load(Loader.make({ company, spied }, { name: "outer" }))).pipe(
        Effect.provide(Tracing.layerWith({ spans: "always" }))
      )
      assert.isDefined(page)
      assert.deepStrictEqual(Object.fromEntries(parents), {
        spy: "load inner",
        "load inner": "spied",
        spied: "load outer",
        "load outer": undefined
      })
    })
  )

  it("its plan holds the plan of the loader inside", () => {
    const plan = Loader.plan(Loader.make({ company }, { name: "outer" }))
    assert.strictEqual(Plan.get(plan, "company")?.loader, Loader.plan(inner))
    assert.strictEqual(
      Plan.toText(plan),
      [
        'plan of "outer": 2 resources in 2 batches',
        "  1  session",
        "  2  company <- session  runs inner",
        "",
        'plan of "inner": 2 resources in 2 batches',
        "     given: orgId",
        "  1  org <- orgId",
        "  2  members <- org"
      ].join("\n")
    )
  })

  it("loaders that contain each other are a cycle, found before anything runs", () => {
    const a: Resource.Resource<"a", unknown> = Resource.make("a", { deps: () => ({ n }), load: () => Effect.void })
    class Inner extends Loader.Service<Inner>()("Inner", { a }) {}
    const n: Resource.Resource<"n", unknown> = Resource.fromLoader(
      "n",
      () => Inner.loader as unknown as Loader.Loader<unknown>
    )
    const compiled = Loader.compile({ n }, { name: "outer" })
    assert.strictEqual(
      Result.isFailure(compiled) ? compiled.failure.message : "",
      [
        '1 problem in the graph of loader "outer":',
        "  - cycle: Inner -> Inner; each of these waits for the next, so none could ever start"
      ].join("\n")
    )
    assert.throws(() => Inner.loader, GraphError, /cycle: Inner -> Inner/)
  })

  it("loaders that contain each other through functions are a cycle, however they are made", () => {
    type Endless = Loader.Loader<unknown>
    // One loader for all, made again and again of the same resources.
    const again: Resource.Resource<"again", unknown> = Resource.fromLoader(
      "again",
      () => Loader.make({ again }) as Endless
    )
    // New resources and new loaders without end.
    const without = (): Endless =>
      Loader.make({ end: Resource.fromLoader("end", () => without()) }, { name: "without" }) as Endless
    // Three, of which the last contains the first.
    const ring = (i: number): Resource.Resource<string, unknown> =>
      Resource.fromLoader(`r${i}`, () => ringOf(i) as Endless)
    const first = ring(0)
    const ringOf = (i: number) => Loader.make({ next: i === 2 ? first : ring(i + 1) }, { name: `l${i}` })
    const changed: Resource.Resource<"changed", unknown> = Resource.fromLoader(
      "changed",
      () => Loader.make({ changed }, { name: "changed" }).pipe(Loader.onExit(() => Effect.void)) as Endless
    )
    const paths = (make: () => unknown): unknown => {
      try {
        return make()
      } catch (error) {
        assert.isBelow(String(error).length, 1_000)
        return (error as GraphError).issues.map((issue) => (issue._tag === "Cycle" ? issue.path : issue))
      }
    }
    assert.deepStrictEqual(
      paths(() => Loader.make({ again })),
      [["anonymous", "anonymous"]]
    )
    assert.deepStrictEqual(paths(without), [["without", "without"]])
    assert.deepStrictEqual(
      paths(() => Loader.make({ first }, { name: "outer" })),
      [["l0", "l1", "l2", "l0"]]
    )
    assert.deepStrictEqual(
      paths(() => Loader.make({ changed }, { name: "outer" })),
      [["changed", "changed"]]
    )
  })

  it("a function that gives a loader is called once, however often what contains it is compiled, planned and run", () => {
    let calls = 0
    const leaf = Loader.make({ leaf: Resource.make("leaf", { load: () => Effect.succeed(1) }) })
    const around = (loader: Loader.Loader<unknown>): Loader.Loader<unknown> => {
      const inside = (name: string) =>
        Resource.fromLoader(name, () => {
          calls++
          return loader
        })
      return Loader.make({ a: inside("a"), b: inside("b") }) as never
    }
    let whole: Loader.Loader<unknown> = leaf as never
    for (let depth = 0; depth < 8; depth++) whole = around(whole)
    assert.strictEqual(calls, 16)
    Loader.plan(whole)
    Effect.runSync(Loader.load(Loader.merge(whole, Loader.make({ one: Resource.succeed("one", 1) }))))
    Effect.runSync(Loader.load(whole))
    assert.strictEqual(calls, 16)
  })

  it("a function that throws, as where a module is read too early, is called again at the next compiling", () => {
    let inner: Loader.Loader<{ readonly n: number }> | undefined
    const nested = Resource.fromLoader("nested", () => {
      if (inner === undefined) throw new ReferenceError("Cannot access 'inner' before initialization")
      return inner
    })
    class Page extends Loader.Service<Page>()("Page", { nested }) {}
    assert.throws(
      () => Page.loader,
      GraphError,
      /the loader of "nested" could not be read: ReferenceError: Cannot access 'inner' before initialization/
    )
    inner = Loader.make({ n: Resource.make("n", { load: () => Effect.succeed(1) }) })
    assert.deepStrictEqual(Effect.runSync(Loader.load(Page.loader)), { nested: { n: 1 } })
  })

  it("what is wrong with loaders inside functions is told from the outermost in", () => {
    const broken = () => Loader.make({ none: undefined as unknown as Resource.Any }, { name: "broken" })
    const middle = () => Loader.make({ broken: Resource.fromLoader("broken", broken as never) }, { name: "middle" })
    const compiled = Loader.compile({ middle: Resource.fromLoader("middle", middle as never) }, { name: "outer" })
    assert.strictEqual(
      Result.isFailure(compiled) ? compiled.failure.message : "",
      [
        '1 problem in the graph of loader "outer":',
        '  - the loader of "middle" is not sound: 1 problem in the graph of loader "middle":',
        '    - the loader of "broken" is not sound: 1 problem in the graph of loader "broken":',
        '      - target "none" is not a resource but undefined; if it is declared later, give the dependencies as a function'
      ].join("\n")
    )
  })

  it("what is no loader is refused when it is compiled", () => {
    const none = Resource.fromLoader("none", () => undefined as unknown as Loader.Loader<unknown>)
    assert.throws(
      () => Loader.make({ none }),
      GraphError,
      /the loader of "none" could not be read: TypeError: .* no loader; if it is made later, compile what contains it later/
    )
    const asks: Resource.Resource<"asks", unknown> = Resource.fromLoader("asks", () => {
      Loader.plan(Loader.make({ asks }))
      return Loader.make({})
    })
    assert.throws(
      () => Loader.make({ asks }),
      GraphError,
      /the function given for "asks" needs the loader that it gives/
    )
  })
})
