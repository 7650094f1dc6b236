/** Errors that only say "not now": refusals, before which no load began, and timeouts. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Duration, Effect, Exit, type Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Limiter, Loader, LoadTimeout, Policy, Report, Resource, ResourceCache, ResourceError } from "effect-loader"
import { CircuitOpen, RateLimitExceeded } from "effect-loader/resilience"
import fc from "fast-check"
import { fork } from "../fork.ts"
import { withTime } from "../withTime.ts"

class Values extends ResourceCache.Service<Values>()("app/Values") {}
class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}

class NotFound extends Data.TaggedError("NotFound")<{ readonly reader: number }> {}
class Unreachable extends Data.TaggedError("Unreachable")<{}> {}

const limitExceeded = (limiter: string) =>
  new Limiter.LimitExceeded({ limiter, reason: { _tag: "QueueFull" }, waited: Duration.zero, limit: 1 })

const named = <E>(error: E) =>
  new ResourceError({ resource: "inner", error, attempts: 0, path: ["inner"], elapsed: Duration.zero })

const refusals = {
  limit: limitExceeded,
  rate: (rate: string) => new RateLimitExceeded({ rate, limit: 1, retryAfter: Duration.zero }),
  breaker: (breaker: string) => new CircuitOpen({ breaker, retryAfter: Duration.zero }),
  inside: (limiter: string) => named(named(limitExceeded(limiter)))
}

/** The readers that were refused. */
const refusedOf = (error: unknown): string | undefined => {
  if (error instanceof ResourceError) return refusedOf(error.error)
  if (error instanceof Limiter.LimitExceeded) return error.limiter
  if (error instanceof RateLimitExceeded) return error.rate
  return error instanceof CircuitOpen ? error.breaker : undefined
}

const kinds = ["value", "not found", "limit", "rate", "breaker", "inside", "interrupted"] as const

const readers = fc.array(
  fc.record({ pause: fc.nat({ max: 8 }), takes: fc.nat({ max: 10 }), kind: fc.constantFrom(...kinds) }),
  { minLength: 1, maxLength: 25 }
)

describe("a refusal, before which no load began", () => {
  it("goes only to the reader that was refused, and each other reader has a load of its own", () =>
    fc.assert(
      fc.asyncProperty(readers, async (given) => {
        const program = Effect.gen(function* () {
          const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
          let values = 0
          for (const [reader, { kind, pause, takes }] of given.entries()) {
            yield* TestClock.adjust(pause)
            const load = Effect.andThen(
              Effect.sleep(takes),
              Effect.suspend((): Effect.Effect<number, unknown> => {
                if (kind === "interrupted") return Effect.interrupt
                if (kind === "value") return Effect.sync(() => ++values)
                return Effect.fail(kind === "not found" ? new NotFound({ reader }) : refusals[kind](`reader ${reader}`))
              })
            )
            fibers.push(yield* fork(Values.get("key", load)))
          }
          yield* TestClock.adjust(10 * given.length)
          for (const [reader, fiber] of fibers.entries()) {
            const exit = fiber.pollUnsafe() ?? assert.fail("every reader gets an answer")
            if (Exit.isSuccess(exit)) continue
            const { kind } = given[reader]!
            if (Exit.hasInterrupts(exit)) {
              assert.strictEqual(kind, "interrupted")
              continue
            }
            const error = Cause.squash(exit.cause)
            const refused = refusedOf(error)
            if (refused === undefined) assert.instanceOf(error, NotFound)
            else assert.strictEqual(refused, `reader ${reader}`)
          }
        })
        // The time to live is so short that some values are loaded again; failures are kept for ever.
        const layer = Values.layer({ timeToLive: 5, failures: { timeToLive: "1 day" } })
        await Effect.runPromise(Effect.provide(program, Layer.provideMerge(layer, TestClock.layer())))
      }),
      { numRuns: 300 }
    ))

  it.effect("because of one run's deadline, does not go to a run that joined its load", () =>
    Effect.gen(function* () {
      const work = Resource.make("work", { load: () => Effect.sleep(100) }).pipe(Policy.limit(Postgres))
      const users = {
        "limit, cache": Policy.compose(Policy.limit(Postgres), Policy.cache(Values)),
        "cache, limit": Policy.compose(Policy.cache(Values), Policy.limit(Postgres))
      }
      for (const [order, policy] of Object.entries(users)) {
        const user = Resource.make("user", { key: () => order, load: () => Effect.succeed("ada") }).pipe(
          policy as Policy.Policy<Limiter.LimitExceeded, Values | Postgres>
        )
        const hurried = Loader.make({ user }, { timeout: 150 })
        const calm = Loader.make({ user })
        const program = Effect.gen(function* () {
          for (let k = 0; k < 3; k++) yield* fork(Loader.load(Loader.make({ work })))
          const first = yield* fork(Effect.exit(Loader.load(hurried)))
          const second = yield* fork(Effect.exit(Loader.load(calm)))
          yield* Effect.sleep(1000)
          return [first.pollUnsafe(), second.pollUnsafe()]
        })
        const layer = Layer.merge(Values.layer({ timeToLive: "1 minute" }), Postgres.layer({ limit: 1 }))
        const [first, second] = yield* withTime(Effect.provide(program, layer))
        assert.isTrue(Exit.isSuccess(first!) && Exit.isFailure(first.value), order)
        assert.deepStrictEqual(second, Exit.succeed(Exit.succeed({ user: "ada" })), order)
      }
    })
  )
})

