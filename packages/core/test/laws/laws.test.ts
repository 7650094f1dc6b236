/** The laws of the design, each at least once by an example that a reader can follow. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Deferred, Duration, Effect, Exit, Fiber, Latch, Logger, Option, Schedule } from "effect"
import {
  FailedResource,
  InputError,
  Loader,
  LoadTimeout,
  Observer,
  Policy,
  Report,
  Resource,
  ResourceError,
  type RunEvent
} from "effect-loader"
import { Fake, RunLog } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import { withTime } from "../withTime.ts"

class Down extends Data.TaggedError("Down")<{ readonly host: string }> {}

const failing = (error: Down): Effect.Effect<never, Down> => Effect.fail(error)

/** A resource that takes so many milliseconds. */
const slow = <const N extends string>(name: N, millis: number) => Fake.delay(name, millis, name)

const recorded = <A, E, R>(self: Effect.Effect<A, E, R>) => withTime(RunLog.record(self))

const schedulings = ["eager", "batched"] as const

describe("1. declaring and compiling run nothing", () => {
  it("neither load functions nor effects nor lazily given dependencies before compiling", () => {
    let ran = 0
    const a = Resource.make("a", {
      deps: () => {
        ran++
        return {}
      },
      load: () => {
        ran += 100
        return Effect.sync(() => (ran += 100))
      }
    }).pipe(
      Policy.retry({ times: 3 }),
      Resource.map(() => (ran += 100))
    )
    assert.strictEqual(ran, 0)
    Loader.make({ a })
    assert.strictEqual(ran, 1)
  })
})

describe.each(schedulings)("2. a resource loads once per run (%s)", (scheduling) => {
  it.effect("however many need it, through whichever view", () =>
    Effect.gen(function* () {
      const shared = slow("shared", 5)
      const users = Object.fromEntries(
        [shared, shared.pipe(Resource.map(String)), shared.pipe(Resource.option)].map((dep, i) => [
          `user${i}`,
          Resource.make(`user${i}`, { deps: { dep }, load: ({ dep }) => Effect.succeed(dep) })
        ])
      )
      const loader = Loader.make({ ...users, shared }, { scheduling })
      const { events, exit } = yield* recorded(Loader.load(loader))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(RunLog.attempts(events, "shared"), 1)
    })
  )

  it.effect("and again in the next run", () =>
    Effect.gen(function* () {
      const loader = Loader.make({ a: slow("a", 1) }, { scheduling })
      const { events } = yield* recorded(Effect.andThen(Loader.load(loader), Loader.load(loader)))
      assert.deepStrictEqual(
        RunLog.runs(events).map((run) => RunLog.attempts(run, "a")),
        [1, 1]
      )
    })
  )
})

describe("3. eager: a resource starts when its own dependencies are done and a slot is free", () => {
  it.effect("a needs b and c, c needs d and e, e needs f: nothing waits for an unrelated sibling", () =>
    Effect.gen(function* () {
      const wait = <const N extends string, D extends Resource.Deps>(name: N, millis: number, deps: D) =>
        Fake.delay(name, millis, name, { deps })
      const f = wait("f", 10, {})
      const e = wait("e", 10, { f })
      const d = wait("d", 100, {})
      const c = wait("c", 10, { d, e })
      const b = wait("b", 1000, {})
      const a = wait("a", 10, { b, c })
      const { events } = yield* recorded(Loader.load(Loader.make({ a })))
      assert.deepStrictEqual(RunLog.starts(events), { f: 0, d: 0, b: 0, e: 10, c: 100, a: 1000 })
    })
  )

  it.effect("among the ready, the longest remaining path goes first, then declaration order", () =>
    Effect.gen(function* () {
      const first = slow("first", 1)
      const short = slow("short", 1)
      const long = slow("long", 1)
      const longer = Resource.make("longer", { deps: { long }, load: () => Effect.sleep(1) })
      const longest = Resource.make("longest", { deps: { longer }, load: () => Effect.sleep(1) })
      const { events } = yield* recorded(Loader.load(Loader.make({ first, short, longest }, { concurrency: 1 })))
      assert.deepStrictEqual(Object.keys(RunLog.starts(events)), ["long", "longer", "first", "short", "longest"])
    })
  )
})

