import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { shared } from "../base/Shared.ts"
import { aBoolean, checked } from "../base/UserValue.ts"
import type { LayerObserver } from "../model/Node.ts"
import { asEffect } from "../model/UserEffect.ts"

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

/** Whose policy asks a budget, and what the budget is called. */
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
        const { call } = observer
        if (call === undefined) return withdraw
        const known = answersOf(call, budget)
        const due = clock.currentTimeMillisUnsafe() + Duration.toMillis(pause)
        const answer = known.get(due)
        if (answer !== undefined) return Effect.succeed(answer)
        return Effect.map(withdraw, (granted) => {
          known.set(due, granted)
          return granted
        })
      })
  }
}

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
        const label = `the budget ${key.key}`
        const deposit = asEffect({ name: observer.resource }, `\`deposit\` of ${label}`, budget.deposit)
        observer.perCall(deposit as Effect.Effect<void>)
        return spendingOf(budget, { observer, label })
      })
