/** Invalid durations. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, type Layer, RequestResolver } from "effect"
import { Persistence } from "effect/persistence"
import { Batching, GraphError, Limiter, Loader, Policy, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { CircuitBreaker, HedgeDelay, RateLimit } from "effect-loader/resilience"
import { Schema } from "effect"

class Pg extends Limiter.Service<Pg>()("Pg") {}
class Users extends ResourceCache.Service<Users, string>()("Users", { keyed: true }) {}
class Pay extends CircuitBreaker.Service<Pay>()("Pay") {}
class Rate extends RateLimit.Service<Rate>()("Rate") {}
class Usual extends HedgeDelay.Service<Usual>()("Usual") {}

const thrownBy = (declare: () => unknown): unknown => {
  try {
    return void declare()
  } catch (error) {
    return error
  }
}

const defectOf = (layer: Layer.Layer<never> | Layer.Layer<any>): unknown => {
  // oxlint-disable-line
  const exit = Effect.runSyncExit(Effect.provide(Effect.void, layer as Layer.Layer<never>))
  return Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
}

const messageOf = (error: unknown): string =>
  Cause.isIllegalArgumentError(error) ? error.message : assert.fail(`not refused: ${String(error)}`)

type Nonsense = "-1 seconds" | "-Infinity" | number
const nonsense: ReadonlyArray<readonly [given: Nonsense, text: string]> = [
  ["-1 seconds", "-1s"],
  ["-Infinity", "-Infinity"],
  [-5, "-5ms"],
  [NaN, "NaN"],
  ["soon" as never, '"soon"'],
  [{ second: 1 } as never, "an object"],
  [Promise.resolve(1) as never, "a Promise"]
]

const memory = { timeToLive: "1 minute" } as const
const persisted = { value: Schema.String, timeToLive: "1 hour", memory } as const
const stored = (options: Partial<Persisted.PersistedOptions<string>>) =>
  Effect.provide(Effect.void, Persisted.layer(Users, { ...persisted, ...options }))

describe("an invalid duration", () => {
  it.each(nonsense)("throws where a policy is declared: %s", (given, text) => {
    const refused = [
      [() => Policy.timeout(given), "Policy.timeout: the limit must be a duration of 0 or more"],
      [() => Policy.hedge({ after: given }), "Policy.hedge: `after` must be a duration of 0 or more"],
      [
        () =>
          Batching.graphAware(
            RequestResolver.make(() => Effect.void),
            { maxHold: given }
          ),
        "Batching.graphAware: `maxHold` must be a finite duration of 0 or more"
      ]
    ] as const
    for (const [declare, message] of refused) {
      assert.strictEqual(messageOf(thrownBy(declare)), `${message}, got ${text}`)
    }
  })

  it.each(nonsense)("throws in the layer that takes it: %s", (given, text) => {
    const opens = { failures: 1 }
    const refused = [
      [Users.layer({ timeToLive: given }), 'cache "Users": `timeToLive` must be a duration of 0 or more'],
      [
        Users.layer({ ...memory, staleIfError: given }),
        'cache "Users": `staleIfError` must be a duration of 0 or more'
      ],
      [
        Users.layer({ ...memory, staleWhileRevalidate: given }),
        'cache "Users": `staleWhileRevalidate` must be a duration of 0 or more'
      ],
      [
        Users.layer({ ...memory, failures: { timeToLive: given } }),
        'cache "Users": `failures.timeToLive` must be a duration of 0 or more'
      ],
      [Pg.layer({ limit: 1, queue: { delay: given } }), 'limiter "Pg": `queue.delay` must be a duration of 0 or more'],
      [
        Pay.layer({ opens, openDuration: given }),
        'circuit breaker "Pay": `openDuration` must be a duration of 0 or more'
      ],
      [Rate.layer({ limit: 1, window: given }), 'rate limit "Rate": `window` must be a finite duration longer than 0'],
      [Usual.layer({ initial: given }), 'hedge delay "Usual": `initial` must be a duration of 0 or more'],
      [Usual.layer({ min: given }), 'hedge delay "Usual": `min` must be a duration of 0 or more']
    ] as const
    for (const [layer, message] of refused) {
      assert.strictEqual(messageOf(defectOf(layer)), `${message}, got ${text}`)
    }
  })

  it.effect.each(nonsense)("throws in a cache with a store behind it: %s", ([given, text]) =>
    Effect.gen(function* () {
      for (const option of ["timeToLive", "longest", "within"] as const) {
        const exit = yield* Effect.exit(stored({ [option]: given }))
        const message = messageOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined)
        const wanted = option === "longest" ? "a finite duration of 0 or more" : "a duration of 0 or more"
        assert.strictEqual(message, `cache "Users": \`${option}\` must be ${wanted}, got ${text}`)
      }
    }).pipe(Effect.provide(Persistence.layerBackingMemory))
  )

  it.each(nonsense)("throws as the timeout of a loader: %s", (given) => {
    const error = thrownBy(() => Loader.make({ one: Resource.succeed("one", 1) }, { timeout: given }))
    const [issue] = error instanceof GraphError ? error.issues : []
    assert.deepStrictEqual(issue, {
      _tag: "InvalidOption",
      option: "timeout",
      value: given,
      expected: "a duration of 0 or more"
    })
  })

  it("is neither zero nor an infinite one", () => {
    for (const given of [0, "Infinity"] as const) {
      assert.isUndefined(thrownBy(() => Policy.compose(Policy.timeout(given), Policy.hedge({ after: given }))))
      assert.isUndefined(defectOf(Users.layer({ timeToLive: given, staleIfError: given })))
      assert.isUndefined(defectOf(Usual.layer({ initial: given })))
      assert.isUndefined(thrownBy(() => Loader.make({ one: Resource.succeed("one", 1) }, { timeout: given })))
    }
  })
})
