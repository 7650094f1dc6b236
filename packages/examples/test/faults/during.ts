import { Deferred, Effect, Fiber } from "effect"
import { Observer, type RunEvent } from "effect-loader"

/** Runs `during` when both users have been asked for, and gives what `self` comes to. */
export const withMeanwhile = Effect.fnUntraced(function* <A, E, R>(
  self: Effect.Effect<A, E, R>,
  asked: RunEvent.RunEvent["_tag"],
  during: Effect.Effect<unknown, unknown>
) {
  const both = yield* Deferred.make<void>()
  let left = 2
  const watch = Observer.layer((event) => {
    if (event._tag === asked && --left === 0) Deferred.doneUnsafe(both, Effect.void)
  })
  const running = yield* Effect.forkChild(Effect.provide(self, watch))
  yield* Deferred.await(both)
  yield* during
  return yield* Fiber.join(running)
})
