/**
 * Which entries of a context are the caller's, as opposed to services that a layer provides.
 *
 * A layer that captures services when it is built, or work that is shared by several callers, takes services only: what says
 * where in a program a caller is, how it is observed and on which clock it runs belongs to that caller alone.
 */
import { Context, Equal } from "effect"
import { isOfWait, isRunLocal, outsideStep, without } from "./RunLocal.ts"
import { unshareableNames } from "./Unshareable.ts"

/**
 * The entries of Effect that say where a caller is and how it is observed: its scope, its span, its loggers, the memo map of
 * the layer that is built. No value that is loaded depends on them.
 */
const observing =
  /^effect\/(Console|ErrorReporter|Layer|Logger|ManagedRuntime|Metric|References|Schedule|Scheduler|Scope|Tracer)(\/|$)/

/** The entries of Effect that are the caller's too, but that a value may depend on. */
const deciding = /^effect\/(Clock|ConfigProvider|ExecutionPlan|Random)(\/|$)/

/** Those that say where a caller is. They are named by strings, so that no program carries their modules for this. */
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

/** Whether an entry is the caller's: no layer captures it, and what a layer captured never hides it. */
export const isCallers = (key: string): boolean => isRunLocal(key) || observing.test(key) || deciding.test(key)

/** Whether a value that is loaded may depend on an entry, so that callers who have different ones may not share it. */
export const mayDecide = (key: string): boolean => !key.startsWith("effect-loader/") && !observing.test(key)

/** The services of a context, without what is the caller's: a transaction is. */
export const capture = <R>(context: Context.Context<R>): Context.Context<R> => {
  const unshareable = unshareableNames(context)
  return without(context, (key) => isCallers(key) || unshareable.has(key))
}

/** Whether an entry says where a caller is. */
const isPlace = (key: string): boolean => isRunLocal(key) || positions.has(key)

/** A context for work that no caller waits for: it has the caller's services, clock and loggers, and no place. */
export const detach = <R>(context: Context.Context<R>): Context.Context<R> => without(context, isPlace)

/** What ends with a single caller, even where all have it in common. */
const ofOne = new Set(["effect/Layer/CurrentMemoMap", "effect/References/CurrentStackFrame", "effect/Scope"])

const isSame = (a: unknown, b: unknown): boolean => Object.is(a, b) || (isPlain(a) && isPlain(b) && Equal.equals(a, b))

const isPlain = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

/**
 * A context for work that several callers wait for. It has the services of the first, and is in a place that all of them are
 * in: a span, log annotations or a share of limits are kept where they are the same for all. It knows what waits for it.
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
