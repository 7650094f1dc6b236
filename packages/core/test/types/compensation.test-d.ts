/** What compensations add to types, and what they never add. */
import { Context, Effect, Request, RequestResolver } from "effect"
import { Loader, Resource, type ResourceError, Saga } from "effect-loader"
import { expectTypeOf, it } from "vitest"

class Payments extends Context.Service<Payments, { readonly refund: (id: string) => Effect.Effect<void, "offline"> }>()(
  "Payments"
) {}
class Support extends Context.Service<Support, { readonly page: (text: string) => Effect.Effect<void> }>()("Support") {}

const charge = Resource.make("charge", { load: (): Effect.Effect<string, "refused"> => Effect.succeed("c1") }).pipe(
  Saga.compensate((id) => Effect.flatMap(Payments, ({ refund }) => refund(id)))
)

it("the errors of a compensation never enter a load's, its services do", () => {
  const page = Loader.make({ charge })
  expectTypeOf<Loader.Error<typeof page>>().toEqualTypeOf<ResourceError<"charge", "refused">>()
  expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Payments>()
})

it("a compensation knows the value, and what its resource depends on", () => {
  Resource.make(
    "mail",
    { deps: { charge }, load: ({ charge }) => Effect.succeed(charge.length) },
    Saga.compensate((value, deps, context) => {
      expectTypeOf(value).toEqualTypeOf<number>()
      expectTypeOf(deps.charge).toEqualTypeOf<string>()
      expectTypeOf(context).toEqualTypeOf<Saga.CompensationContext>()
      return Effect.void
    })
  )
  charge.pipe(
    Resource.map((id) => id.length),
    Saga.compensate((length) => {
      expectTypeOf(length).toEqualTypeOf<number>()
      return Effect.void
    })
  )
  Resource.forEach(
    "all",
    { items: () => [1, 2], load: (n) => Effect.succeed(`${n}`) },
    Saga.compensate((text) => {
      expectTypeOf(text).toEqualTypeOf<string>()
      return Effect.void
    })
  )
})

it("a cleanup keeps the value and the errors, and adds its services", () => {
  const cleaned = charge.pipe(Saga.cleanup(() => Effect.flatMap(Support, ({ page }) => page("charge"))))
  expectTypeOf<Resource.Success<typeof cleaned>>().toEqualTypeOf<string>()
  expectTypeOf<Resource.Error<typeof cleaned>>().toEqualTypeOf<ResourceError<"charge", "refused">>()
  expectTypeOf<Resource.Services<typeof cleaned>>().toEqualTypeOf<Payments | Support>()
})

it("the handler of what could not be undone knows what it gets, and its services are the loader's", () => {
  const page = Loader.make(
    { charge },
    {
      onCompensationFailure: (error) => {
        expectTypeOf(error).toEqualTypeOf<Saga.RollbackError>()
        return Effect.flatMap(Support, ({ page }) => page(error.message))
      }
    }
  )
  expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Payments | Support>()
})

it("what undoes must be an effect, of a value of the right type", () => {
  // @ts-expect-error -- no effect
  charge.pipe(Saga.compensate(() => 1))
  // @ts-expect-error -- the value is a string
  charge.pipe(Saga.compensate((id: number) => Effect.succeed(id)))
})

it("what undoes an item of requests gets what answers them, and its services are the list's", () => {
  class GetSeat extends Request.TaggedClass("GetSeat")<{ readonly row: number }, string, "sold out"> {}
  const resolver = RequestResolver.fromFunction<GetSeat>(({ request }) => `seat ${request.row}`)
  const seats = Resource.forEachRequest(
    "seats",
    { items: () => [1, 2], request: (row) => new GetSeat({ row }), resolver },
    Saga.compensate((seat) => {
      expectTypeOf(seat).toEqualTypeOf<string>()
      return Effect.flatMap(Payments, ({ refund }) => refund(seat))
    }),
    Saga.cleanup(() => Effect.flatMap(Support, ({ page }) => page("seats")))
  )
  expectTypeOf<Resource.Success<typeof seats>>().toEqualTypeOf<ReadonlyArray<string>>()
  const page = Loader.make({ seats })
  expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Payments | Support>()
})

it("going back reads errors only where it says of which", () => {
  const seat = Resource.make("seat", { load: () => Effect.succeed("1A") })
  const ticket = Resource.make("ticket", {
    deps: { seat },
    load: (): Effect.Effect<string, "gone"> => Effect.fail("gone")
  })
  ticket.pipe(Saga.rewind(seat, { times: 1, while: (error) => error === "gone" }))
  const ifGone = Saga.rewind(seat, { times: 1, while: (error: "gone") => error === "gone" })
  ticket.pipe(ifGone)
  Resource.forEach("each", {
    deps: { seat },
    items: () => [1],
    load: Effect.succeed,
    each: Saga.rewind(seat, { times: 1 })
  })
  const other = Resource.make("other", {
    deps: { seat },
    load: (): Effect.Effect<string, "lost"> => Effect.fail("lost")
  })
  // @ts-expect-error -- it may fail with something else
  other.pipe(ifGone)
})

it("what undoes a request gets its answer and what it depends on, and its services are the resource's", () => {
  class GetSeat extends Request.TaggedClass("GetSeat")<{ readonly id: string }, number, "sold out"> {}
  const resolver = RequestResolver.fromFunction<GetSeat>(({ request }) => request.id.length)
  const seat = Resource.fromRequest(
    "seat",
    { deps: { charge }, request: ({ charge }) => new GetSeat({ id: charge }), resolver },
    Saga.compensate((seat, { charge }) => {
      expectTypeOf(seat).toEqualTypeOf<number>()
      expectTypeOf(charge).toEqualTypeOf<string>()
      return Effect.flatMap(Payments, ({ refund }) => refund(charge))
    }),
    Saga.cleanup(({ charge }) => Effect.flatMap(Support, ({ page }) => page(charge)))
  )
  expectTypeOf<Resource.Services<typeof seat>>().toEqualTypeOf<Payments | Support>()
})

it("what undoes can be made beforehand, and is for all resources of its values", () => {
  const refund = Saga.compensate((id: string) => Effect.flatMap(Payments, ({ refund }) => refund(id)))
  const call = Saga.cleanup(() => Effect.flatMap(Support, ({ page }) => page("help")))
  expectTypeOf(refund).toExtend<Saga.Undo<string, {}, Payments>>()
  expectTypeOf(call).toExtend<Saga.Undo<unknown, {}, Support>>()
  const made = Resource.make("made", { load: () => Effect.succeed("c2") }, refund, call)
  const piped = Resource.make("piped", { load: () => Effect.succeed("c3") }).pipe(refund, call)
  expectTypeOf<Resource.Services<typeof made>>().toEqualTypeOf<Payments | Support>()
  expectTypeOf<Resource.Services<typeof piped>>().toEqualTypeOf<Payments | Support>()
  // @ts-expect-error -- the value is a number
  Resource.make("other", { load: () => Effect.succeed(1) }, refund)
})
