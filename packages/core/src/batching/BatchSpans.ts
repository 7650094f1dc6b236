/** The limits of the spans of calls that this caller waits for; `undefined` where calls have no spans. */
import type * as Context from "effect/Context"
import * as RunLocal from "../base/RunLocal.ts"

export interface BatchSpanLimits {
  readonly links: number
}

export const BatchSpans: Context.Reference<BatchSpanLimits | undefined> = /* @__PURE__ */ RunLocal.make<
  BatchSpanLimits | undefined
>("BatchSpans", () => undefined)
