/** Requests: several callers share one call of a resolver. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Request, RequestResolver, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  Batching,
  Limiter,
  Loader,
  Observer,
  Plan,
  Policy,
  Report,
  Resource,
  ResourceCache,
  type RunEvent
} from "effect-loader"
import { RunLog } from "effect-loader/testing"
import fc from "fast-check"
import * as Wire from "effect-loader/wire"
import { withTime } from "../withTime.ts"
import { Backend, GetUser, nameOf, NotFound } from "../batching/Backend.ts"
import { failureOf } from "../failureOf.ts"

const user = <const Name extends string>(name: Name, id: number, { resolver }: Backend) =>
  Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver })

const users = (ids: ReadonlyArray<number>, { resolver }: Backend) =>
  Resource.forEachRequest("users", { items: () => ids, request: (id) => new GetUser({ id }), resolver })

describe("Resource.fromRequest", () => {
  it.effect("simultaneous requests of resources and lists to one resolver are one call", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const page = Loader.make({
        ada: user("ada", 1, backend),
        bob: user("bob", 2, backend),
        users: users([3, 4], backend)
      })
      const { ada, bob, users: list } = yield* withTime(Loader.load(page))
      assert.deepStrictEqual([ada, bob, ...list], [1, 2, 3, 4].map(nameOf))
      assert.deepStrictEqual(backend.calls, [[1, 2, 3, 4]])
    })
  )

  it.effect("equal requests of any resources are sent once", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const page = Loader.make({
        ada: user("ada", 1, backend),
        again: user("again", 1, backend),
        users: users([1, 2, 1], backend)
      })
      const values = yield* withTime(Loader.load(page))
      assert.deepStrictEqual(values, { ada: nameOf(1), again: nameOf(1), users: [1, 2, 1].map(nameOf) })
      assert.deepStrictEqual(backend.calls, [[1, 2]])
    })
  )

  it.effect("concurrent runs share calls, and send equal requests once", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const one = Loader.load(Loader.make({ users: users([1, 2], backend) }))
      const other = Loader.load(Loader.make({ users: users([2, 3], backend) }))
      const both = yield* withTime(Effect.all([one, other], { concurrency: "unbounded" }))
      assert.deepStrictEqual(both, [{ users: [1, 2].map(nameOf) }, { users: [2, 3].map(nameOf) }])
      assert.deepStrictEqual(backend.calls, [[1, 2, 3]])
    })
  )

  it.effect("resources at different depths that are ready at the same time share a call", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const id = Resource.make("id", { load: () => Effect.succeed(2) })
      const next = Resource.map(id, (n) => n + 1)
      const deep = Resource.fromRequest("deep", {
        deps: { id: next },
        request: ({ id }) => new GetUser({ id }),
        resolver: backend.resolver
      })
      yield* withTime(Loader.load(Loader.make({ ada: user("ada", 1, backend), deep })))
      assert.deepStrictEqual(backend.calls, [[1, 3]])
    })
  )

  it.effect("callers with different services share a call, but get answers of their own", () =>
    Effect.gen(function* () {
      class Tenant extends Context.Service<Tenant, string>()("Tenant") {}
      class GetName extends Request.TaggedClass("GetName")<{ readonly id: number }, string, never, Tenant> {}
      const sizes: Array<number> = []
      const resolver = RequestResolver.make<GetName>((entries) =>
        Effect.sync(() => {
          sizes.push(entries.length)
          for (const entry of entries) entry.completeUnsafe(Exit.succeed(Context.get(entry.context, Tenant)))
        })
      )
      const page = Loader.make({
        name: Resource.fromRequest("name", { request: () => new GetName({ id: 1 }), resolver })
      })
      const as = (tenant: string) => Loader.load(page).pipe(Effect.provideService(Tenant, tenant))
      const names = yield* Effect.all([as("a"), as("b"), as("a")], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        names.map(({ name }) => name),
        ["a", "b", "a"]
      )
      assert.deepStrictEqual(sizes, [2])
    })
  )

  it.effect("a loader's concurrency does not split a batch, and a waiting request holds no slot", () =>
    Effect.gen(function* () {
      const backend = new Backend(50)
      const other = Resource.make("other", { load: () => Effect.as(Effect.sleep(20), "other") })
      const page = Loader.make(
        { users: users([1, 2, 3, 4, 5], backend), six: user("six", 6, backend), other },
        { concurrency: 1 }
      )
      const report = yield* withTime(Loader.settle(page))
      assert.deepStrictEqual(backend.calls, [[1, 2, 3, 4, 5, 6]])
      assert.strictEqual(Report.get(report, "other")?.queued, 0)
      assert.strictEqual(report.until - report.startedAt, 50)
    })
  )

  it.effect(
    "items of a forEach that make requests by hand share their calls, since its default concurrency is unbounded",
    () =>
      Effect.gen(function* () {
        const backend = new Backend()
        const byHand = Resource.forEach("byHand", {
          items: () => [1, 2, 3],
          load: (id) => Effect.request(new GetUser({ id }), backend.resolver)
        })
        yield* withTime(Loader.load(Loader.make({ byHand })))
        assert.deepStrictEqual(backend.calls, [[1, 2, 3]])
      })
  )

  it.effect("a chunk has the size that the resolver sets, and chunks run concurrently", () =>
    Effect.gen(function* () {
      const backend = new Backend(100)
      const resolver = RequestResolver.batchN(backend.resolver, 2)
      const list = Resource.forEachRequest("users", {
        items: () => [1, 2, 3, 4, 5],
        request: (id) => new GetUser({ id }),
        resolver
      })
      const report = yield* withTime(Loader.settle(Loader.make({ list })))
      assert.deepStrictEqual(backend.calls, [[1, 2], [3, 4], [5]])
      assert.strictEqual(backend.mostOpen, 3)
      assert.strictEqual(report.until - report.startedAt, 100)
    })
  )

  it.effect("a missing key fails only the callers that requested it", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const page = Loader.make({ ada: user("ada", 1, backend), ghost: Resource.option(user("ghost", -1, backend)) })
      const { ada, ghost } = yield* withTime(Loader.load(page))
      assert.strictEqual(ada, nameOf(1))
      assert.strictEqual(ghost._tag, "None")
      assert.deepStrictEqual(backend.calls, [[1, -1]])
    })
  )

  it.effect("a missing item fails its list, and the error names it", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const exit = yield* withTime(Effect.exit(Loader.load(Loader.make({ users: users([1, -7, 2], backend) }))))
      const error = failureOf(exit)
      assert.deepStrictEqual(error.item, { index: 1, value: -7 })
      assert.deepStrictEqual(error.error, new NotFound({ id: -7 }))
      assert.strictEqual(error.message, 'resource "users" failed at item 1 (10ms): NotFound {"id":-7}')
    })
  )

  it.effect("a request without an answer is a typed error that names it, and the others get their answers", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const report = yield* withTime(
        Loader.settle(Loader.make({ ada: user("ada", 1, backend), lost: user("lost", 404, backend) }))
      )
      assert.strictEqual(report.values.ada, nameOf(1))
      const outcome = Report.outcome(report, "lost")
      const { error } = failureOf(
        outcome?._tag === "Failed" ? Exit.failCause(outcome.cause) : Exit.void
      ) as unknown as {
        readonly error: Batching.UnansweredRequest
      }
      assert.instanceOf(error, Batching.UnansweredRequest)
      assert.deepStrictEqual(error.request, new GetUser({ id: 404 }))
      assert.include(error.message, 'the resolver gave no answer to {"id":404,"_tag":"GetUser"}')
    })
  )

  it.effect("a resolver that dies is a defect of all its callers", () =>
    Effect.gen(function* () {
      const resolver = RequestResolver.make<GetUser>(() => Effect.die(new Error("broken")))
      const page = Loader.make({ a: Resource.fromRequest("a", { request: () => new GetUser({ id: 1 }), resolver }) })
      const exit = yield* Effect.exit(Loader.load(page))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    })
  )

  it.effect("a value that is not a request is a defect that says so", () =>
    Effect.gen(function* () {
      const { resolver } = new Backend()
      const page = Loader.make({ a: Resource.fromRequest("a", { request: () => 7 as never, resolver }) })
      const exit = yield* Effect.exit(Loader.load(page))
      assert.include(
        String(Exit.isFailure(exit) && Cause.squash(exit.cause)),
        'resource "a": `request` gave the number 7 where a Request was expected'
      )
    })
  )

  it.effect("a caller that times out leaves the batch; the call continues for the others", () =>
    Effect.gen(function* () {
      const backend = new Backend(100)
      const page = Loader.make({
        hasty: Resource.option(user("hasty", 1, backend).pipe(Policy.timeout(30))),
        patient: user("patient", 2, backend)
      })
      const values = yield* withTime(Loader.load(page))
      assert.strictEqual(values.hasty._tag, "None")
      assert.strictEqual(values.patient, nameOf(2))
      assert.strictEqual(backend.interrupted, 0)
    })
  )

  it.effect("a call is interrupted when its last caller leaves, and that caller waits for the end of the call", () =>
    Effect.gen(function* () {
      const backend = new Backend(100)
      const page = Loader.make({
        one: Resource.option(user("one", 1, backend).pipe(Policy.timeout(30))),
        two: Resource.option(user("two", 2, backend).pipe(Policy.timeout(40)))
      })
      const report = yield* withTime(Loader.settle(page))
      assert.strictEqual(backend.interrupted, 1)
      assert.strictEqual(backend.open, 0)
      assert.strictEqual(report.until - report.startedAt, 40)
    })
  )

  it.effect("of two runs that share a call, one can be interrupted: the call continues for the other", () =>
    Effect.gen(function* () {
      const backend = new Backend(100)
      const load = (ids: ReadonlyArray<number>) => Loader.load(Loader.make({ users: users(ids, backend) }))
      const first = yield* Effect.forkChild(load([1, 2]), { startImmediately: true })
      const second = yield* Effect.forkChild(load([2, 3]), { startImmediately: true })
      yield* TestClock.adjust(50)
      yield* Fiber.interrupt(first)
      assert.strictEqual(backend.interrupted, 0)
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(yield* Fiber.join(second), { users: [2, 3].map(nameOf) })
      assert.deepStrictEqual(backend.calls, [[1, 2, 3]])
    })
  )

  it.effect("a request whose caller leaves before the call is not sent", () =>
    Effect.gen(function* () {
      const backend = new Backend()
      const resolver = RequestResolver.setDelay(backend.resolver, 50)
      const ask = (id: number) =>
        Loader.load(Loader.make({ a: Resource.fromRequest("a", { request: () => new GetUser({ id }), resolver }) }))
      const leaving = yield* Effect.forkChild(ask(1), { startImmediately: true })
      const staying = yield* Effect.forkChild(ask(2), { startImmediately: true })
      yield* TestClock.adjust(20)
      yield* Fiber.interrupt(leaving)
      yield* TestClock.adjust(100)
      yield* Fiber.join(staying)
      assert.deepStrictEqual(backend.calls, [[2]])
    })
  )

  it.effect("a retry makes its request again, in another call", () =>
    Effect.gen(function* () {
      let calls = 0
      const resolver = RequestResolver.make<GetUser>((entries) =>
        Effect.sync(() => {
          const exit = ++calls === 1 ? Exit.fail(new NotFound({ id: 1 })) : Exit.succeed(nameOf(1))
          for (const entry of entries) entry.completeUnsafe(exit)
        })
      )
      const ada = Resource.fromRequest("ada", { request: () => new GetUser({ id: 1 }), resolver }).pipe(
        Policy.retry({ times: 2 })
      )
      assert.deepStrictEqual(yield* Loader.load(Loader.make({ ada })), { ada: nameOf(1) })
      assert.strictEqual(calls, 2)
    })
  )

  it.effect(
    "a resolver with a cache answers from it, and a caller that waits there is not interrupted with others",
    () =>
      Effect.gen(function* () {
        const backend = new Backend(100)
        const resolver = yield* RequestResolver.withCache(backend.resolver, { capacity: 10 })
        const ask = Loader.load(
          Loader.make({ a: Resource.fromRequest("a", { request: () => new GetUser({ id: 1 }), resolver }) })
        )
        const first = yield* Effect.forkChild(ask, { startImmediately: true })
        yield* TestClock.adjust(10)
        const second = yield* Effect.forkChild(ask, { startImmediately: true })
        yield* TestClock.adjust(10)
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust(80)
        assert.deepStrictEqual(yield* Fiber.join(second), { a: nameOf(1) })
        assert.deepStrictEqual(yield* ask, { a: nameOf(1) })
        assert.strictEqual(backend.calls.length, 1)
      })
  )

  it.effect("a limited call takes one permit for any number of callers", () =>
    Effect.gen(function* () {
      class Db extends Limiter.Service<Db>()("test/Db") {}
      const backend = new Backend(100)
      const resolver = RequestResolver.batchN(backend.resolver, 2)
      const list = Resource.forEachRequest("users", {
        items: () => [1, 2, 3, 4, 5],
        request: (id) => new GetUser({ id }),
        resolver,
        each: Policy.limit(Db)
      })
      const five = Resource.fromRequest("five", { request: () => new GetUser({ id: 5 }), resolver }).pipe(
        Policy.limit(Db)
      )
      const report = yield* withTime(Effect.provide(Loader.settle(Loader.make({ list, five })), Db.layer({ limit: 2 })))
      assert.deepStrictEqual(backend.calls, [[1, 2], [3, 4], [5]])
      assert.strictEqual(backend.mostOpen, 2)
      assert.strictEqual(report.until - report.startedAt, 200)
      assert.deepStrictEqual(report.values.five, nameOf(5))
    })
  )

  it.effect("the refusal of a call by a limiter goes to all its callers", () =>
    Effect.gen(function* () {
      class Db extends Limiter.Service<Db>()("test/Db") {}
      const backend = new Backend(100)
      const resolver = RequestResolver.batchN(backend.resolver, 2)
      const ask = (name: string, id: number) =>
        Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver }).pipe(Policy.limit(Db))
      const page = Loader.make({ a: ask("a", 1), b: ask("b", 2), c: ask("c", 3), d: ask("d", 4) })
      const report = yield* withTime(Effect.provide(Loader.settle(page), Db.layer({ limit: 1, queue: { max: 0 } })))
      assert.deepStrictEqual(Object.keys(report.values), ["a", "b"])
      const outcome = Report.outcome(report, "c")
      const { error } = failureOf(
        outcome?._tag === "Failed" ? Exit.failCause(outcome.cause) : Exit.void
      ) as unknown as {
        readonly error: Limiter.LimitExceeded
      }
      assert.instanceOf(error, Limiter.LimitExceeded)
    })
  )

  it.effect("a limit on a whole list limits its calls, and its refusal is an error of the list", () =>
    Effect.gen(function* () {
      class Db extends Limiter.Service<Db>()("test/Db") {}
      const backend = new Backend(100)
      const list = users([1, 2], backend).pipe(Policy.limit(Db))
      const two = Resource.forEachRequest("two", {
        items: () => [3],
        request: (id) => new GetUser({ id }),
        resolver: RequestResolver.batchN(backend.resolver, 9)
      }).pipe(Policy.limit(Db))
      const report = yield* withTime(
        Effect.provide(Loader.settle(Loader.make({ list, two })), Db.layer({ limit: 1, queue: { max: 0 } }))
      )
      assert.deepStrictEqual(backend.calls, [[1, 2]])
      assert.strictEqual(Report.outcome(report, "two")?._tag, "Failed")
    })
  )

  it("the plan shows requests, their limits, and lists of them", () => {
    class Db extends Limiter.Service<Db>()("test/Db") {}
    const backend = new Backend()
    const page = Loader.make({ ada: user("ada", 1, backend).pipe(Policy.limit(Db)), users: users([1], backend) })
    const ada = Plan.get(Loader.plan(page), "ada")
    assert.strictEqual(ada?.kind, "request")
    assert.deepStrictEqual(ada?.attempt, [{ kind: "limit", label: "limit(Db)" }])
    assert.strictEqual(Plan.get(Loader.plan(page), "users")?.items?.requests, true)
  })
})

describe("requests with other policies", () => {
  it.effect("a cached value is not requested, and a refresh shares the calls of other requests", () =>
    Effect.gen(function* () {
      class Users extends ResourceCache.Service<Users>()("test/Users") {}
      const backend = new Backend(10)
      const cached = (name: string, id: number) =>
        Resource.fromRequest(name, {
          key: () => `user:${id}`,
          request: () => new GetUser({ id }),
          resolver: backend.resolver
        }).pipe(Policy.cache(Users))
      const page = Loader.make({ a: cached("a", 1), b: cached("b", 2) })
      const twice = Effect.andThen(Loader.load(page), Loader.load(page))
      assert.deepStrictEqual(
        yield* withTime(Effect.provide(twice, Users.layer({ timeToLive: "1 minute", capacity: 10 }))),
        {
          a: nameOf(1),
          b: nameOf(2)
        }
      )
      assert.deepStrictEqual(backend.calls, [[1, 2]])
    })
  )
})

describe("batches in events and reports", () => {
  it.effect(
    "events tell which resources share a call, how many requests it answers, and how long each waited for it",
    () =>
      Effect.gen(function* () {
        const backend = new Backend(10)
        const resolver = RequestResolver.setDelay(backend.resolver, 30)
        const ask = (name: string, id: number) =>
          Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver })
        const { events, exit } = yield* withTime(
          RunLog.record(Loader.loadWithReport(Loader.make({ a: ask("a", 1), b: ask("b", 2), again: ask("again", 1) })))
        )
        const sent = events.filter((event): event is RunEvent.RequestSent => event._tag === "RequestSent")
        assert.deepStrictEqual(
          sent.map(({ callers, requests, resource }) => ({ callers, requests, resource })),
          ["a", "again", "b"].map((resource) => ({ callers: 3, requests: 2, resource }))
        )
        assert.strictEqual(new Set(sent.map(({ batch }) => batch)).size, 1)
        const { report } = Exit.isSuccess(exit) ? exit.value : assert.fail("it failed")
        for (const name of ["a", "b", "again"]) {
          const row = Report.get(report, name)
          const at = report.startedAt
          assert.deepStrictEqual(
            row?.phases.map(({ _tag, from, to }) => [_tag, from - at, to - at]),
            [
              ["Collecting", 0, 30],
              ["Attempt", 30, 40]
            ]
          )
          assert.strictEqual(row?.running, 10)
        }
      })
  )

  it.effect(
    "a caller that has left a call before its permit is not told of its beginning: a run that has ended has no events",
    () =>
      Effect.gen(function* () {
        class Pool extends Limiter.Service<Pool>()("app/Pool") {}
        const backend = new Backend()
        const patient = user("ada", 1, backend).pipe(Policy.limit(Pool))
        const hasty = patient.pipe(Policy.timeout(10))
        const program = Effect.gen(function* () {
          yield* Effect.forkChild(Pool.withPermit(Effect.sleep(20)), { startImmediately: true })
          const first = Effect.exit(Loader.load(Loader.make({ patient })))
          const second = Effect.exit(Loader.load(Loader.make({ hasty })))
          return yield* RunLog.record(Effect.all([first, second], { concurrency: 2 }))
        })
        const { events } = yield* withTime(program.pipe(Effect.provide(Pool.layer({ limit: 1 }))))
        const sent = events.filter((event) => event._tag === "RequestSent")
        assert.deepStrictEqual(
          sent.map(({ at, callers, run }) => [at, callers, run]),
          [[20, 1, events[0]!.run]]
        )
      })
  )

  it("no run's deadline ends the call of other runs: each caller with enough time gets the value", () => {
    class Pool extends Limiter.Service<Pool>()("app/Pool") {}
    const run = fc.record({ id: fc.nat({ max: 2 }), timeout: fc.constantFrom(5, 25, 60, Infinity) })
    return fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1 }), async (runs) => {
        const backend = new Backend(10)
        const program = Effect.gen(function* () {
          yield* Effect.forkChild(Pool.withPermit(Effect.sleep(20)), { startImmediately: true })
          const loads = runs.map(({ id, timeout }) => {
            const ada = user("ada", id, backend).pipe(Policy.limit(Pool))
            return Effect.exit(Loader.load(Loader.make({ ada }, { timeout })))
          })
          return yield* Effect.all(loads, { concurrency: "unbounded" })
        })
        const exits = await Effect.runPromise(withTime(program.pipe(Effect.provide(Pool.layer({ limit: 1 })))))
        for (const [k, { id, timeout }] of runs.entries()) {
          if (timeout > 30) assert.deepStrictEqual(exits[k], Exit.succeed({ ada: nameOf(id) }))
          else assert.isTrue(Exit.isFailure(exits[k]!))
        }
        assert.isAtMost(backend.calls.length, 1)
      }),
      { numRuns: 100 }
    )
  })

  it.effect(
    "a list is in the phase `Collecting` while all its items wait to be sent, and runs its items afterwards",
    () =>
      Effect.gen(function* () {
        const backend = new Backend(10)
        const resolver = RequestResolver.setDelay(backend.resolver, 30)
        const list = Resource.forEachRequest("list", {
          items: () => [1, 2],
          request: (id) => new GetUser({ id }),
          resolver
        })
        const report = yield* withTime(Loader.settle(Loader.make({ list })))
        const phases = Report.get(report, "list")?.phases.map(({ _tag, from, to }) => [_tag, to - from])
        assert.deepStrictEqual(phases, [
          ["Collecting", 30],
          ["Items", 10]
        ])
        assert.deepStrictEqual(Report.get(report, "list")?.items?.loaded, 2)
      })
  )

  it.effect("events survive the way over a wire", () =>
    Effect.gen(function* () {
      const { events } = yield* withTime(
        RunLog.record(Loader.load(Loader.make({ users: users([1, 2], new Backend()) })))
      )
      const told = events.filter(({ _tag }) => _tag === "RequestMade" || _tag === "RequestSent")
      assert.strictEqual(told.length, 4)
      const back = told.map((event) => Schema.decodeUnknownSync(Wire.RunEvent)(Schema.encodeSync(Wire.RunEvent)(event)))
      assert.deepStrictEqual(back, told)
    })
  )

  it.effect("observers change no value and no call", () =>
    Effect.gen(function* () {
      const run = (watched: boolean) =>
        Effect.gen(function* () {
          const backend = new Backend()
          const page = Loader.load(Loader.make({ ada: user("ada", 1, backend), users: users([1, 2], backend) }))
          const values = yield* withTime(watched ? Observer.observe(page, () => {}) : page)
          return [values, backend.calls]
        })
      assert.deepStrictEqual(yield* run(true), yield* run(false))
    })
  )
})
