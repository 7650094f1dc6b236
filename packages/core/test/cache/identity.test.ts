/** Law 28: the identity of a value covers everything that the value depends on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Request, RequestResolver, Schema } from "effect"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { Fake } from "effect-loader/testing"
import { collectUntil } from "../collectUntil.ts"
import { Token } from "../Token.ts"

class Users extends ResourceCache.Service<Users>()("app/Users") {}

const aMinute = Users.layer({ timeToLive: "1 minute" })

const cached = <A, E>(self: Effect.Effect<A, E, Users>): Effect.Effect<A, E> => Effect.provide(self, aMinute)

const token = Resource.input<{ readonly reveal: () => string }>()("token")
const id = Resource.input<unknown>()("id")

/** Counts its loads. */
const counting = () => {
  const loads = { count: 0 }
  return Object.assign(loads, { load: () => Effect.sync(() => ++loads.count) })
}

describe("no caller gets a value that was loaded for another one", () => {
  it.effect("from a cache, if a dependency has different hidden state", () =>
    Effect.gen(function* () {
      const orders = Resource.make("orders", {
        deps: { token },
        load: ({ token }) => Effect.succeed(`orders of ${token.reveal()}`)
      }).pipe(Policy.cache(Users))
      const page = Loader.make({ orders })
      const ada = new Token("ada")
      const both = [ada, new Token("eve"), ada].map((token) => Loader.load(page, { token }))
      const pages = yield* cached(Effect.all(both))
      assert.deepStrictEqual(
        pages.map(({ orders }) => orders),
        ["orders of ada", "orders of eve", "orders of ada"]
      )
    })
  )

  it.effect("from a batch, if a request has different hidden state or another class", () =>
    Effect.gen(function* () {
      class Search extends Request.TaggedClass("Search")<{ readonly of: unknown }, string> {}
      class OfUser extends Request.Class<{ readonly id: number }, string> {
        readonly kind = (): string => "user"
      }
      class ByUser extends Request.Class<{ readonly id: number }, string> {}
      class ByOrg extends Request.Class<{ readonly id: number }, string> {}
      const asked: Array<Request.Request<string>> = []
      const all = RequestResolver.fromFunctionBatched<Search | OfUser | ByUser | ByOrg>((entries) =>
        entries.map(({ request }) => {
          asked.push(request)
          return `${asked.length}`
        })
      )
      const requests = [
        new Search({ of: new URLSearchParams("status=open") }),
        new Search({ of: new URLSearchParams("status=done") }),
        new Search({ of: new URLSearchParams("status=open") }),
        new Search({ of: Option.some(new Token("ada")) }),
        new Search({ of: Option.some(new Token("ada")) }),
        new OfUser({ id: 1 }),
        new ByUser({ id: 1 }),
        new ByOrg({ id: 1 }),
        new ByOrg({ id: 1 })
      ]
      const rows = Resource.forEachRequest("rows", { items: () => requests, request: (one) => one, resolver: all })
      const page = yield* Loader.load(Loader.make({ rows }))
      assert.deepStrictEqual(page.rows, ["1", "2", "1", "3", "4", "5", "6", "7", "7"])
    })
  )

  it.effect("if a dependency was changed after the read", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const page = Loader.make({ rows: Resource.make("rows", { deps: { id }, load }).pipe(Policy.cache(Users)) })
      const rows = (id: unknown) => Effect.map(Loader.load(page, { id }), ({ rows }) => rows)
      const filter = { page: 1 }
      const change = Effect.sync(() => (filter.page = 2))
      const first = rows(filter)
      const seen = yield* cached(Effect.all([first, change, rows(filter), rows({ page: 2 }), rows({ page: 1 })]))
      assert.deepStrictEqual(seen, [1, 2, 2, 2, 1])
    })
  )

  it.effect("from another declaration, even of the same name", () =>
    Effect.gen(function* () {
      const make = (load: () => Effect.Effect<unknown>) =>
        Loader.load(Loader.make({ user: Resource.make("user", { load }).pipe(Policy.cache(Users)) }))
      const [one, other] = yield* cached(
        Effect.all([make(() => Effect.succeed("ada")), make(() => Effect.succeed("eve"))])
      )
      assert.deepStrictEqual([one.user, other.user], ["ada", "eve"])
    })
  )

  it.effect("from another resolver with the same request", () =>
    Effect.gen(function* () {
      class Get extends Request.Class<{}, string> {}
      const request = () => new Get()
      const ask = (answer: string) => {
        const resolver = RequestResolver.fromFunction<Get>(() => answer)
        const one = Resource.fromRequest("one", { request, resolver }).pipe(Policy.cache(Users))
        return Effect.map(Loader.load(Loader.make({ one })), ({ one }) => one)
      }
      assert.deepStrictEqual(yield* cached(Effect.all([ask("ada"), ask("eve")])), ["ada", "eve"])
    })
  )

  it.effect("through another view inside the cache", () =>
    Effect.gen(function* () {
      const user = Resource.make("user", { load: () => Effect.succeed({ name: "ada", age: 36 }) })
      const read = <A>(view: Resource.Resource<"user", A>): Effect.Effect<unknown, never, Users> =>
        Effect.map(Loader.load(Loader.make({ view: view.pipe(Policy.cache(Users)) })), ({ view }) => view)
      const views = [
        read(user),
        read(user.pipe(Resource.map(({ name }) => name))),
        read(user.pipe(Resource.map(({ age }) => age))),
        read(Resource.option(user))
      ]
      const seen = yield* cached(Effect.all([...views, ...views]))
      const expected = [{ name: "ada", age: 36 }, "ada", 36, Option.some({ name: "ada", age: 36 })]
      assert.deepStrictEqual(seen, [...expected, ...expected])
    })
  )

  it.effect("for the same item at another index, if the load uses the index", () =>
    Effect.gen(function* () {
      const lists = [
        (item: string, _: object, index: number) => Effect.succeed(`${item} ${index}`),
        (...[item, , index]: [string, object, number]) => Effect.succeed(`${item} ${index}`)
      ].map((load) => {
        const list = Resource.forEach("list", { items: () => ["a", "b", "a"], load, each: Policy.cache(Users) })
        return Effect.map(Loader.load(Loader.make({ list })), ({ list }) => list)
      })
      const expected = ["a 0", "b 1", "a 2"]
      assert.deepStrictEqual(yield* cached(Effect.all(lists)), [expected, expected])
    })
  )
})