describe.each(schedulings)("4. with limit n, at most n run at once (%s)", (scheduling) => {
  it.effect("and what only waits for its dependencies holds no slot", () =>
    Effect.gen(function* () {
      const gate = slow("gate", 100)
      const waiting = ["w1", "w2"].map((name) => Resource.make(name, { deps: { gate }, load: () => Effect.sleep(1) }))
      const free = slow("free", 50)
      const loader = Loader.make({ w1: waiting[0]!, w2: waiting[1]!, free }, { concurrency: 2, scheduling })
      const { events } = yield* recorded(Loader.load(loader))
      assert.strictEqual(RunLog.starts(events)["free"], 0)
    })
  )

  it.effect("the handlers of fallbacks count too", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      const busy = Effect.acquireUseRelease(
        Effect.sync(() => {
          most = Math.max(most, ++running)
        }),
        () => Effect.sleep(10),
        () => Effect.sync(() => running--)
      )
      const targets = Object.fromEntries(
        Array.from({ length: 6 }, (_, i) => [
          `r${i}`,
          Resource.make(`r${i}`, { load: () => Effect.andThen(busy, failing(new Down({ host: "db" }))) }).pipe(
            Resource.catch(() => busy)
          )
        ])
      )
      yield* withTime(Loader.load(Loader.make(targets, { concurrency: 2, scheduling })))
      assert.strictEqual(most, 2)
    })
  )
})

describe.each(schedulings)("5. fail-fast (%s)", (scheduling) => {
  it.effect("nothing new starts, what runs is interrupted, and the load returns after the last finalizer", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const bad = Resource.make("bad", {
        load: () => Effect.andThen(Effect.sleep(10), failing(new Down({ host: "db" })))
      })
      const sibling = Resource.make("sibling", {
        load: () =>
          Effect.onInterrupt(Effect.never, () =>
            Effect.andThen(
              Effect.sleep(50),
              Effect.sync(() => log.push("cleaned"))
            )
          )
      })
      const next = Resource.make("next", { deps: { bad }, load: () => Effect.sync(() => log.push("next")) })
      const exit = yield* withTime(
        Loader.load(Loader.make({ next, sibling }, { scheduling })).pipe(
          Effect.exit,
          Effect.tap(() => Effect.sync(() => log.push("returned")))
        )
      )
      assert.deepStrictEqual(log, ["cleaned", "returned"])
      assert.strictEqual(
        Cause.findErrorOption((exit as Exit.Failure<never, ResourceError<"bad", Down>>).cause).pipe(Option.getOrThrow)
          .resource,
        "bad"
      )
    })
  )

  it.effect("all failures that had happened are in the cause, the first first", () =>
    Effect.gen(function* () {
      const first = Resource.make("first", { load: () => Effect.andThen(Effect.sleep(10), Effect.fail("one")) })
      const second = Resource.make("second", {
        load: () => Effect.ensuring(Effect.never, Effect.die(new Error("two")))
      })
      const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ second, first }, { scheduling }))))
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) {
        assert.deepStrictEqual(
          exit.cause.reasons.map(({ _tag }) => _tag),
          ["Fail", "Die"]
        )
        assert.deepStrictEqual(
          exit.cause.reasons.map(({ annotations }) => annotations.get(FailedResource.key)),
          ["first", "second"]
        )
      }
    })
  )

  it.effect("a failure that every way to a target recovers from ends nothing", () =>
    Effect.gen(function* () {
      const account = Resource.make("account", { load: () => failing(new Down({ host: "db" })) })
      const invoices = Resource.make("invoices", { deps: { account }, load: () => Effect.succeed(1) })
      const user = slow("user", 10)
      const loader = Loader.make(
        { invoices: invoices.pipe(Resource.option({ ancestors: true })), user },
        { scheduling }
      )
      const { invoices: none } = yield* withTime(Loader.load(loader))
      assert.deepStrictEqual(none, Option.none())
    })
  )
})

describe("5. fail-fast, when the first step of one resource makes another fail", () => {
  it.effect("interrupts what was just starting", () =>
    Effect.gen(function* () {
      const signal = yield* Deferred.make<never, string>()
      const waiting = Resource.make("waiting", { load: () => Deferred.await(signal) })
      const cutting = Resource.make("cutting", {
        load: () => Effect.andThen(Deferred.fail(signal, "cut"), Effect.never)
      })
      const error = yield* Effect.flip(Loader.load(Loader.make({ waiting, cutting })))
      assert.strictEqual(error.resource, "waiting")
    })
  )
})

