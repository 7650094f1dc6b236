/** Attempts that run only with permits of a limiter. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Exit, Fiber, Layer, Logger, Schedule } from "effect"
import {
  type GraphError,
  Limiter,
  Loader,
  Plan,
  Policy,
  Report,
  Resource,
  ResourceError,
  type RunEvent
} from "effect-loader"
import { Interruption, RunLog } from "effect-loader/testing"
import { failureOf } from "../failureOf.ts"
import { fork } from "../fork.ts"
import { withTime } from "../withTime.ts"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class Search extends Limiter.Service<Search>()("app/Search") {}
class Busy extends Data.TaggedError("Busy")<{}> {}

/** What takes so long, and how many of its kind run at once. */
const counting = () => {
  const seen = { running: 0, most: 0 }
  const query = <A>(value: A, takes = 10): Effect.Effect<A> =>
    Effect.acquireUseRelease(
      Effect.sync(() => (seen.most = Math.max(seen.most, ++seen.running))),
      () => Effect.as(Effect.sleep(takes), value),
      () => Effect.sync(() => seen.running--)
    )
  return { seen, query }
}

/** A page of so many limited resources side by side. */
const pageOf = (size: number, query: (value: number) => Effect.Effect<number>, options: Loader.Options = {}) =>
  Loader.make(
    Object.fromEntries(
      Array.from({ length: size }, (_, k) => [
        `row ${k}`,
        Resource.make(`row ${k}`, { load: () => query(k) }).pipe(Policy.limit(Postgres))
      ])
    ),
    options
  )

const idle = Effect.map(Postgres.stats, ({ inFlight, waiting }) => {
  assert.deepStrictEqual({ inFlight, waiting }, { inFlight: 0, waiting: 0 })
})

const withPostgres =
  (options: { readonly limit: number; readonly queue?: Limiter.QueueOptions }) =>
  <A, E>(self: Effect.Effect<A, E, Postgres>): Effect.Effect<A, E> =>
    withTime(
      Effect.provide(
        Effect.tap(self, () => idle),
        Postgres.layer(options)
      )
    )

const reasonsOf = (events: ReadonlyArray<RunEvent.RunEvent>) =>
  events.flatMap((event) => (event._tag === "ResourceQueued" ? [`${event.resource}: ${event.limit._tag}`] : []))

const refusing = { limit: 1, queue: { max: 0 } }

