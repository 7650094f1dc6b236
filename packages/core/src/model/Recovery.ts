/** Views that recover from failures. */
import * as Cause from "effect/Cause"
import { Failed, Skipped } from "./Absent.ts"
import type { Lens } from "./Node.ts"
import type { ResourceError } from "./ResourceError.ts"
import { asEffect, call, handledBy } from "./UserEffect.ts"

/** Marks causes from which no fallback may recover. */
export const abortedKey = "effect-loader/Aborted"

/** The error of a recoverable cause: one with an error and without a defect. */
export const recoverable = (cause: Cause.Cause<unknown>): ResourceError<string, unknown> | undefined => {
  if (Cause.hasDies(cause)) return undefined
  const fail = cause.reasons.find(Cause.isFailReason)
  if (fail?.annotations.has(abortedKey)) return undefined
  return fail?.error as ResourceError<string, unknown> | undefined
}

/** The cause before its errors were wrapped in `ResourceError`. */
const unnamed = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.map(cause, (error) => (error as ResourceError<string, unknown>).error)

interface Options {
  /** Typed errors, or all causes. */
  readonly recovers: "errors" | "causes"
  /** Whether it also recovers from failures of ancestors. */
  readonly ancestors: boolean
  readonly onSuccess: ((value: unknown) => unknown) | undefined
  /** Gets the typed error, or the whole cause. */
  readonly onFailure: (failure: unknown) => unknown
}

/** The part of a cause that the handler gets; `undefined` if the cause is not recovered. */
const failureOf = (
  recovers: Options["recovers"],
  cause: Cause.Cause<unknown>
): { readonly failure: unknown } | undefined => {
  if (recovers === "causes") return Cause.hasInterruptsOnly(cause) ? undefined : { failure: unnamed(cause) }
  const error = recoverable(cause)
  return error === undefined ? undefined : { failure: error.error }
}

/** A view that recovers with the effect of a handler when its resource failed. */
export const recovering = (label: string, options: Options): Lens => {
  const { ancestors, onFailure, onSuccess, recovers } = options
  return {
    label,
    recovers,
    ancestors,
    onSuccess,
    onFailure,
    settle: (run, index, step, parent) => {
      const value = run.valueOf(parent)
      if (value === Skipped) {
        return run.recover(index, label, asEffect(step, label, call(onFailure, undefined)), () => undefined)
      }
      if (value !== Failed) return run.succeed(index, onSuccess === undefined ? value : onSuccess(value))
      const cause = run.causeOf(parent)!
      const recovered = failureOf(recovers, cause)
      if (recovered === undefined) return run.conclude(index, cause)
      const before = unnamed(cause)
      const handler = handledBy(step, `the function of ${label}`, onFailure, recovered.failure, before)
      run.recover(index, label, handler, () => Cause.squash(before))
    }
  }
}
