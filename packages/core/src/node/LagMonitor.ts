/** The lag of the event loop: how late its timers run. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"

export interface LagMonitor {
  /** The 99th percentile of the lag since the last call, in milliseconds. */
  readonly take: () => number
}

/** The resolution of the measurement, in milliseconds. */
const resolution = 20
const nanosPerMilli = 1e6

/** Monitors the event loop of this process. `every` is the time between calls of `take`, in milliseconds. */
export const watchEventLoop = (every: number): Effect.Effect<LagMonitor, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const delay = monitorEventLoopDelay({ resolution })
      delay.enable()
      return delay
    }),
    (delay) => Effect.sync(() => delay.disable())
  ).pipe(
    Effect.map((delay) => {
      let last = performance.now()
      return {
        take: () => {
          const now = performance.now()
          // During a long stall the histogram gets no sample, so the lateness of this call counts, too.
          const late = now - last - every
          const noted = delay.count === 0 ? 0 : delay.percentile(99) / nanosPerMilli - resolution
          last = now
          delay.reset()
          return Math.max(0, late, noted)
        }
      }
    })
  )
