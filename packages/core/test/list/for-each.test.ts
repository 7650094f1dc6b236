/** Lists: a resource for each item. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Schedule } from "effect"
import { FailedResource, Loader, Plan, Policy, Report, Resource, type ResourceError } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { failureOf } from "../failureOf.ts"
import { withTime } from "../withTime.ts"

class NotFound extends Data.TaggedError("NotFound")<{ readonly id: number }> {}

const ids = Resource.input<ReadonlyArray<number>>()("ids")

const find = (id: number): Effect.Effect<string, NotFound> =>
  Effect.andThen(
    Effect.sleep(Math.max(id, 1)),
    id === 0 ? Effect.fail(new NotFound({ id })) : Effect.succeed(`user ${id}`)
  )

describe("Resource.forEach", () => {
  it.effect("loads all items side by side, and keeps the order of the list", () =>
    Effect.gen(function* () {
      const users = Resource.forEach("users", { deps: { ids }, items: ({ ids }) => ids, load: find })
      const report = yield* withTime(Loader.settle(Loader.make({ users }), { ids: [30, 10, 20] }))
      assert.deepStrictEqual(report.values, { users: ["user 30", "user 10", "user 20"] })
      assert.strictEqual(Report.get(report, "users")?.running, 30)
      assert.deepStrictEqual(Report.get(report, "users")?.items, { total: 3, loaded: 3, took: 60 })
    })
  )

  it.effect("loads nothing for no items, and gets what it depends on and the index of each item", () =>
    Effect.gen(function* () {
      const greeting = Resource.make("greeting", { load: () => Effect.succeed("Hello") })
      const names = Resource.forEach("names", {
        deps: { greeting, ids },
        items: ({ ids }) => new Set(ids),
        load: (id, { greeting }, index) => Effect.succeed(`${greeting} ${id} at ${index}`)
      })
      const page = Loader.make({ names })
      assert.deepStrictEqual(yield* Loader.load(page, { ids: [] }), { names: [] })
      assert.deepStrictEqual(yield* Loader.load(page, { ids: [7, 8] }), { names: ["Hello 7 at 0", "Hello 8 at 1"] })
    })
  )

  it.effect("an item that fails fails the list: the others are interrupted, and the error says which item it was", () =>
    Effect.gen(function* () {
      const interrupted: Array<number> = []
      const users = Resource.forEach("users", {
        deps: { ids },
        items: ({ ids }) => ids,
        load: (id) => Effect.onInterrupt(find(id), () => Effect.sync(() => interrupted.push(id)))
      })
      const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ users }), { ids: [100, 0, 50] })))
      const error: ResourceError<"users", NotFound> = failureOf(exit)
      assert.deepStrictEqual(error.item, { index: 1, value: 0 })
      assert.deepStrictEqual(error.error, new NotFound({ id: 0 }))
      assert.strictEqual(error.message, 'resource "users" failed at item 1 (1ms): NotFound {"id":0}')
      assert.deepStrictEqual(interrupted, [100, 50])
    })
  )

  it.effect("`each` bounds and retries one item, what is piped onto the list bounds and retries the whole", () =>
    Effect.gen(function* () {
      const tries: Array<string> = []
      const load = (at: string) =>
        Effect.andThen(
          Effect.sync(() => tries.push(at)),
          Effect.fail("busy")
        )
      const users = Resource.forEach("users", {
        items: () => ["a", "b"],
        load: (name) => (name === "a" ? Effect.as(Effect.sleep(5), name) : load(name)),
        each: Policy.compose(Policy.timeout(50), Policy.retry({ times: 2, schedule: Schedule.spaced(10) }))
      })
      const twice = users.pipe(
        Policy.retry({ times: 1, while: (error) => error === "busy" }),
        Policy.timeout("1 minute")
      )
      const loader = Loader.make({ twice })
      const { events, exit } = yield* withTime(RunLog.record(Loader.load(loader)))
      const error = failureOf(exit)
      assert.deepStrictEqual([error.attempts, error.item?.index, error.error], [3, 1, "busy"])
      assert.deepStrictEqual(tries, ["b", "b", "b", "b", "b", "b"])
      assert.strictEqual(RunLog.attempts(events, "users"), 8)
      assert.strictEqual(
        Plan.toText(Loader.plan(loader)),
        [
          'plan of "anonymous": 1 resource in 1 batch',
          "  1  users  timeout(1m) > retry(1) > each retry(2, schedule) > [timeout(50ms)]"
        ].join("\n")
      )
    })
  )

  it.effect("its items hold the slots, it holds none itself", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      const track = (id: number) =>
        Effect.acquireUseRelease(
          Effect.sync(() => (most = Math.max(most, ++running))),
          () => Effect.sleep(id),
          () => Effect.sync(() => running--)
        )
      const list = (name: string, concurrency?: number) =>
        Resource.forEach(name, {
          items: () => [10, 10, 10, 10],
          load: track,
          ...(concurrency === undefined ? {} : { concurrency })
        })
      const report = yield* withTime(Loader.settle(Loader.make({ a: list("a"), b: list("b") }, { concurrency: 3 })))
      assert.deepStrictEqual([most, report.until - report.startedAt], [3, 30])
      most = 0
      yield* withTime(Loader.settle(Loader.make({ a: list("a", 2) }, { concurrency: 3 })))
      assert.strictEqual(most, 2)
    })
  )

  it.effect("where a loader runs for each item, its errors nest, and its reports stand with the list", () =>
    Effect.gen(function* () {
      const id = Resource.input<number>()("id")
      const user = Resource.make("user", { deps: { id }, load: ({ id }) => find(id) })
      const inner = Loader.make({ user }, { name: "inner" })
      const users = Resource.forEach("users", {
        deps: { ids },
        items: ({ ids }) => ids,
        load: (id) => Loader.load(inner, { id })
      })
      const { exit, report } = yield* withTime(Loader.loadWithReport(Loader.make({ users }), { ids: [5, 0] }))
      const error: ResourceError<"users", ResourceError<"user", NotFound>> = failureOf(exit)
      assert.deepStrictEqual([error.item?.index, error.error.resource, error.error.error.id], [1, "user", 0])
      const runs = Report.get(report, "users")?.runs ?? []
      assert.deepStrictEqual(
        runs.map(({ end, loader }) => [loader, end]),
        [
          ["inner", "Interrupted"],
          ["inner", "Failed"]
        ]
      )
    })
  )

  it.effect("a default policy of the loader is for each of its items", () =>
    Effect.gen(function* () {
      const users = Resource.forEach("users", {
        items: () => [30, 40, 50],
        load: (id) => Effect.sleep(id),
        concurrency: 1
      })
      const page = Loader.make({ users }, { policy: Policy.timeout(45) })
      const error = yield* withTime(Effect.flip(Loader.load(page)))
      assert.strictEqual(
        error.message,
        'resource "users" failed at item 2 (115ms): TimeoutError: no answer within 45ms'
      )
    })
  )

  it.effect("attempts of its items have scopes of their own, released in reverse order", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const connections = Resource.forEach("connections", {
        items: () => [10, 20, 30],
        load: (id) =>
          Effect.acquireRelease(Effect.as(Effect.sleep(id), id), () => Effect.sync(() => log.push(`close ${id}`)))
      })
      yield* withTime(Effect.scoped(Loader.load(Loader.make({ connections }))))
      assert.deepStrictEqual(log, ["close 30", "close 20", "close 10"])
    })
  )

  it.effect("what is thrown, by `items` or by `load`, and items that are none, are defects of the list", () =>
    Effect.gen(function* () {
      const thrown = (list: Resource.Resource<"list", unknown>) =>
        Effect.map(Effect.exit(Loader.load(Loader.make({ list }))), (exit) =>
          Exit.isFailure(exit)
            ? exit.cause.reasons.map((r) => [r._tag, r.annotations.get(FailedResource.key)])
            : assert.fail("it was loaded")
        )
      const items = (): ReadonlyArray<number> => {
        throw new Error("no items")
      }
      const none = (): ReadonlyArray<number> => undefined as never
      const load = (): Effect.Effect<number> => {
        throw new Error("no load")
      }
      const succeed = () => Effect.succeed(1)
      assert.deepStrictEqual(yield* thrown(Resource.forEach("list", { items, load: succeed })), [["Die", "list"]])
      assert.deepStrictEqual(yield* thrown(Resource.forEach("list", { items: none, load: succeed })), [["Die", "list"]])
      assert.deepStrictEqual(yield* thrown(Resource.forEach("list", { items: () => [1], load })), [["Die", "list"]])
    })
  )

  it("loads 20,000 items, with and without a limit", () => {
    const items = Array.from({ length: 20_000 }, (_, i) => i)
    const list = Resource.forEach("list", { items: () => items, load: (i) => Effect.succeed(i) })
    assert.deepStrictEqual(Effect.runSync(Loader.load(Loader.make({ list }))), { list: items })
    assert.deepStrictEqual(Effect.runSync(Loader.load(Loader.make({ list }, { concurrency: 3 }))), { list: items })
  })

  it("a concurrency that cannot be is refused where it is declared", () => {
    assert.throws(
      () => Resource.forEach("list", { items: () => [], load: () => Effect.void, concurrency: 0 }),
      /the `concurrency` of "list" must be a whole number from 1, or "unbounded", got 0/
    )
  })
})
