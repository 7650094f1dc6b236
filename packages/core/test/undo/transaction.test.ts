/** What cannot be inside a transaction is refused when the loader is wrapped, with a reason for each. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Request, RequestResolver } from "effect"
import { Batching, GraphError, Loader, Policy, Resource } from "effect-loader"
import * as Sql from "effect-loader/sql"

const issuesOf = (wrap: () => unknown): ReadonlyArray<unknown> => {
  try {
    wrap()
  } catch (error) {
    if (error instanceof GraphError) return error.issues
    throw error
  }
  return []
}

describe("a loader in a transaction", () => {
  const audit = Resource.make("audit", { load: () => Effect.void }).pipe(Sql.escapes("it has a pool of its own"))
  const order = Resource.make("order", { load: () => Effect.succeed(1) }).pipe(Policy.timeout("1 second"))

  it("is refused when a resource says that it escapes, also one of a loader inside", () => {
    const inside = Resource.fromLoader("inside", Loader.make({ audit }))
    const issue = { _tag: "EscapesTransaction", resource: "audit", reason: "it has a pool of its own" }
    assert.deepStrictEqual(
      issuesOf(() => Sql.withTransaction(Loader.make({ order, audit }))),
      [issue]
    )
    assert.deepStrictEqual(
      issuesOf(() => Sql.withTransaction(Loader.make({ inside }))),
      [issue]
    )
    assert.throws(
      () => Sql.withTransaction(Loader.make({ audit })),
      '"audit" cannot be inside a transaction, which it escapes: it has a pool of its own'
    )
  })

  it("is accepted when nothing escapes", () => {
    assert.deepStrictEqual(
      issuesOf(() => Sql.withTransaction(Loader.make({ order }))),
      []
    )
  })

  it("is refused when requests may be answered for somebody else, and not when their resolver tells them apart", () => {
    class GetRow extends Request.TaggedClass("GetRow")<{ readonly id: number }, string> {}
    const shared = RequestResolver.fromFunction<GetRow>(({ request }) => `row ${request.id}`)
    const apart = RequestResolver.makeGrouped<GetRow, number>({ key: () => 1, resolver: () => Effect.void })
    const request = () => new GetRow({ id: 1 })
    const row = Resource.fromRequest("row", { request, resolver: shared })
    const rows = Resource.forEachRequest("rows", {
      items: () => [1],
      request,
      resolver: Batching.graphAware(shared, { maxHold: 10 })
    })
    const inside = Resource.fromLoader("inside", Loader.make({ row }))
    for (const [targets, names] of [
      [{ row, rows }, ["row", "rows"]],
      [{ inside }, ["row"]],
      [{ fine: Resource.fromRequest("fine", { request, resolver: apart }) }, []]
    ] as const) {
      const issues = issuesOf(() => Sql.withTransaction(Loader.make(targets)))
      assert.deepStrictEqual(
        issues.map((issue) => (issue as { readonly resource: string }).resource),
        [...names]
      )
    }
  })
})
