/** Attempts that run side by side, and those that are refused before they begin. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { Limiter, Loader, Policy, Resource, Saga } from "effect-loader"
import { CircuitBreaker, circuitBreaker, RateLimit, rateLimit, RetryBudget } from "effect-loader/resilience"
import { Interruption } from "effect-loader/testing"
import { withTime } from "../withTime.ts"
import { failing, Shop } from "./Shop.ts"

class Bank extends Limiter.Service<Bank>()("app/Bank") {}
class Breaker extends CircuitBreaker.Service<Breaker>()("app/Breaker") {}
class Rate extends RateLimit.Service<Rate>()("app/Rate") {}
class Budget extends RetryBudget.Service<Budget>()("app/Budget") {}

const fork = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

/** Takes so long, attempt by attempt, and says in its value which it was. */
const deed = (
  shop: Shop,
  times: ReadonlyArray<number>,
  ends: (k: number) => Effect.Effect<void, string> = () => Effect.void
) => {
  let attempts = 0
  return Resource.make("deed", {
    load: () =>
      Effect.suspend(() => {
        const k = ++attempts
        return Effect.sleep(times[k - 1] ?? 0).pipe(Effect.andThen(ends(k)), Effect.andThen(shop.do(`deed ${k}`)))
      })
  }).pipe(
    Saga.compensate((name) => shop.undo(name)),
    Saga.cleanup(() => shop.clean("deed"))
  )
}

const load = (resource: Resource.Any) =>
  Effect.exit(Loader.load(Loader.make({ last: failing({ resource }) })) as Effect.Effect<unknown, unknown>)

describe("hedged attempts", () => {
  it.effect(
    "the one that won is undone when the load fails later, and those that lost are cleaned up after at once",
    () =>
      Effect.gen(function* () {
        const shop = new Shop()
        yield* load(deed(shop, [100, 10, 100]).pipe(Policy.hedge({ after: 5, max: 2 })))
        assert.deepStrictEqual(shop.log, ["+deed 2", "~deed", "~deed", "-deed 2"])
      }).pipe(withTime)
  )

  it.effect("one that takes effect while it is given up is undone, too, when the load fails", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const stubborn = deed(shop, [20, 10]).pipe(Policy.around("whole", Effect.uninterruptible))
      yield* load(stubborn.pipe(Policy.hedge({ after: 5 })))
      assert.deepStrictEqual(shop.log.toSorted(), ["+deed 1", "+deed 2", "-deed 1", "-deed 2"])
      assert.deepStrictEqual(shop.done, [])
    }).pipe(withTime)
  )

  it.effect("one that takes effect while it is given up is undone at once, also when the load succeeds", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const stubborn = deed(shop, [20, 10]).pipe(Policy.around("whole", Effect.uninterruptible))
      yield* Loader.load(Loader.make({ deed: stubborn.pipe(Policy.hedge({ after: 5 })) }))
      assert.deepStrictEqual(shop.log, ["+deed 2", "+deed 1", "-deed 1"])
    }).pipe(withTime)
  )

  it.effect("when all of them fail each is cleaned up after, and nothing is undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      yield* load(deed(shop, [20, 20], () => Effect.fail("no")).pipe(Policy.hedge({ after: 5 })))
      assert.deepStrictEqual(shop.log, ["~deed", "~deed"])
    }).pipe(withTime)
  )

  it.effect("a compensation around all of them undoes the value that won, once", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let attempts = 0
      const raced = Resource.make("deed", {
        load: () => Effect.suspend(() => Effect.andThen(Effect.sleep(++attempts === 1 ? 100 : 10), shop.do("deed")))
      }).pipe(
        Policy.hedge({ after: 5 }),
        Saga.compensate((name) => shop.undo(name))
      )
      yield* load(raced)
      assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
    }).pipe(withTime)
  )

  it.effect("interrupted at any step, what any of them did is undone", () =>
    Effect.gen(function* () {
      let shop = new Shop()
      const run = (probed: Interruption.Probe) =>
        Effect.suspend(() => {
          shop = new Shop()
          const raced = deed(shop, [20, 10]).pipe(Policy.hedge({ after: 5 }))
          return Loader.load(probed(Loader.make({ last: failing({ raced }, 5) })))
        })
      yield* Interruption.atEveryStep(run, { check: () => assert.deepStrictEqual(shop.done, []) })
    })
  )
})

