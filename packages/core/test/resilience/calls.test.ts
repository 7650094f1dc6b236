/** Policies that protect a backend count calls of the backend, for any number of requests in a call. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Duration, Effect, Exit, Fiber, Layer, Request, RequestResolver, Schedule } from "effect"
import {
  Batching,
  GraphError,
  Limiter,
  Loader,
  Plan,
  Policy,
  Report,
  Resource,
  ResourceCache,
  ResourceError,
  Saga
} from "effect-loader"
import { Interruption, Ledger, RunLog } from "effect-loader/testing"
import {
  CircuitBreaker,
  circuitBreaker,
  RateLimitExceeded,
  RateLimit,
  rateLimit,
  RetryBudget
} from "effect-loader/resilience"
import * as fc from "fast-check"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{}> {}
class Down extends Data.TaggedError("Down")<{}> {}

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, NotFound | Down> {}

class Accounts extends CircuitBreaker.Service<Accounts>()("app/Accounts") {}
class Quota extends RateLimit.Service<Quota>()("app/Quota") {}
class Pool extends Limiter.Service<Pool>()("app/Pool") {}
class Retries extends RetryBudget.Service<Retries>()("app/Retries") {}

type Users = RequestResolver.RequestResolver<GetUser>
type AnyUser = Resource.Resource<string, unknown, unknown, Accounts | Quota | Pool | Retries>

const isFailure = (error: unknown): boolean => !(error instanceof NotFound)

/** The end of a call: the answers of its requests, or the exit of the whole. */
type Answer = "found" | "not found" | "down"
type Call = "answers" | "fails" | "dies"

const exitOf = (answer: Answer, id: number): Exit.Exit<string, NotFound | Down> => {
  if (answer === "found") return Exit.succeed(`user ${id}`)
  return Exit.fail(answer === "down" ? new Down() : new NotFound())
}

/** A backend that takes ten milliseconds for each call. */
const backend = (answerOf: (id: number) => Answer = () => "found", call: Call = "answers", takes = 10) => {
  const calls: Array<ReadonlyArray<number>> = []
  const resolver: Users = RequestResolver.make<GetUser>((entries) => {
    calls.push(entries.map(({ request }) => request.id))
    const end =
      call === "answers"
        ? Effect.sync(() =>
            entries.forEach((entry) => entry.completeUnsafe(exitOf(answerOf(entry.request.id), entry.request.id)))
          )
        : call === "fails"
          ? Effect.fail(new Down())
          : Effect.die("bug")
    return Effect.andThen(Effect.sleep(takes), end)
  })
  return { calls, resolver }
}

/** A breaker and a rate limit that let everything through, and count. */
const counters = () => {
  const counted = { breaker: 0, rate: 0 }
  const count =
    (what: keyof typeof counted) =>
    <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => (counted[what]++, self))
  const layer = Layer.mergeAll(
    Layer.succeed(Accounts, { withBreaker: count("breaker"), state: Effect.succeed({ _tag: "Closed" as const }) }),
    Layer.succeed(Quota, { withRate: count("rate") }),
    Pool.layer({ limit: 3 }),
    Retries.layer({ ratio: 1 })
  )
  return { counted, layer }
}

const standard = Policy.compose(Policy.limit(Pool), circuitBreaker(Accounts), rateLimit(Quota))

/** All ways to declare the same policies for requests. */
const places = {
  "piped onto a resource": (name: string, ids: ReadonlyArray<number>, resolver: Users): AnyUser =>
    Resource.fromRequest(name, { request: () => new GetUser({ id: ids[0]! }), resolver }).pipe(standard),
  "piped onto a list": (name: string, ids: ReadonlyArray<number>, resolver: Users): AnyUser =>
    Resource.forEachRequest(name, { items: () => ids, request: (id) => new GetUser({ id }), resolver }).pipe(standard),
  "given to the items of a list": (name: string, ids: ReadonlyArray<number>, resolver: Users): AnyUser =>
    Resource.forEachRequest(name, { items: () => ids, request: (id) => new GetUser({ id }), resolver, each: standard })
}

