/** `Policy.cache` in runs: loads, the runs that load, and the events. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Data, Effect, Exit, Fiber, Layer, Schedule } from "effect"
import { Limiter, Loader, Plan, Policy, Report, Resource, ResourceCache, Saga } from "effect-loader"
import { Fake, RunLog } from "effect-loader/testing"
import { fork } from "../fork.ts"
import { withTime } from "../withTime.ts"

class Users extends ResourceCache.Service<Users>()("app/Users") {}
class Keyed extends ResourceCache.Service<Keyed>()("app/Keyed", { keyed: true }) {}
class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class NotFound extends Data.TaggedError("NotFound")<{ readonly id: number }> {}

const aMinute = Users.layer({ timeToLive: "1 minute" })

const id = Resource.input<number>()("id")

/** Counts the loads of each key. */
class Loads {
  readonly started: Array<string> = []
  readonly of = (key: string): number => this.started.filter((one) => one === key).length
  readonly load = (key: string, millis = 10): Effect.Effect<string> =>
    Effect.suspend(() => {
      this.started.push(key)
      return Effect.as(Effect.sleep(millis), `${key}, load ${this.of(key)}`)
    })
}

const userOf = (loads: Loads, millis = 10) =>
  Resource.make("user", {
    deps: { id },
    key: ({ id }) => `user:${id}`,
    load: ({ id }) => loads.load(`user:${id}`, millis)
  })

const cached = (loads: Loads, millis = 10) => userOf(loads, millis).pipe(Policy.cache(Users))

const inTime = <A, E, R>(self: Effect.Effect<A, E, R | Users>, layer: Layer.Layer<Users> = aMinute) =>
  withTime(Effect.provide(self, layer))

