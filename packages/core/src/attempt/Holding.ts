/** Notes the slots that attempts hold, for readers that may wait for a value of an attempt: see `base/Held.ts`. */
import * as Effect from "effect/Effect"
import { Held } from "../base/Held.ts"
import type { Extension, Hooks } from "../model/Extension.ts"
import type { Execution } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"

/** The source of slots of all runs outside of attempts. An attempt with such a slot waits for no slot of another such run. */
const outermost = {}

/** Caches and nested loaders bring it. */
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
