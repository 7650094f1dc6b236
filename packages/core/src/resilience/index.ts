/**
 * Policies for slow and failing backends: circuit breakers, rate limits, retry budgets and learned delays of hedges.
 *
 * @since 0.1.0
 */
export { circuitBreaker } from "./CircuitBreaker.ts"
export * as CircuitBreaker from "./CircuitBreaker.ts"
export { CircuitOpen } from "./CircuitOpen.ts"
export * as HedgeDelay from "./HedgeDelay.ts"
export { RateExceeded } from "./RateExceeded.ts"
export { rateLimit } from "./RateLimit.ts"
export * as RateLimit from "./RateLimit.ts"
export * as RetryBudget from "./RetryBudget.ts"
