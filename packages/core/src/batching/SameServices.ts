/** Whether equal requests of two callers may be merged: the services of a caller may change the answer. */
import type * as Context from "effect/Context"
import { mayDecide } from "../base/Callers.ts"

const includes = (a: Context.Context<never>, b: Context.Context<never>): boolean => {
  for (const [key, service] of a.mapUnsafe) {
    if (!Object.is(b.mapUnsafe.get(key), service) && mayDecide(key)) return false
  }
  return true
}

/** Whether all services are the same ones in both contexts. */
export const sameServices = (a: Context.Context<never>, b: Context.Context<never>): boolean =>
  a === b || (includes(a, b) && includes(b, a))