const place = fc.constantFrom(...Object.values(places))

/** Resources, each with some ids. */
const shapes = fc.array(fc.record({ place, ids: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 }) }), {
  minLength: 1,
  maxLength: 5
})

const settleAll = (
  loader: Loader.Loader<unknown, unknown, Accounts | Quota | Pool | Retries, unknown>,
  pages: number
) =>
  Effect.all(
    Array.from({ length: pages }, () => Loader.settle(loader, {})),
    { concurrency: "unbounded" }
  )

const loaderOf = (resources: Readonly<Record<string, AnyUser>>) =>
  Loader.make(resources) as never as Loader.Loader<unknown, unknown, Accounts | Quota | Pool | Retries, unknown>

describe("a policy that protects a backend", () => {
  it("counts each call of a resolver once, in any place, and for any number of resources, items and runs that share the call", async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (shapes, pages, size) => {
          const { calls, resolver } = backend((id) => (id === 0 ? "not found" : "found"))
          const chunked = RequestResolver.batchN(resolver, size)
          const loader = loaderOf(
            Object.fromEntries(shapes.map(({ ids, place }, k) => [`r${k}`, place(`r${k}`, ids, chunked)]))
          )
          const { counted, layer } = counters()
          await Effect.runPromise(withTime(Effect.provide(settleAll(loader, pages), layer)))
          assert.isAbove(calls.length, 0)
          assert.deepStrictEqual(counted, { breaker: calls.length, rate: calls.length })
        }
      ),
      { numRuns: 100 }
    )
  })

  it.effect("on a resolver applies to all resources that use it, and each of them has its errors", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend()
      const shared = Batching.protect(resolver, standard)
      const ask = (name: string, id: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver: shared })
      const list = Resource.forEachRequest("list", {
        items: () => [1, 2, 3],
        request: (id) => new GetUser({ id }),
        resolver: shared
      })
      const { counted, layer } = counters()
      yield* withTime(Effect.provide(settleAll(loaderOf({ a: ask("a", 1), b: ask("b", 9), list }), 3), layer))
      assert.deepStrictEqual(calls, [[1, 9, 2, 3]])
      assert.deepStrictEqual(counted, { breaker: 1, rate: 1 })
    })
  )

  it.effect("counts one failure of a call that ten pages share, and one token for a list of 100", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend(undefined, "fails")
      const id = Resource.input<number>()("id")
      const user = Resource.fromRequest("user", {
        deps: { id },
        request: ({ id }) => new GetUser({ id }),
        resolver
      }).pipe(circuitBreaker(Accounts))
      const loads = Array.from({ length: 10 }, (_, id) => Effect.exit(Loader.load(Loader.make({ user }), { id })))
      yield* Effect.all(loads, { concurrency: "unbounded" })
      assert.strictEqual(calls.length, 1)
      assert.strictEqual((yield* Accounts.state)._tag, "Closed")
      const up = backend()
      const list = Resource.forEachRequest("list", {
        items: () => Array.from({ length: 100 }, (_, k) => k),
        request: (id) => new GetUser({ id }),
        resolver: up.resolver,
        each: rateLimit(Quota)
      })
      const page = yield* Loader.load(Loader.make({ list }))
      assert.strictEqual(page.list.length, 100)
    }).pipe(
      Effect.provide([
        Accounts.layer({ opens: { failures: 2 }, openDuration: "1 minute" }),
        Quota.layer({ limit: 1, window: "1 minute" })
      ]),
      withTime
    )
  )

  it("counts a call as a failure if the resolver fails, dies, or answers with failures of the backend only", async () => {
    const answers = fc.array(fc.constantFrom<Answer>("found", "not found", "down", "down"), {
      minLength: 1,
      maxLength: 5
    })
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.constantFrom<Call>("answers", "answers", "answers", "fails", "dies"),
        async (answers, call) => {
          const { resolver } = backend((id) => answers[id]!, call)
          const resources = answers.map((_, id) => [
            `r${id}`,
            Resource.fromRequest(`r${id}`, { request: () => new GetUser({ id }), resolver }).pipe(
              circuitBreaker(Accounts)
            )
          ])
          const loader = loaderOf(Object.fromEntries(resources)) as Loader.Loader<unknown, unknown, Accounts, unknown>
          // A call ends a little later than its last request is answered.
          const program = Effect.andThen(Effect.delay(Effect.void, 1), Accounts.state).pipe((state) =>
            Effect.andThen(Loader.settle(loader, {}), state)
          )
          const layer = Accounts.layer({ opens: { failures: 1 }, openDuration: 100, isFailure })
          const state = await Effect.runPromise(withTime(Effect.provide(program, layer)))
          const hasFailed = call !== "answers" || answers.every((answer) => answer === "down")
          assert.strictEqual(state._tag, hasFailed ? "Open" : "Closed")
        }
      ),
      { numRuns: 100 }
    )
  })

  it.effect("does not count a request that a resolver leaves without an answer", () =>
    Effect.gen(function* () {
      const forgetful = RequestResolver.make<GetUser>(() => Effect.void)
      const user = Resource.fromRequest("user", { request: () => new GetUser({ id: 1 }), resolver: forgetful }).pipe(
        circuitBreaker(Accounts)
      )
      const error = yield* Effect.flip(Loader.load(Loader.make({ user })))
      assert.strictEqual((error.error as { readonly _tag: string })._tag, "UnansweredRequest")
      assert.strictEqual((yield* Accounts.state)._tag, "Closed")
    }).pipe(Effect.provide(Accounts.layer({ opens: { failures: 1 }, openDuration: 100 })), withTime)
  )
})

