/** Readers of a cache that hold a slot or a permit, and the loads that they wait for. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Option, Request, RequestResolver, Scope } from "effect"
import { Limiter, Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { fork } from "../fork.ts"
import { withTime } from "../withTime.ts"

class Users extends ResourceCache.Service<Users>()("app/Users") {}
class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}

const aMinute = Users.layer({ timeToLive: "1 minute" })

/** The value of an effect, or `undefined` if it still waits after an hour. It has no scope, which is the simplest case. */
const within = <A, E>(self: Effect.Effect<A, E, Users | Postgres>, users = aMinute, limit = 1) =>
  withTime(Effect.provide(Effect.timeoutOption(self, "1 hour"), Layer.merge(users, Postgres.layer({ limit })))).pipe(
    Effect.updateContext((context: Context.Context<never>) => Context.omit(Scope.Scope)(context))
  )

/** A load that takes time, and is counted. */
const counting = (millis = 10) => {
  const loads = { count: 0 }
  const load = Effect.suspend(() => {
    loads.count++
    return Effect.as(Effect.sleep(millis), "Ada")
  })
  return { load, loads }
}

const key = () => "user"

/** Two readers of the key: one inside its attempt, with a slot, and one outside, without a slot. */
const readers = (load: Effect.Effect<string>) => ({
  inside: Resource.make("inside", { key, load: () => load }).pipe(Policy.cache(Users), Policy.retry({ times: 1 })),
  outside: Resource.make("outside", { key, load: () => load }).pipe(Policy.cache(Users))
})