describe("Policy.limit", () => {
  it.effect("with n permits, at most n attempts of all runs together hold one", () =>
    Effect.gen(function* () {
      const { query, seen } = counting()
      const runs = Array.from({ length: 4 }, () => Loader.load(pageOf(6, query)))
      yield* withPostgres({ limit: 3 })(Effect.all(runs, { concurrency: "unbounded" }))
      assert.deepStrictEqual(seen, { running: 0, most: 3 })
    })
  )

  it.effect("an attempt that waits for a permit holds no slot: what is not limited goes on", () =>
    Effect.gen(function* () {
      const { query } = counting()
      const limited = Resource.make("limited", { load: () => query(1) }).pipe(Policy.limit(Postgres))
      const free = Resource.make("free", { load: () => Effect.sleep(10) })
      const page = Loader.make({ limited, free }, { concurrency: 1 })
      const report = yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          const holder = yield* fork(Postgres.withPermit(Effect.sleep(50)))
          const report = yield* Loader.settle(page)
          yield* Fiber.join(holder)
          return report
        })
      )
      const startOf = (name: string) => Report.get(report, name)!.startedAt! - report.startedAt
      assert.deepStrictEqual([startOf("free"), startOf("limited")], [0, 50])
    })
  )

  it.effect("an attempt that waits for a slot holds no permit", () =>
    Effect.gen(function* () {
      const { query, seen } = counting()
      const others: Array<number> = []
      yield* withPostgres({ limit: 4 })(
        Effect.gen(function* () {
          const run = yield* fork(Loader.load(pageOf(8, query, { concurrency: 1 })))
          yield* Effect.sleep(5)
          others.push((yield* Postgres.stats).inFlight)
          yield* Fiber.join(run)
        })
      )
      assert.deepStrictEqual(others, [1])
      assert.strictEqual(seen.most, 1)
    })
  )

  it.effect("the permit is free while a retry waits, and each attempt takes its own", () =>
    Effect.gen(function* () {
      let attempts = 0
      const flaky = Resource.make("flaky", {
        load: () =>
          Effect.andThen(
            Effect.sleep(10),
            Effect.suspend(() => (++attempts < 3 ? new Busy() : Effect.void))
          )
      }).pipe(Policy.retry({ times: 5, schedule: Schedule.spaced("100 millis") }), Policy.limit(Postgres))
      const inFlight = yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          const run = yield* fork(Loader.load(Loader.make({ flaky })))
          const seen: Array<number> = []
          for (const pause of [5, 50, 60, 50]) {
            yield* Effect.sleep(pause)
            seen.push((yield* Postgres.stats).inFlight)
          }
          yield* Fiber.join(run)
          assert.strictEqual((yield* Postgres.stats).granted, 3)
          return seen
        })
      )
      assert.deepStrictEqual(inFlight, [1, 0, 1, 0])
    })
  )

  it.effect("an attempt beside another takes a permit of its own", () =>
    Effect.gen(function* () {
      const { query, seen } = counting()
      const slow = Resource.make("slow", { load: () => query(1, 30) }).pipe(
        Policy.hedge({ after: "10 millis" }),
        Policy.limit(Postgres)
      )
      const load = Loader.load(Loader.make({ slow }))
      yield* withPostgres({ limit: 2 })(
        Effect.tap(load, () => Postgres.stats.pipe(Effect.map(({ granted }) => assert.strictEqual(granted, 2))))
      )
      assert.strictEqual(seen.most, 2)
      yield* withPostgres({ limit: 1 })(load)
    })
  )

  it.effect("a timeout of the attempt starts when it has its permit", () =>
    Effect.gen(function* () {
      const quick = Resource.make("quick", { load: () => Effect.as(Effect.sleep(10), "loaded") }).pipe(
        Policy.limit(Postgres),
        Policy.timeout("15 millis")
      )
      const loaded = yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          const holder = yield* fork(Postgres.withPermit(Effect.sleep(50)))
          const loaded = yield* Loader.load(Loader.make({ quick }))
          yield* Fiber.join(holder)
          return loaded
        })
      )
      assert.deepStrictEqual(loaded, { quick: "loaded" })
    })
  )

  it.effect("on a list each item takes a permit, and the list holds none", () =>
    Effect.gen(function* () {
      const { query, seen } = counting()
      const users = Resource.forEach("users", { items: () => [1, 2, 3, 4, 5], load: (id) => query(id) }).pipe(
        Policy.limit(Postgres)
      )
      const loaded = yield* withPostgres({ limit: 2 })(Loader.load(Loader.make({ users })))
      assert.deepStrictEqual(loaded, { users: [1, 2, 3, 4, 5] })
      assert.strictEqual(seen.most, 2)
    })
  )

  it.effect("as a loader's default policy it limits what has no limit of its own", () =>
    Effect.gen(function* () {
      const { query, seen } = counting()
      const a = Resource.make("a", { load: () => query("a") })
      const b = Resource.make("b", { load: () => query("b") })
      const free = Resource.make("free", { load: () => query("free") }).pipe(Policy.limit(Search))
      const page = Loader.make({ a, b, free }, { policy: Policy.limit(Postgres) })
      yield* withPostgres({ limit: 1 })(Effect.provide(Loader.load(page), Search.layer({ limit: 9 })))
      assert.strictEqual(seen.most, 2)
    })
  )

  it("a plan shows it where its permits are taken, wherever it was piped", () => {
    const a = Resource.make("a", { load: () => Effect.void }).pipe(
      Policy.timeout("500 millis"),
      Policy.retry({ times: 3 }),
      Policy.limit(Postgres, { permits: 2 })
    )
    const list = Resource.forEach("list", { items: () => [1], load: () => Effect.void }).pipe(
      Policy.timeout("1 second"),
      Policy.limit(Postgres)
    )
    assert.include(
      Plan.toText(Loader.plan(Loader.make({ a, list }))),
      "retry(3) > [limit(Postgres, 2) > timeout(500ms)]"
    )
    assert.deepInclude(Plan.get(Loader.plan(Loader.make({ list })), "list"), {
      attempt: [{ kind: "timeout", label: "timeout(1s)" }],
      items: { attempt: [{ kind: "limit", label: "limit(Postgres)" }], around: [] }
    })
  })

  it("stands only where there are attempts to limit, and a resource takes permits of one limiter", () => {
    const a = Resource.make("a", { load: () => Effect.void })
    const inner = Loader.make({ a })
    const issuesOf = (resource: Resource.Any): GraphError["issues"] => {
      const compiled = Loader.compile({ resource })
      return compiled._tag === "Failure" ? compiled.failure.issues : []
    }
    const misplaced = [
      Resource.struct("struct", { a }).pipe(Policy.limit(Postgres)),
      Resource.match("match", { on: Resource.input<boolean>()("on"), cases: { true: a, false: a } }).pipe(
        Policy.limit(Postgres)
      ),
      Resource.fromLoader("loader", inner).pipe(Policy.limit(Postgres)),
      a.pipe(Policy.limit(Postgres), Policy.limit(Search)),
      Resource.forEach("each", { items: () => [1], load: () => Effect.void, each: Policy.limit(Search) }).pipe(
        Policy.limit(Postgres)
      )
    ]
    for (const resource of misplaced) {
      assert.deepStrictEqual(
        issuesOf(resource).map(({ _tag }) => _tag),
        ["MisplacedPolicy"],
        resource.name
      )
    }
  })

  it.effect("more permits than there can ever be are a defect at once, and so is what is no number of permits", () =>
    Effect.gen(function* () {
      const big = Resource.make("big", { load: () => Effect.void }).pipe(Policy.limit(Postgres, { permits: 3 }))
      const exit = yield* Effect.exit(Loader.load(Loader.make({ big }))).pipe(
        Effect.provide(Postgres.layer({ limit: 2 }))
      )
      const defect = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isDieReason)?.defect : undefined
      assert.strictEqual(
        (defect as Error).message,
        'limiter "app/Postgres" has at most 2 permits: "big" would wait for 3 for ever'
      )
      assert.throws(() => Policy.limit(Postgres, { permits: 0 }), "a whole number from 1, got 0")
    })
  )
})

