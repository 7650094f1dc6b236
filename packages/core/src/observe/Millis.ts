import { Duration } from "effect"

/** Milliseconds for people: `0.4ms`, `120ms`, `1s 30ms`. */
export const millis = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)}ms` : Duration.format(Duration.millis(Math.round(ms)))
