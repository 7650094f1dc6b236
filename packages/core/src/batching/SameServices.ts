/** Whether equal requests of two callers may be merged. A service of a caller can change the answer. */
import type * as Context from "effect/Context"
import { mayDecide } from "../base/Callers.ts"

const includes = (a: Context.Context<never>, b: Context.Context<never>): boolean => {
  for (const [key, service] of a.mapUnsafe) {
    if (!Object.is(b.mapUnsafe.get(key), service) && mayDecide(key)) return false
  }
  return true
}

/** Whether both contexts have the same services. */
export const sameServices = (a: Context.Context<never>, b: Context.Context<never>): boolean =>
  a === b || (includes(a, b) && includes(b, a))
