/** What limiters ask for and can fail with, and what must not compile. */
import { Config, Context, Data, Effect, type Layer } from "effect"
import { Limiter, Loader, Policy, Resource, type ResourceError } from "effect-loader"
import { layerEventLoopLag } from "effect-loader/node"
import { describe, expectTypeOf, it } from "vitest"

class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
class Search extends Limiter.Service<Search>()("app/Search") {}
class NotFound extends Data.TaggedError("NotFound")<{}> {}
class Settings extends Context.Service<Settings, { readonly permits: number }>()("app/Settings") {}

declare const find: Effect.Effect<string, NotFound, Settings>

describe("withPermit", () => {
  it("keeps value, error and services, and adds the refusal and the limiter", () => {
    expectTypeOf(Postgres.withPermit(find)).toEqualTypeOf<
      Effect.Effect<string, NotFound | Limiter.LimitExceeded, Settings | Postgres>
    >()
  })

  it("takes options by name, and no others", () => {
    void Postgres.withPermit(find, { permits: 2, resource: "user", within: "1 second" })
    // @ts-expect-error there is no such option
    void Postgres.withPermit(find, { permit: 2 })
    // @ts-expect-error there is no such unit of time
    void Postgres.withPermit(find, { within: "1 sec" })
    // @ts-expect-error whose work it is is said with `withShare`
    void Postgres.withPermit(find, { weight: 2 })
  })

  it("stats need the limiter, and cannot fail", () => {
    expectTypeOf(Postgres.stats).toEqualTypeOf<Effect.Effect<Limiter.Stats, never, Postgres>>()
  })
})

describe("layers", () => {
  it("with a number need nothing and cannot fail", () => {
    expectTypeOf(Postgres.layer({ limit: 10 })).toEqualTypeOf<Layer.Layer<Postgres>>()
    expectTypeOf(Postgres.layerAdaptive()).toEqualTypeOf<Layer.Layer<Postgres>>()
    expectTypeOf(Postgres.layerAdaptive({ min: 1, max: 9, queue: { max: 5, delay: "5 millis" } })).toEqualTypeOf<
      Layer.Layer<Postgres>
    >()
  })

  it("have the errors and services of what their limit is taken from", () => {
    expectTypeOf(Postgres.layer({ limit: Config.Number("PERMITS") })).toEqualTypeOf<
      Layer.Layer<Postgres, Config.ConfigError>
    >()
    const fromSettings = Settings.use(({ permits }) => Effect.succeed(permits))
    expectTypeOf(Postgres.layer({ limit: fromSettings })).toEqualTypeOf<Layer.Layer<Postgres, never, Settings>>()
    expectTypeOf(Postgres.layerAdaptive(Config.all({ max: Config.Number("MAX") }))).toEqualTypeOf<
      Layer.Layer<Postgres, Config.ConfigError>
    >()
  })

  it("refuse a limit that is missing, or no number", () => {
    // @ts-expect-error there is no default for a limit that stays
    void Postgres.layer({})
    // @ts-expect-error a text is no limit
    void Postgres.layer({ limit: "10" })
    // @ts-expect-error nor is what gives a text
    void Postgres.layer({ limit: Config.String("PERMITS") })
  })

  it("take any algorithm, whatever it keeps", () => {
    const doubling: Limiter.LimitAlgorithm<Limiter.LimitState & { readonly windows: number }> = {
      name: "doubling",
      max: 64,
      window: { minMillis: 100, minSamples: 1, maxMillis: 1000 },
      initial: { limit: 1, windows: 0 },
      next: ({ limit, windows }) => ({ limit: limit * 2, windows: windows + 1 })
    }
    for (const algorithm of [doubling, Limiter.vegas(), Limiter.aimd({ slow: 100 }), Limiter.gradient2({ max: 9 })]) {
      void Postgres.layerAdaptive({ algorithm, queue: { max: 1 } })
    }
  })

  it("one limiter is not another", () => {
    const program = Effect.provide(Postgres.withPermit(Effect.void), Search.layer({ limit: 1 }))
    expectTypeOf(program).toEqualTypeOf<Effect.Effect<void, Limiter.LimitExceeded, Postgres>>()
  })

  it("the one that reports lag needs the limiter that it reports to", () => {
    expectTypeOf(layerEventLoopLag(Postgres)).toEqualTypeOf<Layer.Layer<never, never, Postgres>>()
    // @ts-expect-error a service that is no limiter
    void layerEventLoopLag(Settings)
  })
})

describe("Policy.limit", () => {
  it("adds the refusal to the resource's errors, and the limiter to what its loader needs", () => {
    const user = Resource.make("user", { load: () => find }).pipe(Policy.limit(Postgres, { permits: 2 }))
    expectTypeOf(Loader.load(Loader.make({ user }))).toEqualTypeOf<
      Effect.Effect<
        { readonly user: string },
        ResourceError<"user", NotFound | Limiter.LimitExceeded>,
        Settings | Postgres
      >
    >()
  })

  it("takes a limiter, and no other service", () => {
    // @ts-expect-error a service that is no limiter
    void Policy.limit(Settings)
    // @ts-expect-error there is no such option
    void Policy.limit(Postgres, { weight: 2 })
  })
})

describe("withShare", () => {
  it("leaves everything as it is", () => {
    expectTypeOf(find.pipe(Limiter.withShare({ tenant: "acme", weight: 2 }))).toEqualTypeOf<typeof find>()
    // @ts-expect-error a share is a weight or a tenant
    void Limiter.withShare(find, { priority: 2 })
  })
})
