/** Nested runs: their attempts take slots of both runs. */
import type { Loading } from "../attempt/Loading.ts"
import { holding } from "../attempt/Holding.ts"
import { effects } from "../attempt/Loading.ts"
import { ownContext } from "../base/AsyncContext.ts"
import type { Extension } from "../model/Extension.ts"
import { bringing } from "../run/Execution.ts"
import type { Run } from "../run/Run.ts"
import { OwnShare, type ParentSlots } from "./ParentSlots.ts"

/** The slots that a run offers to a nested run. */
const slotsOf = (run: Run, index: number): ParentSlots | undefined => {
  const { gate } = run
  return (
    gate && {
      limit: gate.limit,
      request: (resume) => gate.requestInside(index, resume),
      release: () => gate.releaseHere(),
      offer: () => run.onSlots()
    }
  )
}

/** The extension of nested runs: their attempts need slots of the parent, too. */
const taking = (slots: ParentSlots): Extension => ({
  open: () => ({ slots: { async: ownContext, outer: (onGranted) => new OwnShare(slots, onGranted) } })
})

/** For users' functions that return the run of another loader. */
export const loaders: Loading = {
  inRun: (attempts, stack, given) => {
    const { run } = attempts
    const load = effects.inRun(attempts, stack, given)
    const slots = slotsOf(run, stack.index)
    const inside = slots === undefined ? load : bringing([taking(slots), holding], load)
    return run.hooks.enclose?.(stack.index, undefined, inside) ?? inside
  },
  outside: effects.outside
}
