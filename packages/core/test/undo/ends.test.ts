/** What happens at the end of a load: hooks, undoing later, giving up; and what runs inside other runs. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schedule } from "effect"
import { Loader, Policy, Report, Resource, Saga } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import fc from "fast-check"
import { TestClock } from "effect/testing"
import { failing, Shop } from "./Shop.ts"

describe("Loader.onExit", () => {
  it.effect("runs on success, failure, interruption and failed compensation, after all is undone, with the exit", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const seen: Array<string> = []
      const hook = (exit: Exit.Exit<unknown, unknown>) =>
        Effect.sync(() => {
          const stays = Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause) : undefined
          seen.push(`${exit._tag} ${Exit.hasInterrupts(exit)} ${stays?.failures.length ?? 0} ${shop.done.join()}`)
        })
      const a = shop.step("a")
      const stuck = Resource.make("stuck", { load: () => Effect.void }).pipe(
        Saga.compensate(() => Effect.fail("offline"))
      )
      const hanging = Resource.make("hanging", { deps: { a }, load: () => Effect.never })
      yield* Loader.load(Loader.make({ a }).pipe(Loader.onExit(hook)))
      shop.done.length = 0
      yield* Effect.exit(Loader.load(Loader.make({ f: failing({ a }) }).pipe(Loader.onExit(hook))))
      const fiber = yield* Effect.forkChild(Loader.load(Loader.onExit(Loader.make({ hanging }), hook)), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
      const quiet = { onCompensationFailure: () => Effect.void }
      yield* Effect.exit(Loader.load(Loader.make({ f: failing({ a, stuck }) }, quiet).pipe(Loader.onExit(hook))))
      assert.deepStrictEqual(seen, ["Success false 0 a", "Failure false 0 ", "Failure true 0 ", "Failure false 1 "])
    })
  )

  it.effect("a hook that fails, dies or throws changes nothing, and the next one runs", () =>
    Effect.gen(function* () {
      let ran = 0
      const a = Resource.succeed("a", 1)
      const loader = Loader.make({ a }).pipe(
        Loader.onExit(() => Effect.fail("hook")),
        Loader.onExit(() => Effect.die("hook")),
        Loader.onExit((): Effect.Effect<void> => {
          throw new Error("hook")
        }),
        Loader.onExit(() => Effect.sync(() => ran++))
      )
      assert.deepStrictEqual(yield* Loader.load(loader), { a: 1 })
      assert.strictEqual(ran, 1)
    })
  )

  it.effect("stays with a loader that is changed", () =>
    Effect.gen(function* () {
      let ran = 0
      const a = Resource.make("a", { load: () => Effect.succeed(1) })
      const loader = Loader.make({ a }).pipe(Loader.onExit(() => Effect.sync(() => ran++)))
      yield* Loader.load(Loader.withValues(loader, { a: 2 }))
      yield* Loader.load(loader.pipe(Loader.override(a, 3)))
      assert.strictEqual(ran, 2)
    })
  )
})

describe("Loader.loadReversible", () => {
  it.effect("undoes all in order, later, once; the second time gives what came of the first", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a", { undo: 10 })
      const b = shop.step("b", { deps: { a } })
      const { undo, values } = yield* Loader.loadReversible(Loader.make({ b }))
      assert.deepStrictEqual([values, shop.log], [{ b: "b" }, ["+a", "+b"]])
      const both = yield* Effect.forkChild(Effect.all([undo, undo], { concurrency: 2 }), { startImmediately: true })
      yield* TestClock.adjust("10 millis")
      yield* Fiber.join(both)
      yield* undo
      assert.deepStrictEqual(shop.log, ["+a", "+b", "-b", "-a"])
    })
  )

  it.effect("its undo fails with what could not be undone, after all the rest has been", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const b = Resource.make("b", { deps: { a }, load: () => shop.do("b") }).pipe(
        Saga.compensate(() => Effect.fail("offline"))
      )
      const { undo } = yield* Loader.loadReversible(Loader.make({ b }))
      const error = yield* Effect.flip(undo)
      assert.deepStrictEqual(
        error.failures.map(({ resource }) => resource),
        ["b"]
      )
      assert.deepStrictEqual(shop.done, ["b"])
    })
  )

  it.effect("undoes everything at once when the load itself fails", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      yield* Effect.exit(Loader.loadReversible(Loader.make({ f: failing({ a: shop.step("a") }) })))
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )

  it.effect("has nothing to undo where nothing says how", () =>
    Effect.gen(function* () {
      const { undo } = yield* Loader.loadReversible(Loader.make({ a: Resource.succeed("a", 1) }))
      yield* undo
    })
  )
})

describe("Saga.abortIf", () => {
  const busyThenFraud = () => {
    let tries = 0
    const load = (): Effect.Effect<string, "busy" | "fraud"> =>
      Effect.suspend(() => Effect.fail(++tries < 2 ? ("busy" as const) : ("fraud" as const)))
    const payment = Resource.make("payment", { load }).pipe(
      Saga.abortIf((error) => error === "fraud"),
      Policy.retry({ times: 9, schedule: Schedule.spaced("1 second") }),
      Resource.orElseSucceed(() => "later")
    )
    return { payment, tries: () => tries }
  }

  it.effect("no retry and no fallback follow, and what was done is undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { payment, tries } = busyThenFraud()
      const fiber = yield* Effect.forkChild(Loader.load(Loader.make({ a: shop.step("a"), payment })), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.await(fiber)
      assert.strictEqual(tries(), 2)
      const failures = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isFailReason) : []
      assert.deepStrictEqual(
        failures.map(({ error }) => [(error as { resource: string }).resource, (error as { error: string }).error]),
        [["payment", "fraud"]]
      )
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )

  it.effect("whatever finishes next: a fallback elsewhere, a success, another failure", () =>
    Effect.gen(function* () {
      const { payment } = busyThenFraud()
      const others = ["succeed", "fall back", "fail"].map((how) =>
        Resource.make(how, {
          load: (): Effect.Effect<string, "late"> =>
            Effect.uninterruptible(
              Effect.andThen(
                Effect.sleep("2 seconds"),
                how === "succeed" ? Effect.succeed("x") : Effect.fail("late" as const)
              )
            )
        })
      )
      const [ok, back, bad] = others as [(typeof others)[0], (typeof others)[0], (typeof others)[0]]
      const loader = Loader.make({ payment, ok, back: back.pipe(Resource.orElseSucceed(() => "y")), bad })
      const fiber = yield* Effect.forkChild(Loader.load(loader), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit))
      const text = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
      assert.include(text, 'resource "payment" failed (2 attempts')
    })
  )

  it.effect("in settle only the resource itself gives up", () =>
    Effect.gen(function* () {
      const { payment } = busyThenFraud()
      const other = Resource.make("other", { load: () => Effect.as(Effect.sleep("1 minute"), 1) })
      const fiber = yield* Effect.forkChild(Loader.settle(Loader.make({ payment, other })), { startImmediately: true })
      yield* TestClock.adjust("2 minutes")
      const report = yield* Fiber.join(fiber)
      assert.strictEqual(Report.outcome(report, "payment")?._tag, "Failed")
      assert.strictEqual(report.values.other, 1)
    })
  )

  it.effect("of a list says which item it was", () =>
    Effect.gen(function* () {
      const list = Resource.forEach("list", {
        items: () => ["a", "b"],
        load: (item): Effect.Effect<string, "fraud"> => (item === "b" ? Effect.fail("fraud") : Effect.succeed(item)),
        each: Policy.compose(Policy.timeout("1 second"))
      }).pipe(Saga.abortIf((error) => error === "fraud"))
      const error = yield* Effect.flip(Loader.load(Loader.make({ list })))
      assert.strictEqual(error.item?.index, 1)
    })
  )

  /** Every view that changes or recovers, as a step of a chain. */
  const views: Record<
    string,
    (self: Resource.Resource<"x", unknown, any, never>) => Resource.Resource<"x", any, any, never>
  > = {
    map: Resource.map((value) => value),
    catch: Resource.catch(() => Effect.succeed("recovered")),
    catchCause: Resource.catchCause(() => Effect.succeed("recovered")),
    orElseSucceed: Resource.orElseSucceed(() => "recovered"),
    option: Resource.option,
    "option of ancestors": Resource.option({ ancestors: true }),
    orNull: Resource.orNull,
    result: Resource.result,
    mapError: Resource.mapError((error) => error)
  }

  it("no chain of views takes the place of the error: a load fails with it, and a settled run shows it", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(views)), { maxLength: 4 }), async (names) => {
        const failing = Resource.make("x", { load: () => Effect.fail("fraud") }).pipe(Saga.abortIf(() => true))
        const x = names.reduce<Resource.Resource<"x", any, any, never>>((self, name) => views[name]!(self), failing)
        const exit = await Effect.runPromiseExit(Loader.load(Loader.make({ x })))
        const failures = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isFailReason) : []
        assert.deepStrictEqual(
          failures.map(({ error }) => [error.resource, error.error]),
          [["x", "fraud"]]
        )
        const report = await Effect.runPromise(Loader.settle(Loader.make({ x })))
        assert.strictEqual(report.resources[0]!.outcome._tag, "Failed")
      }),
      { numRuns: 200 }
    ))
})

