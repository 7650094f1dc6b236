/** What was not done here is not undone here: hits, values of others, stale ones, remembered failures, refreshes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { Loader, Observer, Policy, Resource, ResourceCache, Saga } from "effect-loader"
import { withTime } from "../withTime.ts"
import { failing, Shop } from "./Shop.ts"

class Deeds extends ResourceCache.Service<Deeds>()("app/Deeds") {}

const inTime = <A, E>(self: Effect.Effect<A, E, Deeds>, options: Partial<ResourceCache.MemoryOptions> = {}) =>
  withTime(Effect.provide(self, Deeds.layer({ timeToLive: "1 minute", ...options })))

const fork = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.forkChild(self, { startImmediately: true })

/** The same deed, with its compensation and cleanup inside of the cache, or outside. */
const places = {
  inside: (shop: Shop, load: () => Effect.Effect<string, string>) =>
    Resource.make("deed", {
      key: () => "deed",
      load
    }).pipe(
      Saga.compensate((name) => shop.undo(name)),
      Saga.cleanup(() => shop.clean("deed")),
      Policy.cache(Deeds)
    ),
  outside: (shop: Shop, load: () => Effect.Effect<string, string>) =>
    Resource.make("deed", { key: () => "deed", load }).pipe(
      Policy.cache(Deeds),
      Saga.compensate((name) => shop.undo(name)),
      Saga.cleanup(() => shop.clean("deed"))
    )
}

const either = <A, E>(name: string, test: (place: (typeof places)["inside"], shop: Shop) => Effect.Effect<A, E>) => {
  for (const [where, place] of Object.entries(places)) {
    it.effect(`${name} (${where} of the cache)`, () => Effect.suspend(() => test(place, new Shop())))
  }
}

const alone = (deed: ReturnType<(typeof places)["inside"]>) => Loader.load(Loader.make({ deed }))
const thenFails = (deed: ReturnType<(typeof places)["inside"]>, takes = 0) =>
  Effect.exit(Loader.load(Loader.make({ last: failing({ deed }, takes) })))

const takes = (millis: number, self: Effect.Effect<string, string>) => () => Effect.andThen(Effect.sleep(millis), self)

