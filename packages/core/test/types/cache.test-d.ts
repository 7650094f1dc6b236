/** What types say of caches, and what must not compile. */
// What must not compile is refused by these, too.
// @effect-diagnostics missingEffectError:off missingEffectContext:off
import { type Cause, Context, Effect, type Layer, Request, RequestResolver, Schema } from "effect"
import type { Persistence } from "effect/persistence"
import { Limiter, Loader, Policy, Resource, ResourceCache, type Types } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { describe, expectTypeOf, it } from "vitest"

interface User {
  readonly id: number
}
const User = Schema.Struct({ id: Schema.Finite })

class Anything extends ResourceCache.Service<Anything>()("app/Anything") {}
class Users extends ResourceCache.Service<Users, User>()("app/Users", { keyed: true }) {}

const id = Resource.input<number>()("id")
const user = Resource.make("user", {
  deps: { id },
  key: ({ id }) => `user:${id}`,
  load: ({ id }): Effect.Effect<User, "down"> => Effect.succeed({ id })
})

describe("a cached resource", () => {
  it("keeps its value, its error and its inputs, and needs the cache", () => {
    const page = Loader.make({ user: user.pipe(Policy.retry({ times: 1 }), Policy.cache(Anything)) })
    expectTypeOf<Loader.Success<typeof page>>().toEqualTypeOf<{ readonly user: User }>()
    expectTypeOf<Loader.Services<typeof page>>().toEqualTypeOf<Anything>()
    expectTypeOf(Policy.cache(Anything)).toEqualTypeOf<Policy.PolicyForKeyed<never, Anything, never>>()
  })

  it("has to have the values of a cache that says which they are", () => {
    expectTypeOf(user.pipe(Policy.timeout("1 second"), Policy.cache(Users))).toEqualTypeOf<
      Resource.Resource<
        "user",
        User,
        Types.AddError<"user", Types.Own<"user", "down">, Cause.TimeoutError>,
        Users,
        { readonly id: number },
        never
      >
    >()
    const more = Resource.make("more", { load: () => Effect.succeed({ id: 1, name: "ada" }) })
    const less = Resource.make("less", { load: () => Effect.succeed({}) })
    // @ts-expect-error -- a user out of the cache has no name
    void more.pipe(Policy.cache(Users))
    // @ts-expect-error -- what it puts into the cache is no user
    void less.pipe(Policy.cache(Users))
  })

  it("is an item in `each`, with a key of the item", () => {
    const users = Resource.forEach("users", {
      deps: { id },
      items: ({ id }) => [id],
      itemKey: (item, { id }) => {
        expectTypeOf([item, id]).toEqualTypeOf<Array<number>>()
        return `user:${item}`
      },
      load: (id): Effect.Effect<User> => Effect.succeed({ id }),
      each: Policy.cache(Users)
    })
    expectTypeOf<Resource.Services<typeof users>>().toEqualTypeOf<Users>()
    expectTypeOf<Resource.Success<typeof users>>().toEqualTypeOf<ReadonlyArray<User>>()
    Resource.forEach("names", {
      items: () => ["ada"],
      load: (name) => Effect.succeed({ name }),
      // @ts-expect-error -- a name is no user
      each: Policy.cache(Users)
    })
  })

  it("has text for a key, made of what it depends on", () => {
    Resource.make("a", {
      deps: { id },
      // @ts-expect-error -- a number is no key
      key: ({ id }) => id,
      load: () => Effect.void
    })
    Resource.make("a", {
      deps: { id },
      // @ts-expect-error -- it does not depend on that
      key: ({ other }) => `a:${other}`,
      load: () => Effect.void
    })
  })
})

