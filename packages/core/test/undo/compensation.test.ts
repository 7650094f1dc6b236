/** What a load did is undone when it fails: what, when, in which order, and what becomes of what cannot be. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Schedule } from "effect"
import { Loader, Policy, Report, Resource, Saga } from "effect-loader"
import { TestClock } from "effect/testing"
import { failing, Shop } from "./Shop.ts"

/** Runs a program to its end, however long it sleeps. */
const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.await(fiber)
  })

const reasonsOf = (exit: Exit.Exit<unknown, unknown>) => (Exit.isFailure(exit) ? exit.cause.reasons : [])

const notUndone = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> =>
  (Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause) : undefined)?.failures.map(({ resource }) => resource) ?? []

describe("what is undone", () => {
  it.effect("nothing, when the load succeeds", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      yield* Loader.load(Loader.make({ a: shop.step("a") }))
      assert.deepStrictEqual(shop.log, ["+a"])
    })
  )

  it.effect("all that was done, when the load fails, dies, times out or is interrupted", () =>
    Effect.gen(function* () {
      const ends = {
        fails: Effect.fail("no"),
        dies: Effect.die("no"),
        hangs: Effect.never,
        interrupts: Effect.interrupt
      }
      for (const [how, end] of Object.entries(ends)) {
        const shop = new Shop()
        const a = shop.step("a")
        const b = shop.step("b", { deps: { a } })
        const last = Resource.make("last", { deps: { b }, load: () => end })
        const exit = yield* inTime(Loader.load(Loader.make({ last }, { timeout: "1 minute" })))
        assert.isTrue(Exit.isFailure(exit), how)
        assert.deepStrictEqual(shop.log, ["+a", "+b", "-b", "-a"], how)
      }
    })
  )

  it.effect("all that was done, when the caller is interrupted, and the caller waits for it", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a", { undo: 50 })
      const last = Resource.make("last", { deps: { a }, load: () => Effect.never })
      const fiber = yield* Effect.forkChild(Loader.load(Loader.make({ last })), { startImmediately: true })
      fiber.interruptUnsafe()
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("49 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )

  it.effect("nothing, in `settle`", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      yield* Loader.settle(Loader.make({ a, failing: failing({ a }) }))
      assert.deepStrictEqual(shop.log, ["+a"])
    })
  )

  it.effect("nothing that was given: inputs, values and replacements of a resource", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const loader = Loader.make({ a, failing: failing({ a }) })
      yield* Effect.exit(Loader.load(loader.pipe(Loader.override(a, "given"))))
      yield* Effect.exit(Loader.load(loader.pipe(Loader.override(a, Effect.succeed("other")))))
      yield* Effect.exit(Loader.load(Loader.withValues(loader, { a: "known" })))
      assert.deepStrictEqual(shop.log, [])
    })
  )

  it.effect("nothing of what failed itself, was skipped or never chosen", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const b = shop.step("b")
      const on = Resource.input<boolean>()("on")
      const chosen = Resource.match("chosen", { on, cases: { true: a, false: b } })
      const never = shop.step("never", { deps: { broken: failing({ chosen }) } })
      yield* Effect.exit(Loader.load(Loader.make({ never }), { on: true }))
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )

  it.effect("the value of the base, whatever views there are of it", () =>
    Effect.gen(function* () {
      const undone: Array<unknown> = []
      const base = Resource.make("base", { load: () => Effect.succeed(1) }).pipe(
        Saga.compensate((value) => Effect.sync(() => undone.push(value)))
      )
      const lenient = base.pipe(Resource.orElseSucceed(() => 0))
      const doubled = base.pipe(Resource.map((n) => n * 2))
      yield* Effect.exit(Loader.load(Loader.make({ failing: failing({ base, lenient, doubled }) })))
      assert.deepStrictEqual(undone, [1])
    })
  )

  it.effect("what a compensation is piped onto: the mapped value, after `map`", () =>
    Effect.gen(function* () {
      const undone: Array<unknown> = []
      const doubled = Resource.make("base", { load: () => Effect.succeed(1) }).pipe(
        Resource.map((n) => `${n * 2}`),
        Saga.compensate((text) => Effect.sync(() => undone.push(text)))
      )
      yield* Effect.exit(Loader.load(Loader.make({ failing: failing({ doubled }) })))
      assert.deepStrictEqual(undone, ["2"])
    })
  )

  it("a fallback gives nothing that could be undone, and a graph that means to is refused", () => {
    const load = (): Effect.Effect<number, "no"> => Effect.fail("no")
    const late = Resource.make("late", { load }).pipe(
      Resource.orElseSucceed(() => 0),
      Saga.compensate(() => Effect.void)
    )
    assert.throws(() => Loader.make({ late }), /"compensation" on "late".*before the fallback/s)
  })

  it.effect("a value that came from a fallback is not undone, and the attempt before it is cleaned up", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const degraded = Resource.make("degraded", { load: (): Effect.Effect<string, "no"> => Effect.fail("no") }).pipe(
        Saga.compensate(() => Effect.sync(() => log.push("undone"))),
        Saga.cleanup(() => Effect.sync(() => log.push("cleaned up"))),
        Resource.orElseSucceed(() => "instead")
      )
      yield* Effect.exit(Loader.load(Loader.make({ failing: failing({ degraded }) })))
      assert.deepStrictEqual(log, ["cleaned up"])
    })
  )
})

