/**
 * What a loader is: a declaration, compiled, and the values that are given with it.
 *
 * @since 0.1.0
 */
import { Duration, type Effect, type Exit, Result } from "effect"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type { Hold } from "../batching/Hold.ts"
import { compile as compileProgram } from "../compile/Compiler.ts"
import { type Foreseen, foresee } from "../compile/Foreseen.ts"
import { GraphError, type GraphIssue } from "../compile/GraphError.ts"
import { fromProgram, type Plan } from "../compile/Plan.ts"
import type { Program } from "../compile/Program.ts"
import type { Substitution } from "../compile/Substitution.ts"
import { toDuration } from "../base/DurationInput.ts"
import type { Policy } from "../model/Policy.ts"
import type { Deps } from "../model/Resource.ts"
import type { RollbackError } from "./saga/CompensationError.ts"

const TypeId = "~effect-loader/Loader"

/**
 * Targets compiled once, run many times.
 *
 * - `A`: the values of the targets, by key.
 * - `E`: what a load can fail with: a `ResourceError` for each resource that can fail, and `LoadTimeout` where the
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
 * - `timeout`: how long a run may take; at the limit everything is interrupted, and the run ends after the last
 *   finalizer. Default: no limit.
 * - `policy`: a default policy: those of its parts whose kind a resource lacks go innermost.
 * - `compensationConcurrency`: how many compensations may run at once when a load is undone; default: as many as
 *   `concurrency` says.
 * - `onCompensationFailure`: told once, at the end of a run, of everything that could not be undone. It cannot be
 *   interrupted; what it fails with is logged. Without it, the log is told.
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
  readonly policy?: Policy<PE, PR>
  readonly scheduling?: "eager" | "batched"
  readonly compensationConcurrency?: number | "unbounded"
  readonly onCompensationFailure?: (error: RollbackError) => Effect.Effect<unknown, unknown, unknown>
}

/** What a loader was made from, so that it can be compiled again with something changed. */
export interface Declaration {
  readonly targets: Deps
  readonly options: Options
  readonly substitution: Substitution
  /** What is run at the end of each load, with its exit. */
  readonly onExit?: ReadonlyArray<OnExit>
}

export type OnExit = (exit: Exit.Exit<unknown, unknown>) => unknown

/** What a loader is made of. */
export interface Compiled {
  readonly declaration: Declaration
  readonly program: Program
  /** The steps for which batches are held, where there are any. */
  readonly foreseen: ReadonlyArray<Foreseen> | undefined
  readonly limit: number | undefined
  readonly timeout: Duration.Duration | undefined
  readonly inBatches: boolean
  /** How many compensations may run at once. */
  readonly undoLimit: number
}

/** What is given with a loader: the values of its presets, by their keys. */
export type GivenValues = ReadonlyMap<string, unknown>

const Proto = {
  [TypeId]: { _A: undefined, _E: undefined, _R: undefined, _In: undefined, _Targets: undefined },
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

/** Types are for the caller to say; here is only the value that stands for them. */
export const fromCompiled = (compiled: Compiled, values: GivenValues): never =>
  Object.assign(Object.create(Proto), { compiled, values }) as never

/**
 * Whether a value is a loader.
 *
 * @since 0.1.0
 * @category guards
 */
export const isLoader = (u: unknown): u is AnyLoader => typeof u === "object" && u !== null && TypeId in u

const isLimit = (limit: unknown): boolean => limit === "unbounded" || (Number.isInteger(limit) && Number(limit) > 0)

const checkOptions = ({
  compensationConcurrency,
  concurrency,
  scheduling,
  timeout
}: Options): ReadonlyArray<GraphIssue> => {
  const issues: Array<GraphIssue> = []
  const refuse = (option: string, value: unknown, expected: string): void => {
    issues.push({ _tag: "InvalidOption", option, value, expected })
  }
  for (const [option, limit] of Object.entries({ concurrency, compensationConcurrency })) {
    if (limit !== undefined && !isLimit(limit)) refuse(option, limit, 'a whole number from 1, or "unbounded"')
  }
  if (scheduling !== undefined && scheduling !== "eager" && scheduling !== "batched") {
    refuse("scheduling", scheduling, '"eager" or "batched"')
  }
  if (timeout !== undefined && toDuration(timeout) === undefined) refuse("timeout", timeout, "a duration of 0 or more")
  return issues
}

/** What is being compiled now: a loader inside a resource is compiled while the loader around it is. */
const compiling: Array<Declaration> = []

const nameOf = ({ options }: Declaration): string => options.name ?? "anonymous"

/** A declaration, compiled; beside what is wrong with it, `issues` are told too. */
export const compileDeclaration = (
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue> = []
): Result.Result<Compiled, GraphError> => {
  const outer = compiling.indexOf(declaration)
  if (outer >= 0) {
    const path = [...compiling.slice(outer), declaration].map(nameOf)
    return Result.fail(new GraphError({ loader: nameOf(declaration), issues: [{ _tag: "Cycle", path }] }))
  }
  compiling.push(declaration)
  try {
    return compileSound(declaration, issues)
  } finally {
    compiling.pop()
  }
}

const compileSound = (
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue>
): Result.Result<Compiled, GraphError> => {
  const { options, substitution, targets } = declaration
  const { compensationConcurrency, concurrency, name, policy, scheduling, timeout } = options
  const undoLimit = compensationConcurrency ?? concurrency ?? "unbounded"
  const known = [...issues, ...checkOptions(options)]
  return Result.map(compileProgram(targets, { name, policy, substitution }, known), (program) => ({
    declaration,
    program,
    foreseen: foresee(program, holdsInside),
    limit: concurrency === "unbounded" ? undefined : concurrency,
    timeout: timeout === undefined ? undefined : Duration.fromInputUnsafe(timeout),
    inBatches: scheduling === "batched",
    undoLimit: undoLimit === "unbounded" ? Infinity : undoLimit
  }))
}

const holdsInside = (loader: unknown): ReadonlyArray<Hold> => {
  const { foreseen = [] } = compiledOf(loader as AnyLoader)
  return Array.from(new Set(foreseen.flatMap(({ holds }) => holds)))
}

/** The plan of a loader: the same object however often it is asked for. */
export const planOf = (compiled: Compiled): Plan => {
  let known = plans.get(compiled)
  if (known === undefined) plans.set(compiled, (known = toPlan(compiled)))
  return known
}

const plans = new WeakMap<Compiled, Plan>()

const toPlan = ({ inBatches, limit, program, timeout }: Compiled): Plan => {
  const settings = {
    scheduling: inBatches ? ("batched" as const) : ("eager" as const),
    ...(limit === undefined ? {} : { concurrency: limit }),
    ...(timeout === undefined || !Duration.isFinite(timeout) ? {} : { timeout: Duration.toMillis(timeout) })
  }
  return fromProgram(program, settings, ({ source }) =>
    source._tag === "Loader" ? planOf(compiledOf(source.loader() as AnyLoader)) : undefined
  )
}
