/** A reader is interrupted at any step: the others get their values, and nothing is left behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schedule } from "effect"
import { Loader, Observer, Policy, Resource, ResourceCache } from "effect-loader"
import { Interruption, Ledger } from "effect-loader/testing"
import { TestClock } from "effect/testing"
import { withTime } from "../withTime.ts"

class Users extends ResourceCache.Service<Users>()("app/Users") {}

const layer = Users.layer({ timeToLive: "1 minute" })

/** A page of cached resources that take time, hold an acquisition of a ledger while they load, and are retried. */
const pageOf = (ledger: Ledger.Ledger, concurrency: number) => {
  const make = (name: string, millis: number, deps: Readonly<Record<string, Resource.Any>> = {}) => {
    let tries = 0
    return Resource.make(name, {
      deps,
      key: () => name,
      load: () =>
        Ledger.use(
          ledger,
          name,
          Effect.andThen(
            Effect.sleep(millis),
            Effect.suspend((): Effect.Effect<string, "busy"> =>
              ++tries % 2 === 1 ? Effect.fail("busy") : Effect.succeed(name)
            )
          )
        )
    }).pipe(Policy.retry({ times: 3, schedule: Schedule.spaced(5) }), Policy.cache(Users))
  }
  const a = make("a", 10)
  const b = make("b", 20)
  return Loader.make({ a, b, c: make("c", 10, { a, b }) }, { concurrency })
}

const values = { a: "a", b: "b", c: "c" }

describe("of two runs that share a cache", () => {
  it.effect("one can be interrupted at every event of its own, and the other gets its values", () =>
    Effect.gen(function* () {
      for (const concurrency of [1, 3]) {
        let events = Infinity
        for (let k = 0; k < events; k++) {
          const ledger = Ledger.make()
          const page = pageOf(ledger, concurrency)
          const both = Effect.gen(function* () {
            let seen = 0
            let first: Fiber.Fiber<unknown, unknown> | undefined
            const observed = Observer.observe(Loader.load(page), () => {
              if (seen++ === k) first?.interruptUnsafe()
            })
            first = yield* Effect.forkChild(observed)
            const second = yield* Effect.forkChild(Loader.load(page))
            const third = yield* Effect.forkChild(Effect.delay(Loader.load(page), 12))
            const exits = [yield* Fiber.await(second), yield* Fiber.await(third)]
            yield* Fiber.await(first)
            return { exits, seen }
          })
          const { exits, seen } = yield* withTime(Effect.provide(both, layer))
          events = seen > k ? Infinity : k
          for (const exit of exits) assert.deepStrictEqual(exit, Exit.succeed(values), `interrupted at event ${k}`)
          assert.deepStrictEqual(Ledger.problems(ledger), [], `interrupted at event ${k}`)
        }
        assert.isTrue(events > 10)
      }
    })
  )

  it.effect("both can be interrupted at every step, and nothing is left behind", () =>
    Effect.gen(function* () {
      const ledger = Ledger.make()
      const tried = yield* Interruption.atEveryStep(
        (probed) => {
          const page = probed(pageOf(ledger, 2))
          const load = Loader.load(page)
          return Effect.provide(Effect.all([load, Effect.delay(load, 12)], { concurrency: 2 }), layer)
        },
        { ledger }
      )
      assert.isTrue(tried > 30)
    })
  )

  it.effect("a refresh can be interrupted at every step, with the layer that it belongs to", () =>
    Effect.gen(function* () {
      const ledger = Ledger.make()
      const stale = Users.layer({ timeToLive: 15, staleWhileRevalidate: "1 minute" })
      const tried = yield* Interruption.atEveryStep(
        (probed) => {
          const load = Loader.load(probed(pageOf(ledger, 2)))
          return Effect.provide(Effect.all([load, Effect.delay(load, 50), Effect.delay(load, 12)]), stale)
        },
        { ledger }
      )
      assert.isTrue(tried > 30)
    })
  )
})

describe("of a load", () => {
  it.effect("that interrupts its reader before it first waits, nothing runs after the end of the reader", () =>
    Effect.gen(function* () {
      for (const takes of [0, 1, 10]) {
        const done: Array<string> = []
        const reader = yield* Effect.forkChild(
          Effect.withFiber((fiber) => {
            const load = Effect.suspend(() => {
              fiber.interruptUnsafe()
              return takes === 0 ? Effect.yieldNow : Effect.sleep(takes)
            }).pipe(
              Effect.andThen(Effect.sync(() => done.push("loaded"))),
              Effect.onInterrupt(() => Effect.sync(() => done.push("interrupted")))
            )
            return Users.get("key", load)
          })
        )
        const exit = yield* Fiber.await(reader)
        assert.isTrue(Exit.hasInterrupts(exit))
        assert.deepStrictEqual(done, ["interrupted"])
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(done, ["interrupted"])
      }
    }).pipe(Effect.provide(layer))
  )
})
