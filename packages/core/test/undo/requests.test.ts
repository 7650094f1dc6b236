/** What is asked of a resolver together is undone one by one, and what waits for a batch never waits for what was undone. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Request, RequestResolver, Schedule } from "effect"
import { Batching, Limiter, Loader, Policy, Resource, Saga } from "effect-loader"
import { Interruption } from "effect-loader/testing"
import { withTime } from "../withTime.ts"
import { failing, Shop } from "./Shop.ts"

class Bank extends Limiter.Service<Bank>()("app/Bank") {}

class Book extends Request.TaggedClass("Book")<{ readonly name: string }, string, "sold out"> {}

/** Books many at once; what is called "gone" is not to be had. */
const booking = (shop: Shop, takes = 10) => {
  const calls: Array<string> = []
  const resolver = RequestResolver.make<Book>((entries) =>
    Effect.gen(function* () {
      calls.push(entries.map(({ request }) => request.name).join())
      yield* Effect.sleep(takes)
      for (const entry of entries) {
        const { name } = entry.request
        if (name === "gone") entry.completeUnsafe(Exit.fail("sold out"))
        else {
          yield* shop.do(name)
          entry.completeUnsafe(Exit.succeed(name))
        }
      }
    })
  )
  return { calls, resolver }
}

type Resolver = RequestResolver.RequestResolver<Book>

const booked = <const D extends Resource.Deps = {}>(shop: Shop, name: string, resolver: Resolver, deps?: D) =>
  Resource.fromRequest(name, {
    ...(deps === undefined ? {} : { deps }),
    request: () => new Book({ name }),
    resolver
  }).pipe(
    Saga.compensate((value) => shop.undo(value)),
    Saga.cleanup(() => shop.clean(name))
  )

const after = (name: string, takes: number) => Resource.make(name, { load: () => Effect.sleep(takes) })

const fork = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

describe("a request", () => {
  it.effect("that was answered with others is undone by itself", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = booking(shop)
      const [a, b] = [booked(shop, "a", resolver), booked(shop, "b", resolver)]
      const other = yield* fork(Loader.load(Loader.make({ c: booked(shop, "c", resolver) })))
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ a, b }) }, { compensationConcurrency: 1 })))
      assert.deepStrictEqual(calls, ["c,a,b"])
      assert.deepStrictEqual(shop.log, ["+c", "+a", "+b", "-b", "-a"])
      assert.deepStrictEqual(yield* Fiber.join(other), { c: "c" })
    }).pipe(withTime)
  )

  it.effect("that fails is cleaned up after, and those that were answered beside it are undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { resolver } = booking(shop)
      const targets = { a: booked(shop, "a", resolver), gone: booked(shop, "gone", resolver) }
      yield* Effect.exit(Loader.load(Loader.make(targets)))
      assert.deepStrictEqual(shop.log, ["+a", "~gone", "-a"])
    }).pipe(withTime)
  )

  it.effect("that was made once for two resources is undone by each of them: what undoes it has to bear that", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = booking(shop)
      const undone: Array<string> = []
      const twin = (name: string) =>
        Resource.fromRequest(name, { request: () => new Book({ name: "same" }), resolver }).pipe(
          Saga.compensate((value, _deps, { resource }) => Effect.sync(() => undone.push(`${resource}: ${value}`)))
        )
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ a: twin("a"), b: twin("b") }) })))
      assert.deepStrictEqual(calls, ["same"])
      assert.deepStrictEqual(undone.toSorted(), ["a: same", "b: same"])
    }).pipe(withTime)
  )

  it.effect("is undone with the values of what it depends on, and so is one that fails cleaned up after", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { resolver } = booking(shop)
      const row = Resource.succeed("row", 12)
      const targets = ["a", "gone"].map((name) =>
        Resource.fromRequest(
          name,
          { deps: { row }, request: () => new Book({ name }), resolver },
          Saga.compensate((value, { row }) => Effect.andThen(shop.clean(`row ${row}`), shop.undo(value))),
          Saga.cleanup(({ row }, { resource }) => shop.clean(`${resource} of row ${row}`))
        )
      )
      yield* Effect.exit(Loader.load(Loader.make({ a: targets[0]!, gone: targets[1]! })))
      assert.deepStrictEqual(shop.log, ["+a", "~gone of row 12", "~row 12", "-a"])
    }).pipe(withTime)
  )

  it.effect("of a list is undone by itself: all that were answered, and none that failed", () =>
    Effect.gen(function* () {
      for (const names of [
        ["a", "b"],
        ["a", "b", "gone"]
      ]) {
        const shop = new Shop()
        const { resolver } = booking(shop)
        const list = Resource.forEachRequest(
          "list",
          { items: () => names, request: (name) => new Book({ name }), resolver },
          Saga.compensate((value, _deps, { item }) => Effect.andThen(shop.clean(`${item?.index}`), shop.undo(value))),
          Saga.cleanup((_deps, { item }) => shop.clean(`cleanup ${item?.index}`))
        )
        yield* Effect.exit(Loader.load(Loader.make({ last: failing({ list }) }, { compensationConcurrency: 1 })))
        assert.deepStrictEqual(
          shop.log,
          names.length === 2 ? ["+a", "+b", "~1", "-b", "~0", "-a"] : ["+a", "+b", "~cleanup 2", "~1", "-b", "~0", "-a"]
        )
      }
    }).pipe(withTime)
  )

  it.effect("whose call takes permits is undone without any", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { resolver } = booking(shop)
      const a = booked(shop, "a", resolver).pipe(
        Saga.compensate(() => Effect.map(Bank.stats, ({ inFlight }) => void shop.log.push(`held ${inFlight}`))),
        Policy.limit(Bank)
      )
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ a }, 5) }, { compensationConcurrency: 1 })))
      assert.deepStrictEqual(shop.log, ["+a", "held 0", "-a"])
    }).pipe(Effect.provide(Bank.layer({ limit: 1 })), withTime)
  )

  it.effect("interrupted at any step: what was done is undone, or cleaned up after", () =>
    Effect.gen(function* () {
      let shop = new Shop()
      const run = (probed: Interruption.Probe) =>
        Effect.suspend(() => {
          shop = new Shop()
          const { resolver } = booking(shop)
          const [a, b] = [booked(shop, "a", resolver), booked(shop, "b", resolver)]
          return Loader.load(probed(Loader.make({ last: failing({ a, b }, 5) })))
        })
      yield* Interruption.atEveryStep(run, {
        check: () => {
          const cleaned = shop.log.filter((line) => line.startsWith("~")).map((line) => line.slice(1))
          assert.deepStrictEqual(
            shop.done.filter((name) => !cleaned.includes(name)),
            []
          )
        }
      })
    })
  )
})