describe("the order", () => {
  it.effect("is the reverse of completion, one at a time", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const slow = shop.step("slow", { takes: 20, undo: 10 })
      const fast = shop.step("fast", { takes: 10, undo: 10 })
      const next = shop.step("next", { deps: { fast }, takes: 30, undo: 10 })
      const loader = Loader.make({ failing: failing({ slow, next }) }, { compensationConcurrency: 1 })
      yield* inTime(Loader.load(loader))
      assert.deepStrictEqual(shop.log, ["+fast", "+slow", "+next", "-next", "-slow", "-fast"])
    })
  )

  it.effect("has dependents always before what they depend on, also through resources that did nothing", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a", { undo: 1 })
      const between = Resource.make("between", { deps: { a }, load: () => Effect.void })
      const both = Resource.struct("both", { between })
      const b = shop.step("b", { deps: { both }, undo: 100 })
      yield* inTime(Loader.load(Loader.make({ failing: failing({ b }) })))
      assert.deepStrictEqual(shop.log, ["+a", "+b", "-b", "-a"])
    })
  )

  it.effect("lets independent ones run side by side, up to the limit", () =>
    Effect.gen(function* () {
      const took = (options: Loader.Options) =>
        Effect.gen(function* () {
          const shop = new Shop()
          const names = ["a", "b", "c", "d"] as const
          const steps = Object.fromEntries(names.map((name) => [name, shop.step(name, { undo: 10 })]))
          let running = 0
          let most = 0
          const counted = Object.fromEntries(
            Object.entries(steps).map(([name, step]) => [
              name,
              step.pipe(
                Saga.compensate(() =>
                  Effect.sync(() => {
                    running++
                    most = Math.max(most, running)
                  }).pipe(Effect.andThen(Effect.sleep(5)), Effect.andThen(Effect.sync(() => running--)))
                )
              )
            ])
          )
          yield* inTime(Loader.load(Loader.make({ failing: failing(counted) }, options)))
          assert.deepStrictEqual(shop.done, [])
          return most
        })
      assert.strictEqual(yield* took({}), 4)
      assert.strictEqual(yield* took({ concurrency: 3 }), 3)
      assert.strictEqual(yield* took({ concurrency: 3, compensationConcurrency: 2 }), 2)
      assert.strictEqual(yield* took({ compensationConcurrency: 1 }), 1)
    })
  )

  it.effect("begins when what was running has ended, its finalizers and cleanups too", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const running = Resource.make("running", {
        load: () =>
          Effect.ensuring(
            Effect.never,
            Effect.andThen(
              Effect.sleep(20),
              Effect.sync(() => shop.log.push("end"))
            )
          )
      }).pipe(Saga.cleanup(() => Effect.sync(() => shop.log.push("~running"))))
      const broken = failing({ a }, 5).pipe(Saga.cleanup(() => Effect.sync(() => shop.log.push("~failing"))))
      yield* inTime(Loader.load(Loader.make({ running, broken })))
      assert.deepStrictEqual(shop.log, ["+a", "~failing", "end", "~running", "-a"])
    })
  )

  it("of 20,000 resources takes no stack, and is undone from end to end", () => {
    const size = 20_000
    let last: Resource.Resource<string, number, unknown> = Resource.succeed("first", 0)
    let next = size
    for (let i = 1; i <= size; i++) {
      last = Resource.make(`r${i}`, {
        deps: { last },
        load: ({ last }) => Effect.succeed(last + 1)
      }).pipe(
        Saga.compensate((value) =>
          Effect.sync(() => {
            if (value === next) next--
          })
        )
      )
    }
    Effect.runSyncExit(Loader.load(Loader.make({ failing: failing({ last }) })))
    assert.strictEqual(next, 0)
  })
})

