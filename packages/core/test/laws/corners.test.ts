/** The laws where they are easiest to break. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schedule } from "effect"
import { FailedResource, Loader, Observer, Policy, Report, Resource, type RunEvent } from "effect-loader"
import { Fake, RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"

const schedulings = ["eager", "batched"] as const

const slow = <const N extends string>(name: N, millis: number) => Fake.delay(name, millis, name)

/** Fails so many times, then gives its name. */
const flaky = <const N extends string>(name: N, failures: number) =>
  Fake.failTimes(name, failures, "busy", name, { takes: 0 })

const lines = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(withTime(RunLog.record(self)), ({ events }) => RunLog.lines(events))

const reasons = (exit: Exit.Exit<unknown, unknown>) => (Exit.isFailure(exit) ? exit.cause.reasons : [])

describe.each(schedulings)("a run that stops while a retry waits for its slot (%s)", (scheduling) => {
  it.effect("ends, also where nothing may be interrupted", () =>
    Effect.gen(function* () {
      for (const timeout of ["1 day", "30 millis"] as const) {
        const waiting = flaky("waiting", 1).pipe(Policy.retry({ times: 3, schedule: Schedule.spaced("5 millis") }))
        const failing = Fake.fail("failing", "down", { takes: 50 })
        const loader = Loader.make({ waiting, failing }, { concurrency: 1, scheduling, timeout })
        const exit = yield* withTime(Effect.exit(Effect.uninterruptible(Loader.load(loader))))
        assert.isTrue(Exit.isFailure(exit))
      }
    })
  )
})

describe.each(schedulings)("a run that has stopped and cannot be interrupted (%s)", (scheduling) => {
  /** A chain of two, so many loaders deep. */
  const nested = (depth: number): Resource.Any => {
    const first = slow("first", 10)
    const second = Fake.delay("second", 10, "second", { deps: { first } })
    let inner: Resource.Any = second
    for (let k = 1; k <= depth; k++) inner = Resource.fromLoader(`inner${k}`, Loader.make({ inner }, { scheduling }))
    return inner
  }

  it.effect("serves the loaders inside that wait for its slots, through any depth, and starts nothing else", () =>
    Effect.gen(function* () {
      for (const depth of [1, 2, 3]) {
        for (const timeout of ["1 day", "25 millis"] as const) {
          const failing = Fake.fail("failing", "down", { takes: 30 })
          const later = slow("later", 10)
          const targets = { failing, inner: nested(depth), later }
          const loader = Loader.make(targets, { concurrency: 1, scheduling, timeout })
          const { events, exit } = yield* withTime(RunLog.record(Effect.uninterruptible(Loader.load(loader))))
          assert.isTrue(Exit.isFailure(exit))
          const started = events.flatMap((event) => (event._tag === "AttemptStarted" ? [event.resource] : []))
          assert.includeMembers(started, ["failing", "first", "second"])
          assert.notInclude(started, "later")
          const [whole] = events.filter((event) => event._tag === "RunEnded").slice(-1)
          assert.strictEqual(whole?.at, 50)
        }
      }
    })
  )

  it.effect("gives a slot to a loader inside one that has stopped as well", () =>
    Effect.gen(function* () {
      const broken = Fake.fail("broken", "down", { takes: 10 })
      const middle = Resource.fromLoader("middle", Loader.make({ broken, inner: nested(1) }, { scheduling }))
      const loader = Loader.make({ middle, long: slow("long", 40) }, { concurrency: 1, scheduling })
      const { events } = yield* withTime(RunLog.record(Effect.uninterruptible(Loader.load(loader))))
      const ends = events.flatMap((event) => (event._tag === "RunEnded" ? [event.end] : []))
      assert.deepStrictEqual(ends, ["Completed", "Failed", "Failed"])
    })
  )

  it.effect("starts nothing inside where it can be interrupted", () =>
    Effect.gen(function* () {
      for (const timeout of ["1 day", "20 millis"] as const) {
        const failing = Fake.fail("failing", "down", { takes: 30 })
        const targets = { failing, a: slow("a", 60), b: slow("b", 60), inner: nested(2) }
        const loader = Loader.make(targets, { concurrency: 3, scheduling, timeout })
        const { events } = yield* withTime(RunLog.record(Loader.load(loader)))
        const started = events.flatMap((event) => (event._tag === "AttemptStarted" ? [event.resource] : []))
        assert.notInclude(started, "first")
        assert.strictEqual(events.at(-1)?.at, timeout === "1 day" ? 30 : 20)
      }
    })
  )
})

