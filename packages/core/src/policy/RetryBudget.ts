import { type Context, Duration, Effect } from "effect"
import { shared } from "../base/Shared.ts"
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

/** What a policy takes from a budget. */
export interface Spending {
  /** Asks for one more attempt, after a pause. */
  readonly withdraw: (pause: Duration.Duration) => Effect.Effect<boolean>
}

const unlimited: Spending = { withdraw: () => Effect.succeed(true) }

/** What budgets have said, by the call that attempts follow and the instant at which these begin: they share the next call. */
type Answers = WeakMap<object, Map<RetryBudget, Map<number, boolean>>>

const answers = /* @__PURE__ */ shared("answers of budgets", (): Answers => new WeakMap())

const answersOf = (call: object, budget: RetryBudget): Map<number, boolean> => {
  let byBudget = answers.get(call)
  if (byBudget === undefined) answers.set(call, (byBudget = new Map()))
  let byInstant = byBudget.get(budget)
  if (byInstant === undefined) byBudget.set(budget, (byInstant = new Map()))
  return byInstant
}

const spendingOf = (budget: RetryBudget, observer: LayerObserver): Spending => ({
  withdraw: (pause) =>
    Effect.clockWith((clock) => {
      const { call } = observer
      if (call === undefined) return budget.withdraw
      const known = answersOf(call, budget)
      const due = clock.currentTimeMillisUnsafe() + Duration.toMillis(pause)
      const answer = known.get(due)
      if (answer !== undefined) return Effect.succeed(answer)
      return Effect.map(budget.withdraw, (granted) => {
        known.set(due, granted)
        return granted
      })
    })
})

/**
 * The budget of a key. An attempt that is made anyway is noted once a load, however many policies take from the budget, and
 * once for all that share a resolver's call. Without a key, a budget that is never spent.
 */
export const budgetFor = <B>(
  key: Context.Key<B, RetryBudget> | undefined,
  observer: LayerObserver
): Effect.Effect<Spending, never, B> =>
  key === undefined
    ? Effect.succeed(unlimited)
    : Effect.map(Effect.service(key), (budget) => {
        observer.perCall(budget.deposit)
        return spendingOf(budget, observer)
      })
