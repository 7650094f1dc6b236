/** Rate limits: how many loads begin in a time. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Layer, Schedule } from "effect"
import { RateLimiterError, RateLimiterStore, RateLimitStoreError } from "effect/persistence/RateLimiter"
import { Loader, Plan, Policy, Resource } from "effect-loader"
import { Interruption, RunLog } from "effect-loader/testing"
import { RateLimitExceeded, RateLimit, rateLimit } from "effect-loader/resilience"
import { failureOf } from "../failureOf.ts"
import { withTime } from "../withTime.ts"

class Search extends RateLimit.Service<Search>()("app/Search") {}

const begun: Array<number> = []
const note = Effect.map(Clock.currentTimeMillis, (at) => begun.push(at))

/** The instants at which `count` loads begin, as items of one list. */
const startsOf = (count: number, options: RateLimit.Options, concurrency: number | "unbounded" = "unbounded") =>
  Effect.suspend(() => {
    begun.length = 0
    const hits = Resource.forEach("hits", {
      items: () => Array.from({ length: count }, (_, k) => k),
      load: () => Effect.andThen(note, Effect.sleep(30)),
      each: rateLimit(Search)
    })
    const load = RunLog.record(Loader.load(Loader.make({ hits }, { concurrency })))
    return Effect.map(withTime(load.pipe(Effect.provide(Search.layer(options)))), ({ events, exit }) => ({
      begun: begun.slice(),
      events,
      exit
    }))
  })

describe("a rate limit", () => {
  it.effect("fails with the time until it allows more", () =>
    Effect.gen(function* () {
      const { begun, events, exit } = yield* startsOf(3, { limit: 2, window: "1 second" })
      assert.deepStrictEqual(begun, [0, 0])
      const error = failureOf(exit).error
      assert.instanceOf(error, RateLimitExceeded)
      assert.deepStrictEqual([error.limit, error.retryAfter], [2, Duration.seconds(1)])
      assert.strictEqual(error.message, 'rate limit "app/Search" (2) is exceeded: try again in 1s')
      const refused = events.filter(({ _tag }) => _tag === "PolicyRefused")
      assert.deepStrictEqual(
        refused.map((event) => ({ ...event, at: 0, run: 0 })),
        [{ _tag: "PolicyRefused", resource: "hits", item: 2, policy: "rateLimit(app/Search)", error, at: 0, run: 0 }]
      )
    })
  )

  it.effect("with `delay`, waits without a slot", () =>
    Effect.gen(function* () {
      const delay = { limit: 2, window: "1 second", onExceeded: "delay" } as const
      assert.deepStrictEqual((yield* startsOf(5, delay)).begun, [0, 0, 1000, 1000, 2000])
      const bucket = { ...delay, algorithm: "token-bucket" } as const
      assert.deepStrictEqual((yield* startsOf(5, bucket)).begun, [0, 0, 500, 1000, 1500])
      const other = Resource.make("other", { load: () => Effect.sleep(50) })
      const hits = Resource.make("hits", { load: () => Effect.void }).pipe(rateLimit(Search, { tokens: 2 }))
      const more = Resource.make("more", { load: () => Effect.void }).pipe(rateLimit(Search, { tokens: 2 }))
      const loader = Loader.make({ hits, more, other }, { concurrency: 1 })
      const { events } = yield* withTime(RunLog.record(Loader.load(loader)).pipe(Effect.provide(Search.layer(delay))))
      assert.include(RunLog.lines(events), "1000 ResourceSucceeded more")
      assert.include(Plan.toText(Loader.plan(loader)), "rateLimit(app/Search, 2)")
    })
  )

  it.effect("a retry around it can wait for `retryAfter`", () =>
    Effect.gen(function* () {
      const one = (name: string) =>
        Resource.make(name, { load: () => note }).pipe(
          rateLimit(Search),
          Policy.retry({
            times: 1,
            retryAfter: (error: RateLimitExceeded) => error.retryAfter,
            schedule: Schedule.spaced(1)
          })
        )
      begun.length = 0
      const loader = Loader.make({ a: one("a"), b: one("b") })
      const exit = yield* withTime(
        Effect.exit(Loader.load(loader)).pipe(Effect.provide(Search.layer({ limit: 1, window: "1 second" })))
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(begun, [0, 1000])
    })
  )

  it.effect("lets everything through if its store cannot be reached", () => {
    const gone = Effect.fail(new RateLimiterError({ reason: new RateLimitStoreError({ message: "gone" }) }))
    const store = Layer.succeed(RateLimiterStore, {
      fixedWindow: () => gone,
      tokenBucket: () => gone,
      adaptiveConsume: () => gone,
      adaptiveFeedback: () => gone
    })
    const search = Search.withRate(Effect.succeed("found"))
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.all([search, search]), ["found", "found"])
    }).pipe(Effect.provide(Layer.provide(Search.layerShared({ limit: 1, window: "1 day" }), store)))
  })

  it("without a wait, a synchronous load stays synchronous", () => {
    const found = Resource.make("found", { load: () => Effect.succeed(1) }).pipe(rateLimit(Search))
    const load = Effect.provide(Loader.load(Loader.make({ found })), Search.layer({ limit: 2, window: "1 second" }))
    assert.deepStrictEqual(Effect.runSync(load), { found: 1 })
  })

  it.effect("rejects invalid options with a defect that says so", () =>
    Effect.gen(function* () {
      const said = (limit: number, tokens: number) =>
        Effect.map(
          Effect.exit(
            Search.withRate(Effect.void, { tokens }).pipe(Effect.provide(Search.layer({ limit, window: "1 second" })))
          ),
          (exit) => (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
        )
      assert.match(yield* said(0, 1), /rate limit "app\/Search": `limit` must be a whole number from 1, got 0/)
      assert.match(yield* said(2, 3), /`tokens` must be a whole number from 1 to the limit of 2, got 3/)
      assert.match(yield* said(2, 0.5), /got 0.5/)
    })
  )

  it.effect("leaves nothing behind if interrupted at any step", () =>
    Effect.gen(function* () {
      const hits = Resource.forEach("hits", {
        items: () => [1, 2, 3],
        load: () => Effect.sleep(5),
        each: rateLimit(Search)
      })
      const layer = Search.layer({ limit: 1, window: 20, onExceeded: "delay" })
      const loader = Loader.make({ hits }, { concurrency: 1 })
      yield* Interruption.atEveryStep((probed) => Loader.load(probed(loader)).pipe(Effect.provide(layer)))
    })
  )
})
