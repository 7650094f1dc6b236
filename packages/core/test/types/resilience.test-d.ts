/** The types of what is there for backends that are down. */
import {
  type Cause,
  type Context,
  Data,
  Duration,
  Effect,
  type Layer,
  Request,
  RequestResolver,
  Schedule
} from "effect"
import { Batching, Loader, Policy, Resource, type ResourceError } from "effect-loader"
import {
  CircuitBreaker,
  circuitBreaker,
  type CircuitOpen,
  HedgeDelay,
  type RateLimitExceeded,
  RateLimit,
  rateLimit,
  RetryBudget
} from "effect-loader/resilience"
import type { CircuitBreakerStore } from "effect/persistence/CircuitBreaker"
import { describe, expectTypeOf, it } from "vitest"

class Busy extends Data.TaggedError("Busy")<{ readonly retryAfter: Duration.Duration }> {}
class Lost extends Data.TaggedError("Lost")<{}> {}

class Rates extends CircuitBreaker.Service<Rates>()("app/Rates") {}
class Search extends RateLimit.Service<Search>()("app/Search") {}
class Retries extends RetryBudget.Service<Retries>()("app/Retries") {}
class Usual extends HedgeDelay.Service<Usual>()("app/Usual") {}

const find = (id: number): Effect.Effect<string, Busy> =>
  id === 0 ? Effect.fail(new Busy({ retryAfter: Duration.zero })) : Effect.succeed("found")
const user = Resource.make("user", { load: () => find(1) })

describe("policies of services", () => {
  it("add what they fail with to the resource's own error, and the service to what it needs", () => {
    const guarded = user.pipe(circuitBreaker(Rates), rateLimit(Search, { tokens: 2 }))
    expectTypeOf<Resource.Error<typeof guarded>>().toEqualTypeOf<
      ResourceError<"user", Busy | CircuitOpen | RateLimitExceeded>
    >()
    expectTypeOf<Resource.Services<typeof guarded>>().toEqualTypeOf<Rates | Search>()
    const caught = guarded.pipe(
      Resource.catch((error) => {
        expectTypeOf(error).toEqualTypeOf<Busy | CircuitOpen | RateLimitExceeded>()
        return Effect.succeed(error.retryAfter)
      })
    )
    expectTypeOf<Resource.Error<typeof caught>>().toEqualTypeOf<never>()
    const page = Loader.make({ user }, { policy: Policy.compose(circuitBreaker(Rates), Policy.timeout("1 second")) })
    expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Rates>()
    expectTypeOf<Loader.Error<typeof page>>().toEqualTypeOf<
      ResourceError<"user", Busy> | ResourceError<string, CircuitOpen | Cause.TimeoutError>
    >()
  })

  it("have layers that need nothing, or a store", () => {
    const options = { opens: { failures: 3 }, openDuration: "1 second" } as const
    expectTypeOf(Rates.layer(options)).toEqualTypeOf<Layer.Layer<Rates>>()
    expectTypeOf(Rates.layerShared(options)).toEqualTypeOf<Layer.Layer<Rates, never, CircuitBreakerStore>>()
    // @ts-expect-error when it opens has to be said
    Rates.layer({ openDuration: "1 second" })
    // @ts-expect-error of how many results has to be said
    Rates.layer({ opens: { threshold: 0.5 }, openDuration: "1 second" })
    // @ts-expect-error another service
    user.pipe(circuitBreaker(Search))
  })
})

describe("hedges", () => {
  it("add no error, and need what they learn and spend from", () => {
    const plain = user.pipe(Policy.hedge({ after: "10 millis", max: 2 }))
    expectTypeOf(plain).toEqualTypeOf<typeof user>()
    const learned = user.pipe(Policy.hedge({ after: Usual, budget: Retries }))
    expectTypeOf<Resource.Services<typeof learned>>().toEqualTypeOf<Usual | Retries>()
    // @ts-expect-error without a delay
    Policy.hedge({ max: 2 })
    // @ts-expect-error a key of something else
    Policy.hedge({ after: Retries })
  })
})

