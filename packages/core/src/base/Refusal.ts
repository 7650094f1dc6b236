/**
 * Refusals of policies that stand elsewhere than they were piped, such as around a resolver's call. Up to the place where
 * its policy was piped, a refusal is a defect, so that no handler in between takes it for a failure of the load.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { NotNow } from "./NotNow.ts"
import { isTagged } from "./Tagged.ts"

class RefusalDefect {
  readonly _tag = "effect-loader/Refusal"
  /** The label of the policy. */
  readonly by: string
  readonly error: unknown

  constructor(by: string, error: unknown) {
    this.by = by
    this.error = error
  }

  get [NotNow](): NotNow {
    return "Refused"
  }
}

/** A refusal that has not reached the place where its policy was piped. */
export const refused = (by: string, error: unknown): Exit.Exit<never> => Exit.die(new RefusalDefect(by, error))

const refusalIn = (cause: Cause.Cause<unknown>): RefusalDefect | undefined => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Die" && isTagged(reason.defect, "effect-loader/Refusal", "by")) {
      return reason.defect as RefusalDefect
    }
  }
  return undefined
}

/** Whether a defect is the refusal of a policy further in. */
export const isRefusal = (cause: Cause.Cause<unknown>): boolean => refusalIn(cause) !== undefined

/** Turns the refusals of a policy back into errors. */
export const surface = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  by: string,
  onRefused: (error: unknown) => void = () => {}
): Effect.Effect<A, E, R> =>
  Effect.catchCause(self, (cause) => {
    const refusal = refusalIn(cause)
    if (refusal?.by !== by) return Effect.failCause(cause)
    onRefused(refusal.error)
    return Effect.fail(refusal.error as E)
  })

/** Wraps an effect in `around`. If that fails before the effect has begun, the failure is a refusal, given to `onRefused`. */
export const guarded = <A, E, R, E2, R2>(
  self: Effect.Effect<A, E, R>,
  around: (self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R2>,
  onRefused: (error: E) => Effect.Effect<never, E2>
): Effect.Effect<A, E | E2, R2> =>
  Effect.suspend(() => {
    let hasBegun = false
    const inside = Effect.suspend(() => {
      hasBegun = true
      return self
    })
    return Effect.catchCause(around(inside), (cause): Effect.Effect<never, E | E2> => {
      const reason = hasBegun ? undefined : cause.reasons.find(Cause.isFailReason)
      return reason === undefined ? Effect.failCause(cause) : onRefused(reason.error)
    })
  })
