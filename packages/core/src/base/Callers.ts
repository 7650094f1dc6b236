/**
 * Which entries of a context are the caller's, as opposed to services that a layer provides.
 *
 * A layer that captures services when it is built, or work that is shared by several callers, takes services only: what says
 * where in a program a caller is, how it is observed and on which clock it runs belongs to that caller alone.
 */
import { Context } from "effect"
import { isRunLocal } from "./RunLocal.ts"

/**
 * The entries of Effect that say where a caller is and how it is observed: its scope, its span, its loggers, the memo map of
 * the layer that is built. No value that is loaded depends on them.
 */
const observing =
  /^effect\/(Console|ErrorReporter|Layer|Logger|ManagedRuntime|Metric|References|Schedule|Scheduler|Scope|Tracer)(\/|$)/

/** The entries of Effect that are the caller's too, but that a value may depend on. */
const deciding = /^effect\/(Clock|ConfigProvider|ExecutionPlan|Random)(\/|$)/

/** Whether an entry is the caller's: no layer captures it, and what a layer captured never hides it. */
export const isCallers = (key: string): boolean => isRunLocal(key) || observing.test(key) || deciding.test(key)

/** Whether a value that is loaded may depend on an entry, so that callers who have different ones may not share it. */
export const mayDecide = (key: string): boolean => !key.startsWith("effect-loader/") && !observing.test(key)

/** The services of a context, without what is the caller's. */
export const capture = <R>(context: Context.Context<R>): Context.Context<R> => {
  const captured = new Map<string, unknown>()
  context.mapUnsafe.forEach((service, key) => {
    if (!isCallers(key)) captured.set(key, service)
  })
  return Context.makeUnsafe(captured)
}