const refusing = Layer.mergeAll(
  Layer.succeed(Accounts, {
    withBreaker: (self) => self,
    state: Effect.succeed({ _tag: "Closed" as const })
  }),
  Layer.succeed(Quota, {
    withRate: () => Effect.fail(new RateLimitExceeded({ rate: "app/Quota", limit: 1, retryAfter: Duration.minutes(1) }))
  }),
  Pool.layer({ limit: 1, queue: { max: 0 } }),
  Retries.layer()
)

describe("a refused call", () => {
  it.effect("fails each waiting resource by its own name, with an event for each and no attempt of the backend", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend()
      const ask = (name: string, id: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver }).pipe(rateLimit(Quota))
      const loader = Loader.make({ a: ask("a", 1), b: ask("b", 2), same: ask("same", 1) })
      const { events, exit } = yield* withTime(RunLog.record(Loader.settle(loader)).pipe(Effect.provide(refusing)))
      const report = Exit.isSuccess(exit) ? exit.value : assert.fail()
      assert.deepStrictEqual(calls, [])
      for (const name of ["a", "b", "same"]) {
        const outcome = Report.outcome(report, name)
        const error =
          outcome?._tag === "Failed"
            ? (Cause.squash(outcome.cause) as { readonly resource: string; readonly error: unknown })
            : undefined
        assert.strictEqual(error?.resource, name)
        assert.instanceOf(error?.error, RateLimitExceeded)
        assert.deepStrictEqual(
          RunLog.lines(events).filter((line) => line.includes("PolicyRefused") && line.endsWith(name)),
          [`0 PolicyRefused ${name}`]
        )
        assert.deepStrictEqual(
          Report.get(report, name)?.phases.map(({ _tag }) => _tag),
          []
        )
      }
      assert.isFalse(events.some(({ _tag }) => _tag === "RequestSent"))
    })
  )

  it.effect("is the error of the list that has the policy, or of the item whose `each` has it", () =>
    Effect.gen(function* () {
      const { resolver } = backend()
      const options = { items: () => [1, 2], request: (id: number) => new GetUser({ id }) }
      const whole = Resource.forEachRequest("whole", { ...options, resolver }).pipe(rateLimit(Quota))
      const each = Resource.forEachRequest("each", { ...options, resolver, each: rateLimit(Quota) })
      const check = (loader: Loader.Loader<unknown, unknown, Quota, unknown>, item: number | undefined) =>
        Effect.gen(function* () {
          const failure = yield* withTime(Effect.flip(Effect.provide(Loader.load(loader, {}), refusing)))
          const error = failure as ResourceError<string, unknown>
          assert.instanceOf(error.error, RateLimitExceeded)
          assert.strictEqual(error.item?.index, item)
        })
      yield* check(Loader.make({ whole }) as never, undefined)
      yield* check(Loader.make({ each }) as never, 0)
    })
  )

  it.effect("appears at the place of the policy: a retry before it does not see it, a retry after it does", () =>
    Effect.gen(function* () {
      const { resolver } = backend()
      const user = Resource.fromRequest("user", { request: () => new GetUser({ id: 1 }), resolver })
      const count = (resource: AnyUser) =>
        Effect.map(
          withTime(RunLog.record(Loader.settle(loaderOf({ resource }), {})).pipe(Effect.provide(refusing))),
          ({ events }) => [
            RunLog.attempts(events, "user"),
            events.filter(({ _tag }) => _tag === "PolicyRefused").length
          ]
        )
      assert.deepStrictEqual(yield* count(user.pipe(Policy.retry({ times: 2 }), rateLimit(Quota))), [1, 1])
      assert.deepStrictEqual(yield* count(user.pipe(rateLimit(Quota), Policy.retry({ times: 2 }))), [3, 3])
      const text = Plan.toText(
        Loader.plan(Loader.make({ user: user.pipe(Policy.retry({ times: 2 }), rateLimit(Quota)) }))
      )
      assert.include(text, "rateLimit(app/Quota) > retry(2)")
    })
  )

  it.effect("of a breaker takes neither a permit nor a token of the policies inside it", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend(undefined, "fails")
      const user = Resource.fromRequest("user", { request: () => new GetUser({ id: 1 }), resolver }).pipe(
        rateLimit(Quota),
        circuitBreaker(Accounts),
        Policy.limit(Pool)
      )
      const load = Effect.flip(Loader.load(Loader.make({ user })))
      yield* load
      for (let k = 0; k < 3; k++) assert.strictEqual((yield* load).error._tag, "CircuitOpen")
      assert.strictEqual(calls.length, 1)
      assert.deepInclude(yield* Pool.stats, { inFlight: 0, waiting: 0 })
    }).pipe(
      Effect.provide([
        Accounts.layer({ opens: { failures: 1 }, openDuration: "1 minute" }),
        Quota.layer({ limit: 1, window: "1 minute" }),
        Pool.layer({ limit: 1 })
      ]),
      withTime
    )
  )
})

