/**
 * Orders in a real PostgreSQL, with a fault in each step in turn: whatever goes wrong, and wherever the order is cut
 * short, no money is lost, none is charged twice, and what could not be taken back is told.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Data, Effect, Exit, Fiber, Layer } from "effect"
import { Loader, Observer, Resource, type RunEvent, Saga } from "effect-loader"
import * as Sql from "effect-loader/sql"
import { Fault } from "effect-loader/testing"
import { toWaterfall } from "@effect-loader/terminal"
import { Database } from "../backends/Database.ts"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { bad, bold, dim, fact, good, print, section, width } from "../terminal/Text.ts"
import { type Balance, Books, type Sale } from "./Books.ts"
import { order, parcel, payment, sale, steps } from "./resources.ts"

class NotBalanced extends Data.TaggedError("NotBalanced")<{ readonly message: string }> {}

let orders = 0

const newSale = (): Sale => ({ key: `order-${++orders}`, customer: "ada", article: "book", price: 12 })

const worth = ({ ada, shop }: Balance): number => ada + shop

const inWords = (before: Balance, after: Balance): string =>
  after.ada === before.ada ? "nothing charged" : `${before.ada - after.ada} EUR charged`

const same = (before: Balance, after: Balance): boolean => JSON.stringify(before) === JSON.stringify(after)

const once = (before: Balance, after: Balance): boolean =>
  before.ada - after.ada === 12 &&
  before.pieces - after.pieces === 1 &&
  after.payments - before.payments === 1 &&
  after.purchases - before.purchases === 1 &&
  after.parcels - before.parcels === 1

/** Runs an order, and holds the books before it against those after it. */
const audited = Effect.fnUntraced(function* <E, R>(
  what: string,
  self: (sale: Sale) => Effect.Effect<unknown, E, R>,
  isDone: (exit: Exit.Exit<unknown, E>) => boolean = Exit.isSuccess
) {
  const { balance } = yield* Books
  const before = yield* balance
  const exit = yield* Effect.exit(self(newSale()))
  const after = yield* balance
  const well = worth(before) === worth(after) && (isDone(exit) ? once : same)(before, after)
  const ending = isDone(exit) ? "done" : "failed"
  yield* print(`${well ? good("✓") : bad("✗")} ${what.padEnd(48)} ${ending.padEnd(7)} ${inWords(before, after)}`)
  if (!well) {
    const books = `${JSON.stringify(before)} before, ${JSON.stringify(after)} after`
    return yield* new NotBalanced({ message: `${what}: the books do not balance, ${books}` })
  }
  return exit
})

const faults: ReadonlyArray<Fault.Fault> = [
  Fault.die(),
  Fault.die(undefined, { phase: "after" }),
  Fault.hang(),
  Fault.hang({ phase: "after" }),
  Fault.interrupt({ phase: "after" }),
  Fault.die(undefined, { phase: "closing" })
]

const eachFault = Effect.gen(function* () {
  yield* section("A fault in each step", "before its work, and when that is in the database already")
  for (const step of Object.values<Resource.Any>(steps)) {
    if (step.name === "receipt") continue
    for (const fault of faults) {
      const faulty = order.pipe(Fault.inject(step as typeof payment, fault))
      yield* audited(`${step.name} ${fault.label}`, (sale) => Loader.load(faulty, { sale }))
    }
  }
})

/** Interrupts an order at its k-th event, for each k until it runs to its end. */
const eachInterruption = Effect.gen(function* () {
  yield* section("The customer goes away", "at each event of an order in turn: one that has ended stands")
  for (let k = 0; ; k++) {
    let seen = 0
    let ended: RunEvent.RunEnd | undefined
    const run = (sale: Sale) =>
      Effect.withFiber((fiber) =>
        Observer.observe(Loader.load(order, { sale }), (event) => {
          if (event._tag === "RunEnded") ended = event.end
          if (seen++ === k) fiber.interruptUnsafe()
        })
      )
    const inItsOwnFiber = (sale: Sale) =>
      Effect.flatMap(Effect.forkChild(run(sale)), (fiber) => Effect.flatten(Fiber.await(fiber)))
    // Whoever is interrupted when the order has ended has an order.
    const exit = yield* audited(`interrupted at event ${k}`, inItsOwnFiber, () => ended === "Completed")
    if (Exit.isSuccess(exit)) return
  }
})