describe("what a compensation gets", () => {
  it.effect("the value, what the resource depends on, its name, why, and after how many attempts", () =>
    Effect.gen(function* () {
      let got: unknown
      let tries = 0
      const id = Resource.input<number>()("id")
      const a = Resource.make(
        "a",
        { deps: { id }, load: ({ id }) => (++tries < 3 ? Effect.fail("busy") : Effect.succeed(id + 1)) },
        Saga.compensate((value, deps, context) =>
          Effect.sync(() => {
            got = { value, deps, ...context }
          })
        )
      ).pipe(Policy.retry({ times: 5 }))
      const exit = yield* inTime(Loader.load(Loader.make({ failing: failing({ a }) }), { id: 1 }))
      assert.isTrue(Exit.isFailure(exit))
      const cause = Exit.isFailure(exit) ? exit.cause : undefined
      assert.deepStrictEqual(got, { value: 2, deps: { id: 1 }, resource: "a", attempts: 3, cause })
    })
  )

  it.effect("the services of its load, which are part of the loader's own", () =>
    Effect.gen(function* () {
      class Payments extends Context.Service<Payments, { readonly refund: (id: string) => void }>()("Payments") {}
      const refunds: Array<string> = []
      const charge = Resource.make("charge", { load: () => Effect.succeed("c1") }).pipe(
        Saga.compensate((id) => Effect.map(Payments, ({ refund }) => refund(id)))
      )
      const load = Loader.load(Loader.make({ failing: failing({ charge }) }))
      yield* Effect.exit(Effect.provideService(load, Payments, { refund: (id) => refunds.push(id) }))
      assert.deepStrictEqual(refunds, ["c1"])
    })
  )

  it.effect("its own retry and timeout, though it cannot be interrupted", () =>
    Effect.gen(function* () {
      let tries = 0
      const log: Array<string> = []
      const a = Resource.make("a", { load: () => Effect.succeed("a") }).pipe(
        Saga.compensate(() =>
          Effect.suspend(() => (++tries < 3 ? Effect.never : Effect.succeed(log.push("undone")))).pipe(
            Effect.timeout("1 second"),
            Effect.retry(Schedule.spaced("1 second"))
          )
        )
      )
      const last = Resource.make("last", { deps: { a }, load: () => Effect.never })
      const fiber = yield* Effect.forkChild(Loader.load(Loader.make({ last })), { startImmediately: true })
      fiber.interruptUnsafe()
      fiber.interruptUnsafe()
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual([tries, log], [3, ["undone"]])
    })
  )
})

describe("what undoes, given after the options", () => {
  it.effect("acts on the bare load: inside of all that is piped, the first inside of the second", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const note = (text: string) => Saga.cleanup(() => shop.clean(text))
      const a = Resource.make("a", { load: () => Effect.fail("no") }, note("first"), note("second")).pipe(
        note("piped"),
        Policy.retry({ times: 1 }),
        note("all")
      )
      yield* Effect.exit(Loader.load(Loader.make({ a })))
      assert.deepStrictEqual(shop.log, ["~first", "~second", "~piped", "~first", "~second", "~piped", "~all"])
    })
  )

  it.effect("undoes an item of a list, and piped onto the list its whole", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const seats = Resource.forEach(
        "seats",
        { items: () => ["a", "b"], load: (name) => shop.do(name) },
        Saga.compensate((seat) => shop.undo(seat))
      ).pipe(Saga.compensate((seats) => shop.clean(seats.join("+"))))
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ seats }) }, { compensationConcurrency: 1 })))
      assert.deepStrictEqual(shop.log, ["+a", "+b", "~a+b", "-b", "-a"])
    })
  )
})

