/** Caches that callers with different services share. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Option, Request, RequestResolver, Scope } from "effect"
import { Limiter, Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
import { withTime } from "../withTime.ts"

class CurrentUser extends Context.Service<CurrentUser, string>()("app/CurrentUser") {}
class Db extends Context.Service<Db, string>()("app/Db") {}
class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class Pay extends CircuitBreaker.Service<Pay>()("app/Pay") {}
class Users extends ResourceCache.Service<Users>()("app/Users", { services: [Db] }) {}
const Locale = Context.Reference<string>("app/Locale", { defaultValue: () => "en" })

const services = Layer.mergeAll(
  Layer.provide(
    Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 hour" }),
    Layer.succeed(Db, "the layer's")
  ),
  Postgres.layer({ limit: 1 }),
  Pay.layer({ opens: { failures: 5 }, openDuration: "1 second" })
)

type Given = CurrentUser | Db | Users | Postgres | Pay

/** A load with the services of one caller. */
const as = <A, E>(user: string, self: Effect.Effect<A, E, Given>): Effect.Effect<A, E, Users | Postgres | Pay> =>
  self.pipe(
    Effect.provideService(CurrentUser, user),
    Effect.provideService(Db, `${user}'s`),
    Effect.provideService(Locale, user)
  )

const together = <A, E>(self: Effect.Effect<A, E, Users | Postgres | Pay>): Effect.Effect<A, E> =>
  withTime(Effect.provide(self, services))

/** Types are bypassed: without a key none of this compiles. */
const cached = (self: unknown): Resource.Resource<string, unknown, unknown, Given> =>
  (self as Resource.Resource<string, unknown, unknown, Given, unknown, never>).pipe(Policy.cache(Users))

const items = () => [1]

class Get extends Request.Class<{}, string, never, CurrentUser> {}
const Ask = RequestResolver.make<Get>((entries) =>
  Effect.sync(() => {
    for (const entry of entries) {
      entry.completeUnsafe(Exit.succeed(`orders of ${Context.getUnsafe(entry.context, CurrentUser)}`))
    }
  })
)

const inside = Loader.make({ mine: Resource.make("mine", { load: () => CurrentUser }) })

const read = () => Effect.map(CurrentUser, (user) => `orders of ${user}`)

/** A load that reads the user of its caller, in each kind of declaration. */
const declared: Readonly<Record<string, () => unknown>> = {
  "a load": () => Resource.make("orders", { load: read }),
  "a load with policies": () =>
    Resource.make("orders", { load: read }).pipe(
      Policy.limit(Postgres),
      circuitBreaker(Pay),
      Policy.timeout("1 second"),
      Policy.retry({ times: 1 })
    ),
  "a list": () => Resource.forEach("orders", { items, load: read }),
  "an item": () => Resource.forEach("orders", { items, load: read, each: Policy.cache(Users) as never }),
  "a loader inside": () => Resource.fromLoader("orders", inside)
}

describe("no caller gets a value that was loaded with the services of another one", () => {
  for (const [what, declare] of Object.entries(declared)) {
    it.effect(`without a key, ${what} that needs a service dies, and the message asks for a key`, () =>
      Effect.gen(function* () {
        const page = Loader.make({ orders: cached(declare()) })
        const exits = yield* together(
          Effect.all(["ada", "eve"].map((user) => Effect.exit(as(user, Loader.load(page)))))
        )
        for (const exit of exits) {
          const defects = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isDieReason) : []
          const message = String((defects[0]?.defect as Error | undefined)?.message)
          assert.include(
            message,
            'resource "orders" is cached without a `key`, so its load has no service "app/CurrentUser"'
          )
          assert.include(message, "Give it a `key`")
        }
      })
    )
  }

  it.effect("with a key, each key has its own value, loaded with its caller's services", () =>
    Effect.gen(function* () {
      const user = Resource.input<string>()("user")
      const orders = Resource.make("orders", { deps: { user }, key: ({ user }) => user, load: read })
      const page = Loader.make({ orders: orders.pipe(Policy.cache(Users)) })
      const load = (user: string) => as(user, Loader.load(page, { user }))
      const pages = yield* together(Effect.all([load("ada"), load("eve"), load("ada")]))
      assert.deepStrictEqual(
        pages.map(({ orders }) => orders),
        ["orders of ada", "orders of eve", "orders of ada"]
      )
    })
  )
})

describe("a load without a key", () => {
  const seeing = Effect.gen(function* () {
    return {
      user: Option.getOrUndefined(yield* Effect.serviceOption(CurrentUser)),
      db: Option.getOrUndefined(yield* Effect.serviceOption(Db)),
      locale: yield* Locale,
      hasScope: Option.isSome(yield* Effect.serviceOption(Scope.Scope))
    }
  })
  const shared = { user: undefined, db: "the layer's", locale: "en", hasScope: true }

  it.effect("has the services that the cache's layer captured, and none of its caller, also in a refresh", () =>
    Effect.gen(function* () {
      const loads: Array<unknown> = []
      const load = () => Effect.tap(seeing, (seen) => Effect.sync(() => loads.push(seen)))
      const page = Loader.make({ seen: Resource.make("seen", { load }).pipe(Policy.cache(Users)) })
      const visit = Effect.scoped(as("ada", Loader.load(page)))
      yield* together(Effect.all([visit, Effect.delay(visit, "2 minutes"), Effect.sleep(1)]))
      assert.deepStrictEqual(loads, [shared, shared])
    })
  )

  it.effect("does not change the services of other resources in its run", () =>
    Effect.gen(function* () {
      const seen = Resource.make("seen", { load: () => seeing }).pipe(Policy.cache(Users))
      const user = Resource.make("user", { deps: { seen }, load: () => CurrentUser })
      const page = Loader.make({ seen, user })
      const loaded = yield* together(
        Effect.scoped(as("ada", Loader.load(page as Loader.Loader<unknown, never, Given>)))
      )
      assert.deepStrictEqual(loaded, { seen: shared, user: "ada" })
    })
  )
})

describe("requests of callers with different services", () => {
  it.effect("share a call, and no answer", () =>
    Effect.gen(function* () {
      const one = Resource.fromRequest("one", { request: () => new Get(), resolver: Ask })
      const page = Loader.make({ one })
      const load = (user: string) => as(user, Loader.load(page))
      const pages = yield* together(Effect.all([load("ada"), load("eve"), load("ada")], { concurrency: "unbounded" }))
      assert.deepStrictEqual(
        pages.map(({ one }) => one),
        ["orders of ada", "orders of eve", "orders of ada"]
      )
    })
  )
})
