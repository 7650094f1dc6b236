/** The extension that tells held batches which requests of a run are still to come. */
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as RunLocal from "../base/RunLocal.ts"
import type { Extension, Hooks } from "../model/Extension.ts"
import type { Execution } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"
import { Foresight, type OuterForesight } from "./Foresight.ts"
import { foreseenOf } from "./Foreseen.ts"

/** The step of a run with foresight that a nested run is inside. */
const InsideOf: Context.Reference<OuterForesight | undefined> =
  /* @__PURE__ */ RunLocal.makeOfStep<OuterForesight>("Foresight")

export const foreseeing: Extension = {
  open: (run: Run, _data: undefined, execution: Execution): Hooks | undefined => {
    // Level by level, no request of a later level can join a batch of this level.
    if (execution.runnable.inBatches) return undefined
    const foreseen = foreseenOf(run.program)
    if (foreseen.length === 0) return undefined
    const progress = {
      isSettled: (index: number) => run.isSettled(index),
      isUnwanted: (index: number) => run.hooks.isUnwanted?.(index) === true
    }
    const inside = execution.isInside ? execution.fiber.getRef(InsideOf) : undefined
    const foresight = new Foresight(run.program, foreseen, progress, inside)
    return {
      changed: () => foresight.changed(),
      enclose: (index, item, self) => RunLocal.provideOfStep(self, InsideOf, { foresight, index, item }),
      ended: () => foresight.end(),
      hasCome: (index, item) => foresight.hasCome(index, item),
      item: (index, item, self) =>
        Effect.suspend(() => {
          foresight.itemBegins(index, item)
          return Effect.onExit(self, () => Effect.sync(() => foresight.itemEnds(index, item)))
        }),
      listed: (index, items, limit) => foresight.listBegins(index, items, limit),
      placeOf: (index) => foresight.placeOf(index),
      started: () => foresight.begin()
    }
  }
}
