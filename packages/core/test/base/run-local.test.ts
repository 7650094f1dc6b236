/** The context entries of a run, and the work that must not keep them. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, References, Scope, Tracer } from "effect"
import * as fc from "fast-check"
import * as fs from "node:fs"
import * as path from "node:path"
import { Limiter, Loader, Policy, Resource, ResourceCache, Saga, Tracing } from "effect-loader"
import { capture } from "../../src/base/Callers.ts"
import * as RunLocal from "../../src/base/RunLocal.ts"
import { sameServices } from "../../src/batching/SameServices.ts"

const src = path.resolve(import.meta.dirname, "../../src")
const sources = fs.globSync("**/*.ts", { cwd: src }).map((file) => ({
  file,
  text: fs.readFileSync(path.join(src, file), "utf8").replaceAll(/\/\*.*?\*\/|\/\/.*/gs, "")
}))

/** The names that core gives to `RunLocal`, with the function that makes the entry. */
const declared = sources.flatMap(({ text }) =>
  Array.from(text.matchAll(/RunLocal\.(make|makeOfStep|makeOfWait)<.*?>\(\s*"(.*?)"/gs), ([, maker, name]) => ({
    maker: maker!,
    key: `effect-loader/run/${maker === "makeOfWait" ? "wait/" : ""}${name!}`
  }))
)
const keys = declared.map(({ key }) => key)

class Users extends Context.Service<Users, string>()("app/Users") {}

const runLocal = (values: ReadonlyMap<string, unknown>) =>
  Context.merge(Context.make(Users, "Ada"), Context.makeUnsafe<never>(values))

const someValues = fc
  .subarray(keys, { minLength: 1 })
  .map((some) => runLocal(new Map(some.map((key) => [key, { of: key }] as const))))

describe("RunLocal", () => {
  it("makes every reference that core declares, except the keys of observers", () => {
    const byHand = sources.filter(({ text }) => /[^:] Context\.Reference<[^>]*>\(/.test(text)).map(({ file }) => file)
    assert.deepStrictEqual(byHand.toSorted(), ["base/RunLocal.ts", "run/Execution.ts"])
    assert.isAtLeast(keys.length, 9)
    assert.strictEqual(new Set(keys).size, keys.length)
  })

  it("entries of a run are captured by no layer, kept by no background work, and part of no request", () => {
    fc.assert(
      fc.property(someValues, (context) => {
        assert.deepStrictEqual(Array.from(capture(context).mapUnsafe.keys()), [Users.key])
        assert.deepStrictEqual(Array.from(RunLocal.clear(context).mapUnsafe.keys()), [Users.key])
        assert.isTrue(sameServices(context as Context.Context<never>, Context.make(Users, "Ada") as never))
      })
    )
  })

  it("a context without entries of a run stays the same object", () => {
    const context = Context.make(Users, "Ada")
    assert.strictEqual(RunLocal.clear(context), context)
    assert.strictEqual(RunLocal.outsideStep(context), context)
  })

  it("a run inside a step sees no entry of that step, and all entries that hold around it", () => {
    const ofSteps = declared.filter(({ maker }) => maker === "makeOfStep").map(({ key }) => key)
    assert.isNotEmpty(ofSteps)
    // An entry is set together with a mark that outsideStep looks for.
    const OfTest = RunLocal.makeOfStep<string>("OfTest")
    const marked = Effect.runSync(
      RunLocal.provideOfStep(Effect.context<never>(), OfTest, "set") as Effect.Effect<Context.Context<never>>
    )
    fc.assert(
      fc.property(someValues, (values) => {
        const context = Context.merge(marked, values)
        const { mapUnsafe } = RunLocal.outsideStep(context)
        assert.isUndefined(mapUnsafe.get(OfTest.key))
        for (const [key, value] of values.mapUnsafe) {
          assert.strictEqual(mapUnsafe.get(key), ofSteps.includes(key) ? undefined : value)
        }
      })
    )
  })
})

describe("equal requests of two callers", () => {
  it("are merged, even if the callers' spans, scopes, loggers and log annotations differ", () => {
    const annotated = Context.make(References.CurrentLogAnnotations, { resource: "user" })
    const scoped = Context.make(Scope.Scope, Scope.makeUnsafe())
    const spanned = Context.make(Tracer.ParentSpan, Tracer.externalSpan({ spanId: "1", traceId: "2" }))
    for (const context of [annotated, scoped, spanned]) {
      assert.isTrue(sameServices(context as Context.Context<never>, Context.empty()))
    }
  })

  it("are not merged if the callers have different services", () => {
    assert.isFalse(sameServices(Context.make(Users, "Ada") as never, Context.make(Users, "Eve") as never))
    assert.isFalse(sameServices(Context.make(Users, "Ada") as never, Context.empty()))
  })
})

class Db extends Limiter.Service<Db>()("app/Db") {}
class Kept extends ResourceCache.Service<Kept>()("app/Kept") {}

const log: Array<string> = []
const seat = Resource.make("seat", { load: () => Effect.sync(() => log.push("booked")) }).pipe(
  Saga.compensate(() => Effect.sync(() => log.push("released")))
)
const around = Resource.make("around", {
  load: () => Effect.map(Effect.context(), ({ mapUnsafe }) => Array.from(mapUnsafe.keys()))
})
class Booking extends Loader.Service<Booking>()("app/Booking", { seat }) {}
class Around extends Loader.Service<Around>()("app/Around", { around }) {}
type Services = Booking | Around

type Build<A = Context.Context<Services>> = Effect.Effect<A, unknown, Db | Kept | Scope.Scope>

const alone = (load: () => Build) => Resource.make("built", { load })
const loading = (built: Resource.Resource<"built", Context.Context<Services>, any, any, any>, options = {}): Build =>
  Effect.map(
    Loader.load(Loader.make({ built }, options)) as Build<{ readonly built: Context.Context<Services> }>,
    ({ built }) => built
  )

/** Places where a layer can be built. Each one runs the effect that builds it. */
const places: Record<string, (build: Build) => Build> = {
  "a load": (build) => loading(alone(() => build)),
  "a slot": (build) =>
    loading(
      alone(() => build),
      { concurrency: 1 }
    ),
  "a load that is compensated": (build) => loading(alone(() => build).pipe(Saga.compensate(() => Effect.void))),
  "a load with a cleanup": (build) => loading(alone(() => build).pipe(Saga.cleanup(() => Effect.void))),
  "a permit": (build) => loading(alone(() => build).pipe(Policy.limit(Db))),
  "a permit by hand": (build) => Db.withPermit(build),
  "an attempt": (build) => loading(alone(() => build).pipe(Policy.retry({ times: 1 }))),
  "a hedged attempt": (build) => loading(alone(() => build).pipe(Policy.hedge({ after: "1 day" }))),
  "a cached load": (build) =>
    loading(Resource.make("built", { key: () => "built", load: () => build }).pipe(Policy.cache(Kept))),
  "an item": (build) =>
    Effect.map(
      Loader.load(Loader.make({ list: Resource.forEach("list", { items: () => [1], load: () => build }) })),
      ({ list }) => list[0]!
    ),
  "a loader inside": (build) => {
    const inner = Loader.make({ built: alone(() => build) })
    return loading(Resource.fromLoader("inner", inner).pipe(Resource.map(({ built }) => built)) as never)
  },
  "a traced run": (build) => Effect.provide(loading(alone(() => build)), Tracing.layer),
  "a share": Limiter.withShare({ tenant: "ann", weight: 7 })
}

const built: Build = Effect.flatMap(Effect.scope, (scope) =>
  Layer.buildWithScope(Layer.merge(Booking.layer, Around.layer), scope)
)

const inPlaces = fc.array(fc.constantFrom(...Object.keys(places)), { minLength: 1, maxLength: 4 })

const buildIn = (names: ReadonlyArray<string>): Build =>
  // The place ends before the service is used.
  names.reduce((build, name) => places[name]!(build), built)

const run = <A>(self: Effect.Effect<A, unknown, Db | Kept | Scope.Scope>): A =>
  Effect.runSync(
    Effect.scoped(self).pipe(
      Effect.provide([Db.layer({ limit: 1 }), Kept.layer({ timeToLive: "1 minute" })])
    ) as Effect.Effect<A>
  )

describe("a loader's layer, built inside a run", () => {
  it("has captured no entry of that run, in any place", () => {
    fc.assert(
      fc.property(inPlaces, (names) => {
        const { around } = run(Effect.flatMap(buildIn(names), (context) => Effect.provide(Around.load(), context)))
        assert.deepStrictEqual(around.filter(RunLocal.isRunLocal), [])
      })
    )
  })

  it("loses no compensation of the runs that use it, in any place", () => {
    const order = Loader.make({
      card: Resource.make("card", {
        deps: { bookings: Resource.forEach("bookings", { items: () => [1, 2], load: () => Booking.load() }) },
        load: () => Effect.fail("refused")
      })
    })
    fc.assert(
      fc.property(inPlaces, (names) => {
        log.length = 0
        run(Effect.flatMap(buildIn(names), (context) => Effect.provide(Effect.exit(Loader.load(order)), context)))
        assert.deepStrictEqual(log, ["booked", "booked", "released", "released"])
      })
    )
  })

  it("loses no compensation if a start-up graph built it, also a nested one", () => {
    const start = Resource.fromLayer("booking", Booking, Booking.layer)
    const cleaned = start.pipe(Saga.cleanup(() => Effect.void))
    const inside = Resource.fromLoader("inside", Loader.make({ start })).pipe(Resource.map(({ start }) => start))
    const order = Loader.make({
      card: Resource.make("card", {
        deps: { bookings: Resource.forEach("bookings", { items: () => [1], load: () => Booking.load() }) },
        load: () => Effect.fail("refused")
      })
    })
    for (const booking of [start, cleaned, inside]) {
      const boot = Loader.toLayer(Loader.make({ booking }), { booking: Booking })
      log.length = 0
      Effect.runSync(Effect.provide(Effect.exit(Loader.load(order)), boot))
      assert.deepStrictEqual(log, ["booked", "released"])
    }
  })
})