const once = Accounts.layer({ opens: { failures: 1 }, openDuration: "1 minute" })
const tagNow = Effect.map(Accounts.state, ({ _tag }) => _tag)

describe("a call that takes too long", () => {
  const slow = (timeout: number | undefined, name = "user") => {
    const { resolver } = slowly
    const user = Resource.fromRequest(name, { request: () => new GetUser({ id: 1 }), resolver })
    return timeout === undefined
      ? user.pipe(circuitBreaker(Accounts))
      : user.pipe(Policy.timeout(timeout), circuitBreaker(Accounts))
  }
  const slowly = backend(undefined, "answers", 100)

  it.effect("is a failure if all callers have left it, one of them because of its timeout", () =>
    Effect.gen(function* () {
      const cut = yield* Effect.forkChild(Loader.load(Loader.make({ other: slow(undefined, "other") })), {
        startImmediately: true
      })
      const error = yield* Effect.flip(Loader.load(Loader.make({ user: slow(50) })))
      assert.strictEqual(error.error._tag, "TimeoutError")
      assert.strictEqual(yield* tagNow, "Closed")
      yield* Fiber.interrupt(cut)
      assert.strictEqual(yield* tagNow, "Open")
    }).pipe(Effect.provide(once), withTime)
  )

  it.effect("is no failure if it answers the callers that stay", () =>
    Effect.gen(function* () {
      const page = Loader.make({ user: slow(50), patient: slow(undefined, "patient") })
      const report = yield* Loader.settle(page)
      assert.deepStrictEqual(Object.keys(report.values), ["patient"])
      assert.strictEqual(yield* tagNow, "Closed")
    }).pipe(Effect.provide(once), withTime)
  )

  it.effect("is no failure if its runs are interrupted, or their timeouts are around the breaker", () =>
    Effect.gen(function* () {
      yield* Loader.load(Loader.make({ user: slow(50) })).pipe(Effect.timeoutOption(20))
      yield* Loader.load(Loader.make({ user: slow(undefined) }, { timeout: 20 })).pipe(Effect.exit)
      yield* Loader.load(Loader.make({ user: slow(undefined).pipe(Policy.timeout(20)) })).pipe(Effect.exit)
      assert.strictEqual(yield* tagNow, "Closed")
    }).pipe(Effect.provide(once), withTime)
  )

  it.effect("is a failure only if the breaker counts timeouts as failures", () =>
    Effect.gen(function* () {
      yield* Effect.flip(Loader.load(Loader.make({ user: slow(50) })))
      assert.strictEqual(yield* tagNow, "Closed")
    }).pipe(
      Effect.provide(
        Accounts.layer({
          opens: { failures: 1 },
          openDuration: 100,
          isFailure: (error) => !Cause.isTimeoutError(error)
        })
      ),
      withTime
    )
  )

  it.effect("is a failure for all callers if the timeout is around the call", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend(undefined, "answers", 100)
      const bounded = resolver.pipe(Batching.protect(Policy.compose(Policy.timeout(50), circuitBreaker(Accounts))))
      const ask = (name: string, id: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver: bounded })
      const report = yield* Loader.settle(Loader.make({ a: ask("a", 1), b: ask("b", 2) }))
      assert.deepStrictEqual(report.values, {})
      assert.strictEqual(report.until - report.startedAt, 50)
      assert.deepStrictEqual(calls, [[1, 2]])
      assert.strictEqual(yield* tagNow, "Open")
    }).pipe(Effect.provide(once), withTime)
  )
})