describe("a compensation and a cache", () => {
  either("the run that loaded a value undoes it, and the cache still gives it", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, () => shop.do("deed"))
      yield* thenFails(deed)
      assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
      assert.deepStrictEqual(yield* alone(deed), { deed: "deed" })
      assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
    }).pipe(inTime)
  )

  either("a hit is not undone: this run did nothing", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, () => shop.do("deed"))
      yield* alone(deed)
      yield* thenFails(deed)
      assert.deepStrictEqual(shop.log, ["+deed"])
    }).pipe(inTime)
  )

  either("a load that can be reversed later undoes no hit", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, () => shop.do("deed"))
      const first = yield* Loader.loadReversible(Loader.make({ deed }))
      const second = yield* Loader.loadReversible(Loader.make({ deed }))
      yield* second.undo
      assert.deepStrictEqual(shop.log, ["+deed"])
      yield* first.undo
      assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
    }).pipe(inTime)
  )

  either("a stale value is not undone, nor is what a refresh beside the run did", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, () => shop.do("deed"))
      yield* alone(deed)
      yield* Effect.sleep("2 minutes")
      yield* thenFails(deed, 10)
      assert.deepStrictEqual(shop.log, ["+deed", "+deed"])
    }).pipe((self) => inTime(self, { staleWhileRevalidate: "1 hour" }))
  )

  either(
    "a stale value that stands in for a failure is not undone, and the attempt that failed is cleaned up",
    (place, shop) =>
      Effect.gen(function* () {
        let loads = 0
        const deed = place(shop, () => (++loads === 1 ? shop.do("deed") : Effect.fail("down")))
        yield* alone(deed)
        yield* Effect.sleep("2 minutes")
        yield* thenFails(deed)
        // Outside of the cache nothing has failed: it gave a value.
        const isInside = place === places.inside
        assert.deepStrictEqual(shop.log, isInside ? ["+deed", "~deed"] : ["+deed"])
      }).pipe((self) => inTime(self, { staleIfError: { for: "1 hour", when: () => true } }))
  )

  either("a failure that is remembered is not cleaned up after: nothing began", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, () => Effect.fail("down"))
      yield* Effect.exit(alone(deed))
      assert.deepStrictEqual(shop.log, ["~deed"])
      yield* Effect.exit(alone(deed))
      assert.deepStrictEqual(shop.log, ["~deed"])
    }).pipe((self) => inTime(self, { failures: { timeToLive: "1 minute" } }))
  )

  either("a failure of somebody else is not cleaned up after by those who waited for it", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, takes(10, Effect.fail("down")))
      yield* Effect.all([alone(deed), alone(deed)].map(Effect.exit), { concurrency: "unbounded" })
      assert.deepStrictEqual(shop.log, ["~deed"])
    }).pipe(inTime)
  )

  either("what two runs wait for is undone by the one that loaded it, and by no other", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, takes(10, shop.do("deed")))
      const leader = yield* fork(alone(deed))
      const waiting = yield* fork(thenFails(deed))
      yield* Effect.sleep(20)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(leader)))
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(shop.log, ["+deed"])
    }).pipe(inTime)
  )

  either("a load that is handed over is undone once, by the one who then loaded it", (place, shop) =>
    Effect.gen(function* () {
      const deed = place(shop, takes(10, shop.do("deed")))
      const leader = yield* fork(alone(deed))
      const waiting = yield* fork(thenFails(deed))
      yield* Effect.sleep(5)
      yield* Fiber.interrupt(leader)
      assert.deepStrictEqual(shop.log, ["~deed"])
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(shop.log, ["~deed", "+deed", "-deed"])
    }).pipe(inTime)
  )

  it.effect("two resources of one run with one key: what one of them loaded is undone once", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const make = (name: string) =>
        Resource.make(name, {
          key: () => "deed",
          load: takes(10, shop.do("deed"))
        }).pipe(
          Saga.compensate((value) => shop.undo(value)),
          Policy.cache(Deeds)
        )
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ a: make("a"), b: make("b") }) })))
      assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
    }).pipe(inTime)
  )

  it.effect("items of a list that are known are not undone, and a list of nothing else is none that was done", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const list = (items: ReadonlyArray<string>) =>
        Resource.forEach(
          "list",
          { items: () => items, itemKey: (item) => item, load: (item) => shop.do(item), each: Policy.cache(Deeds) },
          Saga.compensate((item) => shop.undo(item))
        ).pipe(Saga.compensate((all) => shop.clean(`the list of ${all.join()}`)))
      yield* Loader.load(Loader.make({ list: list(["a", "b"]) }))
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ list: list(["a", "b"]) }) })))
      assert.deepStrictEqual(shop.log, ["+a", "+b"])
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ list: list(["a", "c"]) }) })))
      assert.deepStrictEqual(shop.log.slice(2), ["+c", "~the list of a,c", "-c"])
    }).pipe(inTime)
  )

  it.effect("a list that is remembered as a whole is not undone, nor are its items", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const list = Resource.forEach(
        "list",
        { key: () => "list", items: () => ["a", "b"], load: (item) => shop.do(item) },
        Saga.compensate((item) => shop.undo(item))
      ).pipe(Policy.cache(Deeds))
      yield* Loader.load(Loader.make({ list }))
      yield* Effect.exit(Loader.load(Loader.make({ last: failing({ list }) })))
      assert.deepStrictEqual(shop.log, ["+a", "+b"])
    }).pipe(inTime)
  )

  it.effect(
    "attempts beside each other that read one cache: what the first loads is undone, though the second waited",
    () =>
      Effect.gen(function* () {
        for (const hedgeLast of [true, false]) {
          const shop = new Shop()
          const load = takes(20, shop.do("deed"))
          const cached = Resource.make("deed", { key: () => String(hedgeLast), load }).pipe(
            Saga.compensate((name) => shop.undo(name)),
            Policy.cache(Deeds)
          )
          const outside = Resource.make("deed", { key: () => `outside ${hedgeLast}`, load }).pipe(
            Policy.cache(Deeds),
            Policy.hedge({ after: 5 }),
            Saga.compensate((name) => shop.undo(name))
          )
          yield* thenFails(hedgeLast ? cached.pipe(Policy.hedge({ after: 5 })) : outside)
          assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
        }
      }).pipe(inTime)
  )

  it.effect(
    "with a retry around, what an earlier attempt loaded into the cache is undone with the value that stays",
    () =>
      Effect.gen(function* () {
        const shop = new Shop()
        let looks = 0
        const checked = Policy.around<string>("checked", (self) =>
          Effect.tap(self, () => (++looks === 1 ? Effect.die("not yet") : Effect.void)).pipe(
            Effect.catchDefect(() => Effect.fail("not yet"))
          )
        )
        const deed = Resource.make("deed", { key: () => "deed", load: () => shop.do("deed") }).pipe(
          Policy.cache(Deeds),
          checked,
          Policy.retry({ times: 1 }),
          Saga.compensate((name) => shop.undo(name))
        )
        yield* Effect.exit(Loader.load(Loader.make({ last: failing({ deed }) })))
        assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
      }).pipe(inTime)
  )
})

