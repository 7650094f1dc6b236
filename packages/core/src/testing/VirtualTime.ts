/**
 * Time for tests: virtual, and as much of it as anybody could need.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"

/**
 * How far time moves on.
 *
 * - `upTo`: by so much, at most, from what it is at the start. Default: a day.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly upTo?: Duration.Input
}

/** What only promises lead to needs a turn of the event loop before it waits for time. */
const turns = 5

/**
 * Moves time on until a fiber has ended, as far as time can bring it about.
 *
 * @internal
 */
export const moveOn = (fiber: Fiber.Fiber<unknown, unknown>, options: Options = {}): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* TestClock.adjust(options.upTo ?? "1 day")
    for (let turn = 0; turn < turns && fiber.pollUnsafe() === undefined; turn++) yield* TestClock.adjust(0)
  })

/**
 * Runs an effect on a clock of its own that moves on by itself: whatever sleeps is woken in order, and nobody waits.
 *
 * The clock starts at 0. What needs more time than there is goes on waiting, as it does for what is no matter of time.
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
    yield* moveOn(fiber, options)
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestClock.layer()))