describe("what is inside", () => {
  it.effect(
    "items of a list that had been loaded are undone when the list fails, also where a fallback saves the load",
    () =>
      Effect.gen(function* () {
        const shop = new Shop()
        const list = Resource.forEach(
          "list",
          {
            items: () => ["a", "b", "c"],
            load: (item): Effect.Effect<string, "no"> => (item === "c" ? Effect.fail("no") : shop.do(item)),
            concurrency: 1
          },
          Saga.compensate((item, _deps, { item: which }) => shop.undo(which?.value === item ? item : "?"))
        ).pipe(Resource.orElseSucceed(() => []))
        assert.deepStrictEqual(yield* Loader.load(Loader.make({ list })), { list: [] })
        assert.deepStrictEqual(shop.log, ["+a", "+b", "-b", "-a"])
      })
  )

  it.effect("items are undone before each new attempt of their list", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let tries = 0
      const list = Resource.forEach(
        "list",
        {
          items: () => ["a", "b"],
          load: (item): Effect.Effect<string, "no"> =>
            item === "b" && ++tries === 1 ? Effect.fail("no") : shop.do(item),
          concurrency: 1
        },
        Saga.compensate((item) => shop.undo(item))
      ).pipe(Policy.retry({ times: 1 }))
      yield* Loader.load(Loader.make({ list }))
      assert.deepStrictEqual(shop.log, ["+a", "-a", "+a", "+b"])
    })
  )

  it.effect("the whole of a list is undone before its items", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const list = Resource.forEach(
        "list",
        { items: () => ["a", "b"], load: (item) => shop.do(item) },
        Saga.compensate((item) => shop.undo(item))
      ).pipe(Saga.compensate((items) => Effect.sync(() => shop.log.push(`-[${items.join()}]`))))
      yield* Effect.exit(Loader.load(Loader.make({ f: failing({ list }) }, { compensationConcurrency: 1 })))
      assert.deepStrictEqual(shop.log, ["+a", "+b", "-[a,b]", "-b", "-a"])
    })
  )

  it.effect("what a loader inside did is undone when the run around fails later, in the order of both graphs", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const x = shop.step("x")
      const y = shop.step("y", { deps: { x } })
      const before = shop.step("before")
      const through = Resource.input<string>()("through")
      const inner = Loader.make({ y, through })
      const page = Resource.fromLoader("page", inner, { inputs: { through: before } })
      const after = shop.step("after", { deps: { page } })
      const { report } = yield* Loader.loadWithReport(Loader.make({ f: failing({ after }) }))
      assert.deepStrictEqual(shop.log.slice(4), ["-after", "-y", "-x", "-before"])
      assert.strictEqual(Report.outcome(report, "page")?._tag, "Compensated")
    })
  )

  it.effect("a loader inside that fails undoes its own, and what it could not undo is carried outside", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const x = Resource.make("x", { load: () => shop.do("x") }).pipe(Saga.compensate(() => Effect.fail("offline")))
      const inner = Loader.make({ f: failing({ x }) }, { onCompensationFailure: () => Effect.void })
      const exit = yield* Effect.exit(Loader.load(Loader.make({ page: Resource.fromLoader("page", inner) })))
      const stays = Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause)?.failures : []
      assert.deepStrictEqual(
        stays?.map(({ path }) => path),
        [["x"]]
      )
    })
  )

  it.effect("what could not be undone inside is told with the way to it", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const x = Resource.make("x", { load: () => shop.do("x") }).pipe(Saga.compensate(() => Effect.fail("offline")))
      const page = Resource.fromLoader("page", Loader.make({ x }))
      const loader = Loader.make({ f: failing({ page }) }, { onCompensationFailure: () => Effect.void })
      const { exit, report } = yield* Loader.loadWithReport(loader)
      const stays = Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause)?.failures : []
      assert.deepStrictEqual(
        stays?.map(({ message, path }) => [path, message]),
        [[["page", "x"], 'resource "page" > "x" was not undone: offline']]
      )
      assert.deepStrictEqual(
        Report.get(report, "page")?.notUndone?.map(({ inside }) => inside),
        [["x"]]
      )
    })
  )

  it.effect("a loader run for each item of a list is undone with the list", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const id = Resource.input<string>()("id")
      const step = Resource.make("step", {
        deps: { id },
        load: ({ id }) => shop.do(id)
      }).pipe(Saga.compensate((value) => shop.undo(value)))
      const inner = Loader.make({ step })
      const list = Resource.forEach("list", { items: () => ["a", "b"], load: (id) => Loader.load(inner, { id }) })
      yield* Effect.exit(Loader.load(Loader.make({ f: failing({ list }) }, { compensationConcurrency: 1 })))
      assert.deepStrictEqual(shop.log, ["+a", "+b", "-b", "-a"])
    })
  )
})

