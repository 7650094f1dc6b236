import { Cause } from "effect"
import type { ResourceError } from "effect-loader"

/** What a resource failed with itself; `undefined` where there is nothing typed. */
export const errorIn = (cause: Cause.Cause<unknown>): unknown =>
  (cause.reasons.find(Cause.isFailReason)?.error as ResourceError<string, unknown> | undefined)?.error
