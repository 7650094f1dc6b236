/**
 * Compiles the declaration of a loader. Nested loaders bring the code that compiles them: see `loader/CompilingInside.ts`.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { toDuration } from "../base/DurationInput.ts"
import { compile as compileProgram } from "../compile/Compiler.ts"
import type { LookInside } from "../compile/Discovery.ts"
import { type GraphError, type GraphIssue, invalidOption } from "../compile/GraphError.ts"
import { isPolicy } from "../model/Policy.ts"
import type { LoadSource } from "../model/Resource.ts"
import type { Compiled, Declaration, Options } from "./Compiled.ts"

export type Compilation = Result.Result<Compiled, GraphError>

/** The compilation of one loader with all its nested loaders. */
export interface CompilingSession {
  readonly compile: (declaration: Declaration, issues: ReadonlyArray<GraphIssue>) => Compilation
  /** Registers a function that forgets a result, called if the outermost loader has issues. */
  readonly onUnsound: (forget: () => void) => void
}

let current: CompilingSession | undefined = undefined

/** Runs a session: loaders compiled meanwhile are part of it. */
export const inSession = <A>(session: CompilingSession, f: () => A): A => {
  current = session
  try {
    return f()
  } finally {
    current = undefined
  }
}

/**
 * Calls a function once and keeps its result, unless it is part of a loader with issues. An exception, as from a module that is
 * not initialized yet, is not kept.
 */
export const once = <A>(f: () => A): (() => A) => {
  let known: { readonly value: A } | undefined
  return () => {
    if (known === undefined) {
      known = { value: f() }
      current?.onUnsound(() => (known = undefined))
    }
    return known.value
  }
}

/** A resource that runs another loader. */
export interface LoaderInside {
  readonly resource: string
  readonly source: LoaderSource
}

/** Compiles a graph without its nested loaders, and returns those. */
export const compileAlone = (
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue>
): { readonly result: Compilation; readonly inside: ReadonlyArray<LoaderInside> } => {
  const inside: Array<LoaderInside> = []
  const found: LookInside = (resource, source) => void inside.push({ resource, source: source as LoaderSource })
  return { result: compileGraph(declaration, issues, found), inside }
}

/** A source that runs another loader, and brings the code that compiles nested loaders. */
export interface LoaderSource extends LoadSource {
  readonly loader: () => unknown
  readonly compileInside: (
    declaration: Declaration,
    result: Compilation,
    inside: ReadonlyArray<LoaderInside>
  ) => Compilation
}

/** Compiles a declaration. Reports `issues` together with its own. */
export const compileDeclaration = (declaration: Declaration, issues: ReadonlyArray<GraphIssue> = []): Compilation => {
  if (current !== undefined) return current.compile(declaration, issues)
  const { inside, result } = compileAlone(declaration, issues)
  const [first] = inside
  return first === undefined ? result : first.source.compileInside(declaration, result, inside)
}

const isLimit = (limit: unknown): boolean => limit === "unbounded" || (Number.isInteger(limit) && Number(limit) > 0)

const checkOptions = ({
  compensationConcurrency,
  concurrency,
  onCompensationFailure,
  policy,
  scheduling,
  timeout
}: Options): ReadonlyArray<GraphIssue> => {
  const issues: Array<GraphIssue> = []
  const refuse = (option: string, value: unknown, expected: string): void => {
    issues.push(invalidOption(option, value, expected))
  }
  for (const [option, limit] of Object.entries({ concurrency, compensationConcurrency })) {
    if (limit !== undefined && !isLimit(limit)) refuse(option, limit, 'a whole number from 1, or "unbounded"')
  }
  if (scheduling !== undefined && scheduling !== "eager" && scheduling !== "batched") {
    refuse("scheduling", scheduling, '"eager" or "batched"')
  }
  if (timeout !== undefined && toDuration(timeout) === undefined) refuse("timeout", timeout, "a duration of 0 or more")
  if (policy !== undefined && !isPolicy(policy)) refuse("policy", policy, "a policy")
  if (onCompensationFailure !== undefined && typeof onCompensationFailure !== "function") {
    refuse("onCompensationFailure", onCompensationFailure, "a function")
  }
  return issues
}

const compileGraph = (declaration: Declaration, issues: ReadonlyArray<GraphIssue>, inside: LookInside): Compilation => {
  const { extensions = none, options, substitution, targets } = declaration
  const { concurrency, scheduling, timeout } = options
  const known = [...issues, ...checkOptions(options)]
  return Result.map(compileProgram(targets, { ...options, substitution, inside }, known), (program) => ({
    declaration,
    program,
    nested: { depth: 1 },
    extensions,
    limit: concurrency === "unbounded" ? undefined : concurrency,
    timeout: timeout === undefined ? undefined : Duration.fromInputUnsafe(timeout),
    inBatches: scheduling === "batched"
  }))
}

const none: ReadonlyArray<never> = []
