/**
 * Services whose effects no other caller may see yet, such as a database transaction that may still be rolled back.
 *
 * A value loaded with such a service belongs to its caller alone: no cache keeps it, and no other caller gets it. A layer
 * that is built with the service does not capture it.
 */
import * as Context from "effect/Context"

type AnyKey = Context.Key<never, unknown>

const keyOf = (key: string): AnyKey => Context.Service<never, unknown>(key)

/** The keys of the transactions of Effect's SQL clients, whose entries have the connection. */
const sqlTransaction = /* @__PURE__ */ keyOf("effect/sql/CurrentTransactionService")

const registryKey = /* @__PURE__ */ Symbol.for("effect-loader/unshareable")

/** One set for all copies of the library: a key that one copy marks is marked for all. */
const registry = /* @__PURE__ */ ((): Array<AnyKey> => {
  const home = globalThis as { [registryKey]?: Array<AnyKey> }
  return (home[registryKey] ??= [keyOf("effect/Effect/Transaction")])
})()

export const register = (key: string): void => {
  if (registry.every((known) => known.key !== key)) registry.push(keyOf(key))
}

const none: ReadonlyArray<AnyKey> = []

/** The keys of a context's unshareable entries. Each request reads this, and most contexts have none. */
const keysIn = <R>(context: Context.Context<R>): ReadonlyArray<AnyKey> => {
  let found: Array<AnyKey> | undefined
  for (const key of registry) if (Context.getOrUndefined(context, key) !== undefined) (found ??= []).push(key)
  const ofClient = Context.getOrUndefined(context, sqlTransaction) as AnyKey | undefined
  if (ofClient !== undefined && Context.getOrUndefined(context, ofClient) !== undefined) (found ??= []).push(ofClient)
  return found ?? none
}

/** The unshareable value of a context, if any. Callers that have the same one may share loads. */
export const unshareableIn = <R>(context: Context.Context<R>): object | undefined => {
  const keys = keysIn(context)
  if (keys.length === 0) return undefined
  const values = keys.map((key) => Context.getOrUndefined(context, key))
  const [only] = values
  // Two transactions at once, or a value that is not an object, count as different for each caller.
  return values.length === 1 && typeof only === "object" ? only! : values
}

/** The names of a context's unshareable entries, and of the entry that names the transaction of a client. */
export const unshareableNames = <R>(context: Context.Context<R>): ReadonlySet<string> => {
  const keys = keysIn(context)
  return new Set(keys.length === 0 ? [] : [sqlTransaction.key, ...keys.map(({ key }) => key)])
}
