/** Requests: what many ask of one resolver, in one call. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Request, RequestResolver } from "effect"
import { Loader, Resource } from "effect-loader"

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, string, "NotFound"> {}

describe("Resource.fromRequest", () => {
  it.effect("one call for all", () =>
    Effect.gen(function* () {
      const calls: Array<ReadonlyArray<number>> = []
      const Users = RequestResolver.make<GetUser>((entries) =>
        Effect.sync(() => {
          calls.push(entries.map(({ request }) => request.id))
          for (const e of entries) e.completeUnsafe(Exit.succeed(`user ${e.request.id}`))
        })
      )
      const one = (name: string, id: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver: Users })
      const many = Resource.requestEach("many", {
        items: () => [1, 2, 5, 5],
        request: (id) => new GetUser({ id }),
        resolver: Users
      })
      const values = yield* Loader.load(Loader.make({ a: one("a", 1), b: one("b", 2), c: one("c", 1), many }))
      assert.deepStrictEqual(values, {
        a: "user 1",
        b: "user 2",
        c: "user 1",
        many: ["user 1", "user 2", "user 5", "user 5"]
      })
      assert.deepStrictEqual(calls, [[1, 2, 5]])
    })
  )
})
