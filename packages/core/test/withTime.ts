/** Time for tests: virtual, and as much of it as anybody could need. */
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

/** Runs an effect beside a clock that moves on by a day. */
export const withTime = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  })
