/** Hedges: further attempts while a slow one runs. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Fiber, Layer, Schedule, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import { GraphError, Loader, Plan, Policy, Report, Resource, RunEvent } from "effect-loader"
import { Interruption, Ledger, RunLog } from "effect-loader/testing"
import * as fc from "fast-check"
import { running } from "../../src/testing/Running.ts"
import { failureOf } from "../failureOf.ts"
import { withTime } from "../withTime.ts"

type Ends = Effect.Effect<string, string>

/** A load whose attempts have these exits, each after these milliseconds. */
const scripted = (...attempts: ReadonlyArray<readonly [after: number, ends: Ends]>) => {
  let k = 0
  return (): Ends => {
    const [after, ends] = attempts[Math.min(k++, attempts.length - 1)]!
    return Effect.andThen(Effect.sleep(after), ends)
  }
}

const ok = (value: string): Ends => Effect.succeed(value)
const no = (error: string): Ends => Effect.fail(error)

const hedged = (load: () => Ends, options: Partial<Policy.HedgeOptions<never, never>> = {}) =>
  Resource.make("price", { load }).pipe(Policy.hedge({ after: 10, ...options }))

const record = <A, E, R>(self: Effect.Effect<A, E, R>) => withTime(RunLog.record(self))

const tags = (events: ReadonlyArray<RunEvent.RunEvent>): ReadonlyArray<string> =>
  RunLog.lines(events).filter((line) => !/Run|Ready|Policies/.test(line))

