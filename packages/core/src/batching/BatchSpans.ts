/** Whether calls with this caller have a span, and how many links that span may have. */
import type * as Context from "effect/Context"
import * as RunLocal from "../base/RunLocal.ts"

export interface BatchSpanLimits {
  readonly links: number
}

export const BatchSpans: Context.Reference<BatchSpanLimits | undefined> = /* @__PURE__ */ RunLocal.make<
  BatchSpanLimits | undefined
>("BatchSpans", () => undefined)
