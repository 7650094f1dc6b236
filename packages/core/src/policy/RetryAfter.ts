/** The pauses that servers ask for. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import { aDuration, type Expected } from "../base/UserValue.ts"

/**
 * The pause before another attempt: a finite duration of 0 or more with a unit, an instant, or nothing (`undefined` or `null`).
 * A plain number is not accepted: servers mean seconds, Effect reads milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type RetryAfter = Exclude<Duration.Input, number | bigint> | Date | null | undefined

/**
 * Reads the text of an HTTP header `Retry-After`: seconds, or a date. `undefined` for anything else, so that a missing or
 * malformed header asks for no pause.
 *
 * @example
 * ```ts
 * import { Policy } from "effect-loader"
 *
 * console.log(String(Policy.retryAfterHeader("120")), Policy.retryAfterHeader("soon")) // 120000 millis undefined
 * ```
 *
 * @since 0.1.0
 * @category reading
 */
export const retryAfterHeader = (header: string | null | undefined): Duration.Duration | Date | undefined => {
  const text = header?.trim() ?? ""
  if (/^\d{1,9}$/.test(text)) return Duration.seconds(Number(text))
  const date = new Date(text)
  return /[a-z]/i.test(text) && !Number.isNaN(date.getTime()) ? date : undefined
}

/** The valid answers of a `retryAfter`. */
export const aPause: Expected<Duration.Duration | Date> = {
  text: "a finite duration of 0 or more, a Date or nothing",
  read: (value) => {
    if (value === undefined || value === null) return Duration.zero
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value
    if (typeof value === "number" || typeof value === "bigint") return undefined
    const duration = aDuration.read(value)
    return duration !== undefined && Duration.isFinite(duration) ? duration : undefined
  },
  advice: (kind) =>
    kind === "number" || kind === "bigint"
      ? "give it a unit, as Duration.seconds does"
      : "Policy.retryAfterHeader reads the text of a header"
}

/** The requested pause, from now. */
export const pauseOf = (after: Duration.Duration | Date, clock: Clock.Clock): Duration.Duration =>
  after instanceof Date ? Duration.millis(Math.max(0, after.getTime() - clock.currentTimeMillisUnsafe())) : after