describe("Policy.hedge", () => {
  it.effect("a fast attempt stays alone", () =>
    Effect.gen(function* () {
      const { events, exit } = yield* record(Loader.load(Loader.make({ price: hedged(scripted([9, ok("first")])) })))
      assert.deepStrictEqual(exit, Exit.succeed({ price: "first" }))
      assert.deepStrictEqual(tags(events), [
        "0 AttemptStarted price 1",
        "9 AttemptSucceeded price 1",
        "9 ResourceSucceeded price"
      ])
    })
  )

  it.effect("a slow attempt is hedged: the first success wins, and the loser is interrupted and awaited", () =>
    Effect.gen(function* () {
      const slow = Effect.ensuring(Effect.never, Effect.sleep(5))
      const price = hedged(scripted([0, slow], [7, ok("second")]))
      const { events, exit } = yield* record(Loader.loadWithReport(Loader.make({ price })))
      assert.deepStrictEqual(tags(events), [
        "0 AttemptStarted price 1",
        "10 HedgeStarted price 2",
        "10 AttemptStarted price 2",
        "17 AttemptSucceeded price 2",
        "22 AttemptInterrupted price 1",
        "22 ResourceSucceeded price"
      ])
      const { exit: loaded, report } = Exit.isSuccess(exit) ? exit.value : assert.fail()
      assert.deepStrictEqual(loaded, Exit.succeed({ price: "second" }))
      assert.deepStrictEqual(Report.get(report, "price")?.attempts, 2)
    })
  )

  it.effect("the slow attempt can still win", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([15, ok("first")], [100, ok("second")]))
      const { events, exit } = yield* record(Loader.load(Loader.make({ price })))
      assert.deepStrictEqual(exit, Exit.succeed({ price: "first" }))
      assert.include(tags(events), "15 AttemptInterrupted price 2")
    })
  )

  it.effect("at most `max` attempts run, each begun a delay after the last one", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([100, ok("any")]), { max: 3 })
      const { events, exit } = yield* record(Loader.load(Loader.make({ price })))
      assert.deepStrictEqual(exit, Exit.succeed({ price: "any" }))
      assert.deepStrictEqual(
        tags(events).filter((line) => line.includes("AttemptStarted")),
        [0, 10, 20, 30].map((at, k) => `${at} AttemptStarted price ${k + 1}`)
      )
      assert.strictEqual(RunLog.maxConcurrency(events), 4)
    })
  )

  it.effect("a failure of the only attempt is the resource's: a failure starts no further attempt", () =>
    Effect.gen(function* () {
      const { events, exit } = yield* record(Loader.load(Loader.make({ price: hedged(scripted([5, no("down")])) })))
      assert.strictEqual(failureOf(exit).error, "down")
      assert.strictEqual(RunLog.attempts(events, "price"), 1)
    })
  )

  it.effect("a failure waits for the other attempts; if all fail, the last failure is the resource's", () =>
    Effect.gen(function* () {
      const spared = hedged(scripted([15, no("first")], [20, ok("second")]))
      assert.deepStrictEqual(
        (yield* record(Loader.load(Loader.make({ spared })))).exit,
        Exit.succeed({ spared: "second" })
      )
      const lost = hedged(scripted([15, no("first")], [20, no("second")]))
      const { events, exit } = yield* record(Loader.load(Loader.make({ lost })))
      assert.strictEqual(failureOf(exit).error, "second")
      assert.strictEqual(tags(events).at(-1), "30 ResourceFailed price")
    })
  )

  it.effect("a defect, or an interruption from within, ends all attempts", () =>
    Effect.gen(function* () {
      for (const end of [Effect.die("bug"), Effect.interrupt]) {
        const price = hedged(scripted([100, ok("first")], [5, end]))
        const { events, exit } = yield* record(Loader.load(Loader.make({ price })))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(tags(events), "15 AttemptInterrupted price 1")
        assert.strictEqual(events.at(-1)?.at, 15)
      }
    })
  )

  it.effect("the delay starts when an attempt has its slot, so a waiting attempt is not hedged", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([15, ok("price")], [100, ok("other")]))
      const first = Resource.make("first", { load: () => Effect.sleep(50) })
      const later = Resource.make("later", { deps: { first, price }, load: () => Effect.void })
      const loader = Loader.make({ first, later }, { concurrency: 1 })
      const { events } = yield* record(Loader.load(loader))
      assert.deepStrictEqual(
        tags(events).filter((line) => line.includes("price")),
        [
          "0 ResourceQueued price 1",
          "50 AttemptStarted price 1",
          "60 HedgeStarted price 2",
          "60 ResourceQueued price 2",
          "65 AttemptSucceeded price 1",
          "65 ResourceSucceeded price"
        ]
      )
      assert.strictEqual(RunLog.maxConcurrency(events), 1)
    })
  )

  it.effect("an attempt that waits for its slot when the last running one fails never begins", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([15, no("down")]))
      const { events, exit } = yield* record(Loader.load(Loader.make({ price }, { concurrency: 1 })))
      assert.strictEqual(failureOf(exit).error, "down")
      assert.strictEqual(RunLog.attempts(events, "price"), 1)
    })
  )

  it.effect("each attempt holds a slot of its own until its end", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([100, ok("first")], [20, no("second")]))
      const other = Resource.make("other", { load: () => Effect.sleep(12) })
      const third = Resource.make("third", { load: () => Effect.sleep(1) })
      const { events } = yield* record(Loader.load(Loader.make({ price, other, third }, { concurrency: 2 })))
      assert.strictEqual(RunLog.maxConcurrency(events), 2)
      assert.deepStrictEqual(tags(events).slice(3, 9), [
        "10 HedgeStarted price 2",
        "10 ResourceQueued price 2",
        "12 ResourceSucceeded other",
        "12 AttemptStarted price 2",
        "32 AttemptFailed price 2",
        "32 AttemptStarted third 1"
      ])
    })
  )

  it.effect("inside a retry each round is hedged; around a retry each attempt is retried by itself", () =>
    Effect.gen(function* () {
      const inside = hedged(scripted([15, no("a")], [20, no("b")], [5, ok("c")])).pipe(
        Policy.retry({ times: 1, schedule: Schedule.spaced(100) })
      )
      assert.deepStrictEqual(
        tags((yield* record(Loader.load(Loader.make({ inside }, { concurrency: 2 })))).events).slice(3),
        [
          "15 AttemptFailed price 1",
          "30 AttemptFailed price 2",
          "30 RetryScheduled price 3",
          "130 AttemptStarted price 3",
          "135 AttemptSucceeded price 3",
          "135 ResourceSucceeded price"
        ]
      )
      const around = Resource.make("price", {
        load: scripted([15, no("a")], [20, no("b")], [5, no("c")], [5, ok("d")])
      }).pipe(Policy.retry({ times: 1, schedule: Schedule.spaced(100) }), Policy.hedge({ after: 10 }))
      const { events, exit } = yield* record(Loader.load(Loader.make({ around }, { concurrency: 2 })))
      assert.deepStrictEqual(exit, Exit.succeed({ around: "d" }))
      assert.strictEqual(RunLog.attempts(events, "price"), 4)
    })
  )

  it.effect("a timeout inside bounds each attempt, a timeout around bounds them all", () =>
    Effect.gen(function* () {
      const inside = Resource.make("price", { load: scripted([100, ok("never")]) }).pipe(
        Policy.timeout(15),
        Policy.hedge({ after: 10 })
      )
      const one = yield* record(Loader.load(Loader.make({ inside })))
      assert.instanceOf(failureOf(one.exit).error, Cause.TimeoutError)
      assert.strictEqual(one.events.at(-1)?.at, 25)
      const around = hedged(scripted([100, ok("never")])).pipe(Policy.timeout(15))
      const all = yield* record(Loader.load(Loader.make({ around })))
      assert.instanceOf(failureOf(all.exit).error, Cause.TimeoutError)
      assert.strictEqual(all.events.at(-1)?.at, 15)
    })
  )

  it.effect("the items of a list are hedged one by one", () =>
    Effect.gen(function* () {
      let first = true
      const users = Resource.forEach("users", {
        items: () => [5, 30],
        load: (millis) =>
          Effect.suspend(() => {
            const slow = millis === 30 && first
            if (slow) first = false
            return Effect.as(Effect.sleep(slow ? 1000 : millis), millis)
          }),
        each: Policy.hedge({ after: 10 })
      })
      const { events, exit } = yield* record(Loader.load(Loader.make({ users })))
      assert.deepStrictEqual(exit, Exit.succeed({ users: [5, 30] }))
      assert.strictEqual(events.at(-1)?.at, 40)
      assert.include(tags(events), "10 HedgeStarted users[1] 2")
      assert.throws(
        () =>
          Loader.make({
            users: Resource.forEach("users", { items: () => [1], load: Effect.succeed }).pipe(
              Policy.hedge({ after: 1 })
            )
          }),
        GraphError,
        'misplaced policy "hedge(1, 1ms)" on "users": a list is hedged item by item: give it as `each`'
      )
    })
  )

  it.effect("a nested loader is hedged as a whole, within the slots of the run around it", () =>
    Effect.gen(function* () {
      const ledger = Ledger.make()
      const page = (concurrency: number) => {
        let k = 0
        const row = Resource.make("row", { load: () => Ledger.use(ledger, "row", Effect.sleep(k++ === 0 ? 100 : 5)) })
        const inner = Resource.fromLoader("inner", Loader.make({ row })).pipe(Policy.hedge({ after: 10 }))
        const last = Resource.make("last", { deps: { inner }, load: () => Ledger.use(ledger, "last", Effect.sleep(1)) })
        return Loader.make({ last }, { concurrency })
      }
      const { events, exit } = yield* record(Loader.load(page(2)))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(events.at(-1)?.at, 16)
      for (const concurrency of [1, 2]) {
        const check = ({ events, hung }: Interruption.Trial<unknown, unknown>) => {
          assert.isFalse(hung)
          assert.isAtMost(RunLog.maxConcurrency(events, ["row", "last"]), concurrency)
        }
        yield* Interruption.atEveryStep((probed) => Loader.load(probed(page(concurrency))), { ledger, check })
      }
    })
  )

  it("is in the plan, and needs a valid `max`", () => {
    const price = hedged(scripted([1, ok("")]), { max: 2 }).pipe(Policy.timeout(50))
    assert.include(Plan.toText(Loader.plan(Loader.make({ price }))), "timeout(50ms) > hedge(2, 10ms)")
    for (const max of [0, 1.5, Number.NaN]) assert.throws(() => Policy.hedge({ after: 1, max }), /whole number from 1/)
  })

  it.effect("around a retry, an attempt that has failed for good frees its slot for the retried ones", () =>
    Effect.gen(function* () {
      const load = scripted([15, no("1")], [15, no("2")], [15, no("3")], [15, ok("4")])
      const price = Resource.make("price", { load }).pipe(
        Policy.retry({ times: 1, schedule: Schedule.spaced(5) }),
        Policy.hedge({ after: 10 })
      )
      const { events, exit } = yield* record(Loader.load(Loader.make({ price }, { concurrency: 1 })))
      assert.deepStrictEqual(exit, Exit.succeed({ price: "4" }))
      assert.strictEqual(RunLog.maxConcurrency(events), 1)
    })
  )

  it.effect("in an uninterruptible run, an attempt that waits for its slot ends when another one has won", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([15, ok("first")], [100, ok("second")]))
      const load = Effect.uninterruptible(Loader.load(Loader.make({ price }, { concurrency: 1 })))
      const { events, exit } = yield* record(load)
      assert.deepStrictEqual(exit, Exit.succeed({ price: "first" }))
      assert.strictEqual(RunLog.attempts(events, "price"), 1)
    })
  )

  it.effect("an uninterruptible run waits for the losers", () =>
    Effect.gen(function* () {
      const price = hedged(scripted([50, ok("first")], [5, ok("second")]))
      const { events, exit } = yield* record(Effect.uninterruptible(Loader.load(Loader.make({ price }))))
      assert.deepStrictEqual(exit, Exit.succeed({ price: "second" }))
      assert.strictEqual(events.at(-1)?.at, 50)
    })
  )
})

