/**
 * What is held around whatever runs here, such as a run's slot or a limiter's permits: the innermost, which knows of those
 * around it. It is given back only when what runs here has ended, so nothing here may wait for somebody who still needs it.
 */
import type { Context } from "effect"
import * as RunLocal from "./RunLocal.ts"

/** Something that is held. */
export interface Holding {
  /** What it was taken from, which somebody else may wait for; `undefined` where it is only borrowed from, and may end. */
  readonly from: object | undefined
  /** Whether it has been given back. */
  readonly isOver: boolean
  readonly around: Held
}

export type Held = Holding | undefined

export const Held: Context.Reference<Held> = /* @__PURE__ */ RunLocal.makeOfWait<Held>("Held", () => undefined)

/** What is held here, by what it was taken from. */
export const suppliesIn = (held: Held): ReadonlyArray<object> => {
  const supplies: Array<object> = []
  for (let holding = held; holding?.from !== undefined; holding = holding.around) {
    if (!holding.isOver) supplies.push(holding.from)
  }
  return supplies
}
