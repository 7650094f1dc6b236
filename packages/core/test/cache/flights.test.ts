/** Loads that are under way, and who waits for them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { Flights, join, mayJoin } from "../../src/cache/Flights.ts"
import { fork } from "../fork.ts"

describe("a load that is under way", () => {
  it.effect("knows nothing any more of who was interrupted while they waited for it", () =>
    Effect.gen(function* () {
      const flights = new Flights()
      const [a, b] = [flights.begin("a"), flights.begin("b")]
      const fiber = yield* fork(join(a, [b]))
      assert.deepStrictEqual([a.passengers.size, b.waiting.size], [1, 1])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([a.passengers.size, b.waiting.size], [0, 0])
    })
  )

  it.effect("may be joined by all but those whom it waits for, however far away", () =>
    Effect.gen(function* () {
      const flights = new Flights()
      const [a, b, c] = [flights.begin("a"), flights.begin("b"), flights.begin("c")]
      const first = yield* fork(join(b, [a]))
      const second = yield* fork(join(c, [b]))
      assert.isFalse(mayJoin(a, [c]), "a waits for b, and b for c")
      assert.isFalse(mayJoin(a, [a]))
      assert.isTrue(mayJoin(c, [a]))
      assert.isTrue(mayJoin(a, []))
      yield* Fiber.interrupt(first)
      assert.isTrue(mayJoin(a, [c]))
      yield* Fiber.interrupt(second)
    })
  )

  it.effect("that is over by the time that somebody begins to wait gives them what it ended in", () =>
    Effect.gen(function* () {
      const flights = new Flights()
      const [a, b] = [flights.begin("a"), flights.begin("b")]
      flights.end(a, Exit.succeed(1))
      flights.end(b, undefined)
      assert.deepStrictEqual(yield* join(a, []), Exit.succeed(1))
      assert.isUndefined(yield* join(b, []))
    })
  )
})