describe("an `isOverload` that throws", () => {
  it.effect("loses no permit, and the attempt fails as it did", () =>
    Effect.gen(function* () {
      const gone = Resource.make("gone", { load: () => Effect.andThen(Effect.sleep(5), Effect.fail(undefined)) }).pipe(
        Policy.limit(Postgres)
      )
      const program = Effect.gen(function* () {
        const failure = yield* Effect.flip(Loader.load(Loader.make({ gone })))
        const byHand = yield* Effect.flip(Postgres.withPermit(Effect.fail(undefined)))
        return [failure.error, byHand, (yield* Postgres.stats).inFlight]
      })
      const isOverload = (error: unknown): boolean => (error as { readonly status: number }).status === 503
      const layer = Postgres.layer({ limit: 1, isOverload })
      assert.deepStrictEqual(yield* withTime(Effect.provide(program, layer)), [undefined, undefined, 0])
    })
  )
})

describe("a function of a limiter that gives no answer", () => {
  const junk: ReadonlyArray<unknown> = [undefined, null, "yes", 1, {}, Promise.resolve(true), Effect.succeed(true)]
  const record = () => {
    const told: Array<string> = []
    const logger = Logger.make(({ cause, message }) => told.push(`${String(message)}: ${String(Cause.squash(cause))}`))
    return { told, layer: Logger.layer([logger]) }
  }

  it.effect("counts as no overload, and the log is told once", () =>
    Effect.gen(function* () {
      for (const given of junk) {
        const { layer, told } = record()
        const limiter = Layer.provide(Postgres.layer({ limit: 1, isOverload: () => given as boolean }), layer)
        const ask = Effect.exit(Postgres.withPermit(Effect.fail("down")))
        const { drops, inFlight } = yield* Effect.provide(
          Effect.andThen(Effect.andThen(ask, ask), Postgres.stats),
          limiter
        )
        assert.deepStrictEqual([drops, inFlight, told.length], [0, 0, 1])
        assert.include(told[0], '`isOverload` of limiter "app/Postgres" failed')
        assert.include(told[0], 'limiter "app/Postgres": `isOverload` gave ')
      }
    })
  )

  it.effect("leaves the limit as it was, and the log is told once", () =>
    Effect.gen(function* () {
      for (const given of [...junk, { limit: NaN }, { limit: "2" }]) {
        const { layer, told } = record()
        const algorithm: Limiter.LimitAlgorithm = {
          name: "broken",
          max: 5,
          window: { minMillis: 0, minSamples: 1, maxMillis: 1000 },
          initial: { limit: 2 },
          next: () => given as Limiter.LimitState
        }
        const limiter = Layer.provide(Postgres.layerAdaptive({ algorithm }), layer)
        const ask = Postgres.withPermit(Effect.sleep(5))
        const { inFlight, limit } = yield* withTime(
          Effect.provide(Effect.andThen(Effect.andThen(ask, ask), Postgres.stats), limiter)
        )
        assert.deepStrictEqual([inFlight, limit, told.length], [0, 2, 1])
        assert.include(told[0], 'algorithm "broken": `next` gave ')
      }
    })
  )
})

