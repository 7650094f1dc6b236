/** The observer of layers outside of runs, which ignores their reports. */
import * as Exit from "effect/Exit"
import type { LayerObserver } from "./Node.ts"

export const unheard: Omit<LayerObserver, "resource" | "place" | "perCall"> = {
  degraded: () => {},
  pausing: () => {},
  outrun: () => {},
  tell: () => {},
  nextAttempt: 1,
  refused: () => {},
  call: undefined,
  // There is no run to end or to rewind.
  aborting: Exit.failCause,
  rewinding: () => false,
  dormant: (wait) => wait,
  remembered: (_layer, value) => Exit.succeed(value)
}