describe("a retry budget of requests", () => {
  const flaky = (fails: number) => {
    let k = 0
    const calls: Array<number> = []
    const resolver = RequestResolver.make<GetUser>((entries) =>
      Effect.suspend(() => {
        calls.push(entries.length)
        if (++k <= fails) return Effect.fail(new Down())
        entries.forEach((entry) => entry.completeUnsafe(Exit.succeed("ada")))
        return Effect.void
      })
    )
    return { calls, resolver }
  }
  const spending = (options: RetryBudget.Options) => Effect.provide(Retries.layer(options))

  it.effect("counts one attempt and one retry of a call, for any number of callers", () =>
    Effect.gen(function* () {
      const { calls, resolver } = flaky(2)
      const retry = Policy.retry({ times: 3, budget: Retries })
      const users = Array.from({ length: 10 }, (_, id) => [
        `u${id}`,
        Resource.fromRequest(`u${id}`, { request: () => new GetUser({ id }), resolver }).pipe(retry)
      ])
      const report = yield* Loader.settle(loaderOf(Object.fromEntries(users)), {}) as Effect.Effect<
        Report.Report,
        never,
        Retries
      >
      assert.strictEqual(Object.keys(report.values as object).length, 10)
      assert.deepStrictEqual(calls, [10, 10, 10])
      assert.deepInclude(yield* Retries.stats, { attempts: 1, granted: 2, refused: 0 })
    }).pipe(spending({ perSecond: 1 }), withTime)
  )

  it.effect("that is spent refuses all retries of a call, and counts one refusal", () =>
    Effect.gen(function* () {
      const { calls, resolver } = flaky(9)
      const list = Resource.forEachRequest("list", {
        items: () => [1, 2, 3],
        request: (id) => new GetUser({ id }),
        resolver,
        each: Policy.retry({ times: 3, budget: Retries })
      })
      const { events } = yield* RunLog.record(Loader.settle(Loader.make({ list })))
      assert.deepStrictEqual(calls, [3])
      assert.deepInclude(yield* Retries.stats, { attempts: 1, granted: 0, refused: 1 })
      assert.isAbove(events.filter(({ _tag }) => _tag === "PolicyRefused").length, 0)
    }).pipe(spending({ ratio: 0, perSecond: 0 }), withTime)
  )

  it.effect("counts retries that begin at another instant separately, since they make another call", () =>
    Effect.gen(function* () {
      const { calls, resolver } = flaky(1)
      const collecting = RequestResolver.setDelay(resolver, 1)
      const ask = (name: string, id: number, pause: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver: collecting }).pipe(
          Policy.retry({ times: 1, schedule: Schedule.spaced(pause), budget: Retries })
        )
      yield* Loader.load(Loader.make({ a: ask("a", 1, 10), b: ask("b", 2, 10), late: ask("late", 3, 20) }))
      assert.deepStrictEqual(calls, [3, 2, 1])
      assert.deepInclude(yield* Retries.stats, { attempts: 1, granted: 2 })
    }).pipe(spending({ perSecond: 1 }), withTime)
  )

  it.effect("grants one hedge to all resources that share a slow call", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend(undefined, "answers", 100)
      const list = Resource.forEachRequest("list", {
        items: () => [1, 2, 3],
        request: (id) => new GetUser({ id }),
        resolver: RequestResolver.setDelay(resolver, 1),
        each: Policy.hedge({ after: 20, budget: Retries })
      })
      yield* Loader.load(Loader.make({ list }))
      assert.deepStrictEqual(calls, [
        [1, 2, 3],
        [1, 2, 3]
      ])
      assert.deepInclude(yield* Retries.stats, { attempts: 1, granted: 1 })
    }).pipe(spending({ perSecond: 1 }), withTime)
  )

  it.effect("around a call retries the call for all its callers", () =>
    Effect.gen(function* () {
      const { calls, resolver } = flaky(1)
      const retried = Batching.protect(resolver, Policy.retry({ times: 1, budget: Retries }))
      const ask = (name: string, id: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver: retried })
      yield* Loader.load(Loader.make({ a: ask("a", 1), b: ask("b", 2) }))
      assert.deepStrictEqual(calls, [2, 2])
      assert.deepInclude(yield* Retries.stats, { attempts: 1, granted: 1 })
    }).pipe(spending({ perSecond: 1 }), withTime)
  )
})