describe("at limit 1, a run ends", () => {
  it.effect("if an attempt with the only permit loads a resource behind a cache that waits for a permit", () =>
    Effect.gen(function* () {
      const { load, loads } = counting()
      const user = Resource.make("user", { key, load: () => load }).pipe(Policy.limit(Postgres), Policy.cache(Users))
      const inner = Loader.make({ user })
      const page = Resource.make("page", {
        load: () => Effect.andThen(Effect.sleep(1), Loader.load(inner))
      }).pipe(Policy.limit(Postgres))
      const before = Resource.make("before", { load: () => Effect.void })
      const late = Resource.make("late", { key, deps: { before }, load: () => load }).pipe(
        Policy.limit(Postgres),
        Policy.cache(Users)
      )
      const loaded = yield* within(Loader.load(Loader.make({ page, user: late })))
      assert.deepStrictEqual(loaded, Option.some({ page: { user: "Ada" }, user: "Ada" }))
      assert.strictEqual(loads.count, 2)
    })
  )

  it.effect("if that resource is a request whose call takes the permit", () =>
    Effect.gen(function* () {
      class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string> {}
      const resolver = RequestResolver.make<GetUser>((entries) =>
        Effect.andThen(
          Effect.sleep(10),
          Effect.forEach(entries, (entry) => Request.succeed(entry, "Ada"), { discard: true })
        )
      )
      const user = Resource.fromRequest("user", { key, request: () => new GetUser({ id: 7 }), resolver }).pipe(
        Policy.limit(Postgres),
        Policy.cache(Users)
      )
      const inner = Loader.make({ user })
      const page = Resource.make("page", {
        load: () => Effect.andThen(Effect.sleep(1), Loader.load(inner))
      }).pipe(Policy.limit(Postgres))
      const loaded = yield* within(Loader.load(Loader.make({ page, user })))
      assert.deepStrictEqual(loaded, Option.some({ page: { user: "Ada" }, user: "Ada" }))
    })
  )

  it.effect("if the items of a list load a resource behind a cache that waits for their slots", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const user = Resource.make("user", { key, load: () => load }).pipe(Policy.cache(Users))
      const inner = Loader.make({ user })
      const pages = Resource.forEach("pages", {
        items: () => [1, 2, 3],
        load: () => Effect.andThen(Effect.sleep(1), Loader.load(inner))
      })
      const loaded = yield* within(Loader.load(Loader.make({ pages, user }, { concurrency: 1 })))
      const one = { user: "Ada" }
      assert.deepStrictEqual(loaded, Option.some({ pages: [one, one, one], user: "Ada" }))
    })
  )

  it.effect("if a load without policies loads a resource behind a cache that waits for its slot", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const user = Resource.make("user", { key, load: () => load }).pipe(Policy.cache(Users))
      const inner = Loader.make({ user })
      const page = Resource.make("page", { load: () => Effect.andThen(Effect.sleep(1), Loader.load(inner)) })
      const nested = Resource.fromLoader("nested", inner)
      const besides = yield* within(Loader.load(Loader.make({ page, user }, { concurrency: 1 })))
      assert.deepStrictEqual(besides, Option.some({ page: { user: "Ada" }, user: "Ada" }))
      yield* within(Loader.load(Loader.make({ page, nested }, { concurrency: 1 }))).pipe(
        Effect.tap((inside) => Effect.sync(() => assert.isTrue(Option.isSome(inside))))
      )
    })
  )

  it.effect("if one resource reads a key inside its attempt, and another one outside", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const before = Resource.make("before", { load: () => Effect.sleep(1) })
      const inside = Resource.make("inside", { key, deps: { before }, load: () => load }).pipe(
        Policy.cache(Users),
        Policy.retry({ times: 1 })
      )
      const outside = Resource.make("outside", { key, deps: { before }, load: () => load }).pipe(Policy.cache(Users))
      for (const targets of [
        { inside, outside },
        { outside, inside }
      ]) {
        const loaded = yield* within(Loader.load(Loader.make(targets, { concurrency: 1 })))
        assert.deepStrictEqual(loaded, Option.some({ inside: "Ada", outside: "Ada" }))
      }
    })
  )

  it.effect("if a default policy says so", () =>
    Effect.gen(function* () {
      const { load } = counting()
      const inside = Resource.make("inside", { key, load: () => load }).pipe(Policy.retry({ times: 1 }))
      const outside = Resource.make("outside", { key, load: () => load })
      const page = Loader.make({ inside, outside }, { concurrency: 1, policy: Policy.cache(Users) })
      assert.deepStrictEqual(yield* within(Loader.load(page)), Option.some({ inside: "Ada", outside: "Ada" }))
    })
  )

  it.effect("if each of two runs holds a permit that the other one's load waits for", () =>
    Effect.gen(function* () {
      const of = (key: string) =>
        Resource.make(key, { key: () => key, load: () => Effect.as(Effect.sleep(10), key) }).pipe(Policy.cache(Users))
      const [a, b] = [of("a"), of("b")]
      const reading = (key: string) =>
        Resource.make("reading", {
          load: () => Effect.andThen(Effect.sleep(1), Users.get(key, Effect.as(Effect.sleep(10), key)))
        })
      const first = Loader.make({ reading: reading("b"), a }, { concurrency: 1 })
      const second = Loader.make({ reading: reading("a"), b }, { concurrency: 1 })
      const both = Effect.all([Loader.load(first), Loader.load(second)], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        yield* within(both),
        Option.some<[unknown, unknown]>([
          { reading: "b", a: "a" },
          { reading: "a", b: "b" }
        ])
      )
    })
  )

  it.effect("if a load passes to a reader that needs the slot of another waiting reader", () =>
    Effect.gen(function* () {
      const { load } = counting(1000)
      const { inside, outside } = readers(load)
      const run = Effect.gen(function* () {
        const first = yield* fork(Loader.load(Loader.make({ inside }, { concurrency: 1 })))
        yield* Effect.sleep(1)
        const second = yield* fork(Loader.load(Loader.make({ outside, inside }, { concurrency: 1 })))
        yield* Effect.sleep(1)
        yield* Fiber.interrupt(first)
        return yield* Fiber.join(second)
      })
      assert.deepStrictEqual(yield* within(run), Option.some({ outside: "Ada", inside: "Ada" }))
    })
  )

  it.effect("if a refresh waits for the permit of a reader", () =>
    Effect.gen(function* () {
      const { load, loads } = counting(1000)
      const user = Resource.make("user", { key, load: () => load }).pipe(Policy.limit(Postgres), Policy.cache(Users))
      const page = Loader.make({ user })
      const run = Effect.gen(function* () {
        yield* Loader.load(page)
        // It reads after the value has expired, while the refresh still waits for a permit.
        const late = Effect.andThen(Effect.sleep("3 minutes"), Loader.load(page))
        const holder = yield* fork(Effect.flatMap(Postgres, (postgres) => postgres.withPermit(late)))
        yield* Effect.sleep("90 seconds")
        const stale = yield* Loader.load(page)
        return [stale, yield* Fiber.join(holder), yield* Loader.load(page)]
      })
      const stale = Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute", refreshWithin: "1 hour" })
      const ended = yield* within(run, stale)
      assert.deepStrictEqual(ended, Option.some([{ user: "Ada" }, { user: "Ada" }, { user: "Ada" }]))
      assert.strictEqual(loads.count, 3)
    })
  )
})