describe("an algorithm that throws", () => {
  it.effect("leaves the limit as it was, and the log is told once; no permit is lost", () =>
    Effect.gen(function* () {
      const told: Array<ReadonlyArray<unknown>> = []
      const logger = Logger.make(({ cause, message }) => {
        told.push([message, Cause.squash(cause)].flat())
      })
      let windows = 0
      const algorithm: Limiter.LimitAlgorithm = {
        name: "broken",
        max: 5,
        window: { minMillis: 0, minSamples: 1, maxMillis: 1000 },
        initial: { limit: 2 },
        next: (state) => {
          if (++windows < 3) throw "bug"
          return windows === 3 ? (undefined as never) : { limit: state.limit + 1 }
        }
      }
      const query = (k: number) =>
        Resource.make(`query${k}`, { load: () => Effect.as(Effect.sleep(5), k) }).pipe(Policy.limit(Postgres))
      const page = Loader.make({ a: query(1), b: query(2), c: query(3), d: query(4) })
      const program = Effect.gen(function* () {
        const values = yield* Loader.load(page)
        const { inFlight, limit, waiting } = yield* Postgres.stats
        return { values, inFlight, limit, waiting }
      })
      const layer = Layer.provide(Postgres.layerAdaptive({ algorithm }), Logger.layer([logger]))
      const seen = yield* withTime(Effect.provide(program, layer))
      assert.deepStrictEqual(seen, { values: { a: 1, b: 2, c: 3, d: 4 }, inFlight: 0, limit: 3, waiting: 0 })
      const text = `the algorithm of limiter "app/Postgres" failed: the limit stays as it was when it does`
      assert.deepStrictEqual(told, [[text, "bug"]])
    })
  )
})

