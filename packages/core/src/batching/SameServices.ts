/** Whether two who ask the same may be told the same: what they brought along may be part of the question. */
import { Context, Scope, Tracer } from "effect"

/** What only says where in a program somebody is, and who watches: no answer depends on it. */
const isWhereabouts = (key: string): boolean =>
  key === Scope.Scope.key || key === Tracer.ParentSpan.key || key.startsWith("effect-loader/")

const includes = (a: Context.Context<never>, b: Context.Context<never>): boolean => {
  for (const [key, service] of a.mapUnsafe) {
    if (!Object.is(b.mapUnsafe.get(key), service) && !isWhereabouts(key)) return false
  }
  return true
}

/** Whether all services are the same ones in both contexts. */
export const sameServices = (a: Context.Context<never>, b: Context.Context<never>): boolean =>
  a === b || (includes(a, b) && includes(b, a))