describe("a fresh value", () => {
  it.effect("is returned to the next run without another load", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads) })
      const { events, exit } = yield* inTime(
        RunLog.record(Effect.all([Loader.load(page, { id: 7 }), Loader.load(page, { id: 7 })]))
      )
      assert.deepStrictEqual(exit, Exit.succeed([{ user: "user:7, load 1" }, { user: "user:7, load 1" }]))
      const [first, second] = RunLog.runs(events)
      assert.deepStrictEqual(RunLog.cacheReads(first!, "user"), ["miss"])
      assert.deepStrictEqual(RunLog.cacheReads(second!, "user"), ["hit"])
      assert.deepStrictEqual([RunLog.attempts(first!, "user"), RunLog.attempts(second!, "user")], [1, 0])
      assert.deepStrictEqual(loads.started, ["user:7"])
    })
  )

  it.effect("takes no slot", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const slow = Fake.delay("slow", "1 second", "slow")
      const alone = Loader.make({ user: cached(loads) })
      const page = Loader.make({ slow, user: cached(loads) }, { concurrency: 1 })
      const report = yield* inTime(Effect.andThen(Loader.load(alone, { id: 7 }), Loader.settle(page, { id: 7 })))
      const user = Report.get(report, "user")!
      assert.deepStrictEqual([user.endedAt! - report.startedAt, user.attempts, user.queued], [0, 0, 0])
    })
  )

  it.effect("is shown in the report, in the text and in the plan", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const user = userOf(loads).pipe(Policy.timeout("1 second"), Policy.retry({ times: 3 }), Policy.cache(Users))
      const page = Loader.make({ user }, { name: "page" })
      const { events } = yield* inTime(
        RunLog.record(Effect.andThen(Loader.load(page, { id: 7 }), Loader.load(page, { id: 7 })))
      )
      const [, second] = RunLog.runs(events)
      assert.deepStrictEqual(Report.get(Report.fromEvents(second!)!, "user")?.caches, [
        { cache: "app/Users", level: "memory", hit: 1, miss: 0, coalesced: 0, stale: 0, error: 0 }
      ])
      assert.strictEqual(RunLog.timeline(second!), '"page" took 0.0ms\n✓ user  0-0  from app/Users')
      assert.include(Plan.toText(Loader.plan(page)), "cache(app/Users) > retry(3) > [timeout(1s)]")
    })
  )

  it.effect("lasts for its time to live, by the clock", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads, 0) })
      const at = (millis: number) =>
        Effect.andThen(
          Effect.sleep(millis),
          Effect.map(Loader.load(page, { id: 7 }), ({ user }) => user)
        )
      const values = yield* inTime(Effect.all([at(0), at(59_999), at(1), at(59_999)]))
      assert.deepStrictEqual(values, ["user:7, load 1", "user:7, load 1", "user:7, load 2", "user:7, load 2"])
    })
  )

  it.effect("is identified without a key by its load and its dependencies, compared structurally", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const who = Resource.input<{ readonly org: string; readonly ids: ReadonlyArray<number> }>()("who")
      const make = (name: string) =>
        Resource.make(name, { deps: { who }, load: ({ who }) => loads.load(`${name} ${who.org}`) }).pipe(
          Policy.cache(Users)
        )
      const page = Loader.make({ a: make("a"), b: make("b") })
      const load = (org: string) => Loader.load(page, { who: { org, ids: [1, 2] } })
      yield* inTime(Effect.all([load("x"), load("x"), load("y"), Users.invalidateUnder("a"), load("x")]))
      assert.deepStrictEqual(loads.started, ["a x", "b x", "a y", "b y", "a x"])
    })
  )

  it.effect("is one value for all resources with its key, items of lists included", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const ids = Resource.input<ReadonlyArray<number>>()("ids")
      const users = Resource.forEach("users", {
        deps: { ids },
        items: ({ ids }) => ids,
        itemKey: (id) => `user:${id}`,
        load: (id) => loads.load(`user:${id}`),
        each: Policy.cache(Users)
      })
      const page = Loader.make({ user: cached(loads), users }, { concurrency: 2 })
      const report = yield* inTime(Loader.settle(page, { id: 7, ids: [5, 6, 7, 7, 6] }))
      assert.deepStrictEqual(
        report.values.users,
        [5, 6, 7, 7, 6].map((one) => `user:${one}, load 1`)
      )
      assert.deepStrictEqual(loads.started.toSorted(), ["user:5", "user:6", "user:7"])
      assert.deepStrictEqual(
        Report.get(report, "users")?.caches?.map(({ coalesced, hit, miss }) => ({ coalesced, hit, miss })),
        [{ coalesced: 3, hit: 0, miss: 2 }]
      )
    })
  )

  it.effect("of a list, or of a nested loader, is the whole of it", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const ids = Resource.succeed("ids", [1, 2])
      const list = Resource.forEach("list", {
        deps: { ids },
        items: ({ ids }) => ids,
        load: (id) => loads.load(`item ${id}`)
      }).pipe(Policy.cache(Users))
      const inner = Loader.make({ user: userOf(loads) })
      const whole = Resource.fromLoader("whole", inner, { inputs: { id: Resource.succeed("seven", 7) } }).pipe(
        Policy.cache(Users)
      )
      const page = Loader.make({ list, whole }, { concurrency: 1 })
      const { events, exit } = yield* inTime(RunLog.record(Effect.all([Loader.load(page), Loader.load(page)])))
      if (!Exit.isSuccess(exit)) return assert.fail("it did not load")
      assert.deepStrictEqual(exit.value[1], exit.value[0])
      assert.deepStrictEqual(loads.started.toSorted(), ["item 1", "item 2", "user:7"])
      assert.strictEqual(RunLog.runs(events).length, 3, "the loader inside ran once")
    })
  )
})