describe("a refusal", () => {
  /** Loads while the only permit is taken, and nobody may wait. */
  const whileTaken = <A, E, R>(
    self: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | Limiter.LimitExceeded, R | Postgres> =>
    Effect.gen(function* () {
      const holder = yield* fork(Postgres.withPermit(Effect.sleep(50)))
      const result = yield* self
      yield* Fiber.join(holder)
      return result
    })

  it.effect("is the resource's own error, and its load was not begun", () =>
    Effect.gen(function* () {
      let began = 0
      const a = Resource.make("a", { load: () => Effect.sync(() => ++began) }).pipe(Policy.limit(Postgres))
      const { events, exit } = yield* withPostgres(refusing)(whileTaken(RunLog.record(Loader.load(Loader.make({ a })))))
      const error = failureOf(exit)
      assert.instanceOf(error, ResourceError)
      assert.instanceOf(error.error, Limiter.LimitExceeded)
      assert.strictEqual(error.error.reason._tag, "QueueFull")
      assert.strictEqual(began, 0)
      const refusals = events.flatMap((event) => (event._tag === "PolicyRefused" ? [event] : []))
      assert.strictEqual(refusals.length, 1)
      assert.deepInclude(refusals[0], { resource: "a", policy: "limit(Postgres)", error: error.error })
      assert.strictEqual(error.attempts, 0)
      assert.isUndefined(events.find(({ _tag }) => _tag === "AttemptStarted"))
    })
  )

  it.effect("is counted in the report", () =>
    Effect.gen(function* () {
      const a = Resource.make("a", { load: () => Effect.void }).pipe(Policy.limit(Postgres))
      const report = yield* withPostgres(refusing)(whileTaken(Loader.settle(Loader.make({ a }))))
      assert.deepInclude(Report.get(report, "a"), { attempts: 0, refusals: 1 })
    })
  )

  it.effect("gives way to a fallback that was piped after the limit, inside policies and outside", () =>
    Effect.gen(function* () {
      const a = Resource.make("a", { load: () => Effect.succeed("loaded") }).pipe(Policy.limit(Postgres))
      const outside = a.pipe(Resource.orElseSucceed(() => "fallback"))
      const inside = Resource.make("b", { load: () => Effect.succeed("loaded") }).pipe(
        Policy.limit(Postgres),
        Resource.catch((error) => Effect.succeed(error._tag)),
        Policy.timeout("1 second")
      )
      const loaded = yield* withPostgres(refusing)(whileTaken(Loader.load(Loader.make({ outside, inside }))))
      assert.deepStrictEqual(loaded, { outside: "fallback", inside: "LimitExceeded" })
    })
  )

  it.effect("is not seen by what was piped before the limit: its types do not know of it", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const a = Resource.make("a", { load: (): Effect.Effect<string, Busy> => Effect.succeed("loaded") }).pipe(
        Policy.retry({ times: 3, while: (error) => seen.push(error) > 0 }),
        Policy.limit(Postgres)
      )
      const exit = yield* withPostgres(refusing)(whileTaken(Effect.exit(Loader.load(Loader.make({ a })))))
      assert.instanceOf(failureOf(exit).error, Limiter.LimitExceeded)
      assert.deepStrictEqual(seen, [])
    })
  )

  it.effect("is tried again by a retry that was piped after the limit", () =>
    Effect.gen(function* () {
      const a = Resource.make("a", { load: () => Effect.succeed("loaded") }).pipe(
        Policy.limit(Postgres),
        Policy.retry({ times: 9, schedule: Schedule.spaced("20 millis") })
      )
      const { events, exit } = yield* withPostgres(refusing)(whileTaken(RunLog.record(Loader.load(Loader.make({ a })))))
      assert.deepStrictEqual(exit, Exit.succeed({ a: "loaded" }))
      assert.deepStrictEqual(
        events.flatMap(({ _tag }) => (_tag === "PolicyRefused" || _tag === "AttemptStarted" ? [_tag] : [])),
        ["PolicyRefused", "PolicyRefused", "PolicyRefused", "AttemptStarted"]
      )
    })
  )

  it.effect("of an item fails the list as the list's own error", () =>
    Effect.gen(function* () {
      const users = Resource.forEach("users", {
        items: () => [7, 8],
        load: (id): Effect.Effect<number, Busy> => Effect.succeed(id)
      }).pipe(Policy.retry({ times: 3, while: (error) => error._tag === "Busy" }), Policy.limit(Postgres))
      const exit = yield* withPostgres(refusing)(whileTaken(Effect.exit(Loader.load(Loader.make({ users })))))
      assert.instanceOf(failureOf(exit).error, Limiter.LimitExceeded)
      const lenient = users.pipe(Resource.orElseSucceed(() => [] as ReadonlyArray<number>))
      const loaded = yield* withPostgres(refusing)(whileTaken(Loader.load(Loader.make({ lenient }))))
      assert.deepStrictEqual(loaded, { lenient: [] })
    })
  )

  it.effect("comes early when the run would be out of time before its turn", () =>
    Effect.gen(function* () {
      const a = Resource.make("a", { load: () => Effect.sleep(10) }).pipe(Policy.limit(Postgres))
      const page = Loader.make({ a }, { timeout: "30 millis" })
      const exit = yield* withPostgres({ limit: 1 })(whileTaken(Effect.exit(Loader.load(page))))
      const error = failureOf(exit)
      assert.strictEqual(error._tag === "ResourceError" && error.error.reason._tag, "Deadline")
    })
  )
})

