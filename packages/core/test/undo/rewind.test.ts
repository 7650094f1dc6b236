/** A run that is taken back to an earlier resource, and goes forward from there again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schedule } from "effect"
import { Loader, Policy, Report, Resource, Saga } from "effect-loader"
import { Interruption, RunLog } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import { Shop } from "./Shop.ts"

const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.await(fiber)
  })

/** `up` is upstream of `to`, `side` is beside, `last` fails so often. */
const trip = (shop: Shop, failures: number) => {
  let tries = 0
  const up = shop.step("up")
  const to = shop.step("to", { deps: { up } })
  const between = shop.step("between", { deps: { to } })
  const side = shop.step("side")
  const last = Resource.make("last", {
    deps: { between, side },
    load: (): Effect.Effect<string, "gone"> =>
      Effect.suspend(() => (++tries <= failures ? Effect.fail("gone") : shop.do("last")))
  })
  return { up, to, between, side, last }
}

describe("Saga.rewind", () => {
  it.effect("undoes the resource and everything downstream of it, runs that part again, and keeps all else", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 2)
      const loader = Loader.make({ last: last.pipe(Saga.rewind(to, { times: 3 })) })
      assert.deepStrictEqual(yield* Loader.load(loader), { last: "last" })
      assert.deepStrictEqual(shop.log.filter((line) => /up|side/.test(line)).toSorted(), ["+side", "+up"])
      assert.deepStrictEqual(
        shop.log.filter((line) => !/up|side/.test(line)),
        ["+to", "+between", "-between", "-to", "+to", "+between", "-between", "-to", "+to", "+between", "+last"]
      )
    })
  )

  it.effect("is bounded: then the failure is one like any other, and all is undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 9)
      const exit = yield* inTime(Loader.load(Loader.make({ last: last.pipe(Saga.rewind(to, { times: 2 })) })))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(shop.log.filter((line) => line === "+to").length, 3)
      assert.deepStrictEqual(shop.done, [])
    })
  )

  it.effect("a fallback follows when it may go back no more", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 9)
      const saved = last.pipe(
        Saga.rewind(to, { times: 1 }),
        Resource.orElseSucceed(() => "instead")
      )
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ saved })), { saved: "instead" })
      assert.strictEqual(shop.log.filter((line) => line === "+to").length, 2)
    })
  )

  it.effect("waits as its schedule says, and ends with it", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 9)
      const schedule = Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 2 }))
      const loader = Loader.make({ last: last.pipe(Saga.rewind(to, { times: 5, schedule })) })
      const fiber = yield* Effect.forkChild(Loader.load(loader), { startImmediately: true })
      const times = () => shop.log.filter((line) => line === "+to").length
      assert.strictEqual(times(), 1)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(times(), 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(times(), 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(times(), 3)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(shop.done, [])
    })
  )

  it.effect("goes back only for errors that it is meant for", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 9)
      const choosy = last.pipe(Saga.rewind(to, { times: 5, while: (error) => error !== "gone" }))
      yield* inTime(Loader.load(Loader.make({ choosy })))
      assert.strictEqual(shop.log.filter((line) => line === "+to").length, 1)
    })
  )

  it.effect("stays within the loader's timeout, all legs together", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 99)
      const rewound = last.pipe(Saga.rewind(to, { times: 99, schedule: Schedule.spaced("1 second") }))
      yield* inTime(Loader.load(Loader.make({ rewound }, { timeout: "3500 millis" })))
      assert.strictEqual(shop.log.filter((line) => line === "+to").length, 4)
      assert.deepStrictEqual(shop.done, [])
    })
  )

  it.effect("goes nowhere when something could not be undone on the way back", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const up = shop.step("up")
      const stuck = Resource.make("stuck", {
        deps: { up },
        load: () => shop.do("stuck")
      }).pipe(Saga.compensate(() => Effect.fail("x")))
      const last = Resource.make("last", { deps: { stuck }, load: () => Effect.fail("gone") }).pipe(
        Saga.rewind(stuck, { times: 5 })
      )
      const exit = yield* inTime(Loader.load(Loader.make({ last }, { onCompensationFailure: () => Effect.void })))
      assert.deepStrictEqual(shop.log, ["+up", "+stuck", "-up"])
      assert.strictEqual(Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause)?.failures.length : 0, 1)
    })
  )

  it("to something that the resource does not depend on is refused", () => {
    const shop = new Shop()
    const { last } = trip(shop, 1)
    const other = shop.step("other")
    assert.throws(
      () => Loader.make({ last: last.pipe(Saga.rewind(other, { times: 1 })) }),
      /does not depend on "other"/
    )
    assert.throws(() => Saga.rewind(other, { times: 0 }), /whole number from 1/)
  })

  it.effect("chooses again, and lists and loaders inside start again", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let flips = 0
      let tries = 0
      const side = Resource.make("coin", { load: () => Effect.sync(() => ++flips % 2 === 0) })
      const heads = shop.step("heads")
      const tails = shop.step("tails")
      const chosen = Resource.match("chosen", { on: side, cases: { true: heads, false: tails } })
      const inner = Resource.fromLoader("inner", Loader.make({ x: shop.step("x") }))
      const list = Resource.forEach(
        "list",
        { deps: { chosen }, items: () => ["i", "j"], load: (item) => shop.do(item) },
        Saga.compensate((item) => shop.undo(item))
      )
      const last = Resource.make("last", {
        deps: { list, inner },
        load: () => Effect.suspend(() => (++tries < 2 ? Effect.fail("gone") : Effect.succeed("done")))
      }).pipe(Saga.rewind(side, { times: 1 }))
      yield* Loader.load(Loader.make({ last }))
      assert.deepStrictEqual(shop.done.toSorted(), ["heads", "i", "j", "x"])
    })
  )

  it.effect("is one run to who watches: what is loaded again says so, and ends once more", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { last, to } = trip(shop, 1)
      const loader = Loader.make({ last: last.pipe(Saga.rewind(to, { times: 1 }), Policy.retry({ times: 0 })) })
      const { events } = yield* RunLog.record(Loader.load(loader))
      const count = (tag: string) => events.filter(({ _tag }) => _tag === tag).length
      assert.deepStrictEqual([count("RunStarted"), count("RunEnded"), count("ResourceRewound")], [1, 1, 3])
      const report = Report.fromEvents(events)!
      assert.strictEqual(report.end, "Completed")
      assert.isTrue(report.resources.every(({ outcome }) => outcome._tag === "Succeeded"))
    })
  )

  it.effect("interrupted at any step leaves nothing behind", () =>
    Effect.gen(function* () {
      let shop = new Shop()
      const run = (probed: Interruption.Probe) =>
        Effect.suspend(() => {
          shop = new Shop()
          const { last, to } = trip(shop, 2)
          const rewound = last.pipe(Saga.rewind(to, { times: 2, schedule: Schedule.spaced("5 millis") }))
          return Loader.load(probed(Loader.make({ rewound })))
        })
      const steps = yield* Interruption.atEveryStep(run, {
        check: ({ events }) =>
          Effect.sync(() => {
            const ended = events.at(-1)
            const completed = ended?._tag === "RunEnded" && ended.end === "Completed"
            const undoable = shop.done.filter((name) => name !== "last")
            assert.strictEqual(undoable.length, completed ? 4 : 0, shop.log.join(" "))
          })
      })
      assert.isAbove(steps, 40)
    })
  )
})
