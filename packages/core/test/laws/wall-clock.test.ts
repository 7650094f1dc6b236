/**
 * A machine's wall clock can be set at any moment. The same program is run twice in virtual time: once with a wall clock
 * that is never set, and once with one that is set at random.
 */
import { Clock, Data, Duration, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { CircuitBreaker, RateLimit, RetryBudget } from "effect-loader/resilience"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fork } from "../fork.ts"

class Values extends ResourceCache.Service<Values>()("test/Values") {}
class Breaker extends CircuitBreaker.Service<Breaker>()("test/Breaker") {}
class Rate extends RateLimit.Service<Rate>()("test/Rate") {}
class Bucket extends RateLimit.Service<Bucket>()("test/Bucket") {}
class Budget extends RetryBudget.Service<Budget>()("test/Budget") {}

class Refused extends Data.TaggedError("Refused")<{}> {}

const layer = Layer.mergeAll(
  Values.layer({ timeToLive: 200, staleWhileRevalidate: 100, staleIfError: 1000, failures: { timeToLive: 50 } }),
  Breaker.layer({ opens: { failures: 1 }, openDuration: 200 }),
  Rate.layer({ limit: 2, window: 200 }),
  Bucket.layer({ limit: 2, window: 200, algorithm: "token-bucket" }),
  Budget.layer({ ratio: 0.5, perSecond: 0, window: 200 })
)

const kinds = ["read", "fail", "break", "breaker", "rate", "bucket", "deposit", "withdraw", "elapsed"] as const

interface Step {
  readonly kind: (typeof kinds)[number]
  readonly pause: number
  /** By how much the wall clock is set, in milliseconds. */
  readonly jump: number
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    pause: fc.nat({ max: 150 }),
    jump: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -10_000_000, max: 10_000_000 }),
      fc.integer({ min: -300, max: 300 })
    )
  }),
  { minLength: 1, maxLength: 30 }
)

/** The same clock, whose wall time can be set. */
const settable = (clock: Clock.Clock): { readonly clock: Clock.Clock; readonly wall: { ahead: number } } => {
  const wall = { ahead: 0 }
  const millis = () => clock.currentTimeMillisUnsafe() + wall.ahead
  const nanos = () => clock.currentTimeNanosUnsafe() + BigInt(wall.ahead) * 1_000_000n
  const changed = Object.assign(Object.create(clock) as Clock.Clock, {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos)
  })
  return { clock: changed, wall }
}

/** What is seen at each step. */
const seen = (given: ReadonlyArray<Step>, jumps: boolean) =>
  Effect.gen(function* () {
    const { clock, wall } = settable(yield* Clock.Clock)
    let loads = 0
    const load = Effect.sync(() => `load ${++loads}`)
    const slow = Resource.make("slow", { load: () => Effect.andThen(Effect.sleep(50), new Refused()) }).pipe(
      Policy.timeout("1 second")
    )
    const page = Loader.make({ slow })
    const act = (kind: Step["kind"]): Effect.Effect<unknown, unknown, Layer.Success<typeof layer>> => {
      switch (kind) {
        case "read":
          return Values.get("key", load)
        case "fail":
          return Values.get("key", Effect.andThen(load, Effect.fail("down")))
        case "break":
          return Breaker.withBreaker(Effect.fail("down"))
        case "breaker":
          return Breaker.withBreaker(Effect.succeed("through"))
        case "rate":
          return Rate.withRate(Effect.succeed("through"))
        case "bucket":
          return Bucket.withRate(Effect.succeed("through"))
        case "deposit":
          return Effect.flatMap(Budget, (budget) => budget.deposit)
        case "withdraw":
          return Effect.flatMap(Budget, (budget) => budget.withdraw)
        case "elapsed":
          return Effect.mapError(Loader.load(page), ({ elapsed }) => Duration.toMillis(elapsed))
      }
    }
    const trace: Array<string> = []
    const program = Effect.gen(function* () {
      for (const { jump, kind, pause } of given) {
        yield* TestClock.adjust(pause)
        const acting = yield* fork(Effect.match(act(kind), { onSuccess: String, onFailure: String }))
        if (jumps) wall.ahead += jump
        yield* TestClock.adjust(50)
        trace.push(`${kind}: ${String(acting.pollUnsafe() ?? "waits")}`, JSON.stringify(yield* Budget.stats))
        trace.push(JSON.stringify(yield* Values.stats), JSON.stringify(yield* Breaker.state))
      }
    })
    yield* Effect.provideService(Effect.provide(program, layer), Clock.Clock, clock)
    return trace
  }).pipe(Effect.provide(TestClock.layer()))

describe("durations", () => {
  it("are the same however the wall clock is set", () =>
    fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const [set, notSet] = await Effect.runPromise(Effect.all([seen(given, true), seen(given, false)]))
        expect(set).toEqual(notSet)
      }),
      { numRuns: 200 }
    ))
})
