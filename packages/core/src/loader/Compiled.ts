/**
 * Loaders: compiled declarations with given values.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { insideOf } from "../compile/Inside.ts"
import type { Substitution } from "../compile/Substitution.ts"
import type { Policy, PolicyFor, PolicyForKeyed } from "../model/Policy.ts"
import type { Extension } from "../model/Extension.ts"
import type { Deps } from "../model/Resource.ts"
import type { Accounted } from "../undo/Account.ts"
import type { RollbackError } from "../undo/CompensationError.ts"

const TypeId = "~effect-loader/Loader"

/**
 * Targets compiled once, run many times.
 *
 * - `A`: the values of the targets, by key.
 * - `E`: the errors of a load: a `ResourceError` for each resource that can fail, and `LoadTimeout` if the
 *   option `timeout` is set.
 * - `R`: the services that the resources need.
 * - `In`: the object of inputs that each run needs.
 * - `Targets`: the resources themselves, by key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Loader<out A, out E = never, out R = never, in In = unknown, out Targets = unknown> extends Pipeable {
  readonly [TypeId]: {
    readonly _A: () => A
    readonly _E: () => E
    readonly _R: () => R
    readonly _In: (_: In) => void
    readonly _Targets: () => Targets
  }
}

/**
 * How a loader runs.
 *
 * - `name`: for plans, reports and errors; default `"anonymous"`.
 * - `concurrency`: how many attempts may run at once in one run: a whole number from 1, or `"unbounded"`, the default.
 *   A resource that waits, for a dependency or for its next attempt, holds no slot.
 * - `timeout`: how long a run may take; then all steps are interrupted, and the run ends after the last finalizer. Default: no
 *   limit.
 * - `policy`: a default policy. A resource takes each part of it, innermost, unless it has a policy of that kind itself.
 * - `compensationConcurrency`: how many compensations may run at once when a load is undone; default: `concurrency`.
 * - `onCompensationFailure`: called once, at the end of a run, with all failed compensations. It cannot be interrupted; its
 *   failure is logged. Without it, failed compensations are logged as an error.
 * - `scheduling`: `"eager"`, the default, starts each resource when its own dependencies are there; `"batched"` runs
 *   level after level. Both load the same values.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<PE = unknown, PR = unknown> {
  readonly name?: string
  readonly concurrency?: number | "unbounded"
  readonly timeout?: Duration.Input
  // oxlint-disable-next-line typescript/no-explicit-any -- its resources are not known here: `cache/Sealed.ts` checks services at run time
  readonly policy?: Policy<PE, PR> | PolicyForKeyed<PE, PR, any> | PolicyFor<unknown, PR>
  readonly scheduling?: "eager" | "batched"
  readonly compensationConcurrency?: number | "unbounded"
  readonly onCompensationFailure?: (error: RollbackError) => Effect.Effect<unknown, unknown, unknown>
}

/** The options and targets of a loader, for compiling it again with changes. */
export interface Declaration {
  readonly targets: Deps
  readonly options: Options
  readonly substitution: Substitution
  /** The hooks on the end of each load, and the extensions that run them. */
  readonly onExit?: ReadonlyArray<OnExit>
  readonly extensions?: ReadonlyArray<Extension>
}

export type OnExit = (exit: Exit.Exit<unknown, unknown>) => unknown

/** Data about a loader that is known after all its nested loaders are compiled. */
export interface Nested {
  /** The depth of nesting, itself included. */
  depth: number
}

/** A compiled loader. */
export interface Compiled extends Accounted {
  readonly declaration: Declaration
  readonly nested: Nested
}

/** The given values of a loader, by key. */
export type GivenValues = ReadonlyMap<string, unknown>

const Proto = {
  [TypeId]: TypeId,
  pipe() {
    return pipeArguments(this, arguments)
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every loader meets
export type AnyLoader = Loader<any, any, any, any, any>

interface Parts {
  readonly compiled: Compiled
  readonly values: GivenValues
}

const partsOf = (self: AnyLoader): Parts => self as unknown as Parts

export const compiledOf = (self: AnyLoader): Compiled => partsOf(self).compiled

export const valuesOf = (self: AnyLoader): GivenValues => partsOf(self).values

/** The same loader with other settings of its runs. The graph is not compiled again. */
export const changed = (self: AnyLoader, changes: Pick<Declaration, "extensions" | "onExit">): never => {
  const compiled = compiledOf(self)
  const declaration = { ...compiled.declaration, ...changes }
  return fromCompiled({ ...compiled, extensions: declaration.extensions ?? none, declaration }, valuesOf(self))
}

const none: ReadonlyArray<never> = []

/** The value of a loader. The caller states its types. */
export const fromCompiled = (compiled: Compiled, values: GivenValues): never =>
  Object.assign(Object.create(Proto), { compiled, values }) as never

/**
 * Whether a value is a loader.
 *
 * @since 0.1.0
 * @category guards
 */
export const isLoader = (u: unknown): u is AnyLoader => typeof u === "object" && u !== null && TypeId in u

/** A loader and all its nested loaders, each once. */
export const allInside = (compiled: Compiled): ReadonlyArray<Compiled> => {
  const found = new Set([compiled])
  // The iteration of a set also visits items that are added meanwhile.
  for (const { program } of found) {
    for (const { node } of program.steps) {
      const inside = insideOf(node) as Compiled | undefined
      if (inside !== undefined) found.add(inside)
    }
  }
  return [...found]
}
