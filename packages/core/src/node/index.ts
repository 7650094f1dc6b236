/**
 * What only Node.js can tell: how late its event loop is.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import type { Limiter } from "../limiter/Limiter.ts"
import { layerReporting } from "./EventLoopLag.ts"
import { watchEventLoop } from "./LagMonitor.ts"

/**
 * Lets a limiter know when the process itself is what is slow: latencies then say nothing about the backend.
 *
 * - `every`: how often the event loop's lag since the last time is reported. Default: every second.
 *
 * While the 99th percentile of the lag is above 50 ms, the limiter learns nothing, and its limit goes down by 5 % a second,
 * to a tenth at the least; then it comes back as slowly. That is so for limits that stay, too. One layer for each limiter.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Limiter } from "effect-loader"
 * import { layerEventLoopLag } from "effect-loader/node"
 *
 * class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
 *
 * const live = layerEventLoopLag(Postgres).pipe(Layer.provideMerge(Postgres.layerAdaptive({ max: 100 })))
 *
 * const program = Postgres.withPermit(Effect.succeed("row")).pipe(Effect.provide(live))
 * Effect.runPromise(program).then((row) => console.log(row)) // row
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEventLoopLag = <Self>(
  limiter: Context.Key<Self, Limiter>,
  { every = Duration.seconds(1) }: { readonly every?: Duration.Input } = {}
): Layer.Layer<never, never, Self> => {
  const pause = Duration.fromInputUnsafe(every)
  return layerReporting(limiter, pause, watchEventLoop(Duration.toMillis(pause)))
}
