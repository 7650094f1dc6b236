/**
 * What a context has whose effects no other caller may see yet, such as a database transaction that may still be rolled back.
 *
 * What is loaded with it belongs to its caller alone: it is neither kept in a cache nor given to others, and a layer that is
 * built with it does not capture it.
 */
import { Context } from "effect"

type AnyKey = Context.Key<never, unknown>

const keyOf = (key: string): AnyKey => Context.Service<never, unknown>(key)

/** Effect's transactions of SQL clients: the key of the client's own entry, which has the connection. */
const sqlTransaction = /* @__PURE__ */ keyOf("effect/sql/CurrentTransactionService")

const registryKey = /* @__PURE__ */ Symbol.for("effect-loader/unshareable")

/** One for all copies of the library: what one of them is told holds for all. */
const registry = /* @__PURE__ */ ((): Array<AnyKey> => {
  const home = globalThis as { [registryKey]?: Array<AnyKey> }
  return (home[registryKey] ??= [keyOf("effect/Effect/Transaction")])
})()

export const register = (key: string): void => {
  if (registry.every((known) => known.key !== key)) registry.push(keyOf(key))
}

const none: ReadonlyArray<AnyKey> = []

/** The keys of a context's unshareable entries. Each request asks, and most have none. */
const keysIn = <R>(context: Context.Context<R>): ReadonlyArray<AnyKey> => {
  let found: Array<AnyKey> | undefined
  for (const key of registry) if (Context.getOrUndefined(context, key) !== undefined) (found ??= []).push(key)
  const ofClient = Context.getOrUndefined(context, sqlTransaction) as AnyKey | undefined
  if (ofClient !== undefined && Context.getOrUndefined(context, ofClient) !== undefined) (found ??= []).push(ofClient)
  return found ?? none
}

/** What a context has that is unshareable, if anything: what is loaded with the same may be shared among its callers. */
export const unshareableIn = <R>(context: Context.Context<R>): object | undefined => {
  const keys = keysIn(context)
  if (keys.length === 0) return undefined
  const values = keys.map((key) => Context.getOrUndefined(context, key))
  const [only] = values
  // Several at once are the same for no other caller, and neither is what has no identity.
  return values.length === 1 && typeof only === "object" ? only! : values
}

/** The names of a context's unshareable entries, and of what goes with them. */
export const unshareableNames = <R>(context: Context.Context<R>): ReadonlySet<string> => {
  const keys = keysIn(context)
  return new Set(keys.length === 0 ? [] : [sqlTransaction.key, ...keys.map(({ key }) => key)])
}
