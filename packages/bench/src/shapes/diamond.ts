/** A diamond: product ← productId, price and stock ← product, offer ← price and stock, delivery ← offer. */
import { Effect } from "effect"
import type { Call, Shape } from "./Shape.ts"

const concurrently = { concurrency: "unbounded" } as const

const given = { productId: 13 } as const

const callsOf = <Result>(call: Call<Result>) => ({
  product: (productId: number) => call(1, productId),
  price: (product: number) => call(2, product),
  stock: (product: number) => call(3, product),
  offer: (price: number, stock: number) => call(4, price, stock),
  delivery: (offer: number) => call(5, offer)
})

export const diamond: Shape = {
  name: "diamond",
  names: ["product", "price", "stock", "offer", "delivery"],
  expected: (call) => {
    const calls = callsOf(call)
    const product = calls.product(given.productId)
    const price = calls.price(product)
    const stock = calls.stock(product)
    const offer = calls.offer(price, stock)
    return { product, price, stock, offer, delivery: calls.delivery(offer) }
  },
  ours:
    ({ Loader, Resource }) =>
    (call) => {
      const calls = callsOf(call)
      const productId = Resource.input<number>()("productId")
      const product = Resource.make("product", {
        deps: { productId },
        load: ({ productId }) => calls.product(productId)
      })
      const price = Resource.make("price", { deps: { product }, load: ({ product }) => calls.price(product) })
      const stock = Resource.make("stock", { deps: { product }, load: ({ product }) => calls.stock(product) })
      const offer = Resource.make("offer", {
        deps: { price, stock },
        load: ({ price, stock }) => calls.offer(price, stock)
      })
      const delivery = Resource.make("delivery", { deps: { offer }, load: ({ offer }) => calls.delivery(offer) })
      const loader = Loader.make({ product, price, stock, offer, delivery })
      return () => Loader.load(loader, { productId: given.productId })
    },
  effectAll: (call) => {
    const calls = callsOf(call)
    const loadPage = (productId: number) =>
      Effect.flatMap(calls.product(productId), (product) =>
        Effect.flatMap(Effect.all([calls.price(product), calls.stock(product)], concurrently), ([price, stock]) =>
          Effect.flatMap(calls.offer(price, stock), (offer) =>
            Effect.map(calls.delivery(offer), (delivery) => ({ product, price, stock, offer, delivery }))
          )
        )
      )
    return () => loadPage(given.productId)
  },
  effectGen: (call) => {
    const calls = callsOf(call)
    const loadPage = (productId: number) =>
      Effect.gen(function* () {
        const product = yield* calls.product(productId)
        const [price, stock] = yield* Effect.all([calls.price(product), calls.stock(product)], concurrently)
        const offer = yield* calls.offer(price, stock)
        const delivery = yield* calls.delivery(offer)
        return { product, price, stock, offer, delivery }
      })
    return () => loadPage(given.productId)
  }
}
