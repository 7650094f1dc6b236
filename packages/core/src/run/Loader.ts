/**
 * Loaders: targets compiled once, run many times.
 *
 * @since 0.1.0
 */
import { Cause, Clock, Context, Duration, Effect, Exit, type Fiber, Result } from "effect"
import { dual } from "effect/Function"
import type { GraphError } from "../compile/GraphError.ts"
import type { Plan } from "../compile/Plan.ts"
import { noSubstitution } from "../compile/Substitution.ts"
import type { PolicyError, PolicyServices } from "../model/Policy.ts"
import type {
  Deps,
  Failure,
  Inputs,
  Own,
  Services as ResourceServices,
  Success as ResourceSuccess
} from "../model/Resource.ts"
import {
  type AnyLoader,
  compileDeclaration,
  compiledOf,
  fromCompiled,
  isLoader,
  type Loader,
  type Options,
  planOf,
  valuesOf
} from "./Compiled.ts"
import { Enclosing } from "./Enclosing.ts"
import { LoadTimeout } from "./LoadTimeout.ts"
import type { Report } from "./Report.ts"
import { Run } from "./Run.ts"
import type { RunEvent } from "./RunEvent.ts"
import { schedule } from "./Scheduler.ts"
import { RunLimits } from "./RunLimits.ts"
import { Slots } from "./Slots.ts"
import { fromEvents } from "./Timeline.ts"
import { RunWatch } from "./RunWatch.ts"
import { type Watcher, watchesOf } from "./Watchers.ts"

export { isLoader, type Loader, type Options } from "./Compiled.ts"

/**
 * What the options of a loader add to its errors.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OptionsError<O> =
  | (O extends { readonly timeout: Duration.Input } ? LoadTimeout : never)
  | (O extends { readonly policy: infer P } ? Own<string, PolicyError<P>> : never)

/**
 * What the options of a loader add to the services that it needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OptionsServices<O> = O extends { readonly policy: infer P } ? PolicyServices<P> : never

/**
 * The arguments that give a run its inputs: none, where no resource needs any.
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

/** A loader of these targets, with its values spelled out so that hovers show them. */
type Of<T extends Deps, O> = Loader<
  { readonly [K in keyof T]: ResourceSuccess<T[K]> },
  Failure<T[keyof T]> | OptionsError<O>,
  ResourceServices<T[keyof T]> | OptionsServices<O>,
  Inputs<T>,
  T
>

/**
 * Compiles targets into a loader, or into everything that is wrong with their graph: for graphs made at run time.
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
export const compile = <const T extends Deps, const O extends Options = {}>(
  targets: T,
  options?: O
): Result.Result<Of<T, O>, GraphError> => {
  const declaration = { targets, options: options ?? {}, substitution: noSubstitution }
  return Result.map(compileDeclaration(declaration), (compiled) => fromCompiled(compiled, noValues))
}

const noValues = new Map<string, unknown>()

/**
 * Compiles targets into a loader. Nothing runs.
 *
 * Throws a `GraphError` that names everything wrong at once: a mistake in the program, found where the program starts.
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
export const make = <const T extends Deps, const O extends Options = {}>(targets: T, options?: O): Of<T, O> =>
  Result.getOrThrow(compile(targets, options))

/**
 * What a loader would run, as data.
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

/** What a run's failures come to, the first in time first. */
const combine = (causes: ReadonlyArray<Cause.Cause<unknown>>): Cause.Cause<unknown> =>
  causes.length === 1 ? causes[0]! : Cause.fromReasons(causes.flatMap((cause) => cause.reasons))

const timedOut = (run: Run): ReadonlyArray<Cause.Cause<unknown>> => {
  if (run.stopped?._tag !== "TimedOut") return []
  const { limit, progress } = run.stopped
  return [Cause.fail(new LoadTimeout({ loader: run.program.name, limit, ...progress }))]
}

