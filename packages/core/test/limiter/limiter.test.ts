import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Config, ConfigProvider, Context, Data, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import * as fc from "fast-check"
import { TestClock } from "effect/testing"
import { Limiter } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { Admission } from "../../src/limiter/Admission.ts"
import { fixed } from "../../src/limiter/algorithm/Fixed.ts"
import { hold, Permits } from "../../src/limiter/Permits.ts"
import { Flow, type Request, type Ticket } from "../../src/limiter/Ticket.ts"
import { request } from "./requests.ts"
import { fork } from "../fork.ts"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class Busy extends Data.TaggedError("Busy")<{}> {}

/** An input of the machine: a job asks, or ends. */
interface Input {
  readonly at: number
  readonly id: number
  readonly what: "asks" | "ends"
}

const options = { algorithm: fixed(2), maxWaiting: Infinity }

/** Runs jobs through the effects of a limiter: returns the inputs, and when each job began or was refused. */
const driveShell = Effect.fnUntraced(function* (
  jobs: ReadonlyArray<{ readonly at: number; readonly takes: number }>,
  requests: ReadonlyArray<Request>
) {
  const permits = new Permits("test", new Admission(options), () => false)
  const inputs: Array<Input> = []
  const log: Array<string> = []
  const tell = (id: number, what: Input["what"]) =>
    Effect.map(Clock.currentTimeMillis, (at) => inputs.push({ at, id, what }))
  const note = (id: number, what: string) =>
    Effect.map(Clock.currentTimeMillis, (at) => log.push(`${at} ${id} ${what}`))
  const attempt = (id: number, takes: number) =>
    note(id, "begins").pipe(Effect.andThen(Effect.sleep(takes)), Effect.andThen(tell(id, "ends")))
  const all = Effect.forEach(
    jobs,
    ({ at, takes }, id) =>
      Effect.sleep(at).pipe(
        Effect.andThen(tell(id, "asks")),
        Effect.andThen(hold(permits, attempt(id, takes), () => requests[id]!)),
        Effect.catch(() => note(id, "refused"))
      ),
    { concurrency: "unbounded", discard: true }
  )
  const fiber = yield* fork(all)
  for (let millis = 0; millis < 800; millis++) yield* TestClock.adjust("1 millis")
  yield* Fiber.join(fiber)
  return { inputs, log }
})

/** Gives the machine the same inputs, and returns its decisions. */
const driveMachine = (inputs: ReadonlyArray<Input>, requests: ReadonlyArray<Request>): ReadonlyArray<string> => {
  const admission = new Admission(options)
  const tickets = new Map<number, Ticket>()
  const log: Array<string> = []
  const drain = (now: number): void => {
    for (let next = admission.next(now); next !== undefined; next = admission.next(now)) note(next, now)
  }
  const note = (ticket: Ticket, at: number): void => {
    const id = requests.indexOf(ticket.request)
    log.push(`${at} ${id} ${ticket.state === "Held" ? "begins" : "refused"}`)
  }
  for (const { at, id, what } of inputs) {
    while (admission.wakeAt < at) drain(admission.wakeAt)
    if (what === "ends") admission.end(tickets.get(id)!, "Answered", at)
    else {
      const ticket = admission.offer(requests[id]!, at)
      tickets.set(id, ticket)
      if (ticket.state !== "Waiting") note(ticket, at)
    }
    drain(at)
  }
  return log
}

