/**
 * Virtual time for tests.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { moveOn } from "./MoveOn.ts"

/**
 * How far time advances.
 *
 * - `upTo`: the longest advance, from the time at the start. Default: a day.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly upTo?: Duration.Input
}

/**
 * Runs an effect on a clock of its own that advances by itself: sleeping fibers wake in order, without real waiting.
 *
 * The clock starts at 0. An effect that needs more than the available time, or does not wait for time, keeps waiting.
 *
 * @example
 * ```ts
 * import { Clock, Effect } from "effect"
 * import { VirtualTime } from "effect-loader/testing"
 *
 * const program = Effect.andThen(Effect.sleep("2 hours"), Clock.currentTimeMillis)
 * Effect.runPromise(VirtualTime.run(program)).then((millis) => console.log(millis)) // 7200000
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const run = <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    yield* moveOn(fiber, options?.upTo)
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestClock.layer()))