describe("with a cache", () => {
  class Values extends ResourceCache.Service<Values>()("app/Values") {}
  const values = Values.layer({ timeToLive: "1 minute", capacity: 10 })

  const both = {
    "a load": (policy: Policy.Policy<unknown, Accounts | Quota | Pool | Values>) =>
      Resource.make("user", { key: () => "1", load: () => Effect.delay(Effect.succeed("ada"), 10) }).pipe(policy),
    "a request": (policy: Policy.Policy<unknown, Accounts | Quota | Pool | Values>) => {
      const { resolver } = backend()
      return Resource.fromRequest("user", { key: () => "1", request: () => new GetUser({ id: 1 }), resolver }).pipe(
        policy
      )
    }
  }
  const orders = {
    "before it": Policy.compose(circuitBreaker(Accounts), rateLimit(Quota), Policy.cache(Values)),
    "after it": Policy.compose(Policy.cache(Values), circuitBreaker(Accounts), rateLimit(Quota))
  }
  for (const [what, make] of Object.entries(both)) {
    for (const [order, policy] of Object.entries(orders)) {
      it.effect(
        `a policy that protects ${what}, piped ${order}, counts neither hits nor readers that join a load`,
        () =>
          Effect.gen(function* () {
            const { counted, layer } = counters()
            const page = loaderOf({ user: make(policy as never) as AnyUser })
            const reads = Effect.andThen(settleAll(page, 5), settleAll(page, 5))
            yield* withTime(Effect.provide(reads, Layer.merge(layer, values)))
            assert.deepStrictEqual(counted, { breaker: 1, rate: 1 })
          })
      )
    }
  }

  it.effect("an open breaker that is piped after the cache refuses loads, and lets hits through", () =>
    Effect.gen(function* () {
      const key = Resource.input<string>()("key")
      const load = ({ key }: { readonly key: string }) => (key === "good" ? Effect.succeed(1) : Effect.fail(new Down()))
      const user = Resource.make("user", { deps: { key }, key: ({ key }) => key, load }).pipe(
        Policy.cache(Values),
        circuitBreaker(Accounts)
      )
      const page = Loader.make({ user })
      yield* Loader.load(page, { key: "good" })
      yield* Effect.flip(Loader.load(page, { key: "bad" }))
      const { events, exit } = yield* RunLog.record(Loader.load(page, { key: "other" }))
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "CircuitOpen")
      assert.strictEqual(events.filter(({ _tag }) => _tag === "PolicyRefused").length, 1)
      assert.deepStrictEqual(yield* Loader.load(page, { key: "good" }), { user: 1 })
      assert.strictEqual(Plan.toText(Loader.plan(page)).split("circuitBreaker").length, 2)
    }).pipe(Effect.provide([once, values]), withTime)
  )
})