describe("a cached resource without a key", () => {
  class CurrentUser extends Context.Service<CurrentUser, string>()("app/CurrentUser") {}
  class Db extends Context.Service<Db, string>()("app/Db") {}
  class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
  class Rows extends ResourceCache.Service<Rows>()("app/Rows", { services: [Db] }) {}
  class Names extends ResourceCache.Service<Names, string>()("app/Names", { services: [Db] }) {}

  const key = () => "key"
  const mine = Resource.make("mine", { load: () => CurrentUser })
  const all = Resource.make("all", { load: () => Db })

  it("needs no services but a scope and those that its cache's layer captures", () => {
    // @ts-expect-error -- give it a key
    void mine.pipe(Policy.cache(Anything))
    // @ts-expect-error -- give it a key
    void mine.pipe(Policy.timeout("1 second"), Policy.retry({ times: 1 }), Policy.cache(Rows))
    // @ts-expect-error -- give it a key
    void Resource.map(mine, String).pipe(Policy.cache(Rows))
    // @ts-expect-error -- give it a key
    void mine.pipe(Policy.cache(Names))
    // @ts-expect-error -- give it a key
    void mine.pipe(Policy.compose(Policy.timeout("1 second"), Policy.cache(Rows)))
    // @ts-expect-error -- give it a key
    void all.pipe(Policy.compose(Policy.cache(Rows), Policy.cache(Anything)))
    // @ts-expect-error -- give it a key
    void Resource.catchCause(all, () => CurrentUser).pipe(Policy.cache(Rows))
    // @ts-expect-error -- give it a key
    void all.pipe(Policy.cache(Anything))

    void all.pipe(Policy.cache(Rows))
    void all.pipe(Policy.cache(Names))
    void all.pipe(Policy.limit(Postgres), Policy.compose(Policy.timeout("1 second"), Policy.cache(Rows)))
    void Resource.make("scoped", { load: () => Effect.scope }).pipe(Policy.cache(Anything))
    void Resource.make("mine", { key, load: () => CurrentUser }).pipe(Policy.cache(Anything))
    void Resource.make("dependent", { deps: { mine }, load: ({ mine }) => Effect.succeed(mine) }).pipe(
      Policy.cache(Anything)
    )
    expectTypeOf(Rows.layer({ timeToLive: "1 hour" })).toEqualTypeOf<Layer.Layer<Rows, never, Db>>()
  })

  it("may also be a list, an item, a request or a loader", () => {
    class Get extends Request.Class<{}, string, never, CurrentUser> {}
    const resolver = RequestResolver.fromFunction<Get>(() => "ada")
    const items = () => [1]
    const request = () => new Get()
    const loader = Loader.make({ mine })
    // @ts-expect-error -- give it a key
    void Resource.forEach("list", { items, load: () => CurrentUser }).pipe(Policy.cache(Anything))
    // @ts-expect-error -- give the items an itemKey
    void Resource.forEach("list", { items, load: () => CurrentUser, each: Policy.cache(Anything) })
    // @ts-expect-error -- give the items an itemKey: a key is one of the whole list
    void Resource.forEach("list", { items, key, load: () => CurrentUser, each: Policy.cache(Names) })
    // @ts-expect-error -- give it a key
    void Resource.fromRequest("one", { request, resolver }).pipe(Policy.cache(Anything))
    // @ts-expect-error -- give it a key
    void Resource.forEachRequest("each", { items, request, resolver }).pipe(Policy.cache(Anything))
    // @ts-expect-error -- give the items an itemKey
    void Resource.forEachRequest("each", { items, request, resolver, each: Policy.cache(Anything) })
    // @ts-expect-error -- give it a key
    void Resource.fromLoader("inside", loader).pipe(Policy.cache(Anything))

    void Resource.forEach("list", { items, key, load: () => CurrentUser }).pipe(Policy.cache(Anything))
    void Resource.forEach("list", { items, itemKey: String, load: () => CurrentUser, each: Policy.cache(Names) })
    void Resource.forEach("list", { items, load: () => Db, each: Policy.cache(Rows) }).pipe(Policy.cache(Rows))
    void Resource.fromRequest("one", { key, request, resolver }).pipe(Policy.cache(Anything))
    void Resource.forEachRequest("each", { items, itemKey: String, request, resolver, each: Policy.cache(Anything) })
    void Resource.fromLoader("inside", loader, { key }).pipe(Policy.cache(Anything))
  })

  it("is told to have one", () => {
    type Refused = Types.Sharing<CurrentUser, Db>
    expectTypeOf<
      keyof Refused
    >().toEqualTypeOf<"~give it a `key`: without one, its value may not depend on services of the caller">()
    expectTypeOf<Types.Sharing<Db, Db>>().toEqualTypeOf<unknown>()
    expectTypeOf<Types.Sharing<never, never>>().toEqualTypeOf<unknown>()
  })
})

describe("the service of a cache", () => {
  it("gives what it loads, and needs what that needs", () => {
    const load: Effect.Effect<User, "down", Anything> = Effect.succeed({ id: 1 })
    expectTypeOf(Users.get("user:1", load)).toEqualTypeOf<Effect.Effect<User, "down", Anything | Users>>()
    expectTypeOf(Anything.get("user:1", load)).toEqualTypeOf<Effect.Effect<User, "down", Anything>>()
    expectTypeOf(Users.invalidate("user:1")).toEqualTypeOf<Effect.Effect<boolean, never, Users>>()
    // @ts-expect-error -- no user
    void Users.get("user:1", Effect.succeed("ada"))
    // @ts-expect-error -- no key
    void Users.invalidate(1)
  })

  it("asks the value for its time to live by its type", () => {
    const layer = Users.layer({ timeToLive: ({ id }) => id * 1000 })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<Users>>()
    // @ts-expect-error -- a user has no name
    Users.layer({ timeToLive: ({ name }) => name })
    // @ts-expect-error -- how long?
    Users.layer({ capacity: 10 })
  })

  it("can be persisted if its keys are text and its values have a schema", () => {
    const options = { timeToLive: "1 hour", memory: { timeToLive: "10 seconds" } } as const
    expectTypeOf(Persisted.layer(Users, { ...options, value: User })).toEqualTypeOf<
      Layer.Layer<Users, never, Persistence.BackingPersistence>
    >()
    // @ts-expect-error -- another type than that of the cache
    Persisted.layer(Users, { ...options, value: Schema.Struct({ name: Schema.String }) })
    // @ts-expect-error -- resources without a key can be in it
    Persisted.layer(Anything, { ...options, value: Schema.Unknown })
  })
})
