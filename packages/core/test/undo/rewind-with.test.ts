/** Going back, together with what others hold, give, choose and repeat. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Schedule } from "effect"
import { Limiter, Loader, Policy, Resource, Saga } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { withTime } from "../withTime.ts"
import { Shop } from "./Shop.ts"

class Bank extends Limiter.Service<Bank>()("app/Bank") {}

const fork = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

/** Fails so often, after a while, and then is done. */
const flaky = <const D extends Resource.Deps>(shop: Shop, deps: D, failures: number, takes = 0) => {
  let tries = 0
  return Resource.make("last", {
    deps,
    load: () =>
      Effect.andThen(
        Effect.sleep(takes),
        Effect.suspend(() => (++tries <= failures ? Effect.fail("gone" as const) : shop.do("last")))
      )
  })
}

const idle = Effect.map(Bank.stats, ({ inFlight, waiting }) =>
  assert.deepStrictEqual({ inFlight, waiting }, { inFlight: 0, waiting: 0 })
)

const count = (shop: Shop, line: string) => shop.log.filter((one) => one === line).length

describe("Saga.rewind and limiters", () => {
  it.effect("permits are given back before anything is undone, and attempts after it ask again", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const held: Array<number> = []
      const to = shop.step("to").pipe(
        Saga.compensate(() => Effect.map(Bank.stats, ({ inFlight }) => held.push(inFlight))),
        Policy.limit(Bank)
      )
      const side = shop.step("side", { takes: 50 }).pipe(Policy.limit(Bank))
      const last = flaky(shop, { to }, 2, 5).pipe(Saga.rewind(to, { times: 2 }), Policy.limit(Bank))
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ last, side })), { last: "last", side: "side" })
      assert.deepStrictEqual(held, [0, 0])
      assert.strictEqual(count(shop, "+to"), 3)
      yield* idle
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("while it pauses, others get the permits", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to").pipe(Policy.limit(Bank))
      const last = flaky(shop, { to }, 1).pipe(
        Saga.rewind(to, { times: 1, schedule: Schedule.spaced(100) }),
        Policy.limit(Bank)
      )
      const run = yield* fork(Loader.load(Loader.make({ last })))
      yield* idle
      const other = shop.step("other").pipe(Policy.limit(Bank))
      yield* Loader.load(Loader.make({ other }))
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      yield* Fiber.join(run)
      assert.deepStrictEqual(shop.log, ["+to", "-to", "+other", "+to", "+last"])
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("the deadline by which limiters decide is that of the run, whichever leg asks", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      const last = flaky(shop, { to }, 9, 20).pipe(Policy.limit(Bank), Saga.rewind(to, { times: 9 }))
      const exit = yield* Effect.exit(Loader.load(Loader.make({ last }, { timeout: 50 })))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(yield* Clock.currentTimeMillis, 50)
      assert.strictEqual(count(shop, "+to"), 3)
      assert.deepStrictEqual(shop.done, [])
      yield* idle
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("interrupted at any step, permits and slots are given back, and nothing is left", () =>
    Effect.gen(function* () {
      let shop = new Shop()
      const run = (probed: Interruption.Probe) =>
        Effect.suspend(() => {
          shop = new Shop()
          const to = shop.step("to", { takes: 2, undo: 2 }).pipe(Policy.limit(Bank))
          const side = shop.step("side", { takes: 3 }).pipe(Policy.limit(Bank))
          const last = flaky(shop, { to, side }, 2, 2).pipe(
            Saga.rewind(to, { times: 2, schedule: Schedule.spaced(5) }),
            Policy.limit(Bank)
          )
          const load = Loader.load(probed(Loader.make({ last }, { concurrency: 1 })))
          return Effect.ensuring(load, idle).pipe(Effect.provide(Bank.layer({ limit: 1 })))
        })
      const steps = yield* Interruption.atEveryStep(run, {
        check: ({ events }) => {
          const ended = events.at(-1)
          const completed = ended?._tag === "RunEnded" && ended.end === "Completed"
          assert.strictEqual(shop.done.length, completed ? 3 : shop.done.includes("last") ? 1 : 0, shop.log.join())
        }
      })
      assert.isAbove(steps, 50)
    })
  )
})

