/** Finds which failures reach a target, so that a load fails. */
import type { Step } from "../model/Step.ts"
import type { Lists } from "./Layout.ts"

export interface Fatal {
  /** Whether a step's own typed failure, or its skip, reaches a target whatever choices choose. */
  readonly fatalFailure: Uint8Array
  readonly fatalSkip: Uint8Array
  /** Whether a step's own defect reaches a target: only views that recover from causes stop it. */
  readonly fatalDefect: Uint8Array
  /** Whether anything besides its own views sees the end of a step. */
  readonly exposed: Uint8Array
}

/** Computed from the targets backwards. A skip reaches further than a failure. */
export const toFatal = (steps: ReadonlyArray<Step>, isTarget: Uint8Array, dependents: Lists): Fatal => {
  const fatalFailure = isTarget.slice()
  const fatalSkip = isTarget.slice()
  const fatalDefect = isTarget.slice()
  const exposed = isTarget.slice()
  for (let i = steps.length - 1; i >= 0; i--) {
    for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) {
      const j = dependents.items[k]!
      const lens = steps[j]!.view?.lens
      if (lens === undefined) {
        exposed[i] = fatalDefect[i] = 1
        fatalFailure[i]! |= fatalSkip[j]!
      } else {
        if (lens.recovers !== "causes") fatalDefect[i]! |= fatalDefect[j]!
        if (lens.recovers === undefined) fatalFailure[i]! |= fatalFailure[j]!
      }
      if (lens?.ancestors !== true) fatalSkip[i]! |= fatalSkip[j]!
    }
    for (const j of steps[i]!.mayChoose) exposed[j] = fatalDefect[j] = 1
  }
  return { fatalFailure, fatalSkip, fatalDefect, exposed }
}
