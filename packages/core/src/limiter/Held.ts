/** The permits that are held around whatever runs here, by the limiter that they are of. */
import { Context } from "effect"
import { Loan } from "./Loan.ts"
import type { PermitSource } from "./PermitSource.ts"

export type Held = ReadonlyMap<PermitSource, Loan>

const nothing: Held = new Map()

export const Held: Context.Reference<Held> = /* @__PURE__ */ Context.Reference<Held>("effect-loader/Held", {
  defaultValue: () => nothing
})

/** Where to ask for a limiter's permits: around here somebody may hold some, and lends them. */
export const sourceIn = (held: Held, permits: PermitSource): PermitSource => {
  let source: PermitSource = held.get(permits) ?? permits
  while (source instanceof Loan && source.isOver) source = source.source
  return source
}
