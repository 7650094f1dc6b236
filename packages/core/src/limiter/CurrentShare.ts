/** The share of an effect's runs in limiters. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as RunLocal from "../base/RunLocal.ts"
import { shared } from "../base/Shared.ts"

/**
 * How much of each limiter a run gets, relative to other runs, when there is not enough for all.
 *
 * - `weight`: a run with twice the weight gets twice as much. A positive, finite number; default 1. It counts from the first
 *   request.
 * - `tenant`: the tenant that the run belongs to. The runs of one tenant divide one weight among them: that of the first of
 *   the runs that overlap. What they have had still counts when one ends and the next one comes, so many short runs get no
 *   more than one long run. Default: each run stands for itself.
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

/** Whether any effect in this process has been given a share. */
const given = /* @__PURE__ */ shared("shares", () => ({ any: false }))

const noShare: ShareOptions = {}

/** The share of a fiber. Looking up an entry that no context has would cost each permit a tenth of its time. */
export const shareIn = (fiber: Fiber.Fiber<unknown, unknown>): ShareOptions =>
  given.any ? fiber.getRef(CurrentShare) : noShare

export const provideShare = <A, E, R>(self: Effect.Effect<A, E, R>, share: ShareOptions): Effect.Effect<A, E, R> => {
  given.any = true
  return Effect.provideService(self, CurrentShare, share)
}
