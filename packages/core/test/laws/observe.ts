/** One run of a scenario, watched. */
import { Effect, Exit, Fiber } from "effect"
import { Loader, Observer, type RunEvent } from "effect-loader"
import { TestClock } from "effect/testing"
import type { Scenario } from "./NaiveRun.ts"
import { toLoader } from "./Scenario.ts"

/** The events and the exit of one run under virtual time, with something around it where that is wanted. */
export const observe = async (
  given: Scenario,
  around: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = (self) => self,
  options: Pick<Loader.Options, "scheduling"> = {}
) => {
  const events: Array<RunEvent.RunEvent> = []
  const loader = toLoader(given, options)
  const plain: Effect.Effect<unknown, unknown> = given.failFast ? Loader.load(loader) : Loader.settle(loader)
  // With a scope at hand attempts run in scopes of their own, which must change nothing.
  const load = around(given.tasks.length % 2 === 0 ? Effect.scoped(plain) : plain)
  const program = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(
      Observer.observe(load, (event) => events.push(event)),
      { startImmediately: true }
    )
    if (given.interruptAt !== undefined) {
      yield* TestClock.adjust(given.interruptAt)
      yield* Fiber.interrupt(fiber)
    }
    yield* TestClock.adjust("1 day")
    return yield* Fiber.await(fiber)
  })
  const exit = await Effect.runPromise(
    program.pipe(Effect.provide(TestClock.layer())) as Effect.Effect<Exit.Exit<unknown, unknown>>
  )
  return { events, exit }
}
