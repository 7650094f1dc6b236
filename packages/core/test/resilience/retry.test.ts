/** Retries that wait as long as servers ask, and retries with a budget. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { Interruption, RunLog } from "effect-loader/testing"
import { RetryBudget } from "effect-loader/resilience"
import * as fc from "fast-check"
import { Allowance, type AllowanceOptions } from "../../src/resilience/Allowance.ts"
import { withTime } from "../withTime.ts"

class Busy extends Data.TaggedError("Busy")<{ readonly retryAfter?: Policy.RetryAfter }> {}

class Retries extends RetryBudget.Service<Retries>()("app/Retries") {}

const record = <A, E, R>(self: Effect.Effect<A, E, R>) => withTime(RunLog.record(self))

/** Fails with these errors, one after the other, and then succeeds. */
const failing = (...errors: ReadonlyArray<Busy>) => {
  let k = 0
  return (): Effect.Effect<string, Busy> =>
    Effect.suspend(() => (k < errors.length ? Effect.fail(errors[k++]!) : Effect.succeed("there")))
}

const starts = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.filter((line) => line.includes("AttemptStarted"))

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}

describe("Policy.retry({ while })", () => {
  const retryable = (error: unknown) => !(error instanceof HttpError && error.status < 500)
  const retry = Policy.retry({ times: 3, while: retryable })
  const respond = (name: string, status: number) =>
    Resource.make(name, { load: () => Effect.fail(new HttpError({ status })) })
  const hang = Resource.make("hang", { load: () => Effect.never })

  it("one policy over any error, composed or of the loader, retries what it holds for and nothing else", async () => {
    const statuses = fc.array(fc.constantFrom(401, 404, 500, 503), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(statuses, fc.boolean(), async (statuses, isDefault) => {
        const standard = Policy.compose(Policy.timeout("1 second"), retry)
        const all = [...statuses.map((status, k) => respond(`r${k}`, status)), hang]
        const targets: Resource.Deps = Object.fromEntries(
          all.map((one) => [one.name, isDefault ? one : one.pipe(standard)])
        )
        const page = Loader.make(targets, isDefault ? { policy: standard } : {}) as Loader.Loader<unknown>
        const { events } = await Effect.runPromise(record(Loader.settle(page)))
        const attempts = starts(RunLog.lines(events)).map((line) => line.split(" ")[2])
        assert.deepStrictEqual(
          all.map(({ name }) => attempts.filter((of) => of === name).length),
          [...statuses.map((status) => (status < 500 ? 1 : 4)), 4]
        )
      })
    )
  })
})

describe("Policy.retry({ retryAfter })", () => {
  it.effect("pauses for the longer of the error's pause and the schedule's", () =>
    Effect.gen(function* () {
      const user = Resource.make("user", {
        load: failing(new Busy({ retryAfter: "1 second" }), new Busy({}), new Busy({ retryAfter: "10 millis" }))
      }).pipe(Policy.retry({ schedule: Schedule.spaced(100), times: 5, retryAfter: ({ retryAfter }) => retryAfter }))
      const { events } = yield* record(Loader.load(Loader.make({ user })))
      assert.deepStrictEqual(
        starts(RunLog.lines(events)),
        [0, 1000, 1100, 1200].map((at, k) => `${at} AttemptStarted user ${k + 1}`)
      )
    })
  )

  it.effect("needs no schedule, and is not called where the policy does not retry", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const user = Resource.make("user", {
        load: failing(new Busy({ retryAfter: "30 millis" }), new Busy({ retryAfter: "1 hour" }))
      }).pipe(
        Policy.retry({
          times: 3,
          while: ({ retryAfter }) => retryAfter !== "1 hour",
          retryAfter: ({ retryAfter }) => {
            asked.push(retryAfter)
            return retryAfter
          }
        })
      )
      const { events, exit } = yield* record(Loader.load(Loader.make({ user })))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(asked, ["30 millis"])
      assert.strictEqual(events.at(-1)?.at, 30)
    })
  )

  it.effect("is bounded by a timeout around it, and holds no slot in its pauses", () =>
    Effect.gen(function* () {
      const user = Resource.make("user", { load: failing(new Busy({ retryAfter: "1 day" })) }).pipe(
        Policy.retry({ times: 3, retryAfter: ({ retryAfter }) => retryAfter }),
        Policy.timeout("2 seconds")
      )
      const other = Resource.make("other", { load: () => Effect.sleep(50) })
      const { events } = yield* record(Loader.settle(Loader.make({ user, other }, { concurrency: 1 })))
      assert.include(RunLog.lines(events), "50 ResourceSucceeded other")
      assert.include(RunLog.lines(events), "2000 ResourceFailed user")
    })
  )
})

