/** The permits that are held around whatever runs here: the innermost loan, which knows of those around it. */
import { Context } from "effect"
import type { Loan } from "./Loan.ts"
import type { PermitSource } from "./PermitSource.ts"

export type Held = Loan | undefined

export const Held: Context.Reference<Held> = /* @__PURE__ */ Context.Reference<Held>("effect-loader/Held", {
  defaultValue: () => undefined
})

/** Where to ask for a limiter's permits: around here somebody may hold some, and lends them. */
export const sourceIn = (held: Held, permits: PermitSource): PermitSource => {
  for (let loan = held; loan !== undefined; loan = loan.around) {
    if (loan.permits === permits && !loan.isOver) return loan
  }
  return permits
}