describe.each(schedulings)("6. settle (%s)", (scheduling) => {
  it.effect("a failure, a defect or an interruption skips only its dependents, and each skip names the cause", () =>
    Effect.gen(function* () {
      const bad = Resource.make("bad", { load: () => failing(new Down({ host: "db" })) })
      const dying = Resource.make("dying", { load: () => Effect.die(new Error("bug")) })
      const selfish = Resource.make("selfish", { load: () => Effect.interrupt })
      const after = <const N extends string>(name: N, dep: Resource.Any) =>
        Resource.make(name, { deps: { dep }, load: () => Effect.succeed(name) })
      const x = after("x", bad)
      const xx = after("xx", x)
      const y = after("y", dying)
      const z = after("z", selfish)
      const fine = slow("fine", 20)
      const report = yield* withTime(Loader.settle(Loader.make({ xx, y, z, fine }, { scheduling })))
      const outcomes = Object.fromEntries(report.resources.map(({ outcome, resource }) => [resource, outcome._tag]))
      assert.deepStrictEqual(outcomes, {
        bad: "Failed",
        x: "Skipped",
        xx: "Skipped",
        dying: "Died",
        y: "Skipped",
        selfish: "Interrupted",
        z: "Skipped",
        fine: "Succeeded"
      })
      for (const [skipped, because] of [
        ["x", "bad"],
        ["xx", "bad"],
        ["y", "dying"],
        ["z", "selfish"]
      ] as const) {
        assert.deepStrictEqual(Report.outcome(report, skipped), {
          _tag: "Skipped",
          because: { _tag: "DependencyFailed", resource: because }
        })
      }
      assert.deepStrictEqual(report.values, { fine: "fine" })
    })
  )

  it.effect("the limit of the run is report.timedOut, and what was done is kept", () =>
    Effect.gen(function* () {
      const loader = Loader.make(
        { fast: slow("fast", 5), never: slow("never", 10_000) },
        { scheduling, timeout: "1 second" }
      )
      const report = yield* withTime(Loader.settle(loader))
      assert.isTrue(report.timedOut)
      assert.deepStrictEqual(report.values, { fast: "fast" })
      assert.strictEqual(Report.outcome(report, "never")?._tag, "Interrupted")
      assert.strictEqual(Math.round(report.endedAt! - report.startedAt), 1000)
    })
  )

  it.effect("interrupting the caller interrupts", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Loader.settle(Loader.make({ a: slow("a", 100) }, { scheduling })), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    })
  )
})

describe.each(schedulings)("7. no fiber outlives a run (%s)", (scheduling) => {
  it.effect("children that a load forked end with it", () =>
    Effect.gen(function* () {
      let alive = 0
      const child = Effect.ensuring(
        Effect.suspend(() => {
          alive++
          return Effect.never
        }),
        Effect.sync(() => alive--)
      )
      const a = Resource.make("a", { load: () => Effect.as(Effect.forkChild(child, { startImmediately: true }), "a") })
      const b = Resource.make("b", { deps: { a }, load: () => Effect.sync(() => alive) })
      assert.strictEqual((yield* Loader.load(Loader.make({ b }, { scheduling }))).b, 0)
    })
  )

  it.effect("a load that interrupts its caller while everything starts leaves nothing behind", () =>
    Effect.gen(function* () {
      let alive = 0
      const living = Effect.acquireUseRelease(
        Effect.sync(() => alive++),
        () => Effect.never,
        () => Effect.sync(() => alive--)
      )
      const caller = yield* Deferred.make<Fiber.Fiber<unknown, unknown>>()
      const one = Resource.make("one", { load: () => living })
      const cutting = Resource.make("cutting", {
        load: () => Effect.flatMap(Deferred.await(caller), (fiber) => Effect.sync(() => fiber.interruptUnsafe()))
      })
      const latch = yield* Latch.make(false)
      const program = Effect.andThen(latch.await, Loader.load(Loader.make({ one, cutting }, { scheduling })))
      const fiber = yield* Effect.forkChild(program, { startImmediately: true })
      yield* Deferred.succeed(caller, fiber)
      yield* latch.open
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.strictEqual(alive, 0)
    })
  )
})