describe("generated runs that share a cached load behind a limiter", () => {
  const run = fc.record({
    pause: fc.constantFrom(0, 0, 1, 5, 15),
    timeout: fc.constantFrom(Infinity, Infinity, 20, 30),
    weight: fc.constantFrom(0.1, 1, 10),
    /** Whether it reads the cache, or keeps the limiter busy. */
    reads: fc.boolean(),
    interruptedAfter: fc.option(fc.nat({ max: 30 }), { nil: undefined, freq: 5 })
  })

  it("fail for their own reasons only: a run without a deadline gets the value, whatever the deadlines of the others", () =>
    fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 25 }), async (runs) => {
        const work = Resource.make("work", { load: () => Effect.sleep(12) }).pipe(Policy.limit(Postgres))
        const user = Resource.make("user", { key: () => "user:7", load: () => Effect.as(Effect.sleep(4), "ada") }).pipe(
          Policy.limit(Postgres),
          Policy.cache(Values)
        )
        const program = Effect.gen(function* () {
          const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
          // The limiter learns latencies, by which it refuses work that cannot end in time.
          yield* Effect.all([Loader.load(Loader.make({ user })), Loader.load(Loader.make({ work }))])
          yield* Effect.sleep(20)
          for (const { interruptedAfter, pause, reads, timeout, weight } of runs) {
            yield* Effect.sleep(pause)
            const load: Effect.Effect<unknown, unknown, Values | Postgres> = reads
              ? Loader.load(Loader.make({ user }, { timeout }))
              : Loader.load(Loader.make({ work }, { timeout }))
            const fiber = yield* fork(Limiter.withShare(load, { weight }))
            if (interruptedAfter !== undefined) {
              yield* fork(
                Effect.andThen(
                  Effect.sleep(interruptedAfter),
                  Effect.sync(() => fiber.interruptUnsafe())
                )
              )
            }
            fibers.push(fiber)
          }
          yield* Effect.sleep("1 minute")
          return fibers.map((fiber) => fiber.pollUnsafe())
        })
        const layer = Layer.merge(
          Values.layer({ timeToLive: 2, failures: { timeToLive: "1 day" } }),
          Postgres.layer({ limit: 1 })
        )
        const exits = await Effect.runPromise(withTime(Effect.provide(program, layer)))
        for (const [k, { interruptedAfter, reads, timeout }] of runs.entries()) {
          const exit = exits[k] ?? assert.fail("every run ends")
          if (timeout < Infinity || interruptedAfter !== undefined) continue
          assert.isTrue(Exit.isSuccess(exit), String(exit))
          if (reads) assert.deepStrictEqual(exit, Exit.succeed({ user: "ada" }))
        }
      }),
      { numRuns: 200 }
    ))
})

