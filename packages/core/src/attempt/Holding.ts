/** What holds a slot says so, where others may wait for its value while they hold one: see `base/Held.ts`. */
import * as Effect from "effect/Effect"
import { Held } from "../base/Held.ts"
import type { Extension, Hooks } from "../model/Extension.ts"
import type { Execution } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"

/** What slots are taken from where nothing is held around the run: an attempt that has one needs no slot of any other such run. */
const outermost = {}

/** Caches and loaders inside bring it. */
export const holding: Extension = {
  open: (run: Run, _data: unknown, { fiber, isInside, runnable }: Execution): Hooks | undefined => {
    if (runnable.limit === undefined && !isInside) return undefined
    const from = fiber.getRef(Held) === undefined ? outermost : {}
    return {
      inSlot: (self) =>
        run.gate === undefined || run.gate.limit === Infinity
          ? self
          : Effect.updateService(self, Held, (around): Held => ({ from, isOver: false, around }))
    }
  }
}