describe("without a key, a value is identified by its load function and its dependencies", () => {
  it.effect("by structure: instances of a schema's class are equal if their fields are", () =>
    Effect.gen(function* () {
      class Org extends Schema.Class<Org>("Org")({ id: Schema.Finite, tags: Schema.Array(Schema.String) }) {}
      const { load } = counting()
      const page = Loader.make({ rows: Resource.make("rows", { deps: { id }, load }).pipe(Policy.cache(Users)) })
      const rows = (id: number) =>
        Effect.map(Loader.load(page, { id: [new Org({ id, tags: ["a"] })] }), ({ rows }) => rows)
      assert.deepStrictEqual(yield* cached(Effect.all([rows(1), rows(1), rows(2)])), [1, 1, 2])
    })
  )

  it.effect("policies, views and defaults of loaders keep its identity", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const user = Resource.make("user", { load })
      const loaders = [
        Loader.make({ user: user.pipe(Policy.cache(Users)) }),
        Loader.make({ user: user.pipe(Policy.timeout("1 second"), Policy.retry({ times: 2 }), Policy.cache(Users)) }),
        Loader.make({ user: user.pipe(Policy.cache(Users), Policy.timeout("1 second")) }),
        Loader.make({
          user: user.pipe(
            Policy.cache(Users),
            Resource.map((loads) => loads)
          )
        }),
        Loader.make({ user: user.pipe(Policy.cache(Users)) }, { policy: Policy.timeout("1 second") }),
        Loader.make({ user }, { policy: Policy.cache(Users) }),
        Loader.make({ user: user.pipe(Resource.annotate({ team: "a" }), Policy.cache(Users)) })
      ]
      const seen = yield* cached(
        Effect.forEach(loaders, (page) => Effect.map(Loader.load(page as (typeof loaders)[0]), ({ user }) => user))
      )
      assert.deepStrictEqual(
        seen,
        loaders.map(() => 1)
      )
    })
  )

  it.effect("overrides and fakes change its identity", () =>
    Effect.gen(function* () {
      const user = Resource.make("user", { load: () => Effect.succeed("ada") })
      const page = Loader.make({ user }, { policy: Policy.cache(Users) })
      const pages = [
        page,
        Loader.override(page, user, () => Effect.succeed("eve")),
        Loader.override(page, user, Effect.succeed("bob")),
        Loader.override(page, user, Fake.delay(user, 0, "joe")),
        page
      ]
      const seen = yield* cached(Effect.forEach(pages, (page) => Loader.load(page as (typeof pages)[0])))
      assert.deepStrictEqual(
        seen.map(({ user }) => user),
        ["ada", "eve", "bob", "joe", "ada"]
      )
    })
  )

  it.effect("the value is forgotten under the names of all resources that have read it", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const read = (name: string) =>
        Effect.map(
          Loader.load(Loader.make({ one: Resource.make(name, { load }).pipe(Policy.cache(Users)) })),
          ({ one }) => one
        )
      const seen = yield* cached(
        Effect.all([read("a"), read("b"), Users.invalidateUnder("c"), read("a"), Users.invalidateUnder("b"), read("a")])
      )
      assert.deepStrictEqual(seen, [1, 1, true, 1, true, 2])
    })
  )

  it("the value is forgotten when its declaration is garbage-collected", async () => {
    const context = await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const users = yield* Users.layer({ timeToLive: "1 hour" }).pipe((layer) =>
            Effect.provide(Effect.context<Users>(), layer)
          )
          return users
        })
      )
    )
    const entries = () =>
      Effect.runSync(Effect.map(Effect.provideContext(Users.stats, context), ({ entries }) => entries))
    const kept = Loader.make({
      user: Resource.make("user", { load: () => Effect.succeed("ada") }).pipe(Policy.cache(Users))
    })
    const loadOnce = (k: number) => {
      const user = Resource.make("user", { deps: { id }, load: () => Effect.succeed(k) }).pipe(Policy.cache(Users))
      return Effect.runPromise(Effect.provideContext(Loader.load(Loader.make({ user }), { id: k }), context))
    }
    await Effect.runPromise(Effect.provideContext(Loader.load(kept), context))
    for (let k = 0; k < 10; k++) await loadOnce(k)
    assert.strictEqual(entries(), 11)
    await collectUntil(() => entries() === 1)
    assert.strictEqual(entries(), 1)
    assert.deepStrictEqual(await Effect.runPromise(Effect.provideContext(Loader.load(kept), context)), { user: "ada" })
  })
})

describe("with a key", () => {
  it.effect("two declarations share a value", () =>
    Effect.gen(function* () {
      const read = (value: string) => {
        const user = Resource.make("user", { key: () => "user", load: () => Effect.succeed(value) })
        return Loader.load(Loader.make({ user: user.pipe(Policy.cache(Users)) }))
      }
      assert.deepStrictEqual(yield* cached(Effect.all([read("ada"), read("eve")])), [{ user: "ada" }, { user: "ada" }])
    })
  )
})