describe("what is told", () => {
  it.effect("each undoing begins and ends, after its resource's own end and before that of the run", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a", { undo: 5 })
      const f = failing({ a }).pipe(Saga.cleanup(() => Effect.fail("dirty")))
      const loader = Loader.make({ f }, { onCompensationFailure: () => Effect.void })
      const fiber = yield* Effect.forkChild(RunLog.record(Effect.exit(Loader.load(loader))), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const { events } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        events.map((event) => `${event._tag}${"resource" in event ? ` ${event.resource}` : ""}`),
        [
          "RunStarted",
          "ResourceReady a",
          "AttemptStarted a",
          "ResourceSucceeded a",
          "ResourceReady failing",
          "AttemptStarted failing",
          "CompensationStarted failing",
          "CompensationFailed failing",
          "ResourceFailed failing",
          "CompensationStarted a",
          "CompensationSucceeded a",
          "RunEnded"
        ]
      )
      const report = Report.fromEvents(events)!
      assert.deepStrictEqual(
        Report.get(report, "a")?.phases.map(({ _tag, from, to }) => [_tag, to - from]),
        [
          ["Attempt", 0],
          ["Compensation", 5]
        ]
      )
      assert.include(Report.toWaterfall(report, { columns: 60 }), "◄")
      assert.include(Report.toWaterfall(report, { columns: 60 }), "undone")
    })
  )
})