describe("a compensation that fails", () => {
  const broken = (shop: Shop, failure: () => Effect.Effect<unknown, unknown>) => {
    const a = shop.step("a")
    const b = Resource.make("b", { deps: { a }, load: () => shop.do("b") }).pipe(Saga.compensate(failure))
    const c = shop.step("c", { deps: { b } })
    return failing({ c })
  }

  it.effect("stops no other, and stands beside the cause, with its resource and value; never instead of it", () =>
    Effect.gen(function* () {
      const failures = {
        fails: () => Effect.fail("offline"),
        dies: () => Effect.die(new Error("offline")),
        throws: () => {
          throw new Error("offline")
        },
        "is interrupted": () => Effect.interrupt,
        "gives no effect": () => 1 as never
      }
      for (const [how, failure] of Object.entries(failures)) {
        const shop = new Shop()
        const exit = yield* inTime(
          Loader.load(Loader.make({ failing: broken(shop, failure) }, { onCompensationFailure: () => Effect.void }))
        )
        assert.deepStrictEqual(shop.log, ["+a", "+b", "+c", "-c", "-a"], how)
        assert.deepStrictEqual(shop.done, ["b"])
        assert.deepStrictEqual(
          reasonsOf(exit).map(({ _tag }) => _tag),
          ["Fail"]
        )
        const [error] = (Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause)?.failures : undefined) ?? []
        assert.instanceOf(error, Saga.CompensationError)
        assert.deepStrictEqual([error?.resource, error?.value, error?.cleanup], ["b", "b", false])
        assert.include(error?.message ?? "", 'resource "b" was not undone')
      }
    })
  )

  it.effect("stands beside an interruption, which is still nothing but one", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = Resource.make("a", { load: () => shop.do("a") }).pipe(Saga.compensate(() => Effect.fail("offline")))
      const last = Resource.make("last", { deps: { a }, load: () => Effect.never })
      const loader = Loader.make({ last }, { onCompensationFailure: () => Effect.void })
      const fiber = yield* Effect.forkChild(Loader.load(loader), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.deepStrictEqual(notUndone(exit), ["a"])
    })
  )

  it.effect("is told to the handler once, with everything that remains, the inputs and the cause", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const told: Array<Saga.RollbackError> = []
      const orderId = Resource.input<number>()("orderId")
      const a = Resource.make("a", { deps: { orderId }, load: () => shop.do("a") }).pipe(
        Saga.compensate(() => Effect.fail("x"))
      )
      const b = Resource.make("b", { deps: { a }, load: () => shop.do("b") }).pipe(
        Saga.compensate(() => Effect.die("y"))
      )
      const loader = Loader.make(
        { failing: failing({ b }) },
        { name: "order", onCompensationFailure: (error) => Effect.sync(() => told.push(error)) }
      )
      const exit = yield* inTime(Loader.load(loader, { orderId: 7 }))
      assert.strictEqual(told.length, 1)
      const [{ because, failures, inputs, loader: name }] = told as [Saga.RollbackError]
      assert.deepStrictEqual([name, inputs], ["order", { orderId: 7 }])
      assert.deepStrictEqual(
        failures.map(({ error, resource, value }) => [resource, value, error]),
        [
          ["b", "b", "y"],
          ["a", "a", "x"]
        ]
      )
      assert.deepStrictEqual(because.reasons.length, reasonsOf(exit).length)
    })
  )

  it.effect("changes nothing when the handler fails, too", () =>
    Effect.gen(function* () {
      for (const bad of [
        () => Effect.fail("handler"),
        () => Effect.die("handler"),
        () => {
          throw new Error("handler")
        }
      ]) {
        const shop = new Shop()
        const exit = yield* inTime(
          Loader.load(Loader.make({ failing: broken(shop, () => Effect.fail("x")) }, { onCompensationFailure: bad }))
        )
        assert.deepStrictEqual(
          reasonsOf(exit).map(({ _tag }) => _tag),
          ["Fail"]
        )
        assert.deepStrictEqual(notUndone(exit), ["b"])
      }
    })
  )

  it.effect("is what the report says of its resource, and all others are undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const loader = Loader.make(
        { failing: broken(shop, () => Effect.fail("offline")) },
        { onCompensationFailure: () => Effect.void }
      )
      const { exit, report } = yield* Loader.loadWithReport(loader)
      assert.deepStrictEqual(notUndone(exit), ["b"])
      assert.deepStrictEqual(
        report.resources.map(({ outcome, resource }) => [resource, outcome._tag]),
        [
          ["a", "Compensated"],
          ["b", "CompensationFailed"],
          ["c", "Compensated"],
          ["failing", "Failed"]
        ]
      )
      assert.deepStrictEqual(
        Report.get(report, "b")?.notUndone?.map(({ cause, cleanup }) => [cleanup, Cause.squash(cause)]),
        [[false, "offline"]]
      )
    })
  )
})