describe("Saga.rewind and slots", () => {
  it.effect("with one slot, also inside a loader and an item, attempts after a rewind get it again", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to", { takes: 1 })
      const side = shop.step("side", { takes: 5 })
      const inner = Loader.make(
        {
          last: flaky(shop, { to, side }, 1, 1).pipe(Saga.rewind(to, { times: 1 }))
        },
        { concurrency: 1 }
      )
      const page = Resource.fromLoader("page", inner)
      const outside = shop.step("outside", { takes: 3 })
      yield* Loader.load(Loader.make({ page, outside }, { concurrency: 1 }))
      assert.deepStrictEqual(shop.done.toSorted(), ["last", "outside", "side", "to"])
      assert.strictEqual(count(shop, "+to"), 2)
    }).pipe(withTime)
  )

  it.effect("a loader inside that goes back takes nobody around with it", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      const inner = Loader.make({ last: flaky(shop, { to }, 1, 10).pipe(Saga.rewind(to, { times: 1 })) })
      const beside = shop.step("beside", { takes: 15 })
      yield* Loader.load(Loader.make({ page: Resource.fromLoader("page", inner), beside }))
      assert.strictEqual(count(shop, "+beside"), 1)
      assert.notInclude(shop.log, "-beside")
    }).pipe(withTime)
  )

  it.effect("a run around that goes back starts a loader inside anew, which may go back as often again", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const start = shop.step("start")
      const through = Resource.input<string>()("through")
      const to = shop.step("to", { deps: { through } })
      let inside = 0
      const last = Resource.make("inside", {
        deps: { to },
        load: () => (++inside % 2 === 1 ? Effect.fail("gone") : Effect.succeed("in"))
      }).pipe(Saga.rewind(to, { times: 1 }))
      const page = Resource.fromLoader("page", Loader.make({ last }), { inputs: { through: start } })
      yield* Loader.load(Loader.make({ last: flaky(shop, { page }, 1).pipe(Saga.rewind(start, { times: 1 })) }))
      assert.deepStrictEqual([count(shop, "+start"), count(shop, "+to")], [2, 4])
      assert.deepStrictEqual(shop.done, ["start", "to", "last"])
    }).pipe(withTime)
  )
})

