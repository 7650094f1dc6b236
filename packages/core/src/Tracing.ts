/**
 * Spans of runs: one for each run, each of its resources, and each attempt.
 *
 * @since 0.1.0
 */
export * from "./observe/Tracing.ts"
