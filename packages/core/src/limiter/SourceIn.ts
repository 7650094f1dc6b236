import type { Held } from "../base/Held.ts"
import { Loan } from "./Loan.ts"
import type { PermitSource } from "./PermitSource.ts"

/** Where to ask for a limiter's permits: around here somebody may hold some, and lends them. */
export const sourceIn = (held: Held, permits: PermitSource): PermitSource => {
  for (let holding = held; holding !== undefined; holding = holding.around) {
    if (holding instanceof Loan && holding.permits === permits && !holding.isOver) return holding
  }
  return permits
}