describe("Policy.retry({ budget })", () => {
  const down = (name: string) =>
    Resource.make(name, { load: () => Effect.fail(new Busy({})) }).pipe(Policy.retry({ times: 3, budget: Retries }))

  it.effect("bounds the further attempts in an outage, and each resource fails with its own last error", () =>
    Effect.gen(function* () {
      const resources = Array.from({ length: 50 }, (_, k) => down(`user${k}`))
      const loader = Loader.make(Object.fromEntries(resources.map((user) => [user.name, user])))
      const program = Effect.all([RunLog.record(Loader.settle(loader)), Retries.stats])
      const layer = Retries.layer({ ratio: 0.2, perSecond: 0 })
      const [{ events, exit }, stats] = yield* withTime(program.pipe(Effect.provide(layer)))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(events.filter(({ _tag }) => _tag === "AttemptStarted").length, 60)
      assert.deepStrictEqual(stats, { attempts: 50, granted: 10, refused: 50, left: 0 })
      const refused = events.filter(({ _tag }) => _tag === "PolicyRefused")
      assert.strictEqual(refused.length, 50)
      assert.deepInclude(refused[0], { resource: "user0", policy: "retry(3, app/Retries)", error: new Busy({}) })
      const last = events.findLast(({ _tag }) => _tag === "ResourceFailed")
      assert.deepInclude(last?._tag === "ResourceFailed" ? Cause.squash(last.cause) : {}, { error: new Busy({}) })
    })
  )

  it.effect("is not used where no further attempt would follow", () =>
    Effect.gen(function* () {
      const never = Resource.make("never", { load: () => Effect.fail(new Busy({})) }).pipe(
        Policy.retry({ times: 3, while: () => false, budget: Retries })
      )
      const once = Resource.make("once", { load: failing(new Busy({})) }).pipe(
        Policy.retry({ times: 1, budget: Retries })
      )
      const program = Effect.andThen(Loader.settle(Loader.make({ never, once })), Retries.stats)
      const stats = yield* program.pipe(Effect.provide(Retries.layer()))
      assert.deepStrictEqual(stats, { attempts: 2, granted: 1, refused: 0, left: 9 })
    })
  )

  it.effect("is for hedges, too: when it is spent, slow attempts stay alone", () =>
    Effect.gen(function* () {
      const slow = (name: string) =>
        Resource.make(name, { load: () => Effect.sleep(50) }).pipe(Policy.hedge({ after: 10, budget: Retries }))
      const loader = Loader.make({ a: slow("a"), b: slow("b") })
      const { events, exit } = yield* record(
        Loader.load(loader).pipe(Effect.provide(Retries.layer({ ratio: 0.5, perSecond: 0 })))
      )
      assert.isTrue(Exit.isSuccess(exit))
      const told = RunLog.lines(events).filter((line) => /Hedge|Refused/.test(line))
      assert.deepStrictEqual(told, ["10 HedgeStarted a 2", "10 PolicyRefused b"])
    })
  )

  it.effect("counts a load once, for any number of policies", () =>
    Effect.gen(function* () {
      const user = Resource.make("user", { load: () => Effect.succeed("ada") }).pipe(
        Policy.hedge({ after: 10, budget: Retries }),
        Policy.retry({ times: 3, budget: Retries })
      )
      const program = Effect.andThen(Loader.load(Loader.make({ user })), Retries.stats)
      const { attempts } = yield* program.pipe(Effect.provide(Retries.layer()))
      assert.strictEqual(attempts, 1)
    })
  )

  it.effect("is refilled with time", () =>
    Effect.gen(function* () {
      const load = Effect.exit(Loader.load(Loader.make({ user: down("user") })))
      const program = Effect.gen(function* () {
        yield* load
        const spent = yield* Retries.stats
        yield* Effect.sleep("1 second")
        yield* load
        return [spent, yield* Retries.stats]
      })
      const layer = Retries.layer({ ratio: 0, perSecond: 2, window: "1 second" })
      const [spent, later] = yield* withTime(program.pipe(Effect.provide(layer)))
      assert.deepStrictEqual(spent, { attempts: 1, granted: 2, refused: 1, left: 0 })
      assert.deepStrictEqual(later, { attempts: 2, granted: 4, refused: 2, left: 0 })
    })
  )

  it.effect("leaves nothing behind if interrupted at any step", () =>
    Effect.gen(function* () {
      const user = Resource.make("user", {
        load: () => Effect.andThen(Effect.sleep(5), Effect.fail(new Busy({ retryAfter: "20 millis" })))
      }).pipe(Policy.retry({ times: 3, budget: Retries, retryAfter: ({ retryAfter }: Busy) => retryAfter }))
      const loader = Loader.make({ user }, { concurrency: 1 })
      yield* Interruption.atEveryStep((probed) =>
        Loader.load(probed(loader)).pipe(Effect.provide(Retries.layer({ perSecond: 0.2 })))
      )
    })
  )

  it.effect("rejects invalid options with a defect that says so", () =>
    Effect.gen(function* () {
      for (const options of [{ ratio: -1 }, { perSecond: Number.NaN }, { window: 0 }, { ratio: Infinity }]) {
        const exit = yield* Effect.exit(Retries.stats.pipe(Effect.provide(Retries.layer(options))))
        assert.match(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", /retry budget "app\/Retries"/)
      }
    })
  )
})

/** A naive model: a list of all that happened. */
class NaiveAllowance {
  private readonly options: AllowanceOptions
  private readonly happened: Array<{ readonly at: number; readonly further: boolean }> = []

  constructor(options: AllowanceOptions) {
    this.options = options
  }

  attempt(at: number): void {
    this.happened.push({ at, further: false })
  }

  take(at: number): boolean {
    const { perSecond, ratio, window } = this.options
    const slice = (instant: number): number => Math.floor((instant * 10) / window)
    const counted = this.happened.filter((one) => slice(one.at) > slice(at) - 10)
    const further = counted.filter((one) => one.further).length
    if (further + 1 > ratio * (counted.length - further) + (perSecond * window) / 1000 + 1e-9) return false
    this.happened.push({ at, further: true })
    return true
  }
}

describe("an allowance", () => {
  const options = fc.record({
    ratio: fc.constantFrom(0, 0.1, 0.2, 1, 2.5),
    perSecond: fc.constantFrom(0, 0.5, 3),
    window: fc.constantFrom(100, 1000, 10_000)
  })
  const step = fc.record({
    pause: fc.oneof(fc.constant(0), fc.nat({ max: 400 }), fc.nat({ max: 20_000 })),
    takes: fc.boolean()
  })
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

  /** Whether it grants each step that takes. */
  const granted = (
    allowance: Pick<Allowance, "attempt" | "take">,
    steps: ReadonlyArray<Step>
  ): ReadonlyArray<boolean> => {
    let now = 1_700_000_000_000
    return steps.flatMap(({ pause, takes }) => {
      now += pause
      if (takes) return [allowance.take(now)]
      allowance.attempt(now)
      return []
    })
  }

  it("grants the same attempts as the naive model", () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 120 }), (options, steps) => {
        assert.deepStrictEqual(granted(new Allowance(options), steps), granted(new NaiveAllowance(options), steps))
      }),
      { numRuns: 500 }
    )
  })
})
