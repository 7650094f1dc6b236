/** Services that should be shared, but are built again and again. */
import { assert, describe, it } from "@effect/vitest"
import { type Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import { Limiter, ResourceCache } from "effect-loader"
import { CircuitBreaker, HedgeDelay, RateLimit, RetryBudget } from "effect-loader/resilience"

type AnyLayer = Layer.Layer<never>

/** New classes for each test, since each class is warned about once. */
const layers = (many?: boolean): Readonly<Record<string, AnyLayer>> => {
  class Postgres extends Limiter.Service<Postgres>()("app/Postgres") {}
  class Search extends Limiter.Service<Search>()("app/Search") {}
  class Later extends Limiter.Service<Later>()("app/Later") {}
  class Users extends ResourceCache.Service<Users>()("app/Users") {}
  class Payments extends CircuitBreaker.Service<Payments>()("app/Payments") {}
  class Rates extends RateLimit.Service<Rates>()("app/Rates") {}
  class Retries extends RetryBudget.Service<Retries>()("app/Retries") {}
  class Usual extends HedgeDelay.Service<Usual>()("app/Usual") {}
  const given = many === undefined ? {} : { many }
  return {
    'limiter "app/Postgres"': Postgres.layer({ limit: 2, ...given }),
    'limiter "app/Search"': Search.layerAdaptive({ max: 10, ...given }),
    'limiter "app/Later"': Later.layerAdaptive(Effect.succeed({ max: 10, ...given })),
    'cache "app/Users"': Users.layer({ timeToLive: "1 minute", ...given }),
    'circuit breaker "app/Payments"': Payments.layer({ opens: { failures: 2 }, openDuration: 10, ...given }),
    'rate limit "app/Rates"': Rates.layer({ limit: 2, window: "1 second", ...given }),
    'retry budget "app/Retries"': Retries.layer(given),
    'hedge delay "app/Usual"': Usual.layer(given)
  }
}

const warnings = <A, E>(self: Effect.Effect<A, E, Scope.Scope>) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
  return Effect.as(Effect.scoped(self).pipe(Effect.provide(Logger.layer([logger]))), lines)
}

/** As many handlers at the same time, each of which provides the layer. */
const atOnce = (layer: AnyLayer, count: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forEach(Array.from({ length: count }), () => buildAlone(layer), { discard: true })

/** Builds a layer without the memo map of other layers, as a separate run of an effect does. */
const buildAlone = (layer: AnyLayer): Effect.Effect<Context.Context<never>, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope))

describe("a service that should be shared", () => {
  it.effect("causes one warning with advice if ten instances are alive at the same time", () =>
    Effect.gen(function* () {
      for (const [name, layer] of Object.entries(layers())) {
        const lines = yield* warnings(atOnce(layer, 50))
        assert.lengthOf(lines, 1, name)
        assert.strictEqual(
          lines[0],
          `Warn ${name}: 10 of it live at the same time, and they share nothing. Provide its layer once, at the top of ` +
            "the program, not in each handler or run. If there are to be many, give the layer `many: true`."
        )
      }
    })
  )

  it.effect(
    "causes a warning if a hundred instances were built while another one was alive, even with few at a time",
    () =>
      Effect.gen(function* () {
        for (const [name, layer] of Object.entries(layers())) {
          const lines = yield* warnings(
            Effect.andThen(buildAlone(layer), Effect.replicateEffect(Effect.scoped(buildAlone(layer)), 150))
          )
          assert.lengthOf(lines, 1, name)
          assert.include(lines[0], `Warn ${name}: it was built 100 times while another one of it lived`)
        }
      })
  )

  it.effect("causes no warning built in turn, nine at the same time, restarted or merged", () =>
    Effect.gen(function* () {
      for (const [name, layer] of Object.entries(layers())) {
        const lines = yield* warnings(
          Effect.gen(function* () {
            for (let k = 0; k < 200; k++) yield* Effect.scoped(buildAlone(layer))
            for (let k = 0; k < 5; k++) yield* Effect.scoped(atOnce(layer, 9))
            for (let k = 0; k < 20; k++) {
              const before = yield* Scope.make()
              yield* Scope.provide(buildAlone(layer), before)
              yield* Effect.scoped(buildAlone(layer))
              yield* Scope.close(before, Exit.void)
            }
            yield* Layer.build(Layer.mergeAll(layer, ...Array.from({ length: 30 }, () => layer)))
          })
        )
        assert.deepStrictEqual(lines, [], name)
      }
    })
  )

  it.effect("causes no warning with the option `many`", () =>
    Effect.gen(function* () {
      for (const [name, layer] of Object.entries(layers(true))) {
        assert.deepStrictEqual(yield* warnings(atOnce(layer, 50)), [], name)
      }
    })
  )
})
