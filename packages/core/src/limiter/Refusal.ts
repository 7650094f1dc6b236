/** A refusal on its way from an attempt to where its limit was piped: nothing in between may take it for its own. */
import { Cause, Effect, Exit } from "effect"
import { NotNow } from "../base/NotNow.ts"
import { LimitExceeded } from "./LimitExceeded.ts"

class Refusal {
  readonly error: LimitExceeded

  constructor(error: LimitExceeded) {
    this.error = error
  }

  get [NotNow](): NotNow {
    return "Refused"
  }
}

/** An attempt that was refused, as long as it has not come to where its limit was piped. */
export const refused = (error: LimitExceeded): Exit.Exit<never> => Exit.die(new Refusal(error))

/** An attempt whose refusal is to come to where its limit was piped. */
export const hideRefusal = <A, E, R>(self: Effect.Effect<A, E | LimitExceeded, R>): Effect.Effect<A, E, R> =>
  Effect.catch(self, (error) => (error instanceof LimitExceeded ? refused(error) : Effect.fail(error as E)))

const refusalIn = (cause: Cause.Cause<unknown>): Refusal | undefined => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Die" && reason.defect instanceof Refusal) return reason.defect
  }
  return undefined
}

/** Whether this is of an attempt that was refused further in. */
export const isRefusal = (cause: Cause.Cause<unknown>): boolean => refusalIn(cause) !== undefined

/** Here a refusal becomes the error that it is. */
export const surface = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | LimitExceeded, R> =>
  Effect.catchCause(self, (cause): Effect.Effect<never, E | LimitExceeded> => {
    const refusal = refusalIn(cause)
    return refusal === undefined ? Effect.failCause(cause) : Effect.fail(refusal.error)
  })
