/**
 * Loaders: targets compiled once, run many times.
 *
 * @since 0.1.0
 */
import { isResource } from "../model/Resource.ts"
import { checkFunctions } from "../model/UserEffect.ts"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { dual } from "effect/Function"
import type { GraphError } from "../compile/GraphError.ts"
import { type Plan, planOf } from "../compile/Plan.ts"
import { noSubstitution } from "../compile/Substitution.ts"
import type { PolicyError, PolicyServices } from "../model/Policy.ts"
import type {
  Any,
  ByKey,
  Deps,
  Failure,
  Inputs,
  Own,
  Services as ResourceServices,
  Success as ResourceSuccess
} from "../model/Resource.ts"
import {
  type AnyLoader,
  changed,
  compiledOf,
  fromCompiled,
  isLoader,
  type Loader,
  type OnExit,
  type Options,
  valuesOf
} from "./Compiled.ts"
import { compileDeclaration } from "./Compiling.ts"
import { execute, type Execution, type Options as RunOptions } from "../run/Execution.ts"
import type { LoadTimeout } from "../run/LoadTimeout.ts"
import type { Report } from "../watch/Report.ts"
import type { Run } from "../run/Run.ts"
import type { RunEvent } from "../watch/RunEvent.ts"
import { sagaOf, undoing } from "../undo/Account.ts"
import type { RollbackError } from "../undo/CompensationError.ts"
import { fromEvents } from "../watch/Timeline.ts"
import { observing, readBy } from "../watch/Observers.ts"

export { isLoader, type Loader, type Options } from "./Compiled.ts"

/**
 * The errors that the options of a loader add.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OptionsError<O> =
  | (O extends { readonly timeout: Duration.Input } ? LoadTimeout : never)
  | (O extends { readonly policy: infer P } ? Own<string, PolicyError<P>> : never)

/**
 * The services that the options of a loader need.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OptionsServices<O> =
  | (O extends { readonly policy: infer P } ? PolicyServices<P> : never)
  | (O extends { readonly onCompensationFailure: (error: never) => Effect.Effect<infer _A, infer _E, infer R> }
      ? R
      : never)

/**
 * The arguments for the inputs of a run: none if no resource needs inputs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Args<In> = unknown extends In ? [] : [inputs: In]

/**
 * The type of the values that a loader loads.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Success<T> = T extends Loader<infer A, infer _E, infer _R, infer _In, infer _T> ? A : never

/**
 * The type of the errors that a load can fail with.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Error<T> = T extends Loader<infer _A, infer E, infer _R, infer _In, infer _T> ? E : never

/**
 * The services that a loader's resources need.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Services<T> = T extends Loader<infer _A, infer _E, infer R, infer _In, infer _T> ? R : never

/**
 * The inputs that each run of a loader needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Input<T> = [T] extends [Loader<infer _A, infer _E, infer _R, infer In, infer _T>] ? In : never

/** A loader of these targets. Read out of an object, as TypeScript would show an alias by its name. */
export type LoaderOf<T extends Deps, O> = {
  readonly loader: Loader<
    { readonly [K in keyof T]: ResourceSuccess<T[K]> },
    Failure<T[keyof T]> | OptionsError<O>,
    ResourceServices<T[keyof T]> | OptionsServices<O>,
    Inputs<T>,
    T
  >
}["loader"]

/**
 * Compiles targets into a loader, or into the `GraphError` of their graph, for graphs made at run time.
 *
 * @example
 * ```ts
 * import { Effect, Result } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const a = Resource.make("same", { load: () => Effect.succeed(1) })
 * const b = Resource.make("same", { load: () => Effect.succeed(2) })
 *
 * const compiled = Loader.compile({ a, b })
 * console.log(Result.isFailure(compiled) && compiled.failure.issues[0]?._tag) // DuplicateName
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const compile = <const T extends ByKey & Deps, const O extends Options>(
  targets: T,
  options?: O
): Result.Result<LoaderOf<T, O>, GraphError> => {
  const declaration = { targets, options: options ?? {}, substitution: noSubstitution }
  return Result.map(compileDeclaration(declaration), (compiled) => fromCompiled(compiled, noValues))
}

const noValues = new Map<string, unknown>()

/**
 * Compiles targets into a loader. Nothing runs.
 *
 * Throws a `GraphError` with all issues: a mistake in the program, found when the program starts.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const page = Loader.make({ org }, { name: "page", concurrency: 8, timeout: "2 seconds" })
 * console.log(Loader.plan(page).resources.map((resource) => resource.name)) // [ "org" ]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <const T extends ByKey & Deps, const O extends Options>(
  targets: T,
  options?: O
): LoaderOf<T, O> => {
  const compiled = compile(targets, options)
  if (Result.isSuccess(compiled)) return compiled.success
  // The stack starts at the call of `make`, not inside the compiler.
  Error.captureStackTrace?.(compiled.failure, make)
  throw compiled.failure
}

/**
 * The plan of a loader, as data.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Plan, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 * console.log(Plan.toText(Loader.plan(Loader.make({ members }, { name: "page" }))))
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const plan = (self: AnyLoader): Plan => planOf(compiledOf(self))

/** Whether the first argument is the loader: all functions here take it first or last. */
const isDataFirst = (args: IArguments): boolean => {
  if (isLoader(args[0])) return true
  if (!isResource(args[0])) return false
  throw new TypeError(`a loader is needed, got a resource: Loader.make({ ${args[0].name} })`)
}