describe("what a waiting reason tells", () => {
  it.effect("a slot, a permit, or a share of a limiter that others wait for too", () =>
    Effect.gen(function* () {
      const { query } = counting()
      const alone = yield* withPostgres({ limit: 1 })(RunLog.record(Loader.load(pageOf(2, query))))
      assert.deepStrictEqual(reasonsOf(alone.events), ["row 1: Permit"])
      const slots = yield* withPostgres({ limit: 2 })(RunLog.record(Loader.load(pageOf(2, query, { concurrency: 1 }))))
      assert.deepStrictEqual(reasonsOf(slots.events), ["row 1: Slot"])
      const shared = yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          const other = yield* fork(
            Effect.all(
              [query(1), query(2)].map((self) => Postgres.withPermit(self)),
              { concurrency: 2 }
            )
          )
          const { events } = yield* RunLog.record(Loader.settle(pageOf(1, query)))
          yield* Fiber.join(other)
          return events
        })
      )
      assert.deepStrictEqual(reasonsOf(shared), ["row 0: FairShare"])
    })
  )

  it.effect("reports tell how long each was", () =>
    Effect.gen(function* () {
      const { query } = counting()
      const report = yield* withPostgres({ limit: 1 })(Loader.settle(pageOf(2, query)))
      const waits = report.resources.map(({ phases }) => phases.map(({ _tag, from, to }) => `${_tag} ${to - from}`))
      assert.deepStrictEqual(waits, [["Attempt 10"], ["Permit 10", "Attempt 10"]])
      assert.strictEqual(Report.get(report, "row 1")?.queued, 10)
    })
  )
})

describe("runs over one limiter", () => {
  it.effect("share it fairly: a small one does not wait for all of a big one", () =>
    Effect.gen(function* () {
      const { query } = counting()
      const took = yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          const big = yield* fork(Loader.load(pageOf(50, query)))
          yield* Effect.sleep(15)
          const report = yield* Loader.settle(pageOf(2, query))
          yield* Fiber.join(big)
          return report.until - report.startedAt
        })
      )
      assert.isAtMost(took, 60)
    })
  )

  it.effect("of one tenant divide its share, however many they are", () =>
    Effect.gen(function* () {
      const { query } = counting()
      const ended: Array<string> = []
      const runOf = (tenant: string) =>
        Loader.load(pageOf(10, query)).pipe(
          Limiter.withShare({ tenant }),
          Effect.tap(() => Effect.sync(() => ended.push(tenant)))
        )
      const tenants = ["many", "many", "many", "many", "one"]
      yield* withPostgres({ limit: 1 })(Effect.forEach(tenants, runOf, { concurrency: "unbounded", discard: true }))
      assert.strictEqual(ended[0], "one")
    })
  )

  it.effect("with more weight get more", () =>
    Effect.gen(function* () {
      const { query } = counting()
      const ended: Array<number> = []
      const runOf = (weight: number) =>
        Loader.load(pageOf(10, query)).pipe(
          Limiter.withShare({ weight }),
          Effect.tap(() => Effect.sync(() => ended.push(weight)))
        )
      yield* withPostgres({ limit: 1 })(Effect.forEach([1, 4, 2], runOf, { concurrency: "unbounded", discard: true }))
      assert.deepStrictEqual(ended, [4, 2, 1])
      assert.throws(() => Limiter.withShare(Effect.void, { weight: 0 }), "above 0, got 0")
      assert.throws(() => Limiter.withShare(Effect.void, { weight: Infinity }), "finite and above 0, got Infinity")
    })
  )
})

