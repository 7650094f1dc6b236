import type { Clock } from "effect"

const nanosPerMilli = 1e6

/** The time that limiters go by, in milliseconds. */
export const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli
