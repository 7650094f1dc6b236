/**
 * The clock of all durations. The wall clock can be set during a measurement, so it only gives instants for other processes
 * and for people.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const nanosPerMilli = 1e6

const scratch = new DataView(new ArrayBuffer(8))

/**
 * Milliseconds since an arbitrary instant in the past, by a clock that cannot be set.
 *
 * `Number(bigint)` gives the same number below 292 years, but is a call into the engine that takes as long as reading the
 * clock does.
 */
export const monotonicNow = (clock: Clock.Clock): number => {
  scratch.setBigInt64(0, clock.monotonicTimeNanosUnsafe())
  return (scratch.getInt32(0) * 0x1_0000_0000 + scratch.getUint32(4)) / nanosPerMilli
}

/** A clock whose wall time is the monotonic time of another one. */
const withoutWall = (clock: Clock.Clock): Clock.Clock => {
  const millis = (): number => Math.floor(monotonicNow(clock))
  const nanos = (): bigint => clock.monotonicTimeNanosUnsafe()
  return Object.assign(Object.create(clock) as Clock.Clock, {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos)
  })
}

/** Makes an effect that measures durations by the wall clock measure them by the monotonic clock. */
export const byMonotonicTime = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => Effect.provideService(self, Clock.Clock, withoutWall(clock)))