describe("tenants over one limiter", () => {
  const row = Effect.sleep(5)
  const page = Loader.make({ row: Resource.make("row", { load: () => row }).pipe(Policy.limit(Postgres)) })
  const list = Loader.make({
    rows: Resource.forEach("rows", { items: () => [1, 2, 3, 4], load: () => row, each: Policy.limit(Postgres) })
  })

  /** How many uses each gets in two seconds, while so many are made side by side again and again. */
  const compete = (use: Effect.Effect<unknown, unknown, Postgres>, noisy: Limiter.ShareOptions, quiet = noisy) =>
    withTime(
      Effect.gen(function* () {
        const counts = { noisy: 0, quiet: 0 }
        const again = (who: "noisy" | "quiet", share: Limiter.ShareOptions) =>
          Effect.forever(
            Effect.andThen(
              Limiter.withShare(use, share),
              Effect.sync(() => counts[who]++)
            )
          )
        for (let k = 0; k < 100; k++) yield* fork(again("noisy", { ...noisy, tenant: "noisy" }))
        yield* Effect.sleep(50)
        for (let k = 0; k < 2; k++) yield* fork(again("quiet", { ...quiet, tenant: "quiet" }))
        yield* Effect.sleep(2000)
        return counts
      }).pipe(Effect.scoped, Effect.provide(Postgres.layer({ limit: 1 })))
    )

  it.effect("get the same, however many runs each makes, by loaders, lists and hand", () =>
    Effect.gen(function* () {
      for (const use of [Loader.load(page), Postgres.withPermit(row)]) {
        const { noisy, quiet } = yield* compete(use, {})
        assert.approximately(quiet, noisy, 12)
        assert.isAbove(quiet, 190)
      }
      assert.isAbove((yield* compete(Loader.load(list), {})).quiet, 45)
    })
  )

  it.effect("get by weight", () =>
    Effect.gen(function* () {
      const { noisy, quiet } = yield* compete(Postgres.withPermit(row), { weight: 1 }, { weight: 3 })
      // Ten had been done before the quiet one came.
      assert.approximately(quiet / (noisy - 10), 3, 0.2)
      const light = yield* compete(Postgres.withPermit(row), { weight: 0.01 }, { weight: 100 })
      assert.isAtMost(light.noisy, 12)
    })
  )

  it.effect("a weight counts from the first request", () =>
    Effect.gen(function* () {
      for (const tenant of ["night", undefined]) {
        const order: Array<string> = []
        const runOf = (name: string, share: Limiter.ShareOptions) =>
          Effect.sync(() => order.push(name)).pipe(
            Effect.andThen(Effect.sleep(20)),
            Postgres.withPermit,
            Limiter.withShare(share)
          )
        yield* withPostgres({ limit: 1 })(
          Effect.gen(function* () {
            const night = { weight: 0.01, ...(tenant === undefined ? {} : { tenant }) }
            for (let k = 0; k < 20; k++) yield* fork(runOf("night", night))
            yield* Effect.sleep(5)
            const visitor = yield* fork(runOf("visitor", { weight: 100 }))
            yield* Fiber.join(visitor)
            assert.deepStrictEqual(order.slice(0, 2), ["night", "visitor"])
            yield* Effect.sleep(1000)
          })
        )
      }
    })
  )
})