/**
 * The text that TypeScript shows for a loader whose inputs are missing.
 *
 * @since 0.1.0
 * @category type-level
 */
export interface MissingInputs<In> {
  readonly "the inputs are missing": In
}

/**
 * The inputs given in a pipe: neither a loader nor a resource.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Given<In> = In extends AnyLoader
  ? MissingInputs<Input<In>>
  : In extends Any
    ? "this is a resource: make a loader of it, Loader.make({ user })"
    : In

/**
 * A loader in a pipe, with its inputs. Without them `In` is unknown, and TypeScript shows the text.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Piped<In, F> = unknown extends In
  ? 0 extends 1 & In
    ? F
    : "the inputs are missing: page.pipe(Loader.load({ userId })), or Loader.load(page) where the loader needs none"
  : F

/**
 * Loads all targets, or fails with the first resource that could not be loaded.
 *
 * - When a failure reaches a target, nothing new starts, running steps are interrupted, and the load fails after the last
 *   finalizer. The cause holds all failures so far, in order.
 * - With the option `timeout`, a `LoadTimeout` lists the resources that were loaded, in flight and not started.
 * - A resource that throws or dies is a defect of the load, annotated with `FailedResource`.
 * - Loaded resources with compensations are undone before the load fails: see `Saga.compensate`.
 * - A missing input is an `InputError`, a defect, before anything runs.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const userId = Resource.input<number>()("userId")
 * const user = Resource.make("user", {
 *   deps: { userId },
 *   load: ({ userId }) => (userId > 0 ? Effect.succeed(`user ${userId}`) : Effect.fail("unknown"))
 * })
 * const page = Loader.make({ user })
 *
 * console.log(Effect.runSync(Loader.load(page, { userId: 7 }))) // { user: "user 7" }
 * console.log(Effect.runSync(Effect.flip(Loader.load(page, { userId: 0 }))).message)
 * // resource "user" failed (0ms): unknown
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const load: {
  <A, E, R, In, T>(self: Loader<A, E, R, In, T>, ...inputs: Args<In>): Effect.Effect<A, E, R>
  <In>(inputs: Given<In>): Piped<In, <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<A, E, R>>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  execute(compiledOf(self), { inputs, values: valuesOf(self), failFast: true, conclude: (_run, exit) => exit })
)

/**
 * The values of a load, and the effect that undoes it.
 *
 * - `undo`: runs the compensations of the load, in the order of a load that fails. It runs them once: further runs return the
 *   result of the first. It cannot be interrupted, and fails with a `RollbackError` if a compensation fails.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reversible<out A> {
  readonly values: A
  readonly undo: Effect.Effect<void, RollbackError>
}

const toReversible = (
  execution: Execution,
  inputs: unknown,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<unknown, unknown> => {
  const saga = sagaOf(execution)
  if (Exit.isFailure(exit)) return exit
  const { value: values } = exit
  if (saga === undefined) return Exit.succeed({ values, undo: Effect.void })
  const undo = Effect.flatMap(saga.rollback(Cause.empty), () => {
    const notUndone = saga.notUndone(inputs, Cause.empty)
    return notUndone === undefined ? Effect.void : Effect.fail(notUndone)
  })
  return Effect.map(Effect.cached(Effect.uninterruptible(undo)), (undo) => ({ values, undo }))
}

/**
 * Loads as {@link load} does, and returns the values together with an effect that undoes the load.
 *
 * Only `undo` undoes it, even inside another load.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource, Saga } from "effect-loader"
 *
 * const log: Array<string> = []
 * const seat = Resource.make("seat", { load: () => Effect.succeed("12A") }).pipe(
 *   Saga.compensate((seat) => Effect.sync(() => log.push(`${seat} released`)))
 * )
 *
 * const { undo, values } = Effect.runSync(Loader.loadReversible(Loader.make({ seat })))
 * console.log(values.seat, log) // 12A []
 * Effect.runSync(undo)
 * Effect.runSync(undo)
 * console.log(log) // [ "12A released" ]
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const loadReversible: {
  <A, E, R, In, T>(self: Loader<A, E, R, In, T>, ...inputs: Args<In>): Effect.Effect<Reversible<A>, E, R>
  <In>(inputs: Given<In>): Piped<In, <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<Reversible<A>, E, R>>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  execute(compiledOf(self), {
    inputs,
    values: valuesOf(self),
    failFast: true,
    reversible: true,
    conclude: (_run, exit, execution) => toReversible(execution, inputs, exit)
  })
)

/**
 * Registers a hook that runs at the end of each load: after a success, failure or interruption, after all compensations, and
 * before the caller gets the exit.
 *
 * - `hook`: gets the exit; `Saga.RollbackError.of(exit.cause)` has the failed compensations. It cannot be interrupted. Its failure
 *   or defect is logged and does not change the exit.
 *
 * Several hooks run one after the other, in the order of registration. `settle` runs none.
 *
 * @example
 * ```ts
 * import { Effect, Exit } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const user = Resource.make("user", { load: () => Effect.fail("unknown") })
 * const page = Loader.make({ user }).pipe(
 *   Loader.onExit((exit) => Effect.sync(() => console.log(Exit.isSuccess(exit) ? "loaded" : "not loaded")))
 * )
 * Effect.runSync(Effect.exit(Loader.load(page))) // not loaded
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const onExit: {
  <A, E, R2>(
    hook: (exit: Exit.Exit<A, E>) => Effect.Effect<unknown, unknown, R2>
  ): <R, In, T>(self: Loader<A, E, R, In, T>) => Loader<A, E, R | R2, In, T>
  <A, E, R, In, T, R2>(
    self: Loader<A, E, R, In, T>,
    hook: (exit: Exit.Exit<A, E>) => Effect.Effect<unknown, unknown, R2>
  ): Loader<A, E, R | R2, In, T>
} = /* @__PURE__ */ dual(2, (self: AnyLoader, hook: OnExit): never => {
  const compiled = compiledOf(self)
  checkFunctions("Loader.onExit", compiled.program.name, { hook }, ["hook"])
  const { declaration, extensions } = compiled
  return changed(self, { onExit: [...(declaration.onExit ?? []), hook], extensions: [...extensions, undoing] })
})