describe.each(schedulings)("a policy that throws, or gives no effect (%s)", (scheduling) => {
  it.effect("is a defect of its resource, and nothing is left behind", () =>
    Effect.gen(function* () {
      const throwing = Policy.around("throwing", (): never => {
        throw new Error("bug")
      })
      const odd = Policy.around("odd", () => undefined as never)
      for (const [policy, text] of [
        [throwing, "bug"],
        [odd, 'resource "broken": the policy odd gave undefined where an Effect was expected: did you forget `return`?']
      ] as const) {
        let open = 0
        const first = slow("first", 10)
        const sibling = Resource.make("sibling", {
          after: [first],
          load: () =>
            Effect.acquireUseRelease(
              Effect.sync(() => open++),
              () => Effect.never,
              () => Effect.sync(() => open--)
            )
        })
        const broken = Resource.make("broken", {
          deps: { first },
          load: () => Effect.succeed(1)
        }).pipe(policy)
        const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ broken, sibling }, { scheduling }))))
        const [reason] = reasons(exit)
        assert.include(reason?._tag === "Die" ? String(reason.defect) : "", text)
        assert.strictEqual(reason?.annotations.get(FailedResource.key), "broken")
        assert.strictEqual(open, 0)
      }
    })
  )
})

describe.each(schedulings)("an error that cannot be turned into text (%s)", (scheduling) => {
  it.effect("is an error like any other", () =>
    Effect.gen(function* () {
      const error = Object.assign(Object.create(null), { id: 1n })
      const odd = Resource.make("odd", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail(error)) })
      const failure = yield* withTime(Effect.flip(Loader.load(Loader.make({ odd }, { scheduling }))))
      assert.strictEqual(failure.error, error)
    })
  )
})

describe.each(schedulings)("an error that cannot even be looked at (%s)", (scheduling) => {
  it.effect("is an error like any other", () =>
    Effect.gen(function* () {
      const bug = (): never => {
        throw new Error("bug")
      }
      const error = new Proxy({}, { get: bug, getPrototypeOf: bug, ownKeys: bug })
      const odd = Resource.make("odd", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail(error)) })
      const failure = yield* withTime(Effect.flip(Loader.load(Loader.make({ odd }, { scheduling }))))
      assert.isTrue(failure.error === error)
    })
  )
})

describe.each(schedulings)("a list that is tried again at once (%s)", (scheduling) => {
  it.effect("has the slots of its items that failed", () =>
    Effect.gen(function* () {
      let failures = 2
      const load = () =>
        Effect.andThen(
          Effect.sleep(5),
          Effect.suspend(() => (failures-- > 0 ? Effect.fail("busy") : Effect.void))
        )
      const list = Resource.forEach("list", { items: () => [0, 1], load }).pipe(Policy.retry({ times: 2 }))
      const loader = Loader.make({ list }, { concurrency: 1, scheduling })
      const { events, exit } = yield* withTime(RunLog.record(Loader.load(loader)))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(events.at(-1)?.at, 20)
    })
  )

  it.effect("is given up in an uninterruptible run, too, when one item fails and others wait for slots", () =>
    Effect.gen(function* () {
      const load = () => Effect.andThen(Effect.sleep(5), Effect.fail("down"))
      for (const each of [Policy.timeout(50), Policy.hedge({ after: 50 })]) {
        const list = Resource.forEach("list", { items: () => [0, 1, 2], load, each })
        const loader = Loader.make({ list }, { concurrency: 1, scheduling })
        const exit = yield* withTime(Effect.exit(Effect.uninterruptible(Loader.load(loader))))
        assert.isTrue(Exit.isFailure(exit))
      }
    })
  )
})