describe.each(schedulings)("8. retries (%s)", (scheduling) => {
  it.effect("are finite: times retries are times + 1 attempts, and the last reason is kept", () =>
    Effect.gen(function* () {
      let attempt = 0
      const flaky = Resource.make("flaky", {
        load: () => Effect.suspend(() => failing(new Down({ host: `db${++attempt}` })))
      }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced("1 second") }))
      const error = yield* withTime(Effect.flip(Loader.load(Loader.make({ flaky }, { scheduling }))))
      assert.strictEqual(error.error.host, "db3")
      assert.strictEqual(error.attempts, 3)
      assert.strictEqual(Duration.toMillis(error.elapsed), 2000)
    })
  )

  it.effect("the slot is free while a retry waits", () =>
    Effect.gen(function* () {
      const flaky = Fake.failTimes("flaky", 1, "busy", "there").pipe(
        Policy.retry({ schedule: Schedule.spaced("10 seconds"), times: 1 })
      )
      const after = Resource.make("after", { deps: { flaky }, load: () => Effect.succeed("after") })
      const other = slow("other", 1000)
      const loader = Loader.make({ after, other }, { concurrency: 1, scheduling })
      const { events } = yield* recorded(Loader.load(loader))
      assert.strictEqual(RunLog.starts(events)["other"], 0)
      assert.strictEqual(Math.round(events.at(-1)!.at - events[0]!.at), 10_000)
    })
  )

  it.effect("a waiting retry stands in line again, and gives up its place when it is interrupted", () =>
    Effect.gen(function* () {
      const flaky = Fake.failTimes("flaky", 1, "busy", "there").pipe(
        Policy.retry({ schedule: Schedule.spaced("10 millis"), times: 1 }),
        Policy.timeout("50 millis")
      )
      const other = slow("other", 1000)
      const last = slow("last", 1)
      const loader = Loader.make({ flaky, other, last }, { concurrency: 1, scheduling })
      const { events, exit } = yield* recorded(Loader.settle(loader))
      const report = Exit.isSuccess(exit) ? exit.value : assert.fail("settle does not fail")
      assert.strictEqual(Report.outcome(report, "flaky")?._tag, "Failed")
      assert.strictEqual(RunLog.attempts(events, "flaky"), 1)
      assert.include(RunLog.lines(events), "10 ResourceQueued flaky 2")
      assert.strictEqual(Report.outcome(report, "last")?._tag, "Succeeded")
    })
  )

  it.effect("work around the attempts goes on without the slot", () =>
    Effect.gen(function* () {
      const noting = Policy.around("noting", (self) => Effect.tap(self, () => Effect.sleep(100)))
      const a = slow("a", 1).pipe(Policy.retry({ times: 1 }), noting)
      const b = slow("b", 1)
      const { events } = yield* recorded(Loader.load(Loader.make({ a, b }, { concurrency: 1, scheduling })))
      assert.include(RunLog.lines(events), "1 AttemptStarted b 1")
    })
  )
})

describe.each(schedulings)("9. a timeout (%s)", (scheduling) => {
  it.effect("names the resource and its limit", () =>
    Effect.gen(function* () {
      const hanging = Fake.hang("hanging").pipe(Policy.timeout("2 seconds"))
      const error = yield* withTime(Effect.flip(Loader.load(Loader.make({ hanging }, { scheduling }))))
      assert.strictEqual(error.resource, "hanging")
      assert.strictEqual(error.error._tag, "TimeoutError")
      assert.strictEqual(error.message, 'resource "hanging" failed (2s): TimeoutError: no answer within 2s')
    })
  )

  it.effect("a local one beats the default, even when it is unlimited", () =>
    Effect.gen(function* () {
      const patient = slow("patient", 5000).pipe(Policy.timeout("Infinity"))
      const longer = slow("longer", 3000).pipe(Policy.timeout("4 seconds"))
      const hasty = slow("hasty", 2000)
      const loader = Loader.make({ patient, longer, hasty }, { policy: Policy.timeout("1 second"), scheduling })
      const report = yield* withTime(Loader.settle(loader))
      assert.deepStrictEqual(
        report.resources.map(({ outcome, resource }) => [resource, outcome._tag]),
        [
          ["patient", "Succeeded"],
          ["longer", "Succeeded"],
          ["hasty", "Failed"]
        ]
      )
    })
  )

  it.effect("of the run names what was done, in flight and never started", () =>
    Effect.gen(function* () {
      const done = slow("done", 10)
      const flying = slow("flying", 5000)
      const later = Resource.make("later", { deps: { flying }, load: () => Effect.succeed(1) })
      const error = yield* withTime(
        Effect.flip(Loader.load(Loader.make({ done, later }, { name: "page", scheduling, timeout: "1 second" })))
      )
      assert.instanceOf(error, LoadTimeout)
      assert.deepStrictEqual([error.done, error.inFlight, error.notStarted], [["done"], ["flying"], ["later"]])
      assert.strictEqual(
        error.message,
        'loader "page" did not finish within 1s: 1 loaded, still loading flying, 1 not started'
      )
    })
  )

  it.effect("of the run that is not reached changes nothing", () =>
    Effect.gen(function* () {
      const loader = Loader.make({ a: slow("a", 10) }, { scheduling, timeout: "1 second" })
      assert.deepStrictEqual(yield* withTime(Loader.load(loader)), { a: "a" })
    })
  )

  it.effect("starts when the attempt has its slot", () =>
    Effect.gen(function* () {
      const first = slow("first", 1000)
      const second = slow("second", 50).pipe(Policy.timeout("100 millis"))
      const loader = Loader.make({ first, second }, { concurrency: 1, scheduling })
      assert.deepStrictEqual(yield* withTime(Loader.load(loader)), { first: "first", second: "second" })
    })
  )
})