describe("a value in the course of its load", () => {
  it.effect("is loaded once, and every run that needs it waits for that load", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads) }, { concurrency: 1 })
      const { events, exit } = yield* inTime(
        RunLog.record(
          Effect.forEach([0, 3, 9], (after) => Effect.delay(Loader.load(page, { id: 7 }), after), {
            concurrency: "unbounded"
          })
        )
      )
      assert.deepStrictEqual(exit, Exit.succeed([1, 2, 3].map(() => ({ user: "user:7, load 1" }))))
      assert.deepStrictEqual(
        RunLog.runs(events).map((run) => [RunLog.cacheReads(run, "user"), RunLog.attempts(run, "user")]),
        [
          [["miss"], 1],
          [["coalesced"], 0],
          [["coalesced"], 0]
        ]
      )
    })
  )

  it.effect("is loaded by one of the waiting runs after the loading run is interrupted", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads) })
      const load = Loader.load(page, { id: 7 })
      const { events, exit } = yield* inTime(
        RunLog.record(
          Effect.gen(function* () {
            const first = yield* fork(load)
            const second = yield* fork(load)
            const third = yield* fork(load)
            yield* Effect.sleep(5)
            yield* Fiber.interrupt(first)
            return [yield* Fiber.await(first), yield* Fiber.join(second), yield* Fiber.join(third)] as const
          })
        )
      )
      if (!Exit.isSuccess(exit)) return assert.fail("those who wait have to get it")
      assert.isTrue(Exit.hasInterrupts(exit.value[0]))
      assert.deepStrictEqual(exit.value.slice(1), [{ user: "user:7, load 2" }, { user: "user:7, load 2" }])
      assert.deepStrictEqual(
        RunLog.runs(events).map((run) => [RunLog.cacheReads(run, "user"), RunLog.attempts(run, "user")]),
        [
          [["miss"], 1],
          [["coalesced", "miss"], 1],
          [["coalesced", "coalesced"], 0]
        ]
      )
    })
  )

  it.effect("fails for all waiting runs, and is loaded again by the next one", () =>
    Effect.gen(function* () {
      let tries = 0
      const user = Resource.make("user", {
        load: () =>
          Effect.andThen(
            Effect.sleep(10),
            Effect.suspend(() => Effect.fail(new NotFound({ id: ++tries })))
          )
      }).pipe(Policy.cache(Users))
      const load = Effect.map(Effect.flip(Loader.load(Loader.make({ user }))), ({ error }) => error.id)
      const both = Effect.all([load, load], { concurrency: 2 })
      assert.deepStrictEqual(yield* inTime(Effect.all([both, load])), [[1, 1], 2])
    })
  )

  it.effect("dies for all waiting runs, and is loaded again by the next one, even if failures are kept", () =>
    Effect.gen(function* () {
      let tries = 0
      const user = Resource.make("user", {
        load: () =>
          Effect.andThen(
            Effect.sleep(10),
            Effect.suspend(() => Effect.die(`defect ${++tries}`))
          )
      }).pipe(Policy.cache(Users))
      const load = Effect.map(Loader.settle(Loader.make({ user })), (report) => Report.outcome(report, "user")?._tag)
      const layer = Users.layer({ timeToLive: "1 minute", failures: { timeToLive: "1 minute" } })
      const seen = yield* inTime(Effect.all([Effect.all([load, load], { concurrency: 2 }), load]), layer)
      assert.deepStrictEqual([seen, tries], [[["Died", "Died"], "Died"], 2])
    })
  )

  it.effect("is not waited for by its own dependencies", () =>
    Effect.gen(function* () {
      // Each one loads the key of the other inside, so neither could end if both waited.
      const one = (name: string, other: string, inner: Effect.Effect<unknown, unknown, Users>) =>
        Resource.make(name, {
          key: () => name,
          load: () => Effect.as(Effect.andThen(Effect.sleep(5), Effect.exit(inner)), `${name} with ${other}`)
        }).pipe(Policy.cache(Users))
      const leaf = (name: string) =>
        Loader.load(Loader.make({ [name]: one(name, "nothing", Effect.void) })) as Effect.Effect<unknown, never, Users>
      const a = Loader.make({ a: one("a", "b", leaf("b")) })
      const b = Loader.make({ b: one("b", "a", leaf("a")) })
      const self = Loader.make({ c: one("c", "c", leaf("c")) })
      const values = yield* inTime(
        Effect.all([Loader.load(a), Loader.load(b), Loader.load(self)], { concurrency: "unbounded" })
      )
      assert.deepStrictEqual(values, [{ a: "a with b" }, { b: "b with a" }, { c: "c with c" }])
    })
  )
})