describe("attempts of one resource side by side", () => {
  it.effect("settle it once, each with a slot of its own", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      let attempts = 0
      const counted = <A, E>(self: Effect.Effect<A, E>) =>
        Effect.acquireUseRelease(
          Effect.sync(() => (most = Math.max(most, ++running))),
          () => self,
          () => Effect.sync(() => running--)
        )
      const hedge = Policy.around("hedge", (self) => Effect.raceFirst(self, Effect.delay(self, 5)))
      const hedged = Resource.make("hedged", {
        load: () => {
          const failing = ++attempts < 3
          return counted(Effect.andThen(Effect.sleep(30), failing ? Effect.fail("busy") : Effect.succeed("hedged")))
        }
      }).pipe(Policy.retry({ times: 5, schedule: Schedule.spaced(10) }), hedge)
      const long = Resource.make("long", { load: () => counted(Effect.as(Effect.sleep(400), "long")) })
      const other = Resource.make("other", { load: () => counted(Effect.as(Effect.sleep(60), "other")) })
      const both = Resource.make("both", {
        deps: { hedged, long },
        load: ({ hedged, long }) => Effect.succeed([hedged, long])
      })
      const { events, exit } = yield* withTime(
        RunLog.record(Loader.load(Loader.make({ both, other }, { concurrency: 2 })))
      )
      assert.deepStrictEqual(exit, Exit.succeed({ both: ["hedged", "long"], other: "other" }))
      assert.strictEqual(most, 2)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "ResourceSucceeded").length, 4)
    })
  )
})

describe.each(schedulings)("what may not start (%s)", (scheduling) => {
  it.effect("does not start after a failure, nor after an interruption", () =>
    Effect.gen(function* () {
      const started: Array<string> = []
      const noting = <const N extends string>(name: N) =>
        Resource.make(name, { load: () => Effect.sync(() => started.push(name)) })
      const failing = Fake.fail("failing", "down", { takes: 10 })
      const one = Loader.make({ failing, next: noting("next") }, { scheduling, concurrency: 1 })
      yield* withTime(Effect.exit(Loader.load(one)))
      const other = Loader.make(
        { hanging: slow("hanging", 1000), later: noting("later") },
        { scheduling, concurrency: 1 }
      )
      for (const run of [Effect.asVoid(Loader.load(other)), Effect.asVoid(Loader.settle(other))]) {
        const ends: Array<RunEvent.RunEvent> = []
        const fiber = yield* Effect.forkChild(
          Observer.observe(run, (event) => event._tag === "RunEnded" && ends.push(event)),
          {
            startImmediately: true
          }
        )
        yield* Fiber.interrupt(fiber)
        assert.deepInclude(ends[0], { _tag: "RunEnded", end: "Interrupted" })
      }
      assert.deepStrictEqual(started, [])
    })
  )
})

describe.each(schedulings)("an uninterruptible caller (%s)", (scheduling) => {
  it.effect("has what runs end by itself, whatever stops the run", () =>
    Effect.gen(function* () {
      let ended = 0
      const whole = Resource.make("whole", {
        load: () =>
          Effect.andThen(
            Effect.sleep(100),
            Effect.sync(() => ended++)
          )
      })
      const failing = Fake.fail("failing", "down", { takes: 10 })
      yield* withTime(
        Effect.exit(Effect.uninterruptible(Loader.load(Loader.make({ whole }, { scheduling, timeout: 30 }))))
      )
      yield* withTime(
        Effect.exit(
          Effect.uninterruptible(Loader.load(Loader.make({ whole, failing }, { scheduling, timeout: "1 day" })))
        )
      )
      assert.strictEqual(ended, 2)
    })
  )
})

describe.each(schedulings)("a resource whose own fiber is interrupted (%s)", (scheduling) => {
  it.effect("is Interrupted, and settle goes on", () =>
    Effect.gen(function* () {
      const cut = Resource.make("cut", {
        load: () =>
          Effect.withFiber((fiber) => {
            fiber.interruptUnsafe()
            return Effect.sleep(5)
          })
      })
      const report = yield* withTime(Loader.settle(Loader.make({ cut, fine: slow("fine", 10) }, { scheduling })))
      assert.strictEqual(Report.outcome(report, "cut")?._tag, "Interrupted")
      assert.deepStrictEqual(report.values, { fine: "fine" })
    })
  )
})

describe.each(schedulings)("15. a synchronous fan of 100,000 (%s)", (scheduling) => {
  it("lets timers fire, and can be interrupted", async () => {
    const targets = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, i) => [`r${i}`, Resource.make(`r${i}`, { load: () => Effect.sync(() => i) })])
    )
    for (const concurrency of ["unbounded", 8] as const) {
      const loader = Loader.make(targets, { scheduling, concurrency })
      const fiber = Effect.runFork(Loader.load(loader))
      await new Promise((resolve) => setTimeout(resolve, 1))
      assert.isUndefined(fiber.pollUnsafe())
      const exit = await Effect.runPromise(Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber)))
      assert.isTrue(Exit.hasInterrupts(exit))
    }
  })
})

