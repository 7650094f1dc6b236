/**
 * From a declaration to what runs, with all the loaders inside it.
 *
 * A loader inside may be given by a function, for one that is made later. Such a function is called once, when the
 * outermost of the loaders that are being compiled comes to it: one that compiles a loader itself returns before the
 * loaders inside that one are looked at, so that neither a deep nesting nor one without an end needs the stack.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { toDuration } from "../base/DurationInput.ts"
import { deepest } from "../base/Nesting.ts"
import type { Hold } from "../batching/Hold.ts"
import { compile as compileProgram } from "../compile/Compiler.ts"
import type { LookInside } from "../compile/Discovery.ts"
import { foresee } from "../request/Foreseen.ts"
import { GraphError, type GraphIssue } from "../compile/GraphError.ts"
import { type AnyLoader, type Compiled, compiledOf, type Declaration, type Nested, type Options } from "./Compiled.ts"

/** A resource that runs another loader. */
interface Inside {
  readonly resource: string
  readonly loader: () => unknown
}

/** A loader whose loaders inside have not all been looked at. */
interface Open {
  readonly declaration: Declaration
  /** In which loader it was found, and in which resource of that one. */
  readonly around: Open | undefined
  readonly resource: string
  readonly depth: number
  readonly inside: Array<Inside>
  next: number
  readonly issues: Array<GraphIssue>
  /** Missing where its own graph is not sound. */
  compiled: Compiled | undefined
}

/** All loaders that are compiled because of one. */
interface Session {
  /** The outermost first. */
  readonly open: Array<Open>
  readonly openBy: Map<Declaration | Nested, Open>
  /** Which loaders contain themselves: that is wrong with all of them. */
  readonly cycles: Array<GraphIssue>
  /** Errors that tell only what is among the cycles. */
  readonly known: Set<unknown>
  /** Forgets what functions have given, where it is not sound. */
  readonly forget: Array<() => void>
}

let session: Session | undefined = undefined

/**
 * A function that is called once: what it gives is kept, unless it is part of a loader that is not sound. What it throws, as
 * where a module is read before it was initialized, is not kept.
 */
export const once = <A>(f: () => A): (() => A) => {
  let known: { readonly value: A } | undefined
  return () => {
    if (known === undefined) {
      known = { value: f() }
      session?.forget.push(() => (known = undefined))
    }
    return known.value
  }
}

const nameOf = ({ declaration }: Open): string => declaration.options.name ?? "anonymous"

const unsound = (loader: Open, issues: ReadonlyArray<GraphIssue>): GraphError =>
  new GraphError({ loader: nameOf(loader), issues })

/** A loader is to be inside of itself: from it to the one that contains it again. */
const cycleOf = (outer: Open, inner: Open): GraphIssue => {
  const path = [nameOf(outer)]
  for (let at: Open | undefined = inner; at !== outer && at !== undefined; at = at.around) path.push(nameOf(at))
  path.push(nameOf(outer))
  return { _tag: "Cycle", path: path.reverse() }
}

/** A declaration, compiled; `issues` are told together with all that is wrong with it. */
export const compileDeclaration = (
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue> = []
): Result.Result<Compiled, GraphError> => {
  if (session !== undefined) return compileInside(session, declaration, issues)
  const outermost: Session = { open: [], openBy: new Map(), cycles: [], known: new Set(), forget: [] }
  session = outermost
  try {
    const { open, result } = compileOne(outermost, declaration, issues)
    lookInside(outermost)
    const found = [...outermost.cycles, ...open.issues]
    if (Result.isSuccess(result) && found.length === 0) return result
    for (const forget of outermost.forget) forget()
    return Result.fail(unsound(open, Result.isSuccess(result) ? found : [...result.failure.issues, ...found]))
  } finally {
    session = undefined
  }
}

/** What is inside of it is looked at when the function that has it compiled has returned. */
const compileInside = (
  session: Session,
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue>
): Result.Result<Compiled, GraphError> => {
  const outer = session.openBy.get(declaration)
  if (outer !== undefined) {
    const issue = cycleOf(outer, session.open.at(-1)!)
    session.cycles.push(issue)
    const error = unsound(outer, [issue])
    session.known.add(error)
    return Result.fail(error)
  }
  const { open, result } = compileOne(session, declaration, issues)
  // Whoever asks is told at once of what is wrong with it.
  if (Result.isFailure(result)) open.inside.length = 0
  return result
}

