import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { aBoolean, checked } from "../base/UserValue.ts"
import type { LayerObserver } from "../model/Node.ts"
import { asEffect } from "../model/UserEffect.ts"

/**
 * Limits further attempts in proportion to first attempts. `RetryBudget.Service` of `effect-loader/resilience` makes one, with
 * layers.
 *
 * - `deposit`: records a first attempt.
 * - `withdraw`: takes one further attempt; `false` if the budget is spent.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudget {
  readonly deposit: Effect.Effect<void>
  readonly withdraw: Effect.Effect<boolean>
}

/** How a policy takes from a budget. */
export interface Spending {
  /** Takes one further attempt, after a pause. */
  readonly withdraw: (pause: Duration.Duration) => Effect.Effect<boolean>
}

const unlimited: Spending = { withdraw: () => Effect.succeed(true) }

/** The policy that uses a budget, and its label. */
interface SpendingSetup {
  readonly observer: LayerObserver
  readonly label: string
}

const spendingOf = (budget: RetryBudget, { label, observer }: SpendingSetup): Spending => {
  const owner = { name: observer.resource }
  const what = `\`withdraw\` of ${label}`
  const withdraw = Effect.map(
    Effect.suspend(() => asEffect(owner, what, budget.withdraw) as Effect.Effect<unknown>),
    (granted) => checked(owner, what, aBoolean, granted)
  )
  return {
    withdraw: (pause) =>
      Effect.clockWith((clock) => {
        // Attempts that share a call share the next one, too.
        const begins = clock.currentTimeMillisUnsafe() + Duration.toMillis(pause)
        return observer.call?.once(budget, begins, withdraw) ?? withdraw
      })
  }
}

/**
 * The budget of a key. A first attempt is recorded once per load, however many policies use the budget, and once per shared call
 * of a resolver. Without a key, a budget that is never spent.
 */
export const budgetFor = <B>(
  key: Context.Key<B, RetryBudget> | undefined,
  observer: LayerObserver
): Effect.Effect<Spending, never, B> =>
  key === undefined
    ? Effect.succeed(unlimited)
    : Effect.map(Effect.service(key), (budget) => {
        const label = `the budget ${key.key}`
        const deposit = asEffect({ name: observer.resource }, `\`deposit\` of ${label}`, budget.deposit)
        observer.perCall(deposit as Effect.Effect<void>)
        return spendingOf(budget, { observer, label })
      })
