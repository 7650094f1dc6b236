/**
 * How long each backend takes to answer. On one machine everything answers at once and there would be nothing to see,
 * so these pauses are injected where the work is done: `pg_sleep` in the queries, a sleep in the HTTP handlers.
 */
import { Duration } from "effect"

export const latency = {
  org: Duration.millis(60),
  project: Duration.millis(40),
  artifacts: Duration.millis(90),
  user: Duration.millis(20),
  notifications: Duration.millis(150),
  permissions: Duration.millis(60)
}

/** `40 to 90ms` */
export const range = (names: ReadonlyArray<keyof typeof latency>): string => {
  const millis = names.map((name) => Duration.toMillis(latency[name])).sort((a, b) => a - b)
  return `${millis[0]} to ${millis.at(-1)}ms`
}