describe("events", () => {
  it.effect("a run ends once, also when its caller is interrupted by the news of it", () =>
    Effect.gen(function* () {
      const events: Array<RunEvent.RunEvent> = []
      const failing = Fake.fail("failing", "down", { takes: 5 })
      const after = Resource.make("after", { deps: { failing }, load: () => Effect.void })
      const program = Effect.withFiber((caller) =>
        Observer.observe(Loader.load(Loader.make({ after })), (event) => {
          events.push(event)
          if (event._tag === "RunEnded") caller.interruptUnsafe()
        })
      )
      yield* withTime(Effect.exit(Effect.flatMap(Effect.forkDetach(program, { startImmediately: true }), Fiber.await)))
      assert.strictEqual(events.filter(({ _tag }) => _tag === "RunEnded").length, 1)
    })
  )

  it.effect("what an earlier attempt fell back to is forgotten", () =>
    Effect.gen(function* () {
      const refusing = Policy.around<string>("refusing", (self) =>
        Effect.tap(self, (value) => (value === "stale" ? Effect.fail("refused") : Effect.void))
      )
      const fresh = flaky("fresh", 1).pipe(
        Resource.orElseSucceed(() => "stale"),
        refusing,
        Policy.retry({ times: 2 })
      )
      const report = yield* withTime(Loader.settle(Loader.make({ fresh })))
      assert.deepStrictEqual(report.values, { fresh: "fresh" })
      assert.strictEqual(Report.outcome(report, "fresh")?._tag, "Succeeded")
    })
  )

  it.effect("whoever has to wait for a slot is named, and nobody else", () =>
    Effect.gen(function* () {
      const r = slow("r", 1)
      const short = Resource.make("short", { deps: { r }, load: () => Effect.sleep(1) })
      const long = Resource.make("long", { deps: { r }, load: () => Effect.sleep(10) })
      const longer = Resource.make("longer", { deps: { long }, load: () => Effect.sleep(10) })
      const seen = yield* lines(Loader.load(Loader.make({ short, longer }, { concurrency: 1 })))
      assert.include(seen, "1 ResourceQueued short 1")
      assert.notInclude(seen, "1 ResourceQueued long 1")
    })
  )

  it.effect("the time that interrupted attempts ran is counted", () =>
    Effect.gen(function* () {
      let attempts = 0
      const hanging = Resource.make("hanging", {
        load: () => Effect.suspend(() => (++attempts < 2 ? Effect.never : Effect.sleep(10)))
      })
      const resource = hanging.pipe(Policy.retry({ times: 1 }), Policy.timeout("50 millis"), Policy.retry({ times: 1 }))
      const report = yield* withTime(Loader.settle(Loader.make({ resource })))
      assert.strictEqual(Report.get(report, "hanging")?.running, 60)
    })
  )
})

describe("work around the attempts", () => {
  it.effect("takes no slot, before and after them", () =>
    Effect.gen(function* () {
      const gate = Policy.around("gate", (self) =>
        Effect.andThen(Effect.sleep(200), Effect.ensuring(self, Effect.sleep(200)))
      )
      const gated = flaky("gated", 5).pipe(Policy.retry({ times: 1 }), gate)
      const seen = yield* lines(
        Loader.settle(Loader.make({ gated, b: slow("b", 250), c: slow("c", 1) }, { concurrency: 1 }))
      )
      assert.include(seen, "0 AttemptStarted b 1")
      assert.include(seen, "250 AttemptStarted gated 1")
      assert.include(seen, "250 AttemptStarted c 1")
    })
  )
})

describe("the failures of nested runs", () => {
  it.effect("nest, and a defect names the innermost resource", () =>
    Effect.gen(function* () {
      const inner = Loader.make({ inner: Resource.make("inner", { load: () => Effect.fail("down") }) })
      const outer = Resource.make("outer", { load: () => Loader.load(inner) })
      const failure = yield* Effect.flip(Loader.load(Loader.make({ outer })))
      assert.deepStrictEqual(
        [failure.resource, failure.error.resource, failure.error.error],
        ["outer", "inner", "down"]
      )
      const dying = Loader.make({ dying: Resource.make("dying", { load: () => Effect.die("bug") }) })
      const around = Resource.make("around", { load: () => Loader.load(dying) })
      const [reason] = reasons(yield* Effect.exit(Loader.load(Loader.make({ around }))))
      assert.strictEqual(reason?.annotations.get(FailedResource.key), "dying")
      assert.isTrue(reason !== undefined && Cause.isDieReason(reason))
    })
  )
})
