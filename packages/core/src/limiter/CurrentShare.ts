/** Whose work this is, as far as limiters are to share fairly. */
import type { Context } from "effect"
import * as RunLocal from "../base/RunLocal.ts"

/**
 * How much a run gets of each limiter, beside others, when there is not enough for all.
 *
 * - `weight`: twice the weight, twice as much. A positive, finite number; default 1.
 * - `tenant`: whose run it is. The runs of one tenant that overlap divide one weight among them, that of the first, so
 *   that nobody gets more by asking more often. Default: each run stands for itself.
 *
 * @since 0.1.0
 * @category options
 */
export interface ShareOptions {
  readonly weight?: number
  readonly tenant?: string
}

export const CurrentShare: Context.Reference<ShareOptions> = /* @__PURE__ */ RunLocal.make<ShareOptions>(
  "CurrentShare",
  () => ({})
)