describe("attempts", () => {
  it.effect("a cleanup piped before a retry follows each failed attempt, piped after it only the last", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      let tries = 0
      const load = () => Effect.suspend(() => (log.push(`try ${++tries}`), Effect.fail("no")))
      const note = (what: string) => () => Effect.sync(() => log.push(what))
      const a = Resource.make("a", { load }).pipe(
        Saga.cleanup(note("inner")),
        Policy.retry({ times: 1 }),
        Saga.cleanup(note("outer"))
      )
      yield* inTime(Loader.load(Loader.make({ a })))
      assert.deepStrictEqual(log, ["try 1", "inner", "try 2", "inner", "outer"])
    })
  )

  it.effect("an attempt that is thrown away after it had succeeded is undone before the next one begins", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let tries = 0
      const checked = Policy.around<"stale">("checked", (self) =>
        Effect.tap(self, () => (++tries < 3 ? Effect.fail("stale" as const) : Effect.void))
      )
      const a = shop.step("a").pipe(checked, Policy.retry({ times: 5 }))
      yield* inTime(Loader.load(Loader.make({ a })))
      assert.deepStrictEqual(shop.log, ["+a", "-a", "+a", "-a", "+a"])
    })
  )

  it.effect("of attempts side by side, each that took effect is undone, and the one that failed is not", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let started = 0
      const both = Policy.around("both", (self) =>
        Effect.all([self, Effect.exit(self)], { concurrency: 2 }).pipe(Effect.map(([value]) => value))
      )
      const a = Resource.make("a", {
        load: () =>
          Effect.suspend(() =>
            started++ === 0 ? Effect.andThen(Effect.sleep(5), shop.do("a")) : Effect.fail("second")
          )
      }).pipe(
        Saga.compensate((value) => shop.undo(value)),
        Policy.retry({ times: 0 }),
        both
      )
      yield* inTime(Loader.load(Loader.make({ failing: failing({ a }) })))
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )

  it.effect(
    "a resource that fails after its load had succeeded has undone it, also where a fallback saves the load",
    () =>
      Effect.gen(function* () {
        const shop = new Shop()
        const a = shop.step("a").pipe(
          Policy.around<"stale">("checked", (self) => Effect.andThen(self, Effect.fail("stale" as const))),
          Resource.orElseSucceed(() => "instead")
        )
        const loaded = yield* Loader.load(Loader.make({ a }))
        assert.deepStrictEqual([loaded.a, shop.log], ["instead", ["+a", "-a"]])
      })
  )
})

describe("an interruption", () => {
  it.effect("of a load that has not succeeded runs its cleanup, and nothing is undone", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const a = Resource.make("a", { load: () => Effect.never }).pipe(
        Saga.compensate(() => Effect.sync(() => log.push("undone"))),
        Saga.cleanup((_deps, { cause }) => Effect.sync(() => log.push(`cleanup ${Cause.hasInterruptsOnly(cause)}`)))
      )
      const fiber = yield* Effect.forkChild(Loader.load(Loader.make({ a })), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(log, ["cleanup true"])
    })
  )

  it.effect("cannot come between a load that is uninterruptible together with its compensation, and that", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = Resource.make("a", { load: () => Effect.andThen(Effect.sleep(10), shop.do("a")) }).pipe(
        Saga.compensate((value) => shop.undo(value)),
        Policy.around("whole", Effect.uninterruptible)
      )
      const fiber = yield* Effect.forkChild(Loader.load(Loader.make({ a })), { startImmediately: true })
      fiber.interruptUnsafe()
      yield* TestClock.adjust("10 millis")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )

  it.effect("at the very end of a load with a timeout still undoes everything", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const caller = yield* Effect.forkChild(
        Effect.withFiber((fiber) => {
          const last = shop.step("a").pipe(Resource.map((a) => (fiber.interruptUnsafe(), a)))
          return Loader.load(Loader.make({ last }, { timeout: "1 second" }))
        }),
        { startImmediately: true }
      )
      const exit = yield* Fiber.await(caller)
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(shop.log, ["+a", "-a"])
    })
  )
})
