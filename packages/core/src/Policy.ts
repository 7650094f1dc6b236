/**
 * Policies: labelled functions from resource to resource that keep the type of the value.
 *
 * @since 0.1.0
 */
export { compose, type Part, type Policy, type PolicyFor, type PolicyForKeyed } from "./model/Policy.ts"
export { around } from "./policy/Around.ts"
export { cache } from "./policy/Cache.ts"
export { hedge, type HedgeDelay, type HedgeOptions } from "./policy/Hedge.ts"
export { limit } from "./permits/Limit.ts"
export { retry, type RetryBound, type RetryReading, type RetrySpending } from "./policy/Retry.ts"
export { type RetryAfter, retryAfterHeader } from "./policy/RetryAfter.ts"
export type { RetryBudget } from "./policy/RetryBudget.ts"
export { timeout } from "./policy/Timeout.ts"
export { unshareable } from "./policy/Unshareable.ts"
