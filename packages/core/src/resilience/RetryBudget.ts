/**
 * Retry budgets: services that keep retries and hedges from multiplying an outage. A failing backend gets a bounded number of
 * further attempts, whatever the policies of the resources ask for.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { countInstance } from "../base/Instances.ts"
import { monotonicNow } from "../base/Monotonic.ts"
import type { RetryBudget as Budget } from "../policy/RetryBudget.ts"
import { Allowance } from "./Allowance.ts"

/**
 * The options of a retry budget. It counts calls of the backend: attempts or retries that share a resolver's call count once.
 *
 * - `ratio`: further attempts for each first attempt. Default 0.2: a fifth more.
 * - `perSecond`: further attempts a second in any case, so that retries are possible at low traffic. Default 1.
 * - `window`: the time over which both are counted. Default ten seconds.
 * - `many`: whether many budgets of the class may exist at the same time. Default `false`: ten at once cause a warning in the
 *   log, since that is usually a layer that each handler provides.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly ratio?: number
  readonly perSecond?: number
  readonly window?: Duration.Input
  readonly many?: boolean
}

/**
 * The counts of a budget since its layer was built, and the attempts that are left now.
 *
 * - `attempts`: first attempts, which need no budget; `granted`: further attempts that were allowed; `refused`: further attempts
 *   that were not; `left`: further attempts that are allowed now.
 *
 * @since 0.1.0
 * @category models
 */
interface BudgetStats {
  readonly attempts: number
  readonly granted: number
  readonly refused: number
  readonly left: number
}

export type { BudgetStats as Stats }

/**
 * A budget with statistics.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudget extends Budget {
  readonly stats: Effect.Effect<BudgetStats>
}

/**
 * The class of a budget's service.
 *
 * - `stats`: through the service.
 * - `layer`: a budget of this process; see {@link Options}.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudgetClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, RetryBudget> {
  readonly stats: Effect.Effect<BudgetStats, never, Self>
  readonly layer: (options?: Options) => Layer.Layer<Self>
}

const check = (id: string, { perSecond, ratio, window }: Allowance["options"]): Effect.Effect<void> => {
  const isSound = ratio >= 0 && perSecond >= 0 && window > 0 && [ratio, perSecond, window].every(Number.isFinite)
  if (isSound) return Effect.void
  const problem = "`ratio` and `perSecond` must be 0 or more, and `window` longer than nothing, all of them finite"
  return Effect.die(new Cause.IllegalArgumentError(`retry budget "${id}": ${problem}`))
}

const monotonic = Effect.clockWith((clock) => Effect.succeed(monotonicNow(clock)))

const make = (id: string, { perSecond = 1, ratio = 0.2, window = "10 seconds" }: Options) => {
  const options = { ratio, perSecond, window: Duration.toMillis(Duration.fromInputUnsafe(window)) }
  return Effect.map(check(id, options), (): RetryBudget => {
    const allowance = new Allowance(options)
    const counts = { attempts: 0, granted: 0, refused: 0 }
    return {
      deposit: Effect.map(monotonic, (now) => {
        counts.attempts++
        allowance.attempt(now)
      }),
      withdraw: Effect.map(monotonic, (now) => {
        const isGranted = allowance.take(now)
        counts[isGranted ? "granted" : "refused"]++
        return isGranted
      }),
      stats: Effect.map(monotonic, (now) => ({ ...counts, left: allowance.left(now) }))
    }
  })
}

/**
 * Makes the class of a retry budget, one for each backend: for `Policy.retry({ budget })` and `Policy.hedge({ budget })`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import { RetryBudget } from "effect-loader/resilience"
 *
 * class Retries extends RetryBudget.Service<Retries>()("app/Retries") {}
 *
 * let asked = 0
 * const user = Resource.make("user", { load: () => Effect.fail(`down ${++asked}`) }).pipe(
 *   Policy.retry({ times: 3, budget: Retries })
 * )
 * const page = Effect.exit(Loader.load(Loader.make({ user })))
 * const program = Effect.andThen(Effect.replicateEffect(page, 100), Retries.stats)
 *
 * const layer = Retries.layer({ ratio: 0.1, perSecond: 0 })
 * Effect.runPromise(program.pipe(Effect.provide(layer))).then(({ granted }) => console.log(asked, granted)) // 110 10
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self>(): <const Id extends string>(id: Id) => RetryBudgetClass<Self, Id>
  <_Self>(id: "call it first: class Retries extends RetryBudget.Service<Retries>()(id) {}"): new () => object
} = (): never =>
  (<Self, const Id extends string>(id: Id): RetryBudgetClass<Self, Id> => {
    const tag = Context.Service<Self, RetryBudget>()(id)
    const statics: Pick<RetryBudgetClass<Self, Id>, "stats" | "layer"> = {
      stats: Effect.flatMap(Effect.service(tag), ({ stats }) => stats),
      layer: (options = {}) =>
        Layer.effect(tag, Effect.andThen(countInstance(tag, "retry budget", options.many), make(id, options)))
    }
    return Object.assign(tag, statics) as never
  }) as never
