/** What layers report to where no run is told of it. */
import { Exit } from "effect"
import type { LayerObserver } from "./Node.ts"

export const unheard: Omit<LayerObserver, "resource" | "origin" | "outsideRun" | "perCall" | "policiesInside"> = {
  degraded: () => {},
  pausing: () => {},
  outrun: () => {},
  hedging: () => {},
  refused: () => {},
  cacheRead: () => {},
  call: undefined,
  // There is no run to end, or to take back.
  aborting: Exit.failCause,
  rewinding: () => false
}
