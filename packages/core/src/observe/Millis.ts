import * as Duration from "effect/Duration"

/** Milliseconds for people: `0.4ms`, `120ms`, `1s 30ms`. */
export const millis = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)}ms` : Duration.format(Duration.millis(Math.round(ms)))

/** The time until a retry: `in 50ms`, or `at once` if its pause has passed. */
export const pauseText = ({ at, retryAt }: { readonly at: number; readonly retryAt: number }): string =>
  retryAt > at ? `in ${millis(retryAt - at)}` : "at once"