describe("a limiter", () => {
  it.effect("never runs more effects at once than its limit, and runs all of them in the end", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      const one = Effect.suspend(() => {
        most = Math.max(most, ++running)
        return Effect.ensuring(
          Effect.sleep("10 millis"),
          Effect.sync(() => running--)
        )
      })
      const fiber = yield* fork(
        Effect.all(
          Array.from({ length: 20 }, () => Postgres.withPermit(one)),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(fiber), 20)
      assert.strictEqual(most, 3)
      assert.deepInclude(yield* Postgres.stats, { inFlight: 0, waiting: 0, granted: 20 })
    }).pipe(Effect.provide(Postgres.layer({ limit: 3 })))
  )

  it.effect("serves 20,000 waiting effects that end at once without recursion", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const first = yield* fork(Postgres.withPermit(Deferred.await(gate)))
      const rest = yield* fork(
        Effect.forEach(Array.from({ length: 20_000 }), () => Postgres.withPermit(Effect.void), {
          concurrency: "unbounded",
          discard: true
        })
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(rest)
      assert.deepInclude(yield* Postgres.stats, { inFlight: 0, granted: 20_001 })
    }).pipe(Effect.provide(Postgres.layer({ limit: 1, queue: { max: 1_000_000 } })))
  )

  it.effect("refuses with a typed error that gives the reason, the wait and the limit", () =>
    Effect.gen(function* () {
      yield* fork(Postgres.withPermit(Effect.never))
      const late = yield* fork(Effect.flip(Postgres.withPermit(Effect.void, { within: "50 millis" })))
      const full = yield* Effect.flip(Postgres.withPermit(Effect.void))
      assert.deepInclude(full, { _tag: "LimitExceeded", reason: { _tag: "QueueFull" }, limit: 1 })
      yield* TestClock.adjust("39 millis")
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(
        (yield* Fiber.join(late)).message,
        'limiter "app/Postgres" refused after 40ms: it could not have been done in time (limit 1)'
      )
    }).pipe(Effect.provide(Postgres.layer({ limit: 1, queue: { max: 1 } })))
  )

  it.effect("more permits than the limit can ever be are a defect at once", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Postgres.withPermit(Effect.void, { permits: 3 }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }).pipe(Effect.provide(Postgres.layer({ limit: 2 })))
  )

  it.effect("an invalid number of permits is a defect at once", () =>
    Effect.gen(function* () {
      for (const permits of [0, -1, 0.5, NaN]) {
        const exit = yield* Effect.exit(Postgres.withPermit(Effect.void, { permits }))
        assert.match(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", /a whole number from 1, got/)
      }
    }).pipe(Effect.provide(Postgres.layer({ limit: 2 })))
  )

  it.effect("takes its limit from a config", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Postgres.stats).limit, 7)
    }).pipe(
      Effect.provide(
        Layer.provide(
          Postgres.layer({ limit: Config.Number("PERMITS") }),
          ConfigProvider.layer(ConfigProvider.fromUnknown({ PERMITS: "7" }))
        )
      )
    )
  )

  it.effect("takes its bounds from a config", () =>
    Effect.gen(function* () {
      const bounds = Config.all({ max: Config.Number("MAX"), initial: Config.Number("INITIAL") })
      const env = ConfigProvider.layer(ConfigProvider.fromUnknown({ MAX: "40", INITIAL: "6" }))
      const stats = Effect.provide(Postgres.stats, Layer.provide(Postgres.layerAdaptive(bounds), env))
      assert.strictEqual((yield* stats).limit, 6)
    })
  )

  it.effect("a missing config fails the layer with its own error", () =>
    Effect.gen(function* () {
      const env = ConfigProvider.layer(ConfigProvider.fromUnknown({}))
      for (const layer of [
        Postgres.layer({ limit: Config.Number("PERMITS") }),
        Postgres.layerAdaptive(Config.all({ max: Config.Number("PERMITS") }))
      ]) {
        const error = yield* Effect.flip(Effect.provide(Postgres.stats, Layer.provide(layer, env)))
        assert.strictEqual(error._tag, "ConfigError")
      }
    })
  )

  it.effect("an invalid limit is a defect that says so, also from a config", () =>
    Effect.gen(function* () {
      for (const limit of [0, -1, 1.5, Number.NaN, Infinity]) {
        for (const given of [limit, Effect.succeed(limit)]) {
          const exit = yield* Effect.exit(Effect.provide(Postgres.stats, Postgres.layer({ limit: given })))
          assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
          assert.include(
            String(Exit.isFailure(exit) && Cause.squash(exit.cause)),
            `limiter "app/Postgres": \`limit\` must be a whole number from 1, got ${limit}`
          )
        }
      }
    })
  )

  it.effect("follows an algorithm that the user gives", () =>
    Effect.gen(function* () {
      const client = Effect.forever(Postgres.withPermit(Effect.sleep("10 millis")))
      const clients = yield* Effect.forEach(Array.from({ length: 10 }), () => fork(client))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Postgres.stats).limit, 5)
      yield* Fiber.interruptAll(clients)
    }).pipe(
      Effect.provide(
        Postgres.layerAdaptive({
          algorithm: {
            name: "one more each window",
            max: 5,
            window: { minMillis: 100, minSamples: 1, maxMillis: 1000 },
            initial: { limit: 1 },
            next: ({ limit }) => ({ limit: Math.min(5, limit + 1) })
          }
        })
      )
    )
  )

  it.effect("counts timeouts and the errors that `isOverload` accepts as drops, and no others", () =>
    Effect.gen(function* () {
      const fail = (error: unknown) => Effect.exit(Postgres.withPermit(Effect.fail(error)))
      yield* fail(new Busy())
      yield* fail(new Cause.TimeoutError())
      yield* fail("not found")
      yield* Effect.exit(Postgres.withPermit(Effect.die("defect")))
      assert.strictEqual((yield* Postgres.stats).drops, 2)
    }).pipe(Effect.provide(Postgres.layer({ limit: 1, isOverload: (error) => error instanceof Busy })))
  )

  it.effect("adapts its limit with `layerAdaptive`", () =>
    Effect.gen(function* () {
      const client = Effect.forever(Postgres.withPermit(Effect.sleep("10 millis")))
      const clients = yield* Effect.forEach(Array.from({ length: 100 }), () => fork(client))
      yield* TestClock.adjust("5 seconds")
      const { baseline, limit } = yield* Postgres.stats
      assert.isAbove(limit, 90)
      assert.approximately(baseline!, 10, 0.01)
      yield* Fiber.interruptAll(clients)
      assert.strictEqual((yield* Postgres.stats).inFlight, 0)
    }).pipe(Effect.provide(Postgres.layerAdaptive({ max: 200 })))
  )

  it.effect("interrupting waiters and holders at any step loses no permit", () =>
    Effect.gen(function* () {
      for (let k = 0; k < 40; k++) {
        const fibers = yield* Effect.forEach([0, 1, 2, 3], (i) =>
          fork(Postgres.withPermit(Effect.andThen(Effect.yieldNow, Effect.sleep(`${10 + i} millis`))))
        )
        // The k-th step: so many turns of the scheduler, then so many virtual milliseconds.
        for (let turn = 0; turn < k % 4; turn++) yield* Effect.yieldNow
        yield* TestClock.adjust(`${k} millis`)
        const victim = fibers[k % 4]!
        // Permits become free at the instant in which another fiber is interrupted.
        yield* Effect.all([Fiber.interrupt(fibers[0]!), Fiber.interrupt(victim)], { concurrency: "unbounded" })
        yield* TestClock.adjust("1 second")
        yield* Fiber.awaitAll(fibers)
        assert.deepInclude(yield* Postgres.stats, { inFlight: 0, waiting: 0 })
      }
    }).pipe(Effect.provide(Postgres.layer({ limit: 2 })))
  )

  it.effect("an interruption at any step of any effect fails no other effect and loses no permit", () =>
    Effect.gen(function* () {
      const count = 5
      for (let victim = 0; victim < count; victim++) {
        for (let k = 0; ; k++) {
          const fibers: Array<Fiber.Fiber<void, Limiter.LimitExceeded>> = []
          let steps = 0
          // In the middle of what one does, another is interrupted: it may wait, hold, or be just about to.
          const step = Effect.sync(() => {
            if (steps++ === k) fibers[victim]?.interruptUnsafe()
          })
          const attempt = Effect.andThen(step, Effect.andThen(Effect.sleep("10 millis"), step))
          const one = (i: number) =>
            step.pipe(
              Effect.andThen(
                Postgres.withPermit(i === 3 ? Postgres.withPermit(attempt) : attempt, {
                  permits: i === 1 ? 2 : 1,
                  within: i === 4 ? "1 minute" : "1 hour"
                })
              ),
              Effect.andThen(step)
            )
          for (let i = 0; i < count; i++) fibers.push(yield* Effect.forkChild(one(i)))
          yield* TestClock.adjust("1 second")
          const exits = yield* Fiber.awaitAll(fibers)
          exits.forEach((exit, i) => {
            if (i !== victim) assert.isTrue(Exit.isSuccess(exit), `${i}, as ${victim} was interrupted at step ${k}`)
          })
          assert.deepInclude(yield* Postgres.stats, { inFlight: 0, waiting: 0 })
          if (steps <= k) break
          assert.isBelow(k, 100)
        }
      }
    }).pipe(Effect.provide(Postgres.layer({ limit: 2 })))
  )

  it.effect("interrupting all waiters and holders at any instant leaves a limiter idle", () =>
    Effect.gen(function* () {
      const postgres = Context.get(yield* Layer.build(Postgres.layer({ limit: 2 })), Postgres)
      const uses = Effect.forEach(
        [7, 3, 5, 2, 4],
        (millis, i) => postgres.withPermit(Effect.sleep(millis), { permits: 1 + (i % 2), within: "1 minute" }),
        { concurrency: "unbounded", discard: true }
      )
      const times = yield* Interruption.atEveryInstant(() => uses, {
        check: () =>
          Effect.map(postgres.stats, ({ inFlight, waiting }) =>
            assert.deepStrictEqual({ inFlight, waiting }, { inFlight: 0, waiting: 0 })
          )
      })
      assert.isAbove(times, 4)
    }).pipe(Effect.scoped)
  )

  it.effect("an effect that is interrupted at the instant in which it gets its permit returns it", () =>
    Effect.gen(function* () {
      const waiter = yield* Deferred.make<Fiber.Fiber<void, Limiter.LimitExceeded>>()
      const holder = yield* fork(
        Postgres.withPermit(
          Effect.flatMap(Deferred.await(waiter), (fiber) => Effect.sync(() => fiber.interruptUnsafe()))
        )
      )
      const fiber = yield* fork(Postgres.withPermit(Effect.void))
      yield* Deferred.succeed(waiter, fiber)
      yield* Fiber.join(holder)
      yield* Fiber.await(fiber)
      assert.deepInclude(yield* Postgres.stats, { inFlight: 0, waiting: 0 })
    }).pipe(Effect.provide(Postgres.layer({ limit: 1 })))
  )

  it.effect("in virtual time it decides as the pure machine does for the same inputs in the same order", () => {
    const job = fc.record({
      at: fc.nat(100),
      takes: fc.integer({ min: 1, max: 40 }),
      flow: fc.nat(2),
      permits: fc.integer({ min: 1, max: 2 }),
      patience: fc.constantFrom(Infinity, 20, 60)
    })
    return Effect.gen(function* () {
      for (const jobs of fc.sample(fc.array(job, { minLength: 5, maxLength: 15 }), { numRuns: 20, seed: 5 })) {
        const start = yield* Clock.currentTimeMillis
        const requests = () => {
          const flows = [new Flow(), new Flow(), new Flow()]
          return jobs.map(({ at, flow, patience, permits }) =>
            request({ flow: flows[flow]!, permits, deadline: start + at + patience, remaining: 5 })
          )
        }
        const { inputs, log } = yield* driveShell(jobs, requests())
        assert.deepStrictEqual(log.toSorted(), driveMachine(inputs, requests()).toSorted())
        assert.isAtLeast(log.length, jobs.length)
      }
    })
  })

  it.effect("one layer is one limiter, however often it is merged", () =>
    Effect.gen(function* () {
      const layer = Postgres.layer({ limit: 2 })
      const both = Layer.mergeAll(layer, layer)
      yield* Effect.provide(
        Effect.gen(function* () {
          yield* Postgres.withPermit(Effect.void)
          assert.strictEqual((yield* Postgres.stats).granted, 1)
        }),
        both
      )
    })
  )
})