describe("an attempt that was refused", () => {
  it.effect("by a limiter never began: it is not cleaned up after, and nothing is undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const holder = yield* fork(Bank.withPermit(Effect.sleep(50)))
      const refused = Resource.make("refused", { load: () => shop.do("refused") }).pipe(
        Saga.compensate((name) => shop.undo(name)),
        Saga.cleanup(() => shop.clean("refused")),
        Policy.limit(Bank),
        Saga.cleanup(() => shop.clean("all of refused"))
      )
      const exit = yield* Effect.exit(Loader.load(Loader.make({ refused })))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(shop.log, [])
      yield* Fiber.join(holder)
    }).pipe(Effect.provide(Bank.layer({ limit: 1, queue: { max: 0 } })), withTime)
  )

  const guarded = <E, R>(guard: Policy.Policy<E, R>) =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a")
      const refused = Resource.make("refused", { deps: { a }, load: () => Effect.fail("no") }).pipe(
        guard,
        Saga.cleanup(() => shop.clean("one")),
        Policy.retry({ times: 3 }),
        Saga.cleanup(() => shop.clean("all"))
      )
      const page = Loader.load(Loader.make({ refused }))
      yield* Effect.exit(page)
      assert.deepStrictEqual(shop.log, ["+a", "~one", "~all", "-a"])
      yield* Effect.exit(page)
      assert.deepStrictEqual(shop.log.slice(4), ["+a", "-a"])
    })

  it.effect("by a breaker never began: each cleanup follows an attempt that did, and what others did is undone", () =>
    guarded(circuitBreaker(Breaker)).pipe(
      Effect.provide(Breaker.layer({ opens: { failures: 1 }, openDuration: "30 seconds" })),
      withTime
    )
  )

  it.effect(
    "by a rate limit never began: each cleanup follows an attempt that did, and what others did is undone",
    () => guarded(rateLimit(Rate)).pipe(Effect.provide(Rate.layer({ limit: 1, window: "1 minute" })), withTime)
  )

  it.effect("that a spent budget did not allow is no attempt: the last one that began is cleaned up after, once", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const poor = deed(shop, [], () => Effect.fail("no")).pipe(
        Policy.retry({ times: 5, budget: Budget }),
        Saga.cleanup(() => shop.clean("all"))
      )
      yield* Effect.exit(Loader.load(Loader.make({ poor })))
      assert.deepStrictEqual(shop.log, ["~deed", "~all"])
    }).pipe(Effect.provide(Budget.layer({ ratio: 0, perSecond: 0 })), withTime)
  )

  it.effect("that waits for a slot when the run ends never began", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const long = Resource.make("long", { load: () => Effect.andThen(Effect.sleep(10), Effect.fail("no")) })
      const waiting = deed(shop, []).pipe(
        Policy.retry({ times: 1 }),
        Saga.cleanup(() => shop.clean("all"))
      )
      const late = Resource.make("late", { deps: { waiting }, load: () => Effect.void })
      yield* Effect.exit(Loader.load(Loader.make({ long, late }, { concurrency: 1 })))
      yield* Effect.exit(Loader.load(Loader.make({ late, long: failing({}, 0) }, { concurrency: 1 })))
      assert.notInclude(shop.log, "~deed")
      assert.notInclude(shop.log, "~all")
    }).pipe(withTime)
  )

  it.effect("what an attempt does around its load has begun with it", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const locked = Resource.make("deed", { load: () => shop.do("deed") }).pipe(
        Policy.around<string>("locked", (self) => Effect.andThen(Effect.fail("no lock"), self)),
        Saga.cleanup(() => shop.clean("lock"))
      )
      yield* Effect.exit(Loader.load(Loader.make({ locked })))
      assert.deepStrictEqual(shop.log, ["~lock"])
    })
  )
})

