/** Runs a page a few times, and prints what a server would answer when Prometheus asks for its metrics. */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Loader, Metrics } from "effect-loader"
import { PrometheusMetrics } from "effect/observability"
import { makeOrderPage } from "./order.ts"

const program = Effect.gen(function* () {
  const page = makeOrderPage()
  for (const orderId of [7, 8, 9]) yield* Loader.settle(page, { orderId })
  yield* Console.log(yield* PrometheusMetrics.format())
})

NodeRuntime.runMain(program.pipe(Effect.provide(Metrics.layerWith({ boundaries: [0.01, 0.05, 0.1, 0.5] }))))
