/** Durations that users give, checked where they are declared. */
import { Cause, Duration, Option } from "effect"

const textOf = (given: Duration.Input): string => {
  const duration = Option.getOrUndefined(Duration.fromInput(given))
  if (duration !== undefined && !Number.isNaN(given)) return Duration.format(duration)
  return typeof given === "number" ? String(given) : JSON.stringify(given)
}

/** A duration of nothing or more, also an infinite one; `undefined` for anything else. */
export const toDuration = (given: Duration.Input): Duration.Duration | undefined => {
  const duration = Option.getOrUndefined(Duration.fromInput(given))
  return duration === undefined || Number.isNaN(given) || Duration.isNegative(duration) ? undefined : duration
}

const illegal = (what: string, expected: string, given: Duration.Input): never => {
  throw new Cause.IllegalArgumentError(`${what} must be ${expected}, got ${textOf(given)}`)
}

/** The same, or an error that says what is right. `what`: who was given it. */
export const durationOf = (what: string, given: Duration.Input): Duration.Duration =>
  toDuration(given) ?? illegal(what, "a duration of 0 or more", given)

/** One that is also finite. */
export const finiteDurationOf = (what: string, given: Duration.Input): Duration.Duration => {
  const duration = toDuration(given)
  if (duration !== undefined && Duration.isFinite(duration)) return duration
  return illegal(what, "a finite duration of 0 or more", given)
}

/** One that is finite and longer than nothing. */
export const positiveDurationOf = (what: string, given: Duration.Input): Duration.Duration => {
  const duration = toDuration(given)
  if (duration !== undefined && Duration.isFinite(duration) && Duration.isPositive(duration)) return duration
  return illegal(what, "a finite duration longer than 0", given)
}
