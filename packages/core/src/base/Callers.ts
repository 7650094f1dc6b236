/**
 * Separates the entries of a context that belong to the caller from services that layers provide.
 *
 * A layer that captures services when it is built, and work that several callers share, take services only. The caller's
 * place in the program, its observers and its clock belong to that caller alone.
 */
import * as Context from "effect/Context"
import * as Equal from "effect/Equal"
import { isOfWait, isRunLocal, outsideStep, without } from "./RunLocal.ts"
import { unshareableNames } from "./Unshareable.ts"

/**
 * Effect's entries for a caller's place and observation: scope, span, loggers, the memo map of the layer that is built. No
 * loaded value depends on them.
 */
const observing =
  /^effect\/(Console|ErrorReporter|Layer|Logger|ManagedRuntime|Metric|References|Schedule|Scheduler|Scope|Tracer)(\/|$)/

/** Effect's other entries of the caller: a loaded value may depend on these. */
const deciding = /^effect\/(Clock|ConfigProvider|ExecutionPlan|Random)(\/|$)/

/** Effect's entries for a caller's place, named by strings, so that no program carries their modules for this. */
const positions: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "effect/ExecutionPlan/CurrentMetadata",
  "effect/Layer/CurrentMemoMap",
  "effect/References/CurrentLogAnnotations",
  "effect/References/CurrentLogSpans",
  "effect/References/CurrentStackFrame",
  "effect/References/TracerSpanAnnotations",
  "effect/References/TracerSpanLinks",
  "effect/Schedule/CurrentMetadata",
  "effect/Scope",
  "effect/Tracer/ParentSpan"
])

/** Whether an entry belongs to the caller: no layer captures it, and no captured service hides it. */
export const isCallers = (key: string): boolean => isRunLocal(key) || observing.test(key) || deciding.test(key)

/** Whether a loaded value may depend on an entry, so that callers with different entries may not share the value. */
export const mayDecide = (key: string): boolean => !key.startsWith("effect-loader/") && !observing.test(key)

/** The services of a context, without the entries of the caller. A transaction is one of these. */
export const capture = <R>(context: Context.Context<R>): Context.Context<R> => {
  const unshareable = unshareableNames(context)
  return without(context, (key) => isCallers(key) || unshareable.has(key))
}

/** Whether an entry is part of a caller's place. */
const isPlace = (key: string): boolean => isRunLocal(key) || positions.has(key)

/** A context for work that no caller waits for: it keeps the caller's services, clock and loggers, but not its place. */
export const detach = <R>(context: Context.Context<R>): Context.Context<R> => without(context, isPlace)

/** Entries that end with one caller, so that shared work cannot keep them even if all callers have the same. */
const ofOne = new Set(["effect/Layer/CurrentMemoMap", "effect/References/CurrentStackFrame", "effect/Scope"])

const isSame = (a: unknown, b: unknown): boolean => Object.is(a, b) || (isPlain(a) && isPlain(b) && Equal.equals(a, b))

const isPlain = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

/**
 * A context for work that several callers wait for. It has the services of the first caller, and keeps the span, log
 * annotations and share of limits where all callers have the same. It also keeps the entries that say what waits for the work,
 * such as the permits that the callers hold.
 */
export const inCommon = (
  first: Context.Context<never>,
  others: Iterable<Context.Context<never>>
): Context.Context<never> => {
  const differing = new Set<string>(ofOne)
  const mine = outsideStep(first)
  const places: Array<readonly [Context.Key<never, unknown>, unknown]> = []
  mine.mapUnsafe.forEach((value, key) => {
    if (isPlace(key) && !isOfWait(key)) places.push([Context.Service<never, unknown>(key), value])
  })
  for (const other of others) {
    for (const [key, value] of places) {
      if (!isSame(value, Context.getOrUndefined(other, key))) differing.add(key.key)
    }
  }
  return without(mine, (key) => differing.has(key))
}
