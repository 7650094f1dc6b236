/** Reports the lag of the event loop to a limiter. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Limiter } from "../limiter/Limiter.ts"
import { permitsOf } from "../limiter/Permits.ts"
import type { LagMonitor } from "./LagMonitor.ts"

/** Reports to a limiter until the layer ends, after which the limiter assumes no lag. */
export const layerReporting = <Self>(
  limiter: Context.Key<Self, Limiter>,
  every: Duration.Duration,
  monitor: Effect.Effect<LagMonitor, never, Scope.Scope>
): Layer.Layer<never, never, Self> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const permits = permitsOf(yield* limiter)
      const clock = yield* Clock.Clock
      const { take } = yield* monitor
      const report = Effect.sync(() => permits.reportLag(take(), clock))
      yield* Effect.addFinalizer(() => Effect.sync(() => permits.reportLag(0, clock)))
      yield* Effect.forkScoped(Effect.repeat(Effect.delay(report, every), Schedule.forever))
    })
  )