describe("what runs inside an attempt that holds a permit", () => {
  const { query, seen } = counting()
  const nested = Resource.make("nested", { load: () => Loader.load(pageOf(3, query)) }).pipe(Policy.limit(Postgres))
  const deeper = Resource.make("deeper", { load: () => Loader.load(Loader.make({ nested })) }).pipe(
    Policy.limit(Postgres)
  )

  it.effect("borrows it, one at a time: no nesting can deadlock, even with one permit", () =>
    Effect.gen(function* () {
      const page = Loader.make({ deeper, nested })
      const loaded = yield* withPostgres({ limit: 1 })(Loader.load(page))
      assert.deepStrictEqual(Object.keys(loaded.nested), ["row 0", "row 1", "row 2"])
      assert.strictEqual(seen.most, 1)
    })
  )

  it.effect("borrows it by hand, too", () =>
    Effect.gen(function* () {
      const twice = Postgres.withPermit(Postgres.withPermit(Effect.succeed("inner")))
      const byHand = Resource.make("byHand", { load: () => Effect.all([twice, twice], { concurrency: 2 }) }).pipe(
        Policy.limit(Postgres)
      )
      const loaded = yield* withPostgres({ limit: 1 })(Loader.load(Loader.make({ byHand })))
      assert.deepStrictEqual(loaded, { byHand: ["inner", "inner"] })
    })
  )

  it.effect("and outlives it takes a permit of its own, and those who borrow keep it until they end", () =>
    Effect.gen(function* () {
      const stats: Array<number> = []
      const stray = (takes: number) =>
        Effect.forkDetach(Postgres.withPermit(Effect.sleep(takes)), { startImmediately: true })
      const careless = Resource.make("careless", { load: () => Effect.andThen(stray(30), stray(20)) }).pipe(
        Policy.limit(Postgres)
      )
      yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          yield* Loader.load(Loader.make({ careless }))
          for (const pause of [1, 30, 30]) {
            stats.push((yield* Postgres.stats).inFlight)
            yield* Effect.sleep(pause)
          }
        })
      )
      assert.deepStrictEqual(stats, [1, 1, 1])
    })
  )
})

describe("interrupted at every step", () => {
  const { query } = counting()
  const nested = Resource.make("nested", { load: () => Loader.load(pageOf(2, query)) }).pipe(Policy.limit(Postgres))
  const flaky = Resource.make("flaky", {
    load: () => Effect.andThen(Effect.sleep(3), Effect.fail("busy"))
  }).pipe(
    Policy.retry({ times: 1, schedule: Schedule.spaced("7 millis") }),
    Policy.limit(Postgres),
    Resource.orElseSucceed(() => undefined)
  )
  const list = Resource.forEach("list", { items: () => [1, 2, 3], load: (id) => query(id) }).pipe(
    Policy.limit(Postgres)
  )
  const plain = Resource.make("plain", { load: () => query(1) }).pipe(Policy.limit(Postgres, { permits: 2 }))
  const hedged = Resource.make("hedged", { load: () => query(1) }).pipe(
    Policy.hedge({ after: "5 millis" }),
    Policy.limit(Postgres)
  )
  const page = { nested, flaky, list, plain, hedged }

  for (const concurrency of [1, "unbounded"] as const) {
    it.effect(`no permit is ever lost, concurrency ${concurrency}`, () =>
      Effect.gen(function* () {
        const postgres = Context.get(yield* Layer.build(Postgres.layer({ limit: 2 })), Postgres)
        const times = yield* Interruption.atEveryStep(
          (probed) =>
            Effect.all(
              [Loader.settle(probed(Loader.make(page, { concurrency }))), Loader.settle(Loader.make({ plain }))],
              {
                concurrency: 2
              }
            ).pipe(Effect.provideService(Postgres, postgres)),
          {
            check: () =>
              Effect.map(postgres.stats, ({ inFlight, waiting }) =>
                assert.deepStrictEqual({ inFlight, waiting }, { inFlight: 0, waiting: 0 })
              )
          }
        )
        assert.isAbove(times, 60)
      })
    )
  }
})

describe("within a run", () => {
  it.effect("the longest way that remains goes first, by the latencies that the limiter has learned", () =>
    Effect.gen(function* () {
      const load = (takes: number) => () => Effect.sleep(takes)
      const short = Resource.make("short", { load: load(10) }).pipe(Policy.limit(Postgres))
      const shorter = Resource.make("shorter", { deps: { short }, load: load(10) }).pipe(Policy.limit(Postgres))
      const long = Resource.make("long", { load: load(100) }).pipe(Policy.limit(Postgres))
      const page = Loader.make({ shorter, long })
      const order = RunLog.record(Loader.load(page)).pipe(
        Effect.map(({ events }) => events.flatMap((event) => (event._tag === "AttemptStarted" ? [event.resource] : [])))
      )
      yield* withPostgres({ limit: 1 })(
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* order, ["short", "shorter", "long"])
          assert.deepStrictEqual(yield* order, ["long", "short", "shorter"])
        })
      )
    })
  )
})
