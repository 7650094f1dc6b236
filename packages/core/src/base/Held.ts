/**
 * The slots and permits that the current effect holds: the innermost one, linked to those around it. They are released only
 * after the effect has ended, so the effect must not wait for work that still needs them.
 */
import type * as Context from "effect/Context"
import * as RunLocal from "./RunLocal.ts"

/** A held slot or permit. */
export interface HeldSupply {
  /** The source of the slot or permit, for which other work can wait; `undefined` where it is borrowed from another holder. */
  readonly from: object | undefined
  /** Whether it has been released. */
  readonly isOver: boolean
  readonly around: Held
}

export type Held = HeldSupply | undefined

export const Held: Context.Reference<Held> = /* @__PURE__ */ RunLocal.makeOfWait<Held>("Held", () => undefined)

/** The sources of the slots and permits that are still held. */
export const suppliesIn = (held: Held): ReadonlyArray<object> => {
  const supplies: Array<object> = []
  for (let holding = held; holding?.from !== undefined; holding = holding.around) {
    if (!holding.isOver) supplies.push(holding.from)
  }
  return supplies
}
