/**
 * Measurements that only Node.js provides: the lag of the event loop.
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
 * Tells a limiter when the process itself is slow: its latencies then say nothing about the backend.
 *
 * - `every`: the time between reports of the event loop's lag. Default: one second.
 *
 * While the 99th percentile of the lag is above 50 ms, the limiter learns nothing, and its limit decreases by 5 % a second,
 * down to a tenth. Afterwards it increases at the same speed. Constant limits decrease, too. Use one layer for each limiter.
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