describe("a learned delay", () => {
  class Learned extends Context.Service<Learned, Policy.HedgeDelay>()("test/Learned") {}

  /** Gives these delays one after the other, and records the answers. */
  const told: Array<string> = []
  const layer = (after: Duration.Input) =>
    Layer.succeed(Learned, {
      after: () => Effect.succeed(Duration.fromInputUnsafe(after)),
      answered: (resource, took) => Effect.sync(() => told.push(`${resource} ${Duration.toMillis(took)}`))
    })
  const run = (load: () => Ends, after: Duration.Input) => {
    told.length = 0
    const price = Resource.make("price", { load }).pipe(Policy.hedge({ after: Learned }))
    return Effect.map(record(Effect.provide(Loader.load(Loader.make({ price })), layer(after))), ({ exit }) => ({
      exit,
      told: told.slice()
    }))
  }

  it.effect("gets the time of the first attempt, or of the winner, and no failures", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* run(scripted([7, ok("")]), 10)).told, ["price 7"])
      assert.deepStrictEqual((yield* run(scripted([70, ok("")], [7, ok("")]), 10)).told, ["price 17"])
      assert.deepStrictEqual((yield* run(scripted([15, ok("")], [70, ok("")]), 10)).told, ["price 15"])
      assert.deepStrictEqual((yield* run(scripted([7, no("")]), 10)).told, [])
      assert.deepStrictEqual((yield* run(scripted([15, no("")], [70, ok("")]), 10)).told, [])
    })
  )

  it.effect("that dies in `answered` leaves no attempt behind", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const slow = Effect.ensuring(
        Effect.never,
        Effect.sync(() => log.push("interrupted"))
      )
      const price = Resource.make("price", { load: scripted([0, slow], [7, ok("second")]) }).pipe(
        Policy.hedge({ after: Learned })
      )
      const dying = Layer.succeed(Learned, {
        after: () => Effect.succeed(Duration.millis(10)),
        answered: () => Effect.die("bug")
      })
      const load = Effect.provide(Loader.load(Loader.make({ price })), dying)
      const exit = yield* withTime(Effect.tap(Effect.exit(load), () => Effect.sync(() => log.push("over"))))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.deepStrictEqual(log, ["interrupted", "over"])
    })
  )

  class Spent extends Context.Service<Spent, Policy.RetryBudget>()("test/Spent") {}

  const sound: Policy.HedgeDelay = { after: () => Effect.succeed(Duration.millis(10)), answered: () => Effect.void }
  const threw = (): never => {
    throw "bug"
  }
  const broken = {
    dies: [{ ...sound, after: () => Effect.die("bug") }, Effect.succeed(true)],
    "dies later": [{ ...sound, after: () => Effect.andThen(Effect.sleep(5), Effect.die("bug")) }, Effect.succeed(true)],
    throws: [{ ...sound, after: threw }, Effect.succeed(true)],
    "has a budget that dies": [sound, Effect.die("bug")]
  } as const

  it.effect.each(Object.keys(broken) as ReadonlyArray<keyof typeof broken>)(
    "that %s ends the race, as any defect of the resource",
    (which) =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const [delay, withdraw] = broken[which]
        const slow = Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("interrupted")))
        const price = Resource.make("price", { load: () => slow }).pipe(
          Policy.hedge({ after: Learned, budget: Spent }),
          Resource.orElseSucceed(() => "no defect")
        )
        const services = Layer.merge(
          Layer.succeed(Learned, delay),
          Layer.succeed(Spent, { deposit: Effect.void, withdraw })
        )
        const exit = yield* withTime(Effect.exit(Effect.provide(Loader.load(Loader.make({ price })), services)))
        assert.deepStrictEqual(Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit, "bug")
        assert.deepStrictEqual(log, ["interrupted"])
      })
  )

  it.effect("that is infinite starts no hedge", () =>
    Effect.gen(function* () {
      const { exit, told } = yield* run(scripted([1_000_000, ok("late")], [0, ok("never")]), "Infinity")
      assert.deepStrictEqual(exit, Exit.succeed({ price: "late" }))
      assert.deepStrictEqual(told, ["price 1000000"])
    })
  )
})