describe("a cache and a run that gives up, or goes back", () => {
  it.effect("a run that aborts ends none that waits for its load: that one loads by itself", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let loads = 0
      const load = () => Effect.andThen(Effect.sleep(10), ++loads === 1 ? Effect.fail("fraud") : shop.do("deed"))
      const deed = Resource.make("deed", { key: () => "deed", load }).pipe(
        Saga.abortIf((error) => error === "fraud"),
        Policy.cache(Deeds)
      )
      const first = yield* fork(Effect.exit(Loader.load(Loader.make({ deed }))))
      const second = yield* fork(Loader.load(Loader.make({ deed })))
      assert.isTrue(Exit.isFailure(yield* Fiber.join(first)))
      assert.deepStrictEqual(yield* Fiber.join(second), { deed: "deed" })
    }).pipe(inTime)
  )

  it.effect("a refresh beside a run ends nothing, whatever it fails with", () =>
    Effect.gen(function* () {
      let loads = 0
      const deed = Resource.make("deed", {
        key: () => "deed",
        load: (): Effect.Effect<number, string> => (++loads === 1 ? Effect.succeed(1) : Effect.fail("fraud"))
      }).pipe(
        Saga.abortIf(() => true),
        Policy.cache(Deeds)
      )
      const slow = Resource.make("slow", { deps: { deed }, load: () => Effect.as(Effect.sleep(100), "slow") })
      const load = Loader.load(Loader.make({ slow, deed }))
      yield* load
      yield* Effect.sleep("2 minutes")
      assert.deepStrictEqual(yield* load, { slow: "slow", deed: 1 })
      assert.strictEqual(loads, 2)
      assert.strictEqual((yield* Deeds.stats).refreshFailures, 1)
    }).pipe((self) => inTime(self, { staleWhileRevalidate: "1 hour" }))
  )

  it.effect("what is loaded again after going back comes out of the cache, though it was undone", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let tries = 0
      const deed = places.inside(shop, () => shop.do("deed"))
      const last = Resource.make("last", {
        deps: { deed },
        load: () => (++tries === 1 ? Effect.fail("gone") : Effect.succeed("done"))
      }).pipe(Saga.rewind(deed, { times: 1 }))
      yield* Loader.load(Loader.make({ last }))
      assert.deepStrictEqual(shop.log, ["+deed", "-deed"])
      // Unless what undoes it says so to the cache.
      const forgetting = Resource.make("deed", {
        key: () => "forgotten",
        load: () => shop.do("again")
      }).pipe(
        Saga.compensate((name) => Effect.andThen(Deeds.invalidate("forgotten"), shop.undo(name))),
        Policy.cache(Deeds)
      )
      tries = 0
      const careful = Resource.make("last", {
        deps: { deed: forgetting },
        load: () => (++tries === 1 ? Effect.fail("gone") : Effect.succeed("done"))
      }).pipe(Saga.rewind(forgetting, { times: 1 }))
      yield* Loader.load(Loader.make({ careful }))
      assert.deepStrictEqual(shop.log.slice(2), ["+again", "-again", "+again"])
    }).pipe(inTime)
  )

  it.effect("whoever begins to wait in the moment in which a run interrupts the load does not wait for ever", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      const deed = places.inside(shop, takes(10, shop.do("deed")))
      const leader = yield* fork(alone(deed))
      const waiting = yield* fork(
        Observer.observe(alone(deed), (event) => {
          if (event._tag === "CacheRead" && event.result === "coalesced") leader.interruptUnsafe()
        })
      )
      assert.deepStrictEqual(yield* Fiber.join(waiting), { deed: "deed" })
      assert.deepStrictEqual(shop.log, ["~deed", "+deed"])
    }).pipe(inTime)
  )

  it.effect("a load that goes back while somebody waits for it is handed over to them", () =>
    Effect.gen(function* () {
      const shop = new Shop()
      let tries = 0
      const to = shop.step("to")
      const deed = Resource.make("deed", {
        deps: { to },
        key: () => "deed",
        load: () =>
          Effect.andThen(
            Effect.sleep(10),
            Effect.suspend(() => (++tries === 1 ? Effect.fail("gone") : shop.do("deed")))
          )
      }).pipe(Saga.rewind(to, { times: 1 }), Policy.cache(Deeds))
      const first = yield* fork(Loader.load(Loader.make({ deed })))
      const second = yield* fork(Loader.load(Loader.make({ deed })))
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(
        [shop.log.filter((line) => line === "+deed").length, shop.log.filter((line) => line === "-to").length],
        [1, 1]
      )
    }).pipe(inTime)
  )
})