describe("a timeout", () => {
  /** Readers of one key: each has a timeout of its own inside the cache, from its resource or its loader, or none. */
  const slow = (load: Effect.Effect<string>) => Resource.make("slow", { key: () => "key", load: () => load })
  const patience = {
    resource: (load: Effect.Effect<string>, millis: number) =>
      Loader.load(Loader.make({ slow: slow(load).pipe(Policy.timeout(millis), Policy.cache(Values)) })),
    loader: (load: Effect.Effect<string>, millis: number) =>
      Loader.load(Loader.make({ slow: slow(load).pipe(Policy.cache(Values)) }, { policy: Policy.timeout(millis) })),
    none: (load: Effect.Effect<string>) => Loader.load(Loader.make({ slow: slow(load).pipe(Policy.cache(Values)) }))
  }
  const takes = 10
  const hasTime = (kind: keyof typeof patience, millis: number) => kind === "none" || millis > takes

  it("goes only to readers with the same timeout: a reader with a longer one gets the value, after a bounded wait", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            pause: fc.nat({ max: 8 }),
            kind: fc.constantFrom<keyof typeof patience>("resource", "loader", "none"),
            millis: fc.constantFrom(5, 7, 100)
          }),
          { minLength: 1, maxLength: 20 }
        ),
        async (given) => {
          const program = Effect.gen(function* () {
            const load = Effect.as(Effect.sleep(takes), "value")
            const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
            const check = (reader: number) => {
              const exit = fibers[reader]!.pollUnsafe() ?? assert.fail("every reader gets an answer")
              const { kind, millis } = given[reader]!
              if (hasTime(kind, millis)) assert.deepStrictEqual(exit, Exit.succeed({ slow: "value" }))
            }
            for (const { kind, millis, pause } of given) {
              yield* TestClock.adjust(pause)
              fibers.push(yield* fork(patience[kind](load, millis)))
            }
            // The wait for one load that times out, and then the reader's own load, or one with the same timeout.
            yield* TestClock.adjust(100 + 3 * takes)
            for (const reader of given.keys()) check(reader)
          })
          const layer = Values.layer({ timeToLive: 5, failures: { timeToLive: "1 day" } })
          await Effect.runPromise(Effect.provide(program, Layer.provideMerge(layer, TestClock.layer())))
        }
      ),
      { numRuns: 200 }
    ))
})

describe("a stale value", () => {
  const late = new LoadTimeout({ loader: "page", limit: Duration.seconds(1), done: [], inFlight: [], notStarted: [] })
  const errors: ReadonlyArray<readonly [string, unknown, boolean]> = [
    ["TimeoutError", new Cause.TimeoutError(), true],
    ["LoadTimeout", late, true],
    ["LimitExceeded", refusals.limit("a"), true],
    ["RateLimitExceeded", refusals.rate("a"), true],
    ["CircuitOpen", refusals.breaker("a"), true],
    ["a refusal further in", refusals.inside("a"), true],
    ["a timeout further in", named(new Cause.TimeoutError()), true],
    ["what the predicate names", new Unreachable(), true],
    ["any other error", new NotFound({ reader: 1 }), false],
    ["any other error further in", named(new NotFound({ reader: 1 })), false],
    ["text", "forbidden", false],
    ["nothing", undefined, false]
  ]
  const layer = Values.layer({
    timeToLive: 10,
    staleIfError: { for: "1 hour", when: (error) => error instanceof Unreachable }
  })
  const outcomeOf = (answers: ReadonlyArray<Effect.Effect<string, unknown>>) =>
    Effect.gen(function* () {
      let asked = 0
      const user = Resource.make("user", { load: () => answers[asked++]! }).pipe(Policy.cache(Values))
      const outcomes: Array<string | undefined> = []
      for (const _ of answers) {
        const report = yield* Loader.settle(Loader.make({ user }))
        outcomes.push(Report.outcome(report, "user")?._tag)
        yield* TestClock.adjust(100)
      }
      return outcomes
    }).pipe(Effect.provide(layer))

  it.effect.each(errors)("replaces errors that say 'not now', and no others: %s", ([, error, standsIn]) =>
    Effect.gen(function* () {
      const outcomes = yield* outcomeOf([Effect.succeed("ada"), Effect.fail(error)])
      assert.deepStrictEqual(outcomes, ["Succeeded", standsIn ? "Degraded" : "Failed"])
    })
  )

  it.effect("replaces no error after an error that says something else", () =>
    Effect.gen(function* () {
      const down = Effect.fail(new Unreachable())
      const outcomes = yield* outcomeOf([Effect.succeed("ada"), down, Effect.fail("forbidden"), down])
      assert.deepStrictEqual(outcomes, ["Succeeded", "Degraded", "Failed", "Failed"])
    })
  )

  it.effect("does not replace an error if the predicate throws, which is a defect that names the cache", () =>
    Effect.gen(function* () {
      const throwing = () => {
        throw new Error("bug")
      }
      const exit = yield* Effect.exit(Values.get("key", Effect.fail("down"))).pipe(
        Effect.provide(Values.layer({ timeToLive: 10, staleIfError: { for: 10, when: throwing } }))
      )
      const [fail, die] = Exit.isFailure(exit) ? exit.cause.reasons : []
      assert.deepStrictEqual(fail?._tag === "Fail" && fail.error, "down")
      assert.include(String(die?._tag === "Die" && die.defect), 'cache "app/Values": `staleIfError.when` threw')
    })
  )
})