describe("batches that are held", () => {
  const aware = (shop: Shop) => {
    const { calls, resolver } = booking(shop)
    return { calls, resolver: Batching.graphAware(resolver, { maxHold: 1000 }) }
  }

  it.effect("are held in each leg of a run that is taken back, and wait for nothing of the leg before", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = aware(shop)
      const to = after("to", 5)
      const a = booked(shop, "a", resolver, { to })
      const b = booked(shop, "b", resolver, {
        late: Resource.make("late", { deps: { to }, load: () => Effect.sleep(30) })
      })
      let tries = 0
      const last = Resource.make("last", {
        deps: { a, b },
        load: () => (++tries === 1 ? Effect.fail("gone") : Effect.succeed("done"))
      }).pipe(Saga.rewind(to, { times: 1 }))
      const took = yield* Effect.timed(Loader.load(Loader.make({ last })))
      assert.deepStrictEqual(calls, ["a,b", "a,b"])
      assert.deepStrictEqual(shop.done.toSorted(), ["a", "b"])
      assert.strictEqual(Duration.toMillis(took[0]), 2 * (5 + 30 + 10))
    }).pipe(withTime)
  )

  it.effect("do not wait for what is kept from the leg before", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = aware(shop)
      const kept = booked(shop, "kept", resolver)
      const to = after("to", 5)
      const again = booked(shop, "again", resolver, { to })
      let tries = 0
      const last = Resource.make("last", {
        deps: { again, kept },
        load: () => (++tries === 1 ? Effect.fail("gone") : Effect.succeed("done"))
      }).pipe(Saga.rewind(to, { times: 1 }))
      const [took] = yield* Effect.timed(Loader.load(Loader.make({ last })))
      assert.deepStrictEqual(calls, ["kept,again", "again"])
      assert.deepStrictEqual(shop.log, ["+kept", "+again", "-again", "+again"])
      assert.strictEqual(Duration.toMillis(took), 30)
    }).pipe(withTime)
  )

  it.effect("a request that is held when the run goes back is made again, and its batch is not lost", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = aware(shop)
      const to = after("to", 5)
      const a = booked(shop, "a", resolver, { to })
      const b = booked(shop, "b", resolver, { late: after("late", 100) })
      let tries = 0
      const hasty = Resource.make("hasty", {
        deps: { to },
        load: () => Effect.andThen(Effect.sleep(5), ++tries === 1 ? Effect.fail("gone") : Effect.succeed("done"))
      }).pipe(Saga.rewind(to, { times: 1 }))
      yield* Loader.load(Loader.make({ a, b, hasty }))
      assert.deepStrictEqual(calls, ["a,b"])
      assert.deepStrictEqual(shop.log, ["~a", "+a", "+b"])
    }).pipe(withTime)
  )

  it.effect("of a loader inside that goes back are held with those around it, and wait for nothing for ever", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = aware(shop)
      const to = after("to", 5)
      const inside = booked(shop, "inside", resolver, { to })
      let tries = 0
      const last = Resource.make("last", {
        deps: { inside },
        load: () => (++tries === 1 ? Effect.fail("gone") : Effect.succeed("done"))
      }).pipe(Saga.rewind(to, { times: 1, schedule: Schedule.spaced(50) }))
      const page = Resource.fromLoader("page", Loader.make({ last }))
      const outside = booked(shop, "outside", resolver, { late: after("late", 30) })
      const [took] = yield* Effect.timed(Loader.load(Loader.make({ page, outside })))
      assert.deepStrictEqual(calls, ["inside,outside", "inside"])
      assert.strictEqual(Duration.toMillis(took), 30 + 10 + 50 + 5 + 10)
    }).pipe(withTime)
  )

  it.effect("nobody's batch waits for a run that is being undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const { calls, resolver } = aware(shop)
      const a = booked(shop, "a", resolver).pipe(Saga.compensate(() => Effect.sleep(500)))
      const never = booked(shop, "never", resolver, { broken: failing({ a }) })
      const undone = yield* fork(Effect.exit(Loader.load(Loader.make({ never }))))
      yield* Effect.sleep(15)
      const [took] = yield* Effect.timed(Loader.load(Loader.make({ b: booked(shop, "b", resolver) })))
      assert.deepStrictEqual([calls, Duration.toMillis(took)], [["a", "b"], 10])
      yield* Fiber.join(undone)
    }).pipe(withTime)
  )
})
