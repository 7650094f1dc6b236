/** Circuit breakers: the results that count, and the attempts that are let through. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Data, Duration, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { CircuitBreakerError, CircuitBreakerStore, CircuitBreakerStoreError } from "effect/persistence/CircuitBreaker"
import { Limiter, Loader, Plan, Policy, Report, Resource, ResourceError } from "effect-loader"
import { Interruption, Ledger, RunLog } from "effect-loader/testing"
import { CircuitBreaker, circuitBreaker, CircuitOpen } from "effect-loader/resilience"
import * as fc from "fast-check"
import { withTime } from "../withTime.ts"

class Down extends Data.TaggedError("Down")<{ readonly retryAfter?: Policy.RetryAfter }> {}
class NotFound extends Data.TaggedError("NotFound")<{}> {}

class Payments extends CircuitBreaker.Service<Payments>()("app/Payments") {}

const defaults: CircuitBreaker.Options = { opens: { failures: 2 }, openDuration: "30 seconds" }

const guarded = (options: Partial<CircuitBreaker.Options> = {}) => {
  const layer = Payments.layer({ ...defaults, ...options })
  return <A, E>(self: Effect.Effect<A, E, Payments>): Effect.Effect<A, E> => withTime(Effect.provide(self, layer))
}

const call = <A, E>(self: Effect.Effect<A, E>) => Effect.exit(Payments.withBreaker(self))

const fails = call(Effect.fail(new Down({})))
const works = call(Effect.succeed("works"))

const isOpen = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof CircuitOpen

const tagNow = Effect.map(Payments.state, ({ _tag }) => _tag)

describe("a circuit breaker", () => {
  it.effect("opens after `failures` failures in a row, and says for how long", () =>
    Effect.gen(function* () {
      yield* fails
      yield* works
      yield* fails
      assert.strictEqual(yield* tagNow, "Closed")
      yield* fails
      yield* Effect.sleep("10 seconds")
      const error = yield* Effect.flip(Payments.withBreaker(Effect.succeed(1)))
      assert.deepStrictEqual([error.breaker, error.retryAfter], ["app/Payments", Duration.seconds(20)])
      assert.strictEqual(error.message, 'circuit breaker "app/Payments" lets nothing through for another 20s')
      assert.deepStrictEqual(yield* Payments.state, { _tag: "Open", retryAfter: Duration.seconds(20) })
    }).pipe(guarded())
  )

  it.effect("opens when the fraction of failures among the last results is too large", () =>
    Effect.gen(function* () {
      for (const one of [works, fails, works]) yield* one
      assert.strictEqual(yield* tagNow, "Closed")
      yield* fails
      assert.strictEqual(yield* tagNow, "Open")
    }).pipe(guarded({ opens: { threshold: 0.5, size: 10, minimumCalls: 4 } }))
  )

  it.effect("half-open, lets one probe through, and refuses all others until the probe has ended", () =>
    Effect.gen(function* () {
      yield* Effect.andThen(fails, fails)
      yield* Effect.sleep("30 seconds")
      const probe = yield* Effect.forkChild(call(Effect.delay(Effect.succeed("recovered"), 100)), {
        startImmediately: true
      })
      assert.strictEqual(yield* tagNow, "HalfOpen")
      const error = yield* Effect.flip(Payments.withBreaker(Effect.succeed(1)))
      assert.strictEqual(
        error.message,
        'circuit breaker "app/Payments" lets nothing through until the attempt that tries it out has succeeded'
      )
      assert.deepStrictEqual(yield* Fiber.join(probe), Exit.succeed("recovered"))
      assert.deepStrictEqual(yield* works, Exit.succeed("works"))
    }).pipe(guarded())
  )

  it.effect("opens again after a failed probe, for the next pause of the schedule", () =>
    Effect.gen(function* () {
      yield* Effect.andThen(fails, fails)
      yield* Effect.sleep("1 second")
      yield* fails
      yield* Effect.sleep("1500 millis")
      assert.isTrue(isOpen(yield* works))
      yield* Effect.sleep("500 millis")
      assert.isFalse(isOpen(yield* works))
    }).pipe(guarded({ openDuration: Schedule.exponential("1 second") }))
  )

  it.effect("counts the errors of `isFailure` as failures; all others show that the backend answers", () =>
    Effect.gen(function* () {
      const missing = call(Effect.fail(new NotFound()))
      for (const one of [fails, missing, fails, missing, missing]) yield* one
      assert.strictEqual(yield* tagNow, "Closed")
      yield* Effect.andThen(call(Effect.die("bug")), call(Effect.die("bug")))
      assert.strictEqual(yield* tagNow, "Open")
    }).pipe(guarded({ isFailure: (error) => error instanceof Down }))
  )

  it.effect("does not count interruptions and refusals by others", () =>
    Effect.gen(function* () {
      const cut = call(Effect.never).pipe(Effect.timeoutOption(10))
      const inner = call(Effect.fail(new CircuitOpen({ breaker: "other", retryAfter: Duration.zero })))
      const dying = call(Effect.ensuring(Effect.never, Effect.die("finalizer"))).pipe(Effect.timeoutOption(10))
      for (const one of [cut, inner, cut, Effect.exit(dying), inner, cut]) yield* one
      assert.strictEqual(yield* tagNow, "Closed")
    }).pipe(guarded({ opens: { failures: 1 } }))
  )

  it.effect("lets another probe through after an interrupted one", () =>
    Effect.gen(function* () {
      yield* Effect.andThen(fails, fails)
      yield* Effect.sleep("30 seconds")
      yield* call(Effect.never).pipe(Effect.timeoutOption(10))
      assert.deepStrictEqual(yield* works, Exit.succeed("works"))
      assert.strictEqual(yield* tagNow, "Closed")
    }).pipe(guarded())
  )

  it.effect("stays open as long as the last error asks for, if that is longer than `openDuration`", () =>
    Effect.gen(function* () {
      yield* fails
      yield* call(Effect.fail(new Down({ retryAfter: "2 minutes" })))
      yield* Effect.sleep("1 minute")
      assert.isTrue(isOpen(yield* works))
      yield* Effect.sleep("1 minute")
      assert.isFalse(isOpen(yield* works))
    }).pipe(guarded({ retryAfter: (error) => (error instanceof Down ? error.retryAfter : undefined) }))
  )

  it.effect("passes the failures inside it on unchanged, another breaker's refusal included", () =>
    Effect.gen(function* () {
      const other = new CircuitOpen({ breaker: "other", retryAfter: Duration.zero })
      assert.deepStrictEqual(yield* call(Effect.fail(other)), Exit.fail(other))
      const store = new CircuitBreakerError({ reason: new CircuitBreakerStoreError({ message: "theirs" }) })
      assert.deepStrictEqual(yield* call(Effect.fail(store)), Exit.fail(store))
    }).pipe(guarded())
  )

  it.effect("lets everything through if its store cannot be reached", () => {
    const gone = Effect.fail(new CircuitBreakerError({ reason: new CircuitBreakerStoreError({ message: "gone" }) }))
    const store = Layer.succeed(CircuitBreakerStore, { admit: () => gone, record: () => gone, state: () => gone })
    return Effect.gen(function* () {
      yield* Effect.andThen(fails, fails)
      assert.deepStrictEqual(yield* works, Exit.succeed("works"))
      assert.deepStrictEqual(yield* Payments.state, { _tag: "Unknown" })
    }).pipe(Effect.provide(Layer.provide(Payments.layerShared(defaults), store)))
  })
})

interface Model {
  state: "Closed" | "Open" | "HalfOpen"
  streak: number
  openUntil: number
}

/** A naive model of calls that end at once, one after the other: those that are let through. */
const naive = (failures: number, openFor: number) => {
  const model: Model = { state: "Closed", streak: 0, openUntil: 0 }
  const open = (now: number): void => void Object.assign(model, { state: "Open", streak: 0, openUntil: now + openFor })
  return (now: number, ends: "well" | "fails" | "interrupted"): boolean => {
    if (model.state === "Open" && now < model.openUntil) return false
    const probes = model.state !== "Closed"
    if (probes) model.state = "HalfOpen"
    if (ends === "interrupted") return true
    if (ends === "well") Object.assign(model, { state: "Closed", streak: 0 })
    else if (probes || ++model.streak >= failures) open(now)
    return true
  }
}