describe("Saga.rewind and what is given or chosen", () => {
  it.effect("to a resource that is overridden: its stand-in is run again, and all downstream of it", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      const between = shop.step("between", { deps: { to } })
      const last = flaky(shop, { between }, 1).pipe(Saga.rewind(to, { times: 1 }))
      const loader = Loader.make({ last }).pipe(Loader.override(to, shop.do("other")))
      yield* Loader.load(loader)
      assert.deepStrictEqual(shop.log, ["+other", "+between", "-between", "+other", "+between", "+last"])
    })
  )

  it.effect("to a resource whose value is given: all downstream of it is undone and loaded again", () =>
    Effect.gen(function* () {
      for (const way of ["override", "values", "input"]) {
        const shop = new Shop()
        const step = shop.step("to")
        const to = way === "input" ? Resource.input<string>()("to") : step
        const between = shop.step("between", { deps: { to } })
        const last = flaky(shop, { between }, 1).pipe(Saga.rewind(to, { times: 1 }))
        const loader = Loader.make({ last, to })
        const given =
          way === "override"
            ? Loader.override(loader, step, "given")
            : way === "values"
              ? Loader.withValues(loader, { to: "given" })
              : loader
        yield* Loader.load(given, { to: "given" })
        assert.deepStrictEqual(shop.log, ["+between", "-between", "+between", "+last"], way)
      }
    })
  )

  it.effect("where a value that is given leaves nothing to go back to, its failure is one like any other", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      const between = shop.step("between", { deps: { to } })
      const last = flaky(shop, { between }, 1).pipe(Saga.rewind(to, { times: 1 }))
      const exit = yield* Effect.exit(Loader.load(Loader.make({ last }).pipe(Loader.override(between, "given"))))
      assert.isTrue(Exit.isFailure(exit))
      const values = Loader.withValues(Loader.make({ last, between }), { between: "given" })
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(Loader.load(values))))
      assert.deepStrictEqual(shop.log, ["+last"])
    })
  )

  it.effect("what was chosen is undone and chosen again, also where the choice is not downstream", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const on = Resource.input<boolean>()("on")
      const chosen = Resource.match("chosen", { on, cases: { true: shop.step("yes"), false: shop.step("no") } })
      const to = shop.step("to")
      const last = flaky(shop, { to, chosen }, 1).pipe(Saga.rewind(to, { times: 1 }))
      yield* Loader.load(Loader.make({ last }), { on: true })
      assert.deepStrictEqual(shop.done.toSorted(), ["last", "to", "yes"])
      assert.strictEqual(count(shop, "+yes"), 2)
      assert.strictEqual(count(shop, "+no"), 0)
    })
  )

  it.effect("inside of a chosen branch it goes back to what that branch needs", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const on = Resource.input<boolean>()("on")
      const to = shop.step("to")
      const last = flaky(shop, { to }, 1).pipe(Saga.rewind(to, { times: 1 }))
      const chosen = Resource.match("chosen", { on, cases: { true: last, false: shop.step("no") } })
      const { chosen: value } = yield* Loader.load(Loader.make({ chosen }), { on: true })
      assert.strictEqual(value, "last")
      assert.deepStrictEqual(shop.log, ["+to", "-to", "+to", "+last"])
    })
  )

  it.effect("items of a list that is kept are not loaded again, and those of one downstream are undone and are", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const list = (name: string, deps: Resource.Deps) =>
        Resource.forEach(
          name,
          { deps, items: () => [`${name} 1`, `${name} 2`], load: (item) => shop.do(item) },
          Saga.compensate((item) => shop.undo(item))
        )
      const to = shop.step("to")
      const [kept, again] = [list("kept", {}), list("again", { to })]
      yield* Loader.load(Loader.make({ last: flaky(shop, { kept, again }, 1).pipe(Saga.rewind(to, { times: 1 })) }))
      assert.deepStrictEqual(shop.done.toSorted(), ["again 1", "again 2", "kept 1", "kept 2", "last", "to"])
      assert.deepStrictEqual([count(shop, "+kept 1"), count(shop, "+again 1")], [1, 2])
    })
  )

  it.effect("a list whose items go back starts again as a whole", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      let tries = 0
      const list = Resource.forEach(
        "list",
        {
          deps: { to },
          items: () => ["a", "b"],
          load: (item): Effect.Effect<string, "gone"> =>
            Effect.suspend(() => (item === "b" && ++tries === 1 ? Effect.fail("gone") : shop.do(item))),
          each: Saga.rewind(to, { times: 1 })
        },
        Saga.compensate((item) => shop.undo(item))
      )
      yield* Loader.load(Loader.make({ list }))
      assert.deepStrictEqual(shop.log, ["+to", "+a", "-a", "-to", "+to", "+a", "+b"])
    })
  )

  it("in `each` or as a default it is refused, too, where the resource does not depend on where it leads", () => {
    const shop = new Shop()
    const to = shop.step("to")
    const list = Resource.forEach("list", {
      items: () => ["a"],
      load: (item) => Effect.succeed(item),
      each: Saga.rewind(to, { times: 1 })
    })
    assert.throws(() => Loader.make({ list, to }), /does not depend on "to"/)
    assert.throws(() => Loader.make({ to }, { policy: Saga.rewind(to, { times: 1 }) }), /does not depend on "to"/)
  })

  it.effect("in `settle` nothing goes back", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      const report = yield* Loader.settle(
        Loader.make({ last: flaky(shop, { to }, 1).pipe(Saga.rewind(to, { times: 1 })) })
      )
      assert.deepStrictEqual(
        report.resources.map(({ outcome }) => outcome._tag),
        ["Succeeded", "Failed"]
      )
      assert.deepStrictEqual(shop.log, ["+to"])
    })
  )

  it.effect(
    "with a retry inside, it goes back when there is no further attempt; with one around, the leg is over",
    () =>
      Effect.gen(function* () {
        const back = (to: Resource.Any) => Saga.rewind(to, { times: 1 })
        const again = Policy.retry({ times: 1 })
        const inside = new Shop()
        const a = inside.step("to")
        yield* Loader.load(Loader.make({ last: flaky(inside, { a }, 3).pipe(again, back(a)) }))
        assert.strictEqual(count(inside, "+to"), 2)
        const around = new Shop()
        const b = around.step("to")
        yield* Loader.load(Loader.make({ last: flaky(around, { b }, 1).pipe(back(b), again) }))
        assert.strictEqual(count(around, "+to"), 2)
      })
  )

  it.effect("level by level it goes back and forward just so", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const to = shop.step("to")
      const side = shop.step("side")
      const between = shop.step("between", { deps: { to, side } })
      const last = flaky(shop, { between }, 1).pipe(Saga.rewind(to, { times: 1 }))
      yield* Loader.load(
        Loader.make({ last, beyond: shop.step("beyond", { deps: { last } }) }, { scheduling: "batched" })
      )
      assert.deepStrictEqual(shop.done.toSorted(), ["between", "beyond", "last", "side", "to"])
      assert.strictEqual(count(shop, "+side"), 1)
    })
  )

  it.effect("when two go back at once, the run goes once, to where the first one wanted", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const first = shop.step("first")
      const second = shop.step("second", { deps: { first } })
      let tries = 0
      const make = (name: string, to: Resource.Any) =>
        Resource.make(name, {
          deps: { second },
          load: () =>
            Effect.andThen(
              Effect.sleep(1),
              Effect.suspend(() => (++tries <= 2 ? Effect.fail("no") : Effect.succeed(name)))
            )
        }).pipe(Saga.rewind(to, { times: 2 }))
      const exit = yield* Effect.exit(Loader.load(Loader.make({ a: make("a", second), b: make("b", first) })))
      assert.isTrue(Exit.isSuccess(exit), String(shop.log))
      assert.deepStrictEqual(shop.done, ["first", "second"])
    }).pipe(withTime)
  )
})

