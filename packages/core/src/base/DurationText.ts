import * as Duration from "effect/Duration"

/** A measured duration in whole milliseconds: `0ms`, `1s 30ms`. Fractions of a millisecond are noise. */
export const durationText = (duration: Duration.Duration): string => {
  const millis = Math.round(Duration.toMillis(duration))
  return millis === 0 ? "0ms" : Duration.format(Duration.millis(millis))
}