describe.each(schedulings)("10. no error appears as a value, no value is lost (%s)", (scheduling) => {
  it.effect("a load that throws is a defect with its own identity, annotated with the resource", () =>
    Effect.gen(function* () {
      const bug = new Error("bug")
      const throwing = Resource.make("throwing", {
        load: (): Effect.Effect<number> => {
          throw bug
        }
      })
      const exit = yield* Effect.exit(Loader.load(Loader.make({ throwing }, { scheduling })))
      const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
      assert.strictEqual(reason?._tag === "Die" ? reason.defect : undefined, bug)
      assert.strictEqual(reason?.annotations.get(FailedResource.key), "throwing")
    })
  )

  it.effect.each([1, null, undefined, {}, Promise.resolve(1), () => Effect.void])(
    "something that is not an Effect is a defect that says so and names the resource",
    (value) =>
      Effect.gen(function* () {
        const odd = Resource.make("odd", { load: () => value as unknown as Effect.Effect<number> })
        for (const resource of [odd, odd.pipe(Policy.timeout("1 second"))]) {
          const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ odd: resource }, { scheduling }))))
          const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
          assert.match(
            reason?._tag === "Die" ? String(reason.defect) : "",
            /resource "odd": `load` gave .+ where an Effect was expected: .+/
          )
        }
      })
  )

  it.effect("undefined and null are values like any other", () =>
    Effect.gen(function* () {
      const nothing = Resource.make("nothing", { load: () => Effect.void })
      const nil = Resource.succeed("nil", null)
      const report = yield* Loader.settle(Loader.make({ nothing, nil }, { scheduling }))
      assert.deepStrictEqual(report.values, { nothing: undefined, nil: null })
    })
  )

  it.effect("a missing input is a defect that names it, before anything runs", () =>
    Effect.gen(function* () {
      const orgId = Resource.input<string>()("orgId")
      const odd = Resource.input<string>()("constructor")
      const a = Resource.make("a", { deps: { orgId, odd }, load: () => Effect.succeed(1) })
      const loader = Loader.make({ a }, { name: "page", scheduling })
      for (const inputs of [undefined, null, "x", {}]) {
        const { events, exit } = yield* RunLog.record(Loader.load(loader, inputs as never))
        const [reason] = Exit.isFailure(exit) ? exit.cause.reasons : []
        const defect = reason?._tag === "Die" ? reason.defect : undefined
        assert.instanceOf(defect, InputError)
        assert.strictEqual(
          (defect as InputError).message,
          'loader "page" was run without its input "orgId", "constructor"; nothing was loaded'
        )
        assert.deepStrictEqual(events, [])
      }
      class Given {
        get orgId() {
          return "acme"
        }
        constructor() {
          Object.assign(this, { constructor: "x", extra: true })
        }
      }
      assert.deepStrictEqual(yield* Loader.load(loader, new Given() as never), { a: 1 })
    })
  )
})

