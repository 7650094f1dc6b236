/** Behaviour that users of Facebook's DataLoader and of ZIO Query rely on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Request, RequestResolver } from "effect"
import { Batching, Loader, Policy, Report, Resource, type ResourceError } from "effect-loader"
import { failureOf } from "../failureOf.ts"
import { withTime } from "../withTime.ts"
import { Backend, GetUser, nameOf, NotFound } from "./Backend.ts"

type Resolver = RequestResolver.RequestResolver<GetUser>

const user = (name: string, id: number, resolver: Resolver) =>
  Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver })

const users = (ids: ReadonlyArray<number>, resolver: Resolver) =>
  Resource.forEachRequest("users", { items: () => ids, request: (id) => new GetUser({ id }), resolver })

describe("as with DataLoader", () => {
  it.effect("an empty list makes no call", () =>
    Effect.gen(function* () {
      const { calls, resolver } = new Backend()
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ users: users([], resolver) })), { users: [] })
      assert.deepStrictEqual(calls, [])
    })
  )

  it.effect("loads that follow each other by promises alone still share a call", () =>
    Effect.gen(function* () {
      const { calls, resolver } = new Backend()
      const hop = Resource.make("hop", { load: () => Effect.promise(() => Promise.resolve().then(() => 2)) })
      const late = Resource.fromRequest("late", {
        deps: { hop },
        request: ({ hop }) => new GetUser({ id: hop }),
        resolver
      })
      yield* withTime(Loader.load(Loader.make({ a: user("a", 1, resolver), late })))
      assert.deepStrictEqual(calls, [[1, 2]])
    })
  )

  it.effect("keys are compared by their contents, not as objects", () =>
    Effect.gen(function* () {
      interface GetCell extends Request.Request<string> {
        readonly _tag: "GetCell"
        readonly row: number
        readonly at: { readonly column: string }
      }
      const GetCell = Request.tagged<GetCell>("GetCell")
      let asked = 0
      const resolver = RequestResolver.make<GetCell>((entries) =>
        Effect.sync(() => {
          asked += entries.length
          for (const entry of entries) entry.completeUnsafe(Exit.succeed(entry.request.at.column + entry.request.row))
        })
      )
      const cells = Resource.forEachRequest("cells", {
        items: () => [
          GetCell({ row: 1, at: { column: "a" } }),
          GetCell({ row: 1, at: { column: "a" } }),
          GetCell({ row: 1, at: { column: "b" } })
        ],
        request: (cell) => cell,
        resolver
      })
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ cells })), { cells: ["a1", "a1", "b1"] })
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("unrelated resolvers have separate calls, which run concurrently", () =>
    Effect.gen(function* () {
      const one = new Backend(100)
      const two = new Backend(100)
      const report = yield* withTime(
        Loader.settle(Loader.make({ a: user("a", 1, one.resolver), b: user("b", 2, two.resolver) }))
      )
      assert.deepStrictEqual([one.calls, two.calls], [[[1]], [[2]]])
      assert.strictEqual(report.until - report.startedAt, 100)
    })
  )

  it.effect("a failed call fails all its callers, and the next run makes the request again", () =>
    Effect.gen(function* () {
      let up = false
      const resolver = RequestResolver.make<GetUser>((entries) =>
        Effect.suspend(() => {
          if (!up) return Effect.fail(new NotFound({ id: 0 }))
          for (const entry of entries) entry.completeUnsafe(Exit.succeed(nameOf(entry.request.id)))
          return Effect.void
        })
      )
      const page = Loader.make({ a: user("a", 1, resolver), b: user("b", 2, resolver) })
      const report = yield* Loader.settle(page)
      assert.deepStrictEqual(
        ["a", "b"].map((name) => Report.get(report, name)?.outcome._tag),
        ["Failed", "Failed"]
      )
      up = true
      assert.deepStrictEqual(yield* Loader.load(page), { a: nameOf(1), b: nameOf(2) })
    })
  )

  it.effect("a resolver with too few answers fails the requests that it left out, by name", () =>
    Effect.gen(function* () {
      const resolver = RequestResolver.fromFunctionBatched<GetUser>((entries) =>
        entries.slice(1).map(({ request }) => nameOf(request.id))
      )
      const list = Resource.forEachRequest("list", {
        items: () => [1, 2],
        request: (id) => new GetUser({ id }),
        resolver
      })
      const exit = yield* Effect.exit(Loader.load(Loader.make({ list })))
      const { error, item } = failureOf(exit) as ResourceError<"list", Batching.UnansweredRequest>
      assert.deepStrictEqual(item, { index: 1, value: 2 })
      assert.deepStrictEqual(error.request, new GetUser({ id: 2 }))
    })
  )

  it.effect("a failure is not kept: a retry gets the current answer of the backend", () =>
    Effect.gen(function* () {
      let answers = 0
      const resolver = RequestResolver.make<GetUser>((entries) =>
        Effect.sync(() => {
          for (const entry of entries) {
            entry.completeUnsafe(answers++ === 0 ? Exit.fail(new NotFound({ id: 1 })) : Exit.succeed("back"))
          }
        })
      )
      const list = Resource.forEachRequest("list", {
        items: () => [1],
        request: (id) => new GetUser({ id }),
        resolver,
        each: Policy.retry({ times: 1 })
      })
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ list })), { list: ["back"] })
    })
  )
})

describe("as with ZIO Query", () => {
  it.effect("a list and a request for each of its items take two calls", () =>
    Effect.gen(function* () {
      const { calls, resolver } = new Backend()
      const first = users([1, 2, 3], resolver)
      const friends = Resource.forEachRequest("friends", {
        deps: { first },
        items: ({ first }) => first,
        request: (name) => new GetUser({ id: Number(name.slice(5)) + 10 }),
        resolver
      })
      const page = yield* withTime(Loader.load(Loader.make({ friends })))
      assert.deepStrictEqual(page, { friends: [11, 12, 13].map(nameOf) })
      assert.deepStrictEqual(calls, [
        [1, 2, 3],
        [11, 12, 13]
      ])
    })
  )

  it.effect("mapping, recovering and grouping do not split batches", () =>
    Effect.gen(function* () {
      const { calls, resolver } = new Backend()
      const loud = Resource.map(user("loud", 1, resolver), (name) => name.toUpperCase())
      const safe = user("safe", -2, resolver).pipe(Resource.orElseSucceed(() => "nobody"))
      const both = Resource.struct("both", { loud, safe, plain: user("plain", 3, resolver) })
      const page = yield* withTime(Loader.load(Loader.make({ both })))
      assert.deepStrictEqual(page.both, { loud: "USER 1", safe: "nobody", plain: nameOf(3) })
      assert.deepStrictEqual(calls, [[1, -2, 3]])
    })
  )

  it.effect("a request that depends on an answer is in the next call; other requests do not wait for that answer", () =>
    Effect.gen(function* () {
      const { calls, resolver } = new Backend(10)
      const a = user("a", 1, resolver)
      const b = Resource.fromRequest("b", { deps: { a }, request: () => new GetUser({ id: 2 }), resolver })
      const report = yield* withTime(Loader.settle(Loader.make({ b, c: user("c", 3, resolver) })))
      assert.deepStrictEqual(calls, [[1, 3], [2]])
      assert.strictEqual(report.until - report.startedAt, 20)
    })
  )

  it.effect("ten thousand requests in one list are one call, and use no stack", () =>
    Effect.gen(function* () {
      const { calls, resolver } = new Backend(0)
      const ids = Array.from({ length: 10_000 }, (_, k) => k).filter((k) => k !== 404)
      const page = yield* withTime(Loader.load(Loader.make({ users: users(ids, resolver) })))
      assert.strictEqual(page.users.length, ids.length)
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("requests of several classes go to one resolver, each class to its own query", () =>
    Effect.gen(function* () {
      class GetOrg extends Request.TaggedClass("GetOrg")<{ readonly id: number }, number> {}
      const queries: Array<string> = []
      const resolver = RequestResolver.fromEffectTagged<GetUser | GetOrg>()({
        GetUser: (entries) =>
          Effect.sync(() => {
            queries.push(`users ${entries.length}`)
            return entries.map(({ request }) => nameOf(request.id))
          }),
        GetOrg: (entries) =>
          Effect.sync(() => {
            queries.push(`orgs ${entries.length}`)
            return entries.map(({ request }) => request.id)
          })
      })
      const org = Resource.fromRequest("org", { request: () => new GetOrg({ id: 7 }), resolver })
      const two = Resource.forEachRequest("two", {
        items: () => [1, 2],
        request: (id) => new GetUser({ id }),
        resolver
      })
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ org, two })), { org: 7, two: [1, 2].map(nameOf) })
      assert.deepStrictEqual(queries.toSorted(), ["orgs 1", "users 2"])
    })
  )
})
