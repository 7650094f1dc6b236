/** Whether the calls that a caller takes part in have a span. */
import type { Context } from "effect"
import * as RunLocal from "../base/RunLocal.ts"

export const BatchSpans: Context.Reference<boolean> = /* @__PURE__ */ RunLocal.make<boolean>("BatchSpans", () => false)
