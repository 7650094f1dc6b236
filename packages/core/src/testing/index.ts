/**
 * Tools for tests of programs with loaders: recorded runs, fakes, faults, virtual time, and interruption at every step.
 *
 * No test runner is needed; `@effect-loader/vitest` has matchers for one.
 *
 * @since 0.1.0
 */
export * as Fake from "./Fake.ts"
export * as Fault from "./Fault.ts"
export * as Interruption from "./Interruption.ts"
export * as Ledger from "./Ledger.ts"
export * as LoadExit from "./LoadExit.ts"
export * as RunLog from "./RunLog.ts"
export { TrialError } from "./Trial.ts"
export * as VirtualTime from "./VirtualTime.ts"
