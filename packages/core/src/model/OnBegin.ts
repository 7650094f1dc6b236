/** Told when an attempt begins, which is when it has all that it waited for: for policies that measure from then. */
import { Context } from "effect"

const nobody = (): void => {}

export const OnBegin: Context.Reference<() => void> = /* @__PURE__ */ Context.Reference<() => void>(
  "effect-loader/OnBegin",
  { defaultValue: () => nobody }
)
