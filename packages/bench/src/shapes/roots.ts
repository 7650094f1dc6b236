/** Three roots of inputs, two of them with one dependent: account ← accountId, orders ← account, cart ← cartId, items ← cart, banner ← locale. */
import { Effect } from "effect"
import type { Call, Shape } from "./Shape.ts"

const concurrently = { concurrency: "unbounded" } as const

const given = { accountId: 3, cartId: 5, locale: 9 } as const

const callsOf = <Result>(call: Call<Result>) => ({
  account: (accountId: number) => call(1, accountId),
  orders: (account: number) => call(2, account),
  cart: (cartId: number) => call(3, cartId),
  items: (cart: number) => call(4, cart),
  banner: (locale: number) => call(5, locale)
})

export const roots: Shape = {
  name: "three roots",
  names: ["account", "orders", "cart", "items", "banner"],
  expected: (call) => {
    const calls = callsOf(call)
    const account = calls.account(given.accountId)
    const cart = calls.cart(given.cartId)
    return {
      account,
      orders: calls.orders(account),
      cart,
      items: calls.items(cart),
      banner: calls.banner(given.locale)
    }
  },
  ours:
    ({ Loader, Resource }) =>
    (call) => {
      const calls = callsOf(call)
      const accountId = Resource.input<number>()("accountId")
      const cartId = Resource.input<number>()("cartId")
      const locale = Resource.input<number>()("locale")
      const account = Resource.make("account", {
        deps: { accountId },
        load: ({ accountId }) => calls.account(accountId)
      })
      const orders = Resource.make("orders", { deps: { account }, load: ({ account }) => calls.orders(account) })
      const cart = Resource.make("cart", { deps: { cartId }, load: ({ cartId }) => calls.cart(cartId) })
      const items = Resource.make("items", { deps: { cart }, load: ({ cart }) => calls.items(cart) })
      const banner = Resource.make("banner", { deps: { locale }, load: ({ locale }) => calls.banner(locale) })
      const loader = Loader.make({ account, orders, cart, items, banner })
      return () => Loader.load(loader, { accountId: given.accountId, cartId: given.cartId, locale: given.locale })
    },
  effectAll: (call) => {
    const calls = callsOf(call)
    const loadAccount = (accountId: number) =>
      Effect.flatMap(calls.account(accountId), (account) =>
        Effect.map(calls.orders(account), (orders) => ({ account, orders }))
      )
    const loadCart = (cartId: number) =>
      Effect.flatMap(calls.cart(cartId), (cart) => Effect.map(calls.items(cart), (items) => ({ cart, items })))
    const loadPage = (accountId: number, cartId: number, locale: number) =>
      Effect.map(
        Effect.all([loadAccount(accountId), loadCart(cartId), calls.banner(locale)], concurrently),
        ([{ account, orders }, { cart, items }, banner]) => ({ account, orders, cart, items, banner })
      )
    return () => loadPage(given.accountId, given.cartId, given.locale)
  },
  effectGen: (call) => {
    const calls = callsOf(call)
    const loadAccount = (accountId: number) =>
      Effect.gen(function* () {
        const account = yield* calls.account(accountId)
        const orders = yield* calls.orders(account)
        return { account, orders }
      })
    const loadCart = (cartId: number) =>
      Effect.gen(function* () {
        const cart = yield* calls.cart(cartId)
        const items = yield* calls.items(cart)
        return { cart, items }
      })
    const loadPage = (accountId: number, cartId: number, locale: number) =>
      Effect.gen(function* () {
        const [{ account, orders }, { cart, items }, banner] = yield* Effect.all(
          [loadAccount(accountId), loadCart(cartId), calls.banner(locale)],
          concurrently
        )
        return { account, orders, cart, items, banner }
      })
    return () => loadPage(given.accountId, given.cartId, given.locale)
  }
}
