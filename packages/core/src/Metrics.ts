/**
 * Metrics of runs, as Effect's own.
 *
 * @since 0.1.0
 */
export * from "./observe/Metrics.ts"
