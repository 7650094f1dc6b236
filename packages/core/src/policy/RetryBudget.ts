import { type Context, Effect } from "effect"

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

/** The budget of a key; without one, one that is never spent. */
export const budgetOf = <B>(key: Context.Key<B, RetryBudget> | undefined): Effect.Effect<RetryBudget, never, B> =>
  key === undefined ? Effect.succeed(unlimited) : Effect.service(key)
