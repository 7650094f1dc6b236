/** What a limiter's service does, for those who use it by hand, and what only runs know of it. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Stats } from "./Admission.ts"
import type { LimitExceeded } from "./LimitExceeded.ts"
import type { Permits } from "./Permits.ts"

/**
 * What one effect needs of a limiter.
 *
 * - `permits`: how many it takes, a whole number. Default 1; more than the limit can ever be is a defect at once.
 * - `resource`: whose latencies these are: what differs in how long it takes should have different names.
 * - `within`: it is of no use later than that, so it is refused when it cannot be done in time.
 *
 * @since 0.1.0
 * @category options
 */
export interface PermitOptions {
  readonly permits?: number
  readonly resource?: string
  readonly within?: Duration.Input
}

/**
 * What a limiter does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limiter {
  readonly withPermit: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    options?: PermitOptions
  ) => Effect.Effect<A, E | LimitExceeded, R>
  readonly stats: Effect.Effect<Stats>
}

/** What only this library knows of a limiter. */
export interface Made {
  readonly permits: Permits
}

/** The permits behind a limiter's service. */
export const permitsOf = (self: Limiter): Permits => (self as Limiter & Made).permits
