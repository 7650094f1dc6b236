/** Batches that are held for further requests. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, RequestResolver } from "effect"
import { Batching, Loader, Policy, Report, Resource, type RunEvent } from "effect-loader"
import { RunLog } from "effect-loader/testing"
import { withTime } from "../withTime.ts"
import { Backend, GetUser, nameOf } from "./Backend.ts"

const maxHold = 1000

const aware = (takes?: number, budget = maxHold) => {
  const backend = new Backend(takes)
  return { backend, resolver: Batching.graphAware(backend.resolver, { maxHold: budget }) }
}

type Resolver = RequestResolver.RequestResolver<GetUser>

const user = (name: string, id: number, resolver: Resolver) =>
  Resource.fromRequest(name, { request: () => new GetUser({ id }), resolver })

/** Requests a user after another resource, which takes `millis`. */
const userAfter = (name: string, takes: number, id: number, resolver: Resolver) => {
  const before = Resource.make(`before ${name}`, { load: () => Effect.sleep(takes) })
  return Resource.fromRequest(name, { deps: { before }, request: () => new GetUser({ id }), resolver })
}

const took = (report: Report.Report<unknown>): number => report.until - report.startedAt

describe("Batching.graphAware", () => {
  it.effect("a batch waits for requests that can still come, and is sent with the last of them", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const page = Loader.make({
        a: user("a", 1, resolver),
        b: userAfter("b", 30, 2, resolver),
        c: userAfter("c", 50, 3, resolver)
      })
      const report = yield* withTime(Loader.settle(page))
      assert.deepStrictEqual(backend.calls, [[1, 2, 3]])
      assert.strictEqual(took(report), 60)
      assert.deepStrictEqual(report.values, { a: nameOf(1), b: nameOf(2), c: nameOf(3) })
    })
  )

  it("holds also without an observer and without a scope", async () => {
    const { backend, resolver } = aware(10)
    const page = Loader.make({ a: user("a", 1, resolver), b: userAfter("b", 30, 2, resolver) })
    await Effect.runPromise(withTime(Loader.load(page)))
    assert.deepStrictEqual(backend.calls, [[1, 2]])
  })

  it.effect("without it, no batch is held", () =>
    Effect.gen(function* () {
      const backend = new Backend(10)
      const page = Loader.make({ a: user("a", 1, backend.resolver), b: userAfter("b", 30, 2, backend.resolver) })
      yield* withTime(Loader.load(page))
      assert.deepStrictEqual(backend.calls, [[1], [2]])
    })
  )

  it.effect("a batch that no further request can join is sent without delay", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const slow = Resource.make("slow", { load: () => Effect.sleep(500) })
      const report = yield* withTime(Loader.settle(Loader.make({ a: user("a", 1, resolver), slow })))
      assert.deepStrictEqual(backend.calls, [[1]])
      const row = Report.get(report, "a")
      assert.deepStrictEqual(
        row?.phases.map(({ _tag, from, to }) => [_tag, to - from]),
        [["Attempt", 10]]
      )
    })
  )

  it.effect("holding adds at most `maxHold`, and the event says that it expired", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10, 40)
      const page = Loader.make({ a: user("a", 1, resolver), b: userAfter("b", 500, 2, resolver) })
      const { events } = yield* withTime(RunLog.record(Loader.load(page)))
      assert.deepStrictEqual(backend.calls, [[1], [2]])
      const sent = events.filter((event): event is RunEvent.RequestSent => event._tag === "RequestSent")
      assert.deepStrictEqual(
        sent.map(({ at, outOfTime, resource }) => [resource, at, outOfTime]),
        [
          ["a", 40, true],
          ["b", 500, undefined]
        ]
      )
    })
  )

  it.effect(
    "a batch does not wait for a request that needs one of its answers: a chain of requests is never held",
    () =>
      Effect.gen(function* () {
        const { backend, resolver } = aware(10)
        const first = user("first", 1, resolver)
        const second = Resource.fromRequest("second", {
          deps: { first },
          request: () => new GetUser({ id: 2 }),
          resolver
        })
        const between = Resource.make("between", { deps: { second }, load: () => Effect.sleep(5) })
        const third = Resource.fromRequest("third", {
          deps: { between },
          request: () => new GetUser({ id: 3 }),
          resolver
        })
        const report = yield* withTime(Loader.settle(Loader.make({ third })))
        assert.deepStrictEqual(backend.calls, [[1], [2], [3]])
        assert.strictEqual(took(report), 35)
      })
  )

  it.effect("a batch waits for a request that follows the answer of an earlier call", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(15, 10)
      const first = user("first", 1, resolver)
      const second = Resource.fromRequest("second", {
        deps: { first },
        request: () => new GetUser({ id: 2 }),
        resolver
      })
      // The first call is sent at 10, when `maxHold` expires. Until its answer at 25, the other request is held.
      const page = Loader.make({ second, other: userAfter("other", 20, 3, resolver) })
      const report = yield* withTime(Loader.settle(page))
      assert.deepStrictEqual(backend.calls, [[1], [3, 2]])
      assert.strictEqual(took(report), 40)
    })
  )

  it.effect("a batch stops waiting for a predecessor that fails or is skipped", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const bad = Resource.make("bad", { load: () => Effect.andThen(Effect.sleep(30), Effect.fail("bad")) })
      const never = Resource.make("never", { deps: { bad }, load: () => Effect.sleep(500) })
      const b = Resource.fromRequest("b", { deps: { never }, request: () => new GetUser({ id: 2 }), resolver })
      const report = yield* withTime(Loader.settle(Loader.make({ a: user("a", 1, resolver), b })))
      assert.deepStrictEqual(backend.calls, [[1]])
      assert.strictEqual(took(report), 40)
    })
  )

  it.effect("a batch waits for the fallback of a predecessor", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const before = Resource.make("before", { load: () => Effect.andThen(Effect.sleep(10), Effect.fail("bad")) }).pipe(
        Resource.catch(() => Effect.sleep(20))
      )
      const b = Resource.fromRequest("b", { deps: { before }, request: () => new GetUser({ id: 2 }), resolver })
      yield* withTime(Loader.load(Loader.make({ a: user("a", 1, resolver), b })))
      assert.deepStrictEqual(backend.calls, [[1, 2]])
    })
  )

  it.effect("a batch waits for a case of a choice until the choice is decided", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const kind = Resource.make("kind", { load: () => Effect.as(Effect.sleep(30), "b" as "a" | "b") })
      const choice = Resource.match("choice", {
        on: kind,
        cases: { a: userAfter("for a", 400, 2, resolver), b: user("for b", 3, resolver) }
      })
      const report = yield* withTime(Loader.settle(Loader.make({ first: user("first", 1, resolver), choice })))
      assert.deepStrictEqual(backend.calls, [[1, 3]])
      assert.strictEqual(took(report), 40)
    })
  )

  it.effect("a batch does not wait for a choice that needs one of its answers", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const kind = Resource.map(user("kind", 1, resolver), (name) => name === nameOf(1))
      const choice = Resource.match("choice", {
        on: kind,
        cases: { true: user("yes", 2, resolver), false: user("no", 3, resolver) }
      })
      const report = yield* withTime(Loader.settle(Loader.make({ choice })))
      assert.deepStrictEqual(backend.calls, [[1], [2]])
      assert.strictEqual(took(report), 20)
    })
  )

  it.effect("a batch waits for a list of requests until its items are known", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const ids = Resource.make("ids", { load: () => Effect.as(Effect.sleep(30), [2, 3]) })
      const list = Resource.forEachRequest("list", {
        deps: { ids },
        items: ({ ids }) => ids,
        request: (id) => new GetUser({ id }),
        resolver
      })
      yield* withTime(Loader.load(Loader.make({ a: user("a", 1, resolver), list })))
      assert.deepStrictEqual(backend.calls, [[1, 2, 3]])
    })
  )

  it.effect("a batch waits for an item that a policy delays", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const list = Resource.forEachRequest("list", {
        items: () => [1, 2, 3],
        request: (id) => new GetUser({ id }),
        resolver,
        each: Policy.around("late", (self) => Effect.andThen(Effect.sleep(20), self))
      })
      yield* withTime(Loader.load(Loader.make({ a: user("a", 4, resolver), list })))
      assert.deepStrictEqual(backend.calls, [[4, 1, 2, 3]])
    })
  )

  it.effect("a batch waits for a nested loader, and then for the requests inside it", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const inner = Loader.make({ deep: userAfter("deep", 30, 2, resolver) })
      const ready = Resource.make("ready", { load: () => Effect.as(Effect.sleep(20), 0) })
      const n = Resource.input<number>()("n")
      const withInput = Loader.merge(inner, Loader.make({ n }))
      const nested = Resource.fromLoader("nested", withInput, { inputs: { n: ready } })
      const report = yield* withTime(Loader.settle(Loader.make({ a: user("a", 1, resolver), nested })))
      assert.deepStrictEqual(backend.calls, [[1, 2]])
      assert.strictEqual(took(report), 60)
    })
  )

  it.effect("a batch does not wait for a request that depends on a nested loader with a held request", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const nested = Resource.fromLoader("nested", Loader.make({ deep: user("deep", 1, resolver) }))
      const after = Resource.fromRequest("after", { deps: { nested }, request: () => new GetUser({ id: 2 }), resolver })
      const report = yield* withTime(Loader.settle(Loader.make({ after, other: user("other", 3, resolver) })))
      assert.deepStrictEqual(
        backend.calls.map((ids) => ids.toSorted((x, y) => x - y)),
        [[1, 3], [2]]
      )
      assert.strictEqual(took(report), 20)
    })
  )

  it.effect("a batch waits for items that run loaders if the list names their resolvers, also a few at a time", () =>
    Effect.gen(function* () {
      for (const concurrency of ["unbounded", 2] as const) {
        const { backend, resolver } = aware(10)
        const id = Resource.input<number>()("id")
        const wait = Resource.make("wait", { deps: { id }, load: ({ id }) => Effect.sleep(id * 10) })
        const owner = Resource.fromRequest("owner", {
          deps: { id, wait },
          request: ({ id }) => new GetUser({ id }),
          resolver
        })
        const card = Loader.make({ owner })
        const cards = Resource.forEach("cards", {
          items: () => [1, 2, 3, 4],
          load: (id) => Loader.load(card, { id }),
          resolvers: [resolver],
          concurrency
        })
        const report = yield* withTime(Loader.settle(Loader.make({ cards, viewer: user("viewer", 9, resolver) })))
        const expected =
          concurrency === 2
            ? [
                [9, 1, 2],
                [3, 4]
              ]
            : [[9, 1, 2, 3, 4]]
        assert.deepStrictEqual(backend.calls, expected)
        assert.isBelow(took(report), maxHold)
      }
    })
  )

  it.effect("two resolvers whose batches need each other's answers do not wait for each other", () =>
    Effect.gen(function* () {
      const one = aware(10)
      const two = aware(10)
      const a = user("a", 1, one.resolver)
      const b = user("b", 2, two.resolver)
      const afterA = Resource.fromRequest("after a", {
        deps: { a },
        request: () => new GetUser({ id: 3 }),
        resolver: two.resolver
      })
      const afterB = Resource.fromRequest("after b", {
        deps: { b },
        request: () => new GetUser({ id: 4 }),
        resolver: one.resolver
      })
      const report = yield* withTime(Loader.settle(Loader.make({ afterA, afterB })))
      assert.strictEqual(one.backend.calls.length + two.backend.calls.length <= 4, true)
      assert.isBelow(took(report), 40)
    })
  )

  it.effect("a batch waits for a request that follows another held batch, if that one does not wait for it", () =>
    Effect.gen(function* () {
      const one = aware(10)
      const two = aware(10)
      const b = userAfter("b", 20, 2, two.resolver)
      const b2 = userAfter("b2", 30, 5, two.resolver)
      const afterB = Resource.fromRequest("after b", {
        deps: { b },
        request: () => new GetUser({ id: 4 }),
        resolver: one.resolver
      })
      const report = yield* withTime(Loader.settle(Loader.make({ a: user("a", 1, one.resolver), afterB, b2 })))
      assert.deepStrictEqual(two.backend.calls, [[2, 5]])
      assert.deepStrictEqual(one.backend.calls, [[1, 4]])
      assert.strictEqual(took(report), 50)
    })
  )

  it.effect("a batch waits for the runs with a request in it, and for no others", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const quick = Loader.load(Loader.make({ a: user("a", 1, resolver) }))
      const slow = Loader.load(Loader.make({ b: user("b", 2, resolver), c: userAfter("c", 30, 3, resolver) }))
      const later = Loader.load(Loader.make({ d: userAfter("d", 100, 4, resolver) }))
      yield* withTime(Effect.all([quick, slow, later], { concurrency: "unbounded" }))
      assert.deepStrictEqual(backend.calls, [[1, 2, 3], [4]])
    })
  )

  it.effect("a batch stops waiting for a request whose waiter leaves", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const quick = Loader.load(Loader.make({ a: user("a", 1, resolver) }))
      const slow = Loader.load(
        Loader.make({ b: user("b", 2, resolver), c: userAfter("c", 500, 3, resolver) }, { timeout: 50 })
      )
      const [a] = yield* withTime(Effect.all([quick, Effect.exit(slow)], { concurrency: "unbounded" }))
      assert.deepStrictEqual(a, { a: nameOf(1) })
      assert.deepStrictEqual(backend.calls, [[1]])
    })
  )

  it.effect("with batched scheduling, a batch does not wait for a later level", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const page = Loader.make(
        { a: user("a", 1, resolver), b: userAfter("b", 30, 2, resolver) },
        { scheduling: "batched" }
      )
      const report = yield* withTime(Loader.settle(page))
      assert.deepStrictEqual(backend.calls, [[1], [2]])
      assert.isBelow(took(report), maxHold)
    })
  )

  it.effect("a batch waits for a request that waits for a slot", () =>
    Effect.gen(function* () {
      const { backend, resolver } = aware(10)
      const busy = Resource.make("busy", { load: () => Effect.sleep(30) })
      const page = Loader.make(
        { busy, a: user("a", 1, resolver), b: userAfter("b", 10, 2, resolver) },
        { concurrency: 1 }
      )
      yield* withTime(Loader.load(page))
      assert.deepStrictEqual(backend.calls, [[1, 2]])
    })
  )

  it.effect("a page of three levels with 50 items each takes one call a level", () =>
    Effect.gen(function* () {
      const counts = yield* Effect.forEach([true, false], (isAware) =>
        Effect.gen(function* () {
          const backend = new Backend(10)
          const resolver = isAware ? Batching.graphAware(backend.resolver, { maxHold }) : backend.resolver
          const id = Resource.input<number>()("id")
          /** Each level requests 50 users, after loads of different lengths. */
          const level = (
            n: number,
            before: Resource.Resource<string, unknown, never, never, { readonly id: number }>
          ) => {
            const wait = Resource.make(`wait ${n}`, {
              deps: { id, before },
              load: ({ id }) => Effect.sleep((id * (n + 1)) % 7)
            })
            return Resource.fromRequest(`user ${n}`, {
              deps: { id, wait },
              request: ({ id }) => new GetUser({ id: id + 100 * n }),
              resolver
            }).pipe(Resource.orElseSucceed(() => "nobody"))
          }
          const one = level(1, id)
          const two = level(2, one)
          const card = Loader.make({ three: level(3, two) })
          const cards = Resource.forEach("cards", {
            items: () => Array.from({ length: 50 }, (_, k) => k),
            load: (id) => Loader.load(card, { id }),
            resolvers: [resolver]
          })
          yield* withTime(Loader.load(Loader.make({ cards })))
          return backend.calls.length
        })
      )
      assert.strictEqual(counts[0], 3)
      assert.isAbove(counts[1]!, 3)
    })
  )

  it("`maxHold` is a finite duration", () => {
    const { resolver } = new Backend()
    assert.throws(() => Batching.graphAware(resolver, { maxHold: "Infinity" }), /must be a finite duration/)
  })
})
