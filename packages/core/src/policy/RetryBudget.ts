import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { shared } from "../base/Shared.ts"
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

/** The answers of budgets, by the shared call that attempts follow and the instant at which they begin. They share the next call. */
type Answers = WeakMap<object, Map<RetryBudget, Map<number, boolean>>>

const answers = /* @__PURE__ */ shared("answers of budgets", (): Answers => new WeakMap())

const answersOf = (call: object, budget: RetryBudget): Map<number, boolean> => {
  let byBudget = answers.get(call)
  if (byBudget === undefined) answers.set(call, (byBudget = new Map()))
  let byInstant = byBudget.get(budget)
  if (byInstant === undefined) byBudget.set(budget, (byInstant = new Map()))
  return byInstant
}

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
