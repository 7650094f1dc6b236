/**
 * Policies for slow and failing backends: circuit breakers, rate limits, retry budgets and learned delays of hedges.
 *
 * @since 0.1.0
 */
export { circuitBreaker } from "./CircuitBreakerPolicy.ts"
export * as CircuitBreaker from "./CircuitBreaker.ts"
export { CircuitOpen } from "./CircuitOpen.ts"
export * as HedgeDelay from "./HedgeDelay.ts"
export { RateLimitExceeded } from "./RateLimitExceeded.ts"
export { rateLimit } from "./RateLimitPolicy.ts"
export * as RateLimit from "./RateLimit.ts"
export * as RetryBudget from "./RetryBudget.ts"