describe("permits and slots, while a run is undone", () => {
  const idle = Effect.map(Bank.stats, ({ inFlight }) => assert.strictEqual(inFlight, 0))

  it.effect("compensations hold none: others get their permits in the meantime", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const a = shop.step("a", { undo: 1000 }).pipe(Policy.limit(Bank))
      const run = yield* fork(Effect.exit(Loader.load(Loader.make({ last: failing({ a }).pipe(Policy.limit(Bank)) }))))
      assert.isUndefined(run.pollUnsafe())
      yield* idle
      const other = shop.step("other").pipe(Policy.limit(Bank))
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ other })), { other: "other" })
      yield* Fiber.join(run)
      assert.deepStrictEqual(shop.log, ["+a", "+other", "-a"])
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("one that takes a permit by hand gets one like any other, though its attempt had one", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let most = 0
      const a = Resource.make("a", { load: () => shop.do("a") }).pipe(
        Saga.compensate((name) =>
          Bank.withPermit(
            Effect.andThen(
              Effect.map(Bank.stats, ({ inFlight }) => (most = inFlight)),
              shop.undo(name)
            )
          )
        ),
        Policy.limit(Bank)
      )
      const holder = yield* fork(Effect.andThen(Effect.sleep(1), Bank.withPermit(Effect.sleep(20))))
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ a }, 5) })))
      assert.deepStrictEqual([shop.log, most], [["+a", "-a"], 1])
      yield* Fiber.join(holder)
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("one may run a loader, which is a run like any other", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const refund = Loader.make({ refund: shop.step("refund").pipe(Policy.limit(Bank)) }, { concurrency: 1 })
      const a = Resource.make("a", { load: () => shop.do("a") }).pipe(
        Saga.compensate((name) => Effect.andThen(Loader.load(refund), shop.undo(name))),
        Policy.limit(Bank)
      )
      const inner = Loader.make({ last: failing({ a }) }, { concurrency: 1 })
      yield* Effect.exit(Loader.load(Loader.make({ page: Resource.fromLoader("page", inner) }, { concurrency: 1 })))
      assert.deepStrictEqual(shop.log, ["+a", "+refund", "-a"])
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect(
    "a cleanup that is a part of the attempt runs with its permit and slot; one around the attempts has none",
    () =>
      Effect.gen(function* () {
        const held: Array<string> = []
        const look = (where: string) => Effect.map(Bank.stats, ({ inFlight }) => held.push(`${where} ${inFlight}`))
        const broken = Resource.make("broken", { load: () => Effect.fail("no") }).pipe(
          Saga.cleanup(() => look("inside")),
          Policy.retry({ times: 0 }),
          Policy.limit(Bank),
          Saga.cleanup(() => look("outside"))
        )
        yield* Effect.exit(Loader.load(Loader.make({ broken })))
        assert.deepStrictEqual(held, ["inside 1", "outside 0"])
        yield* idle
      }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("items of a list that are undone because another one failed hold no permit", () =>
    Effect.gen(function* () {
      const held: Array<number> = []
      const list = Resource.forEach(
        "list",
        {
          items: () => ["a", "b", "c"],
          load: (item) => (item === "c" ? Effect.fail("no") : Effect.succeed(item)),
          each: Policy.limit(Bank)
        },
        Saga.compensate(() => Effect.map(Bank.stats, ({ inFlight }) => held.push(inFlight)))
      )
      yield* Effect.exit(Loader.load(Loader.make({ list }, { concurrency: 1 })))
      assert.deepStrictEqual(held, [0, 0])
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("a loader that is run inside an attempt is undone inside it, and borrows what that has", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let held = 0
      const a = Resource.make("a", { load: () => shop.do("a") }).pipe(
        Saga.compensate((name) =>
          Bank.withPermit(
            Effect.andThen(
              Effect.map(Bank.stats, ({ inFlight }) => (held = inFlight)),
              shop.undo(name)
            )
          )
        ),
        Policy.limit(Bank)
      )
      const inner = Loader.make({ last: failing({ a }) })
      const list = Resource.forEach("list", {
        items: () => [1],
        load: () => Loader.load(inner),
        each: Policy.limit(Bank)
      })
      yield* Effect.exit(Loader.load(Loader.make({ list })))
      assert.deepStrictEqual([shop.log, held], [["+a", "-a"], 1])
      yield* idle
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )
})

describe("what undoes, and runs a loader to do so", () => {
  it.effect("is not undone itself, be it for an item, a list or an attempt that failed", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const run = (name: string) => Loader.load(Loader.make({ step: shop.step(name) }))
      const list = Resource.forEach(
        "list",
        {
          items: () => ["a", "b"],
          load: (item) => (item === "b" ? Effect.andThen(Effect.sleep(5), Effect.fail("no")) : shop.do(item))
        },
        Saga.compensate((item) => Effect.andThen(run(`refund ${item}`), shop.undo(item))),
        Saga.cleanup((_, { item }) => run(`cleanup ${String(item?.value)}`))
      ).pipe(Saga.cleanup(() => run("cleanup of all")))
      yield* Effect.exit(Loader.load(Loader.make({ list })))
      assert.deepStrictEqual(shop.log, ["+a", "+cleanup b", "+cleanup of all", "+refund a", "-a"])
    }).pipe(withTime)
  )
})