/** The attempts that wait for a slot, and those that run, at the end of each instant, by the events of a run. */
const instants = (events: ReadonlyArray<RunEvent.RunEvent>) => {
  const counts = running(events)
  let seen = 0
  const runningAt = events.map((event) => ("resource" in event ? counts[seen++]!.length : 0))
  const waiting = new Map<string, Set<number>>()
  const of = (resource: string) => {
    let attempts = waiting.get(resource)
    if (attempts === undefined) waiting.set(resource, (attempts = new Set()))
    return attempts
  }
  return events.flatMap((event, k) => {
    if ("resource" in event) {
      if (event._tag === "ResourceQueued") of(event.resource).add(event.attempt)
      else if (event._tag === "AttemptStarted") of(event.resource).delete(event.attempt)
      // At the end of a round, its waiting attempts are cancelled.
      else if (event._tag === "RetryScheduled" || RunEvent.isResourceEnded(event)) of(event.resource).clear()
    }
    const next = events[k + 1]
    if (next === undefined || next.at === event.at) return []
    const waits = Array.from(waiting.values()).reduce((sum, { size }) => sum + size, 0)
    return [{ at: event.at, waits, running: runningAt[k]! }]
  })
}

describe("hedges and slots", () => {
  const script = fc.record({
    takes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
    fails: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    after: fc.integer({ min: 0, max: 30 }),
    max: fc.integer({ min: 1, max: 3 }),
    retries: fc.integer({ min: 0, max: 2 }),
    pause: fc.constantFrom(0, 0, 7),
    timeout: fc.constantFrom(undefined, 25)
  })
  type Script = typeof script extends fc.Arbitrary<infer S> ? S : never
  const scenario = fc.record({
    scripts: fc.array(script, { minLength: 1, maxLength: 5 }),
    limit: fc.integer({ min: 1, max: 4 })
  })

  const toResource = ({ after, fails, max, pause, retries, takes, timeout }: Script, k: number) => {
    let tried = 0
    const load = (): Ends => {
      const n = tried++
      return Effect.andThen(Effect.sleep(takes[n % takes.length]!), fails[n % fails.length] ? no("busy") : ok("done"))
    }
    const hedged = Resource.make(`r${k}`, { load }).pipe(Policy.hedge({ after, max }))
    const timed = timeout === undefined ? hedged : hedged.pipe(Policy.timeout(timeout))
    return timed.pipe(Policy.retry({ times: retries, schedule: Schedule.spaced(pause) }))
  }
  const toLoader = (scripts: ReadonlyArray<Script>, limit: number) =>
    Loader.make(Object.fromEntries(scripts.map((script, k) => [`t${k}`, toResource(script, k)])), {
      concurrency: limit
    })

  it("no slot is lost or taken twice: while an attempt waits, as many run as there are slots", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ limit, scripts }) => {
        const { events, exit } = await Effect.runPromise(record(Loader.settle(toLoader(scripts, limit))))
        assert.isTrue(Exit.isSuccess(exit))
        assert.isAtMost(RunLog.maxConcurrency(events), limit)
        for (const { at, running, waits } of instants(events)) {
          if (waits > 0) assert.strictEqual(running, limit, `at ${at}, where ${waits} wait`)
        }
      }),
      { numRuns: 300 }
    )
  })

  /** Every few steps a fiber yields, so that fibers interleave in many ways. */
  const stepByStep = <A, E>(self: Effect.Effect<A, E>, ops: number): Effect.Effect<A, E> =>
    Effect.gen(function* () {
      const slowly = Effect.provideService(self, Scheduler.MaxOpsBeforeYield, ops)
      const fiber = yield* Effect.forkChild(slowly, { startImmediately: true })
      while (fiber.pollUnsafe() === undefined) {
        for (let turn = 0; turn < 8; turn++) yield* Effect.yieldNow
        yield* TestClock.adjust("1 millis")
      }
      return yield* Fiber.join(fiber)
    }).pipe(Effect.provide(TestClock.layer()))

  it("no slot is lost or taken twice if fibers yield every few steps", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.integer({ min: 3, max: 12 }), async ({ limit, scripts }, ops) => {
        const settled = RunLog.record(Loader.settle(toLoader(scripts, limit)))
        const { events, exit } = await Effect.runPromise(stepByStep(settled, ops))
        assert.isTrue(Exit.isSuccess(exit))
        assert.isAtMost(RunLog.maxConcurrency(events), limit)
      }),
      { numRuns: 60 }
    )
  })
})