/** The values of the targets that have loaded. */
const loadedValues = (run: Run): Record<string, unknown> => {
  const { keys, sources } = run.program.targets
  const values: Record<string, unknown> = {}
  keys.forEach((key, k) => {
    const loaded = run.value(sources[k]!)
    if (loaded !== undefined) values[key] = loaded.value
  })
  return values
}

/** Runs with an observer of its own; `conclude` gets the report made from its events. */
const executeReported = (
  self: AnyLoader,
  options: Pick<RunOptions, "inputs" | "failFast">,
  conclude: (exit: Exit.Exit<unknown, unknown>, report: () => Report) => Effect.Effect<unknown>
): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    const events: Array<RunEvent> = []
    const run = execute(compiledOf(self), {
      ...options,
      values: valuesOf(self),
      extensions: [observing],
      conclude: (run, exit) => conclude(exit, () => ({ ...fromEvents(events)!, values: loadedValues(run) }))
    })
    return readBy((event) => events.push(event), run) as Effect.Effect<unknown, unknown>
  })

/**
 * Loads as many resources as possible, and returns a report with the outcome of each.
 *
 * A failure, a defect or an interruption of one resource skips only its dependents. At the loader's `timeout` running steps are
 * interrupted, and `report.timedOut` is set. An interruption of the caller interrupts the run.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.fail("down") })
 * const user = Resource.make("user", { load: () => Effect.succeed("ada") })
 *
 * const report = Effect.runSync(Loader.settle(Loader.make({ org, user })))
 * console.log(Report.outcome(report, "org")?._tag, report.values.user) // Failed ada
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const settle: {
  <A, E, R, In, T>(self: Loader<A, E, R, In, T>, ...inputs: Args<In>): Effect.Effect<Report<A>, never, R>
  <In>(inputs: Given<In>): Piped<In, <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<Report<A>, never, R>>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  executeReported(self, { inputs, failFast: false }, (_exit, report) => Exit.succeed(report()))
)

/**
 * The exit of a load, and its report.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reported<out A, out E> {
  readonly exit: Exit.Exit<A, E>
  readonly report: Report<A>
}

/**
 * Loads as {@link load} does, and returns the exit together with the report. An interruption of the caller interrupts the run.
 *
 * @example
 * ```ts
 * import { Effect, Exit } from "effect"
 * import { Loader, Report, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: () => Effect.fail("down") })
 * const user = Resource.make("user", { deps: { org }, load: () => Effect.succeed("ada") })
 *
 * const { exit, report } = Effect.runSync(Loader.loadWithReport(Loader.make({ user })))
 * console.log(Exit.isFailure(exit), Report.outcome(report, "org")?._tag) // true Failed
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const loadWithReport: {
  <A, E, R, In, T>(self: Loader<A, E, R, In, T>, ...inputs: Args<In>): Effect.Effect<Reported<A, E>, never, R>
  <In>(
    inputs: Given<In>
  ): Piped<In, <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<Reported<A, E>, never, R>>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  executeReported(self, { inputs, failFast: true }, (exit, report) => Exit.succeed({ exit, report: report() }))
)
