import type * as Effect from "effect/Effect"

/** An effect whose value, error and services only the types of a declaration know. */
export type AnyEffect = Effect.Effect<unknown, unknown, unknown>
