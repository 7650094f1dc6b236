/**
 * The slots and permits that are held around the current effect: the innermost one, linked to those around it. They are
 * given back only when the effect has ended, so the effect must not wait for work that still needs them.
 */
import type * as Context from "effect/Context"
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

/** The source of what is held. */
export const suppliesIn = (held: Held): ReadonlyArray<object> => {
  const supplies: Array<object> = []
  for (let holding = held; holding?.from !== undefined; holding = holding.around) {
    if (!holding.isOver) supplies.push(holding.from)
  }
  return supplies
}