describe("hedges under interruption", () => {
  const ledger = Ledger.make()
  const page = (concurrency: number | "unbounded") => {
    let k = 0
    const price = Resource.make("price", {
      load: () =>
        Effect.gen(function* () {
          yield* Ledger.hold(ledger, "price")
          yield* Ledger.use(ledger, "asking", Effect.ensuring(Effect.sleep(k++ === 0 ? 40 : 15), Effect.sleep(1)))
          return k < 3 ? yield* Effect.fail("busy") : "12"
        })
    }).pipe(Policy.hedge({ after: 10, max: 2 }), Policy.retry({ times: 1, schedule: Schedule.spaced(5) }))
    const other = Resource.make("other", { load: () => Ledger.use(ledger, "other", Effect.sleep(22)) })
    const last = Resource.make("last", {
      deps: { price, other },
      load: () => Ledger.use(ledger, "last", Effect.sleep(3))
    })
    const again = Resource.make("again", { deps: { other }, load: () => Ledger.use(ledger, "again", Effect.sleep(3)) })
    return Loader.make({ last, again }, { concurrency })
  }

  it.effect.each([1, 2, 3, "unbounded"] as const)(
    "at every step nothing is left behind, and never more than %s run at once",
    (concurrency) =>
      Effect.gen(function* () {
        const limit = concurrency === "unbounded" ? Infinity : concurrency
        const runs = yield* Interruption.atEveryStep(
          (probed) => Effect.scoped(Loader.load(probed(page(concurrency)))),
          {
            ledger,
            check: ({ events, hung }) => {
              assert.isFalse(hung)
              assert.isAtMost(RunLog.maxConcurrency(events), limit)
            }
          }
        )
        assert.isAbove(runs, 25)
      })
  )
})