/** A bank that does not answer when the money is to be returned. */
const stuckPayment = Resource.make("payment", {
  deps: { sale },
  after: [steps.reservation],
  load: ({ sale }) => Books.use(({ charge }) => Effect.as(charge(sale), sale.price))
}).pipe(Saga.compensate(() => Effect.fail("the bank does not answer")))

const failedCompensation = Effect.gen(function* () {
  yield* section("What cannot be taken back", "the bank does not answer when the money is to be returned")
  const { balance } = yield* Books
  const stuck = order.pipe(Loader.override(payment, stuckPayment), Fault.inject(parcel, Fault.die()))
  const { exit, report } = yield* Loader.loadWithReport(stuck, { sale: newSale() })
  yield* print(toWaterfall(report, { columns: width }))
  const remains = Exit.isFailure(exit) ? Saga.RollbackError.of(exit.cause) : undefined
  const { unresolved } = yield* balance
  yield* print("")
  yield* fact("remains", `${remains?.failures.map(({ message }) => message).join("; ")}`)
  yield* fact("noted", `${unresolved} in the table of what somebody has to look at`)
})

/** A purchase and its parcel in one transaction; the bank, outside of it, is asked to return the money. */
const inOneTransaction = Effect.gen(function* () {
  yield* section("In one transaction", "rolled back when a step fails; compensated when the commit does")
  const { balance, place, ship } = yield* Books
  const bank: Array<string> = []
  const key = Resource.input<string>()("key")
  const charged = Resource.make(
    "charged",
    { deps: { sale }, load: ({ sale }) => Effect.sync(() => bank.push(`${sale.price} EUR charged`)) },
    Saga.compensate((_, { sale }) => Effect.sync(() => bank.push(`${sale.price} EUR returned`)))
  )
  const placed = Resource.make("placed", { deps: { sale }, load: ({ sale }) => place(sale) })
  const shipped = Resource.make("shipped", {
    deps: { sale, key },
    after: [placed, charged],
    // The reference of a parcel to its purchase is checked when the transaction commits.
    load: ({ key, sale }) => ship({ ...sale, key })
  })
  const transaction = Sql.withTransaction(Loader.make({ shipped }, { name: "transaction" }))
  const attempt = Effect.fnUntraced(function* (what: string, parcelKey: (sale: Sale) => string) {
    bank.length = 0
    const before = yield* balance
    const sale = newSale()
    const exit = yield* Effect.exit(transaction.load({ sale, key: parcelKey(sale) }))
    const after = yield* balance
    const rows = after.purchases + after.parcels - before.purchases - before.parcels
    yield* fact(what, `${Exit.isSuccess(exit) ? "committed" : "rolled back"}, ${rows} rows; bank: ${bank.join(", ")}`)
  })
  yield* attempt("ok", ({ key }) => key)
  yield* attempt("bad commit", () => "no such order")
})

const backends = Database.pipe(Layer.provideMerge(PostgresServer.layer), Layer.provide(NodeServices.layer))

const program = Effect.gen(function* () {
  const postgres = yield* PostgresServer
  yield* Console.log(`\n${bold("effect-loader")}  doing and undoing: orders in a shop\n`)
  yield* fact("SQL", postgres.description)
  yield* fact("", dim("timeouts of 200ms end what hangs"))
  yield* section("An order", "✓ all of it is done, once, or none of it: the books say so")
  yield* audited("nothing goes wrong", (sale) => Loader.load(order, { sale }))
  yield* eachFault
  yield* eachInterruption
  yield* failedCompensation
  yield* inOneTransaction
})

program.pipe(
  Effect.provide(Books.layer.pipe(Layer.provideMerge(backends))),
  Effect.tapError((error) => Console.error(`\n${bad(error._tag)} ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
