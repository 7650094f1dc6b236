/**
 * Limiters: services that keep a backend from more attempts at once than it can bear, across all runs.
 *
 * @since 0.1.0
 */
export * from "./limiter/Limiter.ts"
