/** Views that recover from failures. */
import * as Cause from "effect/Cause"
import { Failed, Skipped } from "./Absent.ts"
import type { Lens } from "./Node.ts"
import type { ResourceError } from "./ResourceError.ts"
import { asEffect, call, handledBy } from "./UserEffect.ts"

/** Marks causes from which no fallback may recover. */
export const abortedKey = "effect-loader/Aborted"

/** Whether a step has ended the run with this cause, so that nothing may take its place. */
export const isAborted = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(({ annotations }) => annotations.has(abortedKey))

/** The failure of a recoverable cause: one with an error and without a defect. */
export const recoverable = (cause: Cause.Cause<unknown>): Cause.Fail<unknown> | undefined =>
  Cause.hasDies(cause) || isAborted(cause) ? undefined : cause.reasons.find(Cause.isFailReason)

/** The cause before its errors were wrapped in `ResourceError`. */
export const unnamed = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.map(cause, (error) => (error as ResourceError<string, unknown>).error)

interface Options {
  /** Typed errors, or all causes. */
  readonly recovers: "errors" | "causes"
  /** Whether it also recovers from failures of ancestors. */
  readonly ancestors?: boolean
  readonly onSuccess?: ((value: unknown) => unknown) | undefined
  /** Gets the typed error, or the whole cause. */
  readonly onFailure: (failure: unknown) => unknown
}

/** The part of a cause that a handler gets, its error or the whole; `undefined` if the cause is not recovered. */
export const recovered = (
  recovers: Lens["recovers"],
  cause: Cause.Cause<unknown>
): { readonly error: unknown } | undefined =>
  recovers === "causes"
    ? Cause.hasInterruptsOnly(cause) || isAborted(cause)
      ? undefined
      : { error: cause }
    : recoverable(cause)

/** A view that recovers with the effect of a handler when its resource failed. */
export const recovering = (label: string, options: Options): Lens => {
  const { ancestors = false, onFailure, onSuccess, recovers } = options
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
      const found = recovered(recovers, cause)
      if (found === undefined) return run.conclude(index, cause)
      const before = unnamed(cause)
      const failure = recovers === "causes" ? before : (found.error as ResourceError<string, unknown>).error
      const handler = handledBy(step, `the function of ${label}`, onFailure, failure, before)
      run.recover(index, label, handler, () => Cause.squash(before))
    }
  }
}
