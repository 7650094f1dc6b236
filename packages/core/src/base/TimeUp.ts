/** A mark on the interruption of a call whose callers have left because it took too long. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"

const TimeUp = /* @__PURE__ */ Context.Service<{}, true>("effect-loader/TimeUp")

/** The annotations of such an interruption. */
export const timeUp: Context.Context<never> = /* @__PURE__ */ Context.make(TimeUp, true) as never

/** Whether the work was interrupted because it took too long. */
export const tookTooLong = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(({ annotations }) => annotations.has(TimeUp.key))