describe("a half-open breaker", () => {
  it("lets one call through as its probe, and all requests of that call get their answers", async () => {
    const property = async (waiters: number, answer: Answer) => {
      const { calls, resolver } = backend((id) => (id < 0 ? "down" : answer))
      const id = Resource.input<number>()("id")
      const user = Resource.fromRequest("user", {
        deps: { id },
        request: ({ id }) => new GetUser({ id }),
        resolver
      }).pipe(circuitBreaker(Accounts))
      const load = (id: number) => Effect.exit(Loader.load(Loader.make({ user }), { id }))
      const program = Effect.gen(function* () {
        yield* load(-1)
        yield* Effect.sleep(100)
        const probing = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: waiters }, (_, id) => load(id)),
            { concurrency: "unbounded" }
          ),
          { startImmediately: true }
        )
        yield* Effect.sleep(5)
        const late = yield* load(1000)
        assert.include(String(Exit.isFailure(late) && Cause.squash(late.cause)), "CircuitOpen")
        const exits = yield* Fiber.join(probing)
        assert.isTrue(exits.every((exit) => Exit.isSuccess(exit) === (answer === "found")))
        assert.deepStrictEqual(calls.length, 2)
        yield* Effect.sleep(1)
        assert.strictEqual(yield* tagNow, answer === "down" ? "Open" : "Closed")
      })
      const layer = Accounts.layer({ opens: { failures: 1 }, openDuration: 100, isFailure })
      await Effect.runPromise(withTime(Effect.provide(program, layer)))
    }
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom<Answer>("found", "not found", "down"),
        property
      ),
      { numRuns: 60 }
    )
  })
})

