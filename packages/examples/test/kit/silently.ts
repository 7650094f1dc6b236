import { Effect, References } from "effect"

/** Runs something that is going to go wrong without the warnings that clients log of it. */
export const silently = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(self, References.MinimumLogLevel, "None")
