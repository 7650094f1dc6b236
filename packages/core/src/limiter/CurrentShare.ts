/** Whose work this is, as far as limiters are to share fairly. */
import type * as Context from "effect/Context"
import * as RunLocal from "../base/RunLocal.ts"

/**
 * How much a run gets of each limiter, beside others, when there is not enough for all.
 *
 * - `weight`: twice the weight, twice as much. A positive, finite number; default 1. It counts from the first request.
 * - `tenant`: whose run it is. The runs of one tenant divide one weight among them, that of the first of those that overlap.
 *   What they have had counts on when one ends and the next one comes, so a tenant gets no more by many short runs than
 *   by one long one. Default: each run stands for itself.
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