/** What a load comes to when nothing runs any more. */
const concludeLoad = (run: Run): Effect.Effect<unknown, unknown> => {
  run.finish()
  if (run.stopped === undefined) return Exit.succeed(run.result())
  return Exit.failCause(combine([...timedOut(run), ...run.failures]))
}

/**
 * What the interruption of a run adds to it: what failed while it ended. A finalizer has no errors by its type, but the
 * cause that it joins is the load's, and these are the load's errors.
 */
const concludeInterruption = (run: Run): Effect.Effect<void> => {
  run.finish()
  return run.failures.length === 0 ? Exit.void : Exit.failCause(combine(run.failures) as Cause.Cause<never>)
}

/** Tells the log of an observer's crash: once a run, and nobody waits for it. */
const logCrash = (fiber: Fiber.Fiber<unknown, unknown>) => (defect: unknown) => {
  Effect.runForkWith(fiber.context)(Effect.logError("an observer of effect-loader crashed", Cause.die(defect)))
}

interface RunOptions {
  readonly inputs: unknown
  readonly failFast: boolean
  /** Who watches this run beside those who watch all runs. */
  readonly reporter: Watcher | undefined
  readonly conclude: (run: Run) => Effect.Effect<unknown, unknown>
}

/** What watches a run, if anything does. */
const watchFor = (
  self: AnyLoader,
  fiber: Fiber.Fiber<unknown, unknown>,
  own: Watcher | undefined,
  enclosing: Enclosing | undefined
): RunWatch | undefined => {
  const watches = watchesOf(fiber.context)
  if (watches.length === 0 && own === undefined && enclosing?.reporter === undefined) return undefined
  const reporters = [own, enclosing?.reporter].filter((reporter) => reporter !== undefined)
  const onCrash = logCrash(fiber)
  const watchers = reporters.slice()
  for (const watch of watches) {
    try {
      const watcher = watch(fiber.context)
      if (watcher !== undefined) watchers.push(watcher)
    } catch (defect) {
      onCrash(defect)
    }
  }
  if (watchers.length === 0) return undefined
  const { program } = compiledOf(self)
  const clock = fiber.getRef(Clock.Clock)
  const parent = enclosing?.parent
  return new RunWatch({
    program,
    plan: plan(self),
    watchers,
    reporter: together(reporters),
    parent,
    clock,
    onCrash
  })
}

/** Several who report, as one. */
const together = (reporters: ReadonlyArray<Watcher>): Watcher | undefined =>
  reporters.length < 2 ? reporters[0] : { onEvent: (event) => reporters.forEach((reporter) => reporter.onEvent(event)) }

const makeRun = (self: AnyLoader, fiber: Fiber.Fiber<unknown, unknown>, options: RunOptions): Run => {
  const { foreseen, inBatches, limit, program, timeout } = compiledOf(self)
  const enclosing = fiber.getRef(Enclosing)
  const outer = enclosing?.slots
  const deadline = timeout === undefined ? Infinity : Duration.toMillis(timeout)
  const limits = program.limiters.length === 0 ? undefined : new RunLimits(program, fiber, deadline)
  const slots =
    limit === undefined && outer === undefined && limits === undefined
      ? undefined
      : new Slots(limit ?? Infinity, program.urgency, outer, limits)
  return new Run({
    program,
    // What is inside of this run is not directly inside of that one.
    context: enclosing === undefined ? fiber.context : Context.add(fiber.context, Enclosing, undefined),
    failFast: options.failFast,
    slots,
    limits,
    watch: watchFor(self, fiber, options.reporter, enclosing),
    // Level by level, nothing of a later level can come to a batch of this one.
    foreseen: inBatches ? undefined : foreseen,
    inside: enclosing?.inside
  })
}

