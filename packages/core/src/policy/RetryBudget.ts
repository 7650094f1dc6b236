import { type Context, Effect } from "effect"
import type { LayerObserver } from "../model/Node.ts"

/**
 * How many further attempts there may be, beside those that would have been made anyway. `RetryBudget.Service` of
 * `effect-loader/resilience` makes one, with layers.
 *
 * - `deposit`: notes that somebody begins to try.
 * - `withdraw`: asks for one more attempt; `false` where the budget is spent.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryBudget {
  readonly deposit: Effect.Effect<void>
  readonly withdraw: Effect.Effect<boolean>
}

const unlimited: RetryBudget = { deposit: Effect.void, withdraw: Effect.succeed(true) }

/**
 * The budget of a key, in which it is noted that somebody begins to try: once a load, however many policies take from it.
 * Without a key, one that is never spent.
 */
export const budgetFor = <B>(
  key: Context.Key<B, RetryBudget> | undefined,
  observer: LayerObserver
): Effect.Effect<RetryBudget, never, B> =>
  key === undefined
    ? Effect.succeed(unlimited)
    : Effect.tap(Effect.service(key), (budget) => (observer.isFirst(budget) ? budget.deposit : Effect.void))