describe("a load of a key is shared", () => {
  it.effect("by attempts that each hold a slot, of one run and of others", () =>
    Effect.gen(function* () {
      const { load, loads } = counting()
      const of = (name: string) =>
        Resource.make(name, { key, load: () => load }).pipe(Policy.cache(Users), Policy.retry({ times: 1 }))
      const page = Loader.make({ a: of("a"), b: of("b") }, { concurrency: 2 })
      const both = Effect.all([Loader.load(page), Loader.load(page)], { concurrency: "unbounded" })
      const one = { a: "Ada", b: "Ada" }
      assert.deepStrictEqual(yield* within(both), Option.some<[unknown, unknown]>([one, one]))
      assert.strictEqual(loads.count, 1)
    })
  )

  it.effect("by attempts that each hold a permit of one limiter", () =>
    Effect.gen(function* () {
      const { load, loads } = counting()
      const reading = Effect.flatMap(Postgres, (postgres) => postgres.withPermit(Users.get("user", load)))
      const run = Effect.all([reading, reading, reading], { concurrency: "unbounded" })
      assert.isTrue(Option.isSome(yield* within(run, aMinute, 3)))
      assert.strictEqual(loads.count, 1)
    })
  )

  it.effect("by readers that hold nothing and readers that hold a permit", () =>
    Effect.gen(function* () {
      const { load, loads } = counting()
      const { inside, outside } = readers(load)
      const run = Effect.gen(function* () {
        const first = yield* fork(Loader.load(Loader.make({ inside }, { concurrency: 1 })))
        yield* Effect.sleep(1)
        yield* Loader.load(Loader.make({ outside }, { concurrency: 1 }))
        yield* Fiber.join(first)
      })
      yield* within(run)
      assert.strictEqual(loads.count, 1)
    })
  )

  describe("by attempts that join a load which still waits for a slot", () => {
    /** Runs that read a key in an attempt, concurrently with one that loads it outside its attempt. */
    const runs = (others: Record<string, Resource.Resource<string, void, never, Users>>) =>
      Effect.gen(function* () {
        const { load, loads } = counting()
        const { inside, outside } = readers(load)
        const page = Loader.make({ inside, ...others }, { concurrency: 1 })
        const run = Effect.gen(function* () {
          const first = yield* fork(Loader.load(Loader.make({ outside }, { concurrency: 1 })))
          yield* Effect.sleep(1)
          yield* Effect.forEach(Array.from({ length: 20 }), () => Loader.load(page), { concurrency: "unbounded" })
          yield* Fiber.join(first)
        })
        assert.isTrue(Option.isSome(yield* within(run)))
        return loads.count
      })

    it.effect("with that load, if no reader in a cache can wait for their slots", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* runs({}), 1)
      })
    )

    it.effect("with each other, if a reader can", () =>
      Effect.gen(function* () {
        const other = Resource.make("other", { key: () => "other", load: () => Effect.void }).pipe(Policy.cache(Users))
        assert.strictEqual(yield* runs({ other }), 2)
      })
    )
  })
})