describe("the protection of a resolver", () => {
  const ask = (name: string, resolver: Users) =>
    Resource.fromRequest(name, { request: () => new GetUser({ id: 1 }), resolver })

  it("must be the same in a graph: a difference is an error that names both resources and says what to do", () => {
    const { resolver } = backend()
    const list = Resource.forEachRequest("list", {
      items: () => [1],
      request: (id) => new GetUser({ id }),
      resolver,
      each: rateLimit(Quota)
    })
    const make = () => Loader.make({ user: ask("user", resolver).pipe(circuitBreaker(Accounts)), list })
    assert.throws(make, GraphError as never)
    try {
      make()
    } catch (error) {
      assert.include(
        String(error),
        '"user" (circuitBreaker(app/Accounts)) and "list" (rateLimit(app/Quota)) share the calls of one resolver, which can have ' +
          "one protection: pipe the same onto both, give it to the resolver with `Batching.protect`, or give each a resolver of its own"
      )
    }
  })

  it.effect("includes the default policy of a loader; a resource without protection has calls of its own", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend()
      const { counted, layer } = counters()
      const page = { a: ask("a", resolver), b: ask("b", resolver) }
      const standard = Loader.make(page, { policy: circuitBreaker(Accounts) })
      yield* withTime(Effect.provide(Loader.load(standard), layer))
      assert.deepStrictEqual([counted.breaker, calls.length], [1, 1])
      const mixed = Loader.make({ a: page.a.pipe(circuitBreaker(Accounts)), b: page.b })
      yield* withTime(Effect.provide(Loader.load(mixed), layer))
      assert.deepStrictEqual([counted.breaker, calls.length], [2, 3])
    })
  )

  it.effect("depends on the layer: runs with different breakers share no call", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend()
      const page = Loader.make({ user: ask("user", resolver).pipe(circuitBreaker(Accounts)) })
      const [one, other] = [counters(), counters()]
      const load = ({ layer }: typeof one) => Effect.provide(Loader.load(page), layer)
      yield* withTime(Effect.all([load(one), load(other)], { concurrency: 2 }))
      assert.deepStrictEqual([one.counted.breaker, other.counted.breaker, calls.length], [1, 1, 2])
    })
  )

  it("rejects a policy that needs a resource", () => {
    class Cached extends ResourceCache.Service<Cached>()("app/Cached") {}
    const { resolver } = backend()
    for (const policy of [Policy.hedge({ after: 1 }), Policy.cache(Cached), Saga.abortIf(() => true)]) {
      const make = () => Batching.protect(resolver, policy as never)
      assert.throws(make, /cannot be around a resolver's call: pipe it onto the resources that ask it/)
    }
    for (const given of [undefined, null, Accounts, {}]) {
      assert.throws(() => Batching.protect(resolver, given as never), /Batching.protect: expected a policy, got /)
    }
  })

  it.effect("does not change the holds of a graph-aware resolver", () =>
    Effect.gen(function* () {
      const { calls, resolver } = backend()
      const shared = resolver.pipe(Batching.graphAware({ maxHold: 100 }), Batching.protect(circuitBreaker(Accounts)))
      const early = Resource.fromRequest("early", { request: () => new GetUser({ id: 1 }), resolver: shared })
      const gate = Resource.make("gate", { load: () => Effect.sleep(5) })
      const late = Resource.fromRequest("late", {
        deps: { gate },
        request: () => new GetUser({ id: 2 }),
        resolver: shared
      })
      const { counted, layer } = counters()
      yield* withTime(Effect.provide(Loader.load(Loader.make({ early, late })), layer))
      assert.deepStrictEqual([counted.breaker, calls], [1, [[1, 2]]])
    })
  )

  it.effect(
    "leaves nothing behind if a call is interrupted at any step, and the breaker lets another probe through",
    () => {
      const ledger = Ledger.make()
      return Effect.gen(function* () {
        const resolver = RequestResolver.make<GetUser>(() =>
          Ledger.use(ledger, "asking", Effect.andThen(Effect.sleep(5), Effect.fail(new Down())))
        )
        const user = ask("user", resolver).pipe(
          Policy.limit(Pool),
          circuitBreaker(Accounts),
          Policy.retry({ times: 3, schedule: Schedule.spaced(20), budget: Retries })
        )
        const layer = Layer.mergeAll(
          Accounts.layer({ opens: { failures: 1 }, openDuration: 30 }),
          Pool.layer({ limit: 1 }),
          Retries.layer({ ratio: 9 })
        )
        const program = (probed: Interruption.Probe) => {
          const load = Effect.exit(Loader.load(probed(Loader.make({ user }))))
          const after = Effect.andThen(Effect.sleep(100), Accounts.withBreaker(Pool.withPermit(Effect.void)))
          return Effect.ensuring(load, Effect.orDie(after)).pipe(Effect.provide(layer))
        }
        assert.isAbove(yield* Interruption.atEveryStep(program, { ledger }), 15)
      })
    }
  )
})