/** The only error of this file that a stale value may replace. */
const isDown = (error: unknown): boolean => error === "down"

describe("a stale value", () => {
  const stale = Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute" })

  it.effect("is returned during its refresh, which is not part of the run", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads) }, { concurrency: 1 })
      const load = Effect.map(Loader.load(page, { id: 7 }), ({ user }) => user)
      const { events, exit } = yield* inTime(
        RunLog.record(
          Effect.gen(function* () {
            const first = yield* load
            yield* Effect.sleep("90 seconds")
            const second = yield* load
            const third = yield* load
            yield* Effect.sleep(20)
            return [first, second, third, yield* load, (yield* Users.stats).refreshes]
          })
        ),
        stale
      )
      const values = ["user:7, load 1", "user:7, load 1", "user:7, load 1", "user:7, load 2", 1]
      assert.deepStrictEqual(exit, Exit.succeed(values))
      assert.deepStrictEqual(RunLog.cacheReads(events, "user"), ["miss", "stale", "stale", "hit"])
      assert.strictEqual(RunLog.attempts(events, "user"), 1)
    })
  )

  it.effect("is loaded by the reader after it has expired, also during its refresh", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads, 60_000) })
      const load = Effect.map(Loader.load(page, { id: 7 }), ({ user }) => user)
      const { events, exit } = yield* inTime(
        RunLog.record(
          Effect.gen(function* () {
            yield* load
            yield* Effect.sleep("90 seconds")
            yield* load
            // The refresh is still in progress at the end of the stale window.
            yield* Effect.sleep("45 seconds")
            return yield* load
          })
        ),
        stale
      )
      assert.deepStrictEqual(exit, Exit.succeed("user:7, load 3"))
      assert.deepStrictEqual(RunLog.cacheReads(events, "user"), ["miss", "stale", "miss"])
    })
  )

  it.effect("replaces the error of a load, and the resource that gets it is degraded", () =>
    Effect.gen(function* () {
      let tries = 0
      const user = Resource.make("user", {
        load: () =>
          Effect.andThen(
            Effect.sleep(10),
            Effect.suspend(() => (++tries > 1 ? Effect.fail("down") : Effect.succeed("ada")))
          )
      }).pipe(Policy.cache(Users))
      const load = Loader.settle(Loader.make({ user }))
      const layer = Users.layer({
        timeToLive: "1 minute",
        staleIfError: { for: "1 hour", when: isDown },
        failures: { timeToLive: "1 hour" }
      })
      const [, early, [one, two], late] = yield* inTime(
        Effect.all([
          load,
          load,
          Effect.delay(Effect.all([load, load], { concurrency: 2 }), "2 minutes"),
          Effect.delay(load, "2 hours")
        ]),
        layer
      )
      assert.deepStrictEqual(Report.outcome(early, "user"), { _tag: "Succeeded" })
      for (const report of [one, two]) {
        assert.deepStrictEqual(report.values, { user: "ada" })
        assert.deepStrictEqual(Report.outcome(report, "user"), {
          _tag: "Degraded",
          fallback: "cache(app/Users)",
          error: "down"
        })
      }
      assert.strictEqual(Report.outcome(late, "user")?._tag, "Failed")
      assert.strictEqual(tries, 3)
    })
  )

  it.effect("is refreshed before it expires with `earlyRefresh`, so that no reader waits", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: cached(loads) })
      const load = Effect.map(Loader.load(page, { id: 7 }), ({ user }) => user)
      const at = (seconds: number) => Effect.delay(load, seconds * 1000)
      const { events, exit } = yield* inTime(
        RunLog.record(Effect.all([at(0), at(47), at(2), at(30)])),
        Users.layer({ timeToLive: "1 minute", earlyRefresh: 0.8 })
      )
      const values = ["user:7, load 1", "user:7, load 1", "user:7, load 1", "user:7, load 2"]
      assert.deepStrictEqual(exit, Exit.succeed(values))
      assert.deepStrictEqual(RunLog.cacheReads(events, "user"), ["miss", "hit", "hit", "hit"])
    })
  )
})