describe("Saga.rewind and what is held or kept", () => {
  it.effect("what a resource holds in a scope is released with the caller's, once for each time it was loaded", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const open = Effect.acquireRelease(shop.do("open"), () => shop.clean("closed"))
      const to = Resource.make("to", { load: () => open }).pipe(Saga.compensate((name) => shop.undo(name)))
      const last = flaky(shop, { to }, 1).pipe(Saga.rewind(to, { times: 1 }))
      yield* Effect.scoped(Loader.load(Loader.make({ last })))
      assert.deepStrictEqual(shop.log, ["+open", "-open", "+open", "+last", "~closed", "~closed"])
    })
  )

  it.effect("a load that can be reversed and went back undoes what is there, and nothing of the legs before", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const up = shop.step("up")
      const to = shop.step("to", { deps: { up } })
      const last = flaky(shop, { to }, 1).pipe(
        Saga.compensate((name) => shop.undo(name)),
        Saga.rewind(to, { times: 1 })
      )
      const { undo } = yield* Loader.loadReversible(Loader.make({ last }))
      assert.deepStrictEqual(shop.log.splice(0), ["+up", "+to", "-to", "+to", "+last"])
      yield* undo
      assert.deepStrictEqual(shop.log, ["-last", "-to", "-up"])
    })
  )
})