/** Ends the run at its limit. It is the run that then ends, so that what it had done is not lost. */
const withLimit = (
  self: Effect.Effect<unknown, unknown>,
  run: Run,
  limit: Duration.Duration
): Effect.Effect<unknown, unknown> =>
  // A timeout would interrupt the run; this asks it to end, and takes what it then comes to.
  // @effect-diagnostics-next-line raceFirstWithSleepToTimeout:off
  Effect.raceFirst(
    self,
    Effect.flatMap(Effect.sleep(limit), () => {
      run.timeOut(limit)
      return Effect.never
    })
  )

const execute = (self: AnyLoader, options: RunOptions): Effect.Effect<unknown, unknown> =>
  Effect.withFiber((fiber) => {
    const compiled = compiledOf(self)
    const run = makeRun(self, fiber, options)
    const unusable = run.giveInputs(options.inputs, valuesOf(self))
    if (unusable !== undefined) return Exit.die(unusable)
    const interpreted = schedule(run, fiber, compiled.inBatches, options.conclude, concludeInterruption)
    return compiled.timeout === undefined ? interpreted : withLimit(interpreted, run, compiled.timeout)
  })

/** Whether the first argument is the loader: every function here takes it first or last. */
const isDataFirst = (args: IArguments): boolean => isLoader(args[0])

/** Inputs, as the last but one step of a pipe: everything but a loader. */
type Given<In> = In extends AnyLoader ? never : In

/**
 * Loads all targets, or fails with the first resource that could not be loaded.
 *
 * - On a failure that reaches a target nothing new starts, what runs is interrupted, and the load fails after the last
 *   finalizer. The cause holds all failures that had happened, the first first.
 * - `LoadTimeout`, where the option `timeout` is set, says what was loaded, in flight and not started.
 * - A resource that throws or dies is a defect of the load, annotated with `FailedResource`.
 * - Without one of its inputs it dies with an `InputError`, before anything runs.
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
  <In>(inputs: Given<In>): <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<A, E, R>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  execute(self, { inputs, failFast: true, reporter: undefined, conclude: concludeLoad })
)

/** The values that targets were loaded to, for those that were. */
const loadedValues = (run: Run): Record<string, unknown> => {
  const { keys, sources } = run.program.targets
  const values: Record<string, unknown> = {}
  keys.forEach((key, k) => {
    const loaded = run.value(sources[k]!)
    if (loaded !== undefined) values[key] = loaded.value
  })
  return values
}

/** Runs with an observer of its own; `conclude` gets the report of what that one saw. */
const executeReported = (
  self: AnyLoader,
  options: Pick<RunOptions, "inputs" | "failFast">,
  conclude: (run: Run, report: () => Report) => Effect.Effect<unknown>
): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    const events: Array<RunEvent> = []
    return execute(self, {
      ...options,
      reporter: { onEvent: (event) => events.push(event) },
      conclude: (run) => conclude(run, () => ({ ...fromEvents(events)!, values: loadedValues(run) }))
    })
  })

/**
 * Loads all that can be loaded, and reports what became of each resource.
 *
 * A failure, a defect or an interruption of one resource skips only what depends on it. At the loader's `timeout` what
 * still runs is interrupted, and `report.timedOut` is set. Interrupting the caller interrupts.
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
  <In>(inputs: Given<In>): <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<Report<A>, never, R>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  executeReported(self, { inputs, failFast: false }, (run, report) => {
    run.finish()
    return Exit.succeed(report())
  })
)

/**
 * What a load came to, and what it did on the way.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reported<out A, out E> {
  readonly exit: Exit.Exit<A, E>
  readonly report: Report<A>
}

/**
 * Loads as {@link load} does, and gives the exit together with the report. Interrupting the caller interrupts.
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
  <In>(inputs: Given<In>): <A, E, R, T>(self: Loader<A, E, R, In, T>) => Effect.Effect<Reported<A, E>, never, R>
} = /* @__PURE__ */ dual(isDataFirst, (self: AnyLoader, inputs?: unknown) =>
  executeReported(self, { inputs, failFast: true }, (run, report) =>
    Effect.map(Effect.exit(concludeLoad(run)), (exit) => ({ exit, report: report() }))
  )
)
