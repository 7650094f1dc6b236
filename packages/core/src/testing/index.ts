/**
 * What tests of programs with loaders need: recorded runs, and interruption at every step.
 *
 * @since 0.1.0
 */
export * as Interruption from "./Interruption.ts"
export * as RunLog from "./RunLog.ts"