describe("a loader that refreshes a value read by hand", () => {
  const stale = Users.layer({ timeToLive: "1 minute", staleWhileRevalidate: "1 minute" })

  it.effect("is not part of a run: no run reports it, even after its end, and no run undoes it", () =>
    Effect.gen(function* () {
      const undone: Array<string> = []
      let loads = 0
      const step = Resource.make("step", { load: () => Effect.as(Effect.sleep(10), ++loads) }).pipe(
        Saga.compensate((load: number) => Effect.sync(() => undone.push(`load ${load}`)))
      )
      const inner = Loader.make({ step }, { name: "inner" })
      const read = Users.get("step", Loader.load(inner))
      const reading = (millis: number, end: Effect.Effect<void, string>) =>
        Resource.forEach(
          "reading",
          { items: () => [1], load: () => Effect.andThen(read, Effect.andThen(Effect.sleep(millis), end)) },
          Saga.compensate(() => Effect.void)
        )
      const { events, exit } = yield* inTime(
        RunLog.record(
          Effect.gen(function* () {
            const reports: Array<Report.Report<unknown>> = []
            // It is loaded; refreshed during the run that read it, which fails; and refreshed after the end of that run.
            for (const [millis, end] of [
              [0, Effect.void],
              [50, Effect.fail("down")],
              [0, Effect.void]
            ] as const) {
              const { report } = yield* Loader.loadWithReport(Loader.make({ reading: reading(millis, end) }))
              reports.push(report)
              yield* Effect.sleep("90 seconds")
            }
            return reports
          })
        ),
        stale
      )
      const reports = Exit.isSuccess(exit) ? exit.value : assert.fail()
      assert.deepStrictEqual(
        reports.map((report) => Report.get(report, "reading")?.runs?.length ?? 0),
        [1, 0, 0]
      )
      const runs = events.flatMap((event) => (event._tag === "RunStarted" && event.loader === "inner" ? [event] : []))
      assert.deepStrictEqual(
        runs.map(({ parent }) => parent?.resource),
        ["reading", undefined, undefined]
      )
      assert.deepStrictEqual(undone, [])
    })
  )
})

describe("permits of a limiter", () => {
  it.effect("are taken by loads and refreshes, not by hits and waiting readers", () =>
    Effect.gen(function* () {
      const loads = new Loads()
      const page = Loader.make({ user: userOf(loads).pipe(Policy.limit(Postgres), Policy.cache(Users)) })
      const load = Loader.load(page, { id: 7 })
      const inUse = Effect.map(Postgres.stats, ({ inFlight }) => inFlight)
      const held = Postgres.withPermit(Effect.sleep("1 minute"))
      const program = Effect.gen(function* () {
        yield* fork(Effect.all([load, load], { concurrency: 2 }))
        const loading = yield* inUse
        yield* Effect.sleep(10)
        // Another effect has the only permit: fresh and stale values are available all the same.
        yield* fork(held)
        const fresh = yield* load
        yield* Effect.sleep("30 seconds")
        const stale = yield* load
        yield* Effect.sleep("29 seconds")
        const waiting = loads.started.length
        yield* Effect.sleep("2 seconds")
        return [loading, fresh.user, stale.user, waiting, loads.started.length, (yield* load).user]
      })
      const layer = Layer.merge(
        Users.layer({ timeToLive: "20 seconds", staleWhileRevalidate: "1 hour", refreshWithin: "1 minute" }),
        Postgres.layer({ limit: 1 })
      )
      const seen = yield* withTime(Effect.provide(program, layer))
      assert.deepStrictEqual(seen, [1, "user:7, load 1", "user:7, load 1", 1, 2, "user:7, load 2"])
    })
  )
})

