/** Whether a batch that somebody takes part in is to have a span. */
import { Context } from "effect"

export const BatchSpans: Context.Reference<boolean> = /* @__PURE__ */ Context.Reference<boolean>(
  "effect-loader/BatchSpans",
  { defaultValue: () => false }
)