const compileOne = (
  session: Session,
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue>
): { readonly open: Open; readonly result: Result.Result<Compiled, GraphError> } => {
  const around = session.open.at(-1)
  const inside: Array<Inside> = []
  const open: Open = {
    declaration,
    around,
    resource: around?.inside[around.next - 1]?.resource ?? "",
    depth: session.open.length + 1,
    inside,
    next: 0,
    issues: [],
    compiled: undefined
  }
  session.open.push(open)
  session.openBy.set(declaration, open)
  const result = compileGraph(declaration, issues, (resource, loader) => void inside.push({ resource, loader }))
  if (Result.isSuccess(result)) {
    open.compiled = result.success
    session.openBy.set(result.success.nested, open)
  }
  return { open, result }
}

/** Looks at all loaders inside, the innermost first done. */
const lookInside = (session: Session): void => {
  const { cycles, open } = session
  for (let loader = open.at(-1); loader !== undefined; loader = open.at(-1)) {
    const inside = loader.inside[loader.next++]
    if (inside === undefined) close(session, loader)
    else if (loader.depth < deepest) look(session, loader, inside)
    else return void cycles.push(withoutEnd(loader, inside))
  }
}

/** Functions that give ever more loaders: those that are called the same are told as one. */
const withoutEnd = (loader: Open, { resource }: Inside): GraphIssue => {
  for (let at: Open | undefined = loader; at?.around !== undefined; at = at.around) {
    if (at.resource === resource && nameOf(at.around) === nameOf(loader)) return cycleOf(at.around, loader.around!)
  }
  return { _tag: "TooDeep", resource, depth: loader.depth + 1 }
}

const look = (session: Session, loader: Open, { loader: give, resource }: Inside): void => {
  try {
    const { nested } = compiledOf(give() as AnyLoader)
    const outer = session.openBy.get(nested)
    if (outer !== undefined && outer.depth <= loader.depth) session.cycles.push(cycleOf(outer, loader))
  } catch (defect) {
    if (!session.known.has(defect)) loader.issues.push({ _tag: "InvalidLoader", resource, defect })
  }
}

/** All that is inside of it has been looked at. */
const close = ({ cycles, open, openBy }: Session, loader: Open): void => {
  open.pop()
  openBy.delete(loader.declaration)
  const { around, compiled, inside, issues, resource } = loader
  if (compiled !== undefined) openBy.delete(compiled.nested)
  if (compiled !== undefined && issues.length === 0 && cycles.length === 0) {
    const { nested, program } = compiled
    for (const { loader, resource } of inside) {
      const depth = compiledOf(loader() as AnyLoader).nested.depth + 1
      if (depth > deepest) issues.push({ _tag: "TooDeep", resource, depth })
      nested.depth = Math.max(nested.depth, depth)
    }
    nested.foreseen = foresee(program, holdsInside)
  }
  if (issues.length > 0) around?.issues.push({ _tag: "InvalidLoader", resource, defect: unsound(loader, issues) })
}

const holdsInside = (loader: unknown): ReadonlyArray<Hold> => {
  const { foreseen = [] } = compiledOf(loader as AnyLoader).nested
  return Array.from(new Set(foreseen.flatMap(({ holds }) => holds)))
}

const isLimit = (limit: unknown): boolean => limit === "unbounded" || (Number.isInteger(limit) && Number(limit) > 0)

const checkOptions = ({
  compensationConcurrency,
  concurrency,
  onCompensationFailure,
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
  if (onCompensationFailure !== undefined && typeof onCompensationFailure !== "function") {
    refuse("onCompensationFailure", onCompensationFailure, "a function")
  }
  return issues
}

const compileGraph = (
  declaration: Declaration,
  issues: ReadonlyArray<GraphIssue>,
  inside: LookInside
): Result.Result<Compiled, GraphError> => {
  const { options, substitution, targets } = declaration
  const { compensationConcurrency, concurrency, name, policy, scheduling, timeout } = options
  const undoLimit = compensationConcurrency ?? concurrency ?? "unbounded"
  const known = [...issues, ...checkOptions(options)]
  return Result.map(compileProgram(targets, { name, policy, substitution, inside }, known), (program) => ({
    declaration,
    program,
    nested: { depth: 1, foreseen: undefined },
    limit: concurrency === "unbounded" ? undefined : concurrency,
    timeout: timeout === undefined ? undefined : Duration.fromInputUnsafe(timeout),
    inBatches: scheduling === "batched",
    undoLimit: undoLimit === "unbounded" ? Infinity : undoLimit
  }))
}
