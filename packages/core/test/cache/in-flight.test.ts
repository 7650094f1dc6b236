/** The loads of a cache in progress, and the readers that wait for them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { InFlight, join, mayJoin } from "../../src/cache/InFlight.ts"
import { fork } from "../fork.ts"

describe("a load in progress", () => {
  it.effect("forgets a reader that is interrupted while it waits", () =>
    Effect.gen(function* () {
      const inFlight = new InFlight()
      const [a, b] = [inFlight.begin("a"), inFlight.begin("b")]
      const fiber = yield* fork(join(a, [b]))
      assert.deepStrictEqual([a.readers.size, b.waiting.size], [1, 1])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([a.readers.size, b.waiting.size], [0, 0])
    })
  )

  it.effect("cannot be joined by a reader that it waits for, directly or through other loads", () =>
    Effect.gen(function* () {
      const inFlight = new InFlight()
      const [a, b, c] = [inFlight.begin("a"), inFlight.begin("b"), inFlight.begin("c")]
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

  it.effect("that has ended gives its exit to a reader that joins late", () =>
    Effect.gen(function* () {
      const inFlight = new InFlight()
      const [a, b] = [inFlight.begin("a"), inFlight.begin("b")]
      inFlight.end(a, Exit.succeed(1))
      inFlight.end(b, undefined)
      assert.deepStrictEqual(yield* join(a, []), Exit.succeed(1))
      assert.isUndefined(yield* join(b, []))
    })
  )
})
