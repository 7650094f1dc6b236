/** The services that a layer captures when it is built, for what runs later in somebody else's context. */
import { Context } from "effect"

/**
 * What a later caller has of its own: scope, memo map and parent span, and Effect's references (clock, log level, tracer,
 * configuration...). A context does not say which of its entries are references, so these are known by their keys.
 */
const callers =
  /^effect-loader\/(Enclosing|Aboard|Held)$|^effect\/(Clock|ConfigProvider|Console|ErrorReporter|ExecutionPlan|Layer|Logger|Metric|Random|References|Schedule|Scheduler|Scope|Tracer)(\/|$)/

/** Whether a captured entry gives way to the caller's. */
export const isCallers = (key: string): boolean => callers.test(key)

/** The services of a context that are to be captured. */
export const capture = (context: Context.Context<never>): Context.Context<never> => {
  const captured = new Map<string, unknown>()
  context.mapUnsafe.forEach((service, key) => {
    if (!isCallers(key)) captured.set(key, service)
  })
  return Context.makeUnsafe(captured)
}
