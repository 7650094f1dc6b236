/** How late the event loop is: what a timer waits for beyond its time. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"

export interface LagMonitor {
  /** The 99th percentile of the lag since the last time, in milliseconds. */
  readonly take: () => number
}

/** How often the event loop is looked at, in milliseconds. */
const resolution = 20
const nanosPerMilli = 1e6

/** Watches the event loop of this process. `every`: how long it is from one `take` to the next, in milliseconds. */
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
          // A stall so long that nothing was noted in it, or only what is forgotten now, is seen by how late this is.
          const late = now - last - every
          const noted = delay.count === 0 ? 0 : delay.percentile(99) / nanosPerMilli - resolution
          last = now
          delay.reset()
          return Math.max(0, late, noted)
        }
      }
    })
  )