describe.each(schedulings)("11. watching never changes a result (%s)", (scheduling) => {
  it.effect("a crashing observer is logged once a run, and the others still see everything", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => {
        logged.push(message)
      })
      const seen: Array<RunEvent.RunEvent> = []
      const program = Loader.load(Loader.make({ a: slow("a", 5) }, { scheduling })).pipe(
        Observer.observe(() => {
          throw new Error("observer")
        }),
        Observer.observe((event) => seen.push(event)),
        Effect.provide(Logger.layer([logger]))
      )
      assert.deepStrictEqual(yield* withTime(program), { a: "a" })
      assert.strictEqual(seen.length, 5)
      assert.strictEqual(logged.length, 1)
    })
  )

  it.effect("a load and a load with report come to the same", () =>
    Effect.gen(function* () {
      const bad = Resource.make("bad", { load: () => failing(new Down({ host: "db" })) })
      const good = slow("good", 5)
      for (const loader of [Loader.make({ good }, { scheduling }), Loader.make({ good, bad }, { scheduling })]) {
        const plain = yield* withTime(Effect.exit(Loader.load(loader as Loader.Loader<object, unknown>)))
        const { exit } = yield* withTime(Loader.loadWithReport(loader as Loader.Loader<object, unknown>))
        assert.strictEqual(exit._tag, plain._tag)
        assert.strictEqual(String(exit), String(plain))
      }
    })
  )

  it.effect("observers of a layer see the runs below it", () =>
    Effect.gen(function* () {
      let events = 0
      yield* withTime(
        Loader.load(Loader.make({ a: slow("a", 5) }, { scheduling })).pipe(
          Effect.provide(Observer.layer(() => events++))
        )
      )
      assert.strictEqual(events, 5)
    })
  )
})

describe("15. a synchronous graph of 100,000", () => {
  const chain = (length: number) => {
    let last: Resource.Resource<string, number> = Resource.make("r0", { load: () => Effect.sync(() => Math.round(1)) })
    for (let i = 1; i < length; i++) {
      const before = last
      last = Resource.make(`r${i}`, { deps: { before }, load: ({ before }) => Effect.sync(() => before + 1) })
    }
    return last
  }

  it("lets timers fire", async () => {
    let fired = 0
    const timer = setInterval(() => fired++, 1)
    const { last } = await Effect.runPromise(Loader.load(Loader.make({ last: chain(100_000) })))
    clearInterval(timer)
    assert.strictEqual(last, 100_000)
    assert.isAbove(fired, 0)
  })

  it("can be interrupted", async () => {
    let loaded = 0
    const counted = chain(99_999).pipe(Resource.map((n) => (loaded = n)))
    const fiber = Effect.runFork(Loader.load(Loader.make({ counted })))
    await new Promise((resolve) => setImmediate(resolve))
    const exit = await Effect.runPromise(Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber)))
    assert.isTrue(Exit.hasInterrupts(exit))
    assert.strictEqual(loaded, 0)
  })

  it("runs with a limit, and under runSync", () => {
    assert.deepStrictEqual(Effect.runSync(Loader.load(Loader.make({ n: chain(10_000) }, { concurrency: 2 }))), {
      n: 10_000
    })
  })

  it("of views and structs grows no stack", () => {
    let view: Resource.Resource<"n", number> = Resource.make("n", { load: () => Effect.succeed(0) })
    for (let i = 0; i < 20_000; i++) view = Resource.map(view, (n) => n + 1)
    assert.deepStrictEqual(Effect.runSync(Loader.load(Loader.make({ view }))), { view: 20_000 })
  })
})

describe.each(schedulings)("16. an uninterruptible caller's run is uninterruptible (%s)", (scheduling) => {
  it.effect("a limit on the run still ends it, after what runs has ended", () =>
    Effect.gen(function* () {
      for (const timeout of ["50 millis", "1 second"] as const) {
        const loader = Loader.make({ a: slow("a", 100) }, { scheduling, timeout })
        const exit = yield* withTime(Effect.exit(Effect.uninterruptible(Loader.load(loader))))
        assert.strictEqual(exit._tag, timeout === "1 second" ? "Success" : "Failure")
      }
    })
  )

  it.effect("it goes on to its end, and the interruption waits", () =>
    Effect.gen(function* () {
      let loaded = false
      const b = Resource.make("b", { deps: { a: slow("a", 100) }, load: () => Effect.sync(() => (loaded = true)) })
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(Loader.load(Loader.make({ b }, { scheduling }))), {
        startImmediately: true
      })
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupting)
      assert.isTrue(loaded)
    })
  )
})
