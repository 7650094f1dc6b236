import { Effect, type Fiber } from "effect"

/** Forks an effect, and runs it as far as it gets before the next one. */
export const fork = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Fiber.Fiber<A, E>, never, R> =>
  Effect.forkChild(self, { startImmediately: true })
