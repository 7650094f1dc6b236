import type { Held } from "../base/Held.ts"
import type { Loan } from "./Loan.ts"
import type { PermitSource } from "./PermitSource.ts"

/** Where to ask for a limiter's permits: around here somebody may hold some, and lends them. */
export const sourceIn = (held: Held, permits: PermitSource): PermitSource => {
  for (let holding = held; holding !== undefined; holding = holding.around) {
    // Another copy of the library may have made it, so its class says nothing.
    if ((holding as Partial<Loan>).permits === permits && !holding.isOver) return holding as Loan
  }
  return permits
}
