/** Durations that users give, checked where they are declared. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { valueText } from "./ValueText.ts"

const units = ["weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"]

const isNaNOrNoNumber = (value: unknown): boolean => typeof value !== "number" || Number.isNaN(value)

/** Whether an object has valid units. Effect reads objects without any, such as a promise or `{ second: 1 }`, as zero. */
const isObjectOfUnits = (given: object): boolean => {
  const values = units.map((unit) => (given as Readonly<Record<string, unknown>>)[unit])
  const said = values.filter((value) => value !== undefined)
  return said.length > 0 && !said.some(isNaNOrNoNumber)
}

/** Any duration; `undefined` for other values. */
export const anyDuration = (given: unknown): Duration.Duration | undefined => {
  if (Number.isNaN(given)) return undefined
  if (typeof given === "object" && given !== null && !Duration.isDuration(given)) {
    if (Array.isArray(given) ? given.some(isNaNOrNoNumber) : !isObjectOfUnits(given)) return undefined
  }
  return Option.getOrUndefined(Duration.fromInput(given as Duration.Input))
}

const textOf = (given: unknown): string => {
  const duration = anyDuration(given)
  if (duration !== undefined) return Duration.format(duration)
  if (typeof given === "number") return String(given)
  return typeof given === "string" ? JSON.stringify(given) : valueText(given)
}

/** A duration of 0 or more, possibly infinite; `undefined` for other values. */
export const toDuration = (given: unknown): Duration.Duration | undefined => {
  const duration = anyDuration(given)
  return duration === undefined || Duration.isNegative(duration) ? undefined : duration
}

const illegal = (what: string, expected: string, given: Duration.Input): never => {
  throw new Cause.IllegalArgumentError(`${what} must be ${expected}, got ${textOf(given)}`)
}

/** A duration of 0 or more, possibly infinite. Throws for other values. `what` names the option. */
export const durationOf = (what: string, given: Duration.Input): Duration.Duration =>
  toDuration(given) ?? illegal(what, "a duration of 0 or more", given)

/** A finite duration of 0 or more. Throws for other values. */
export const finiteDurationOf = (what: string, given: Duration.Input): Duration.Duration => {
  const duration = toDuration(given)
  if (duration !== undefined && Duration.isFinite(duration)) return duration
  return illegal(what, "a finite duration of 0 or more", given)
}

/** A finite duration of more than 0. Throws for other values. */
export const positiveDurationOf = (what: string, given: Duration.Input): Duration.Duration => {
  const duration = toDuration(given)
  if (duration !== undefined && Duration.isFinite(duration) && Duration.isPositive(duration)) return duration
  return illegal(what, "a finite duration longer than 0", given)
}