describe("retries", () => {
  it("read what a server asks for in the resource's own error", () => {
    const inline = user.pipe(
      Policy.retry({
        times: 2,
        retryAfter: (error) => {
          expectTypeOf(error).toEqualTypeOf<Busy>()
          return error.retryAfter
        }
      })
    )
    expectTypeOf(inline).toEqualTypeOf<typeof user>()
    const guarded = user.pipe(
      circuitBreaker(Rates),
      Policy.retry({
        times: 2,
        while: ({ _tag }) => _tag === "CircuitOpen",
        retryAfter: ({ retryAfter }) => retryAfter
      })
    )
    expectTypeOf<Resource.Services<typeof guarded>>().toEqualTypeOf<Rates>()
    const beforehand = Policy.retry({ times: 2, retryAfter: (error: Busy) => error.retryAfter })
    expectTypeOf(user.pipe(beforehand)).toEqualTypeOf<typeof user>()
    const lost = Resource.make("lost", { load: () => Effect.fail(new Lost()) })
    // @ts-expect-error it fails with something that asks for nothing
    lost.pipe(beforehand)
    // @ts-expect-error the error has no such field
    lost.pipe(Policy.retry({ times: 1, retryAfter: (error) => error.retryAfter }))
    // @ts-expect-error no duration
    user.pipe(Policy.retry({ times: 1, retryAfter: () => true }))
  })

  it("need the budget that they spend from, however they are made", () => {
    const policy = Policy.retry({ schedule: Schedule.recurs(2), budget: Retries })
    expectTypeOf(policy).toEqualTypeOf<Policy.Policy<never, Retries>>()
    const inline = user.pipe(Policy.retry({ times: 2, budget: Retries, while: (error) => error._tag === "Busy" }))
    expectTypeOf<Resource.Services<typeof inline>>().toEqualTypeOf<Retries>()
    const beforehand = Policy.retry({ times: 2, budget: Retries, while: (error: Busy) => error._tag === "Busy" })
    const spent = user.pipe(beforehand)
    expectTypeOf<Resource.Services<typeof spent>>().toEqualTypeOf<Retries>()
    const users = Resource.forEach("users", { items: () => [1], load: find, each: beforehand })
    expectTypeOf<Resource.Services<typeof users>>().toEqualTypeOf<Retries>()
    const own: Context.Key<Retries, Policy.RetryBudget> = Retries
    Policy.retry({ times: 1, budget: own })
    // @ts-expect-error a key of something else
    Policy.retry({ times: 1, budget: Rates })
  })
})

describe("a protected resolver", () => {
  class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, Lost> {}
  class GetOrg extends Request.TaggedClass("GetOrg")<{ readonly id: number }, string> {}
  const users = RequestResolver.fromFunction<GetUser>(() => "ada")
  const guarded = users.pipe(Batching.protect(Policy.compose(Policy.timeout("1 second"), circuitBreaker(Rates))))

  it("adds what its policy fails with, and needs, to the resources that ask it", () => {
    const user = Resource.fromRequest("user", { request: () => new GetUser({ id: 1 }), resolver: guarded })
    type Own = Lost | Batching.UnansweredRequest | CircuitOpen | Cause.TimeoutError
    expectTypeOf<Resource.Error<typeof user>>().toEqualTypeOf<ResourceError<"user", Own>>()
    expectTypeOf<Resource.Services<typeof user>>().toEqualTypeOf<Rates>()
    const list = Resource.forEachRequest("list", {
      items: () => [1],
      request: (id) => new GetUser({ id }),
      resolver: Batching.protect(users, rateLimit(Search)),
      each: circuitBreaker(Rates)
    })
    expectTypeOf<Resource.Error<typeof list>>().toEqualTypeOf<
      ResourceError<"list", Lost | Batching.UnansweredRequest | CircuitOpen | RateLimitExceeded>
    >()
    expectTypeOf<Resource.Services<typeof list>>().toEqualTypeOf<Rates | Search>()
  })

  it("answers its own requests only, and is no resolver for requests by hand, whose types know nothing of its errors", () => {
    // @ts-expect-error a resolver of other requests
    Resource.fromRequest("org", { request: () => new GetOrg({ id: 1 }), resolver: guarded })
    // @ts-expect-error its errors would be lost
    void Effect.request(new GetUser({ id: 1 }), guarded)
  })
})
