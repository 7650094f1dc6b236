/**
 * Matchers for vitest: import this once in a test file, or name it in `setupFiles`.
 *
 * Those for exits take an exit, or what `RunLog.record` or `Loader.loadWithReport` gives; with the latter their messages
 * tell what ran when. Those for runs take events, or what `RunLog.record` gives.
 *
 * @since 0.1.0
 */
import type { Exit } from "effect"
import { expect } from "vitest"
import type { Report } from "effect-loader"
import type { LoadExit } from "effect-loader/testing"
import { diedAt, failedAt, timedOut } from "./ExitMatchers.ts"
import type { Expected } from "./Expected.ts"
import {
  haveAttempted,
  haveEndedAs,
  haveEndedBefore,
  haveNeverRun,
  haveRunAtMost,
  haveOverlapped,
  haveSkipped,
  haveStartedBefore
} from "./RunMatchers.ts"

export type { Expected, Fields, TagOf } from "./Expected.ts"

/**
 * What the exit in `T` can fail with.
 *
 * @since 0.1.0
 * @category type-level
 */
export type FailureOf<T> =
  T extends Exit.Exit<infer _A, infer E> ? E : T extends { readonly exit: Exit.Exit<infer _A, infer E> } ? E : unknown

/**
 * What `expect` can be asked of loads.
 *
 * @since 0.1.0
 * @category models
 */
export interface LoadMatchers<R, T> {
  /**
   * The load failed at this resource: its name, or the names on the way to it, where loads nest.
   *
   * `error`: its class, its tag, some of its fields, or a function that says so. Default: any error.
   */
  readonly toHaveFailedAt: <const W extends LoadExit.Where<FailureOf<T>>>(
    where: W,
    error?: Expected<LoadExit.ErrorAt<FailureOf<T>, W>>
  ) => R
  /** The load died in this resource; `defect` as the `error` of `toHaveFailedAt`. */
  readonly toHaveDiedAt: (resource: string, defect?: unknown) => R
  /** The load ran into its own limit; or, with a resource, into the limit of that one. */
  readonly toHaveTimedOut: (where?: LoadExit.Where<FailureOf<T>>) => R
  /** Both started, `first` before `second`. */
  readonly toHaveStartedBefore: (first: string, second: string) => R
  /** `first` had ended when `second` started. */
  readonly toHaveEndedBefore: (first: string, second: string) => R
  /** There was a moment at which both ran. */
  readonly toHaveOverlapped: (first: string, second: string) => R
  /** At most so many attempts and fallbacks ran at once: of these resources, or of all. */
  readonly toHaveRunAtMost: (limit: number, resources?: ReadonlyArray<string>) => R
  /** Nothing of a resource ever ran. */
  readonly toHaveNeverRun: (resource: string) => R
  /** A resource was tried so often. */
  readonly toHaveAttempted: (resource: string, times: number) => R
  /** What became of a resource. */
  readonly toHaveEndedAs: (resource: string, outcome: Report.Outcome["_tag"]) => R
  /** A resource was skipped; `because`: the resource that was the reason, or the reason's tag. */
  readonly toHaveSkipped: (resource: string, options?: { readonly because?: string }) => R
}

declare module "vitest" {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends LoadMatchers<R, T> {}
}

expect.extend({
  toHaveFailedAt(received, where, error) {
    return failedAt(received, where, error, (a, b) => this.equals(a, b, [this.utils.subsetEquality]))
  },
  toHaveDiedAt(received, resource, defect) {
    return diedAt(received, resource, defect, (a, b) => this.equals(a, b, [this.utils.subsetEquality]))
  },
  toHaveTimedOut: (received, where) => timedOut(received, where),
  toHaveStartedBefore: (received, first, second) => haveStartedBefore(received, first, second),
  toHaveEndedBefore: (received, first, second) => haveEndedBefore(received, first, second),
  toHaveOverlapped: (received, first, second) => haveOverlapped(received, first, second),
  toHaveRunAtMost: (received, limit, resources) => haveRunAtMost(received, limit, resources),
  toHaveNeverRun: (received, resource) => haveNeverRun(received, resource),
  toHaveAttempted: (received, resource, times) => haveAttempted(received, resource, times),
  toHaveEndedAs: (received, resource, outcome) => haveEndedAs(received, resource, outcome),
  toHaveSkipped: (received, resource, options) => haveSkipped(received, resource, options?.because)
})