describe("a typed failure", () => {
  it.effect("is kept with `failures`, for its own time, and its error counts no attempt", () =>
    Effect.gen(function* () {
      let tries = 0
      const user = Resource.make("user", {
        load: () => Effect.suspend(() => Effect.fail(new NotFound({ id: ++tries })))
      }).pipe(Policy.cache(Users))
      const load = Effect.map(Effect.flip(Loader.load(Loader.make({ user }))), ({ attempts, error }) => [
        error.id,
        attempts
      ])
      const layer = Users.layer({ timeToLive: "1 hour", failures: { timeToLive: "5 seconds" } })
      const seen = yield* inTime(Effect.all([load, Effect.delay(load, 4999), Effect.delay(load, 1)]), layer)
      assert.deepStrictEqual(seen, [
        [1, 1],
        [1, 0],
        [2, 1]
      ])
    })
  )

  it.effect("is retried inside the cache by a `retry` that is piped before", () =>
    Effect.gen(function* () {
      let tries = 0
      const user = Resource.make("user", {
        load: () => Effect.suspend(() => (++tries < 3 ? Effect.fail("busy") : Effect.succeed(tries)))
      }).pipe(Policy.retry({ times: 3, schedule: Schedule.spaced(10) }), Policy.cache(Users))
      const page = Loader.make({ user }, { concurrency: 1 })
      const both = Effect.all([Loader.settle(page), Loader.settle(page)], { concurrency: 2 })
      const [one, two] = yield* inTime(both)
      assert.deepStrictEqual([one.values, two.values], [{ user: 3 }, { user: 3 }])
      assert.deepStrictEqual([Report.get(one, "user")?.attempts, Report.get(two, "user")?.attempts], [3, 0])
    })
  )
})

describe("a cache is misplaced", () => {
  const issuesOf = (resource: Resource.Any): string => {
    try {
      Loader.make({ resource: resource as Resource.Resource<string, unknown> })
      return "none"
    } catch (error) {
      return (error as Error).message
    }
  }

  it("on a resource without work of its own", () => {
    const one = Resource.succeed("one", 1)
    const choice = Resource.match("choice", { on: Resource.succeed("on", true), cases: { true: one, false: one } })
    const all: ReadonlyArray<Resource.Any> = [one, id, Resource.struct("both", { one }), choice]
    for (const resource of all) {
      assert.include(issuesOf(resource.pipe(Policy.cache(Users))), 'misplaced policy "cache(app/Users)"')
    }
  })

  it("on a resource without a key, if the cache is keyed", () => {
    const make = (key: (() => string) | undefined) =>
      Resource.make("user", { load: () => Effect.void, ...(key === undefined ? {} : { key }) }).pipe(
        Policy.cache(Keyed)
      )
    const list = (itemKey: (() => string) | undefined) =>
      Resource.forEach("users", {
        items: () => [1],
        load: () => Effect.void,
        each: Policy.cache(Keyed),
        ...(itemKey === undefined ? {} : { itemKey })
      })
    const message = "this cache is for resources that have a `key`, and this one has none"
    assert.include(issuesOf(make(undefined)), message)
    assert.include(issuesOf(list(undefined)), message)
    assert.strictEqual(issuesOf(make(() => "user")), "none")
    assert.strictEqual(issuesOf(list(() => "user")), "none")
    const one = Resource.make("one", { load: () => Effect.void })
    assert.throws(() => Loader.make({ one }, { policy: Policy.cache(Keyed) }), message)
  })

  it("on a service from a layer, which is released with its run", () => {
    class Built extends Context.Service<Built, string>()("app/Built") {}
    const built = Resource.fromLayer("built", Built, Layer.succeed(Built, "built")).pipe(Policy.cache(Users))
    assert.include(issuesOf(built), "released with its run")
  })
})
