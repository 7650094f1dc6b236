/** An order, step by step, and how each step is taken back: when a later one fails, and when it fails half done itself. */
import { Effect } from "effect"
import { Loader, Policy, Resource, Saga } from "effect-loader"
import { Books, type Sale } from "./Books.ts"

export const sale = Resource.input<Sale>()("sale")

const inTime = Policy.timeout("200 millis")

const reservation = Resource.make(
  "reservation",
  { deps: { sale }, load: ({ sale }) => Books.use(({ reserve }) => reserve(sale)) },
  Saga.compensate((_, { sale }) => Books.use(({ release }) => release(sale))),
  Saga.cleanup(({ sale }) => Books.use(({ release }) => release(sale)))
).pipe(inTime)

export const payment = Resource.make(
  "payment",
  {
    deps: { sale },
    after: [reservation],
    load: ({ sale }) => Books.use(({ charge }) => Effect.as(charge(sale), sale.price))
  },
  Saga.compensate((_, { sale }) => Books.use(({ refund }) => refund(sale))),
  Saga.cleanup(({ sale }) => Books.use(({ refund }) => refund(sale)))
).pipe(inTime)

const purchase = Resource.make(
  "purchase",
  { deps: { sale }, after: [payment], load: ({ sale }) => Books.use(({ place }) => place(sale)) },
  Saga.compensate((_, { sale }) => Books.use(({ cancel }) => cancel(sale))),
  Saga.cleanup(({ sale }) => Books.use(({ cancel }) => cancel(sale)))
).pipe(inTime)

export const parcel = Resource.make(
  "parcel",
  { deps: { sale }, after: [purchase], load: ({ sale }) => Books.use(({ ship }) => ship(sale)) },
  Saga.compensate((_, { sale }) => Books.use(({ recall }) => recall(sale))),
  Saga.cleanup(({ sale }) => Books.use(({ recall }) => recall(sale)))
).pipe(inTime)

const receipt = Resource.make("receipt", {
  deps: { sale, payment },
  after: [parcel],
  load: ({ payment, sale }) => Effect.succeed(`${sale.article}: ${payment} EUR, thank you`)
})

export const steps = { reservation, payment, purchase, parcel, receipt }

/** What could not be taken back is written down, for somebody to look at. */
export const order = Loader.make(
  { receipt },
  {
    name: "order",
    onCompensationFailure: ({ failures }) =>
      Books.use(({ note }) =>
        Effect.forEach(failures, ({ resource, value }) => note(resource, JSON.stringify(value)), { discard: true })
      )
  }
)