describe("a breaker with generated calls", () => {
  const steps = fc.array(
    fc.record({ pause: fc.nat({ max: 40 }), ends: fc.constantFrom("well", "fails", "fails", "interrupted") }),
    { maxLength: 60 }
  )

  it("lets the same calls through as the model", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), steps, async (failures, steps) => {
        const model = naive(failures, 50)
        const program = Effect.gen(function* () {
          for (const { ends, pause } of steps) {
            yield* Effect.sleep(pause)
            let ran = false
            const body = { well: Effect.void, fails: Effect.fail("down"), interrupted: Effect.interrupt }[ends]
            yield* call(Effect.suspend((): Effect.Effect<void, string> => ((ran = true), body)))
            assert.strictEqual(ran, model(yield* Clock.currentTimeMillis, ends))
          }
        })
        await Effect.runPromise(guarded({ opens: { failures }, openDuration: 50 })(program))
      }),
      { numRuns: 200 }
    )
  })
})

describe("circuitBreaker", () => {
  const asked: Array<string> = []
  const rate = (name = "rate") =>
    Resource.make(name, {
      load: () =>
        Effect.andThen(
          Effect.sync(() => asked.push(name)),
          Effect.fail(new Down({}))
        )
    })
  const openOnce = Payments.layer({ opens: { failures: 1 }, openDuration: "30 seconds" })

  it.effect("when open, takes no slot and no attempt, and is reported", () =>
    Effect.gen(function* () {
      asked.length = 0
      const loader = Loader.make({ rate: rate().pipe(circuitBreaker(Payments)) }, { concurrency: 1 })
      const busy = Resource.make("busy", { load: () => Effect.sleep(100) })
      const beside = Loader.make({ busy, rate: rate().pipe(circuitBreaker(Payments)) }, { concurrency: 1 })
      const program = Effect.andThen(Loader.settle(loader), RunLog.record(Loader.settle(beside)))
      const { events, exit } = yield* withTime(program.pipe(Effect.provide(openOnce)))
      assert.deepStrictEqual(asked, ["rate"])
      assert.strictEqual(RunLog.attempts(events, "rate"), 0)
      const lines = RunLog.lines(events).filter((line) => line.includes("rate"))
      assert.deepStrictEqual(lines, [
        "0 ResourceReady rate",
        "0 ResourceQueued rate 1",
        "100 PoliciesStarted rate",
        "100 PolicyRefused rate",
        "100 ResourceFailed rate"
      ])
      const report = Exit.isSuccess(exit) ? exit.value : assert.fail()
      const outcome = Report.outcome(report, "rate")
      const error = outcome?._tag === "Failed" ? Cause.squash(outcome.cause) : undefined
      assert.instanceOf(error, ResourceError)
      assert.deepInclude(error, { attempts: 0 })
      assert.match(String(error), /\(0 attempts, 0ms\): CircuitOpen: circuit breaker "app\/Payments"/)
    })
  )

  it.effect("counts and refuses each attempt before a retry, and the whole after it", () =>
    Effect.gen(function* () {
      const retry = Policy.retry({ times: 2, schedule: Schedule.spaced(10) })
      const inside = Loader.make({ rate: rate().pipe(circuitBreaker(Payments), retry) })
      const around = Loader.make({ rate: rate().pipe(retry, circuitBreaker(Payments)) })
      assert.include(Plan.toText(Loader.plan(inside)), "retry(2, schedule) > circuitBreaker(app/Payments)")
      const count = (loader: Loader.Loader<unknown, unknown, Payments, unknown>) =>
        Effect.gen(function* () {
          asked.length = 0
          const { events } = yield* withTime(RunLog.record(Loader.settle(loader, {})).pipe(Effect.provide(openOnce)))
          return [asked.length, events.filter(({ _tag }) => _tag === "PolicyRefused").length]
        })
      assert.deepStrictEqual(yield* count(inside as never), [1, 2])
      assert.deepStrictEqual(yield* count(around as never), [3, 0])
    })
  )

  it.effect("does not count the loser of a hedge", () =>
    Effect.gen(function* () {
      let k = 0
      const price = Resource.make("price", { load: () => (k++ === 0 ? Effect.never : Effect.succeed(12)) }).pipe(
        circuitBreaker(Payments),
        Policy.hedge({ after: 10 })
      )
      const program = Effect.andThen(Loader.load(Loader.make({ price })), Payments.state)
      const state = yield* withTime(program.pipe(Effect.provide(openOnce)))
      assert.deepStrictEqual(state, { _tag: "Closed" })
    })
  )

  it.effect("does not count a limiter's refusal inside it", () =>
    Effect.gen(function* () {
      class Pool extends Limiter.Service<Pool>()("app/Pool") {}
      const full = Pool.withPermit(Effect.never).pipe(Effect.timeoutOption(50))
      const price = Resource.make("price", { load: () => Pool.withPermit(Effect.succeed(1)) }).pipe(
        circuitBreaker(Payments)
      )
      const program = Effect.gen(function* () {
        yield* Effect.forkChild(full, { startImmediately: true })
        const exit = yield* Effect.exit(Loader.load(Loader.make({ price })))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "LimitExceeded")
        return yield* Payments.state
      })
      const layer = Layer.mergeAll(openOnce, Pool.layer({ limit: 1, queue: { max: 0 } }))
      assert.deepStrictEqual(yield* withTime(program.pipe(Effect.provide(layer))), { _tag: "Closed" })
    })
  )

  it.effect("does not count a limiter's refusal on its way to the place of the limit", () =>
    Effect.gen(function* () {
      class Pool extends Limiter.Service<Pool>()("app/Pool") {}
      const price = Resource.make("price", { load: () => Effect.succeed(1) }).pipe(
        Policy.retry({ times: 1 }),
        circuitBreaker(Payments),
        Policy.limit(Pool)
      )
      const program = Effect.gen(function* () {
        yield* Effect.forkChild(Pool.withPermit(Effect.never), { startImmediately: true })
        const failure = yield* Effect.flip(Loader.load(Loader.make({ price })))
        assert.strictEqual(failure.error._tag, "LimitExceeded")
        return yield* Payments.state
      })
      const layer = Layer.mergeAll(openOnce, Pool.layer({ limit: 1, queue: { max: 0 } }))
      assert.deepStrictEqual(yield* withTime(program.pipe(Effect.provide(layer))), { _tag: "Closed" })
    })
  )

  it.effect("leaves nothing behind if interrupted at any step, and lets another probe through", () => {
    const ledger = Ledger.make()
    return Effect.gen(function* () {
      const load = () => Ledger.use(ledger, "asking", Effect.andThen(Effect.sleep(5), Effect.fail(new Down({}))))
      const price = Resource.make("price", { load }).pipe(
        circuitBreaker(Payments),
        Policy.retry({ times: 3, schedule: Schedule.spaced(20) })
      )
      const layer = Payments.layer({ opens: { failures: 1 }, openDuration: 30 })
      const program = (probed: Interruption.Probe) => {
        const load = Effect.exit(Loader.load(probed(Loader.make({ price }))))
        // Whatever the exit of the load, the next probe is let through.
        const after = Effect.andThen(Effect.sleep(100), Payments.withBreaker(Effect.void))
        return Effect.ensuring(load, Effect.orDie(after)).pipe(Effect.provide(layer))
      }
      assert.isAbove(yield* Interruption.atEveryStep(program, { ledger }), 15)
    })
  })
})

describe("the clock of a breaker", () => {
  it.effect("is that of its caller", () =>
    Effect.gen(function* () {
      yield* Effect.andThen(fails, fails)
      yield* TestClock.adjust("30 seconds")
      assert.isFalse(isOpen(yield* works))
    }).pipe(Effect.provide(Payments.layer(defaults)))
  )
})
