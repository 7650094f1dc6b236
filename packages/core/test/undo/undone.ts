/** Loads that end undone, or are taken back in part. */
import { Effect, Schedule } from "effect"
import { Loader, Policy, Resource, Saga } from "effect-loader"
import { failing, Shop } from "./Shop.ts"

const slowly = <A, E, R>(millis: number, self: Effect.Effect<A, E, R>) => Effect.andThen(Effect.sleep(millis), self)

export const signUp = () => {
  const shop = new Shop()
  let quotes = 0
  let tries = 0
  const user = shop.step("user", { takes: 20, undo: 15 })
  const payment = Resource.make("payment", {
    deps: { user },
    load: () => slowly(15, Effect.succeed("p1"))
  }).pipe(Saga.compensate(() => slowly(10, Effect.fail("bank is down"))))
  const seats = Resource.forEach(
    "seats",
    { deps: { user }, items: () => ["1A", "1B"], load: (seat) => slowly(10, shop.do(seat)) },
    Saga.compensate((seat) => slowly(8, shop.undo(seat)))
  )
  const inner = { street: shop.step("street", { takes: 5, undo: 5 }), map: shop.step("map", { takes: 9, undo: 5 }) }
  const address = Resource.fromLoader("address", Loader.make(inner, { name: "inner" }))
  const quote = Resource.make("quote", {
    load: () => Effect.suspend(() => slowly(++quotes === 1 ? 30 : 5, shop.do(`quote ${quotes}`)))
  }).pipe(
    Saga.compensate((name) => slowly(4, shop.undo(name))),
    Saga.cleanup(() => Effect.sleep(2)),
    Policy.hedge({ after: 10 })
  )
  const flaky = Resource.make("flaky", {
    load: () =>
      slowly(
        5,
        Effect.suspend(() => (++tries < 2 ? Effect.fail("busy") : shop.do("flaky")))
      )
  }).pipe(
    Saga.compensate((name) => shop.undo(name)),
    Saga.cleanup(() => Effect.sleep(3)),
    Policy.retry({ times: 2, schedule: Schedule.spaced(4) })
  )
  const last = failing({ payment, seats, address, quote, flaky }, 10).pipe(Saga.cleanup(() => Effect.sleep(6)))
  const mail = Resource.make("mail", { deps: { last }, load: () => Effect.void })
  return Loader.make({ mail }, { name: "sign up", onCompensationFailure: () => Effect.void })
}

export const trip = () => {
  const shop = new Shop()
  let tries = 0
  const user = shop.step("user", { takes: 20, undo: 15 })
  const seat = shop.step("seat", { deps: { user }, takes: 10, undo: 5 })
  const meal = shop.step("meal", { takes: 60, undo: 5 })
  const ticket = Resource.make("ticket", {
    deps: { seat },
    load: () =>
      slowly(
        5,
        Effect.suspend(() => (++tries < 3 ? Effect.fail("gone") : shop.do("ticket")))
      )
  }).pipe(Saga.rewind(seat, { times: 3, schedule: Schedule.spaced(7) }))
  return Loader.make({ ticket, meal }, { name: "trip" })
}
