/** A page about an order, in which most things go well: what the two programs here load and tell of. */
import { Data, Effect, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"

class Busy extends Data.TaggedError("Busy")<{ readonly service: string }> {}
class NoInvoice extends Data.TaggedError("NoInvoice")<{ readonly order: number }> {}

/** Stands for a backend whose client makes spans of its own, as those of databases and of HTTP do. */
const ask = <A>(what: string, millis: number, answer: A): Effect.Effect<A> =>
  Effect.delay(Effect.succeed(answer), millis).pipe(Effect.withSpan(what, { kind: "client" }))

/** The loader of such a page. The service of customers is busy at first. */
export const makeOrderPage = () => {
  let asked = 0
  const orderId = Resource.input<number>()("orderId")
  const order = Resource.make("order", {
    deps: { orderId },
    load: ({ orderId }) => ask("SELECT orders", 30, { id: orderId, customer: "ada" })
  })
  const customer = Resource.make("customer", {
    deps: { order },
    load: ({ order }) =>
      Effect.suspend(() =>
        ++asked % 2 === 1 ? Effect.fail(new Busy({ service: "customers" })) : ask("GET /customers", 20, order.customer)
      )
  }).pipe(Policy.retry({ times: 2, schedule: Schedule.spaced("20 millis") }))
  const stock = Resource.make("stock", { deps: { order }, load: () => ask("SELECT stock", 50, 12) })
  const offers = Resource.make("offers", {
    deps: { customer },
    load: () => Effect.fail(new Busy({ service: "offers" }))
  }).pipe(Resource.orElseSucceed(() => []))
  const invoice = Resource.make("invoice", {
    deps: { order },
    load: ({ order }) => Effect.andThen(ask("SELECT invoices", 10, 0), Effect.fail(new NoInvoice({ order: order.id })))
  })
  const receipt = Resource.make("receipt", { deps: { invoice, customer }, load: () => Effect.succeed("receipt.pdf") })
  return Loader.make({ stock, offers, receipt }, { name: "order", concurrency: 2 })
}
