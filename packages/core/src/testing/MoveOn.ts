/** Virtual time that advances until a fiber has ended. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

/** Code behind promises needs turns of the event loop before it waits for time. */
const turns = 5

/** Advances time until a fiber has ended, or until the limit. */
export const moveOn = (fiber: Fiber.Fiber<unknown, unknown>, upTo: Duration.Input = "1 day"): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* TestClock.adjust(upTo)
    for (let turn = 0; turn < turns && fiber.pollUnsafe() === undefined; turn++) yield* TestClock.adjust(0)
  })
