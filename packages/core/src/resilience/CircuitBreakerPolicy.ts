/** The policy that asks a circuit breaker. */
import type * as Context from "effect/Context"
import { fromLayers } from "../attempt/FromLayers.ts"
import type { AnyEffect } from "../model/Node.ts"
import type { Policy } from "../model/Policy.ts"
import type { CircuitBreaker } from "./CircuitBreaker.ts"
import type { CircuitOpen } from "./CircuitOpen.ts"
import { guard } from "./Guard.ts"

/**
 * Puts a circuit breaker around the resource that it is piped onto.
 *
 * Slots and permits are taken inside it, so a refusal by an open breaker takes none. Before a `retry` the breaker counts and
 * refuses each attempt; after a `retry` it counts the whole as one result. A `timeout` before the breaker is a failure that
 * counts; a `timeout` after it is an interruption, which does not.
 *
 * On requests the breaker is around each call of the resolver, wherever it is piped, and counts one result: a failure if the
 * resolver fails, if it answers every request with a failure, or if all callers have left the call, one of them because
 * of a `timeout` piped before. A refused call fails all its callers. Piped after a cache, the breaker is around the load: a
 * cached value needs no backend.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
 *
 * class Rates extends CircuitBreaker.Service<Rates>()("app/Rates") {}
 *
 * const rate = Resource.make("rate", { load: () => Effect.fail("down") }).pipe(
 *   circuitBreaker(Rates),
 *   Resource.catch((error) => Effect.succeed(typeof error === "string" ? error : error._tag))
 * )
 * const page = Loader.load(Loader.make({ rate }))
 *
 * const layer = Rates.layer({ opens: { failures: 1 }, openDuration: "30 seconds" })
 * Effect.runPromise(Effect.all([page, page]).pipe(Effect.provide(layer))).then(console.log)
 * // [ { rate: "down" }, { rate: "CircuitOpen" } ]
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const circuitBreaker = <Self>(breaker: Context.Key<Self, CircuitBreaker>): Policy<CircuitOpen, Self> =>
  fromLayers([
    guard("circuitBreaker", `circuitBreaker(${breaker.key})`, {
      key: breaker as Context.Key<unknown, unknown>,
      around: (breaker, self): AnyEffect => (breaker as CircuitBreaker).withBreaker(self)
    })
  ])
