/**
 * Compiles nested loaders.
 *
 * A function may return a nested loader that is made later. The session of the outermost loader calls it once. If the
 * function compiles a loader itself, it returns before the session visits the loaders inside that one, so that neither deep
 * nor endless nesting needs the stack.
 */
import * as Result from "effect/Result"
import { deepest } from "../base/Nesting.ts"
import { cycle, GraphError, isGraphError } from "../compile/GraphError.ts"
import { describe } from "../base/ErrorText.ts"
import { type GraphIssue, longText, quoted, worded } from "../model/GraphIssue.ts"
import { type AnyLoader, type Compiled, compiledOf, type Declaration, type Nested } from "./Compiled.ts"
import {
  compileAlone,
  type Compilation,
  type CompilingSession,
  inSession,
  type LoaderInside,
  type LoaderSource
} from "./Compiling.ts"

/** A loader whose nested loaders are not all compiled yet. */
interface Open {
  readonly declaration: Declaration
  /** The outer loader, and the resource of it that runs this one. */
  readonly around: Open | undefined
  readonly resource: string
  readonly depth: number
  /** Empty if the loader has issues, which its caller gets at once. */
  readonly inside: ReadonlyArray<LoaderInside>
  next: number
  readonly issues: Array<GraphIssue>
  /** `undefined` if its own graph has issues. */
  readonly compiled: Compiled | undefined
}

const nameOf = ({ declaration }: Pick<Open, "declaration">): string => declaration.options.name ?? "anonymous"

const unsound = (loader: Pick<Open, "declaration">, issues: ReadonlyArray<GraphIssue>): GraphError =>
  new GraphError({ loader: nameOf(loader), issues })

const tooDeep = (resource: string, depth: number): GraphIssue =>
  worded(
    { _tag: "TooDeep", resource, depth },
    () => `the loader of ${quoted(resource)} has ${depth} loaders inside each other, which is too deep`
  )

const invalidLoader = (resource: string, defect: unknown): GraphIssue =>
  worded({ _tag: "InvalidLoader", resource, defect }, () =>
    isGraphError(defect)
      ? `the loader of ${quoted(resource)} is not sound: ${longText(defect.message.replaceAll("\n", "\n  "))}`
      : `the loader of ${quoted(resource)} could not be read: ${longText(describe(defect))}`
  )

/** The issue of a loader that contains itself, with the path back to it. */
const cycleOf = (outer: Open, inner: Open): GraphIssue => {
  const path = [nameOf(outer)]
  for (let at: Open | undefined = inner; at !== outer && at !== undefined; at = at.around) path.push(nameOf(at))
  path.push(nameOf(outer))
  return cycle(path.reverse())
}

/** The issue of functions that return new loaders without end: a cycle if resource and loader names repeat. */
const withoutEnd = (loader: Open, { resource }: LoaderInside): GraphIssue => {
  for (let at: Open | undefined = loader; at?.around !== undefined; at = at.around) {
    if (at.resource === resource && nameOf(at.around) === nameOf(loader)) return cycleOf(at.around, loader.around!)
  }
  return tooDeep(resource, loader.depth + 1)
}

class Session implements CompilingSession {
  /** The outermost first. */
  private readonly open: Array<Open> = []
  private readonly openBy = new Map<Declaration | Nested, Open>()
  /** The cycles of loaders, which are issues of all loaders in them. */
  private readonly cycles: Array<GraphIssue> = []
  /** Errors whose issues are all among the cycles. */
  private readonly known = new Set<unknown>()
  private readonly forget: Array<() => void> = []

  onUnsound(forget: () => void): void {
    this.forget.push(forget)
  }

  /** Compiles the loaders inside the outermost one. */
  run(declaration: Declaration, result: Compilation, inside: ReadonlyArray<LoaderInside>): Compilation {
    const outermost = this.enter(declaration, result, inside)
    this.lookInside()
    const found = [...this.cycles, ...outermost.issues]
    if (Result.isSuccess(result) && found.length === 0) return result
    for (const forget of this.forget) forget()
    return Result.fail(unsound(outermost, Result.isSuccess(result) ? found : [...result.failure.issues, ...found]))
  }

  /** Compiles a loader. Its nested loaders are visited after the function that compiles it has returned. */
  compile(declaration: Declaration, issues: ReadonlyArray<GraphIssue>): Compilation {
    const outer = this.openBy.get(declaration)
    if (outer !== undefined) {
      const issue = cycleOf(outer, this.open.at(-1)!)
      this.cycles.push(issue)
      const error = unsound(outer, [issue])
      this.known.add(error)
      return Result.fail(error)
    }
    const { inside, result } = compileAlone(declaration, issues)
    this.enter(declaration, result, Result.isSuccess(result) ? inside : [])
    return result
  }

  private enter(declaration: Declaration, result: Compilation, inside: ReadonlyArray<LoaderInside>): Open {
    const around = this.open.at(-1)
    const open: Open = {
      declaration,
      around,
      resource: around?.inside[around.next - 1]?.resource ?? "",
      depth: this.open.length + 1,
      inside,
      next: 0,
      issues: [],
      compiled: Result.isSuccess(result) ? result.success : undefined
    }
    this.open.push(open)
    this.openBy.set(declaration, open)
    if (open.compiled !== undefined) this.openBy.set(open.compiled.nested, open)
    return open
  }

  /** Visits all nested loaders. The innermost are done first. */
  private lookInside(): void {
    for (let loader = this.open.at(-1); loader !== undefined; loader = this.open.at(-1)) {
      const inside = loader.inside[loader.next++]
      if (inside === undefined) this.close(loader)
      else if (loader.depth < deepest) this.look(loader, inside)
      else return void this.cycles.push(withoutEnd(loader, inside))
    }
  }

  private look(loader: Open, { resource, source }: LoaderInside): void {
    try {
      const { nested } = compiledOf(source.loader() as AnyLoader)
      const outer = this.openBy.get(nested)
      if (outer !== undefined && outer.depth <= loader.depth) this.cycles.push(cycleOf(outer, loader))
    } catch (defect) {
      if (!this.known.has(defect)) loader.issues.push(invalidLoader(resource, defect))
    }
  }

  /** All its nested loaders are compiled. */
  private close(loader: Open): void {
    this.open.pop()
    this.openBy.delete(loader.declaration)
    const { around, compiled, inside, issues, resource } = loader
    if (compiled !== undefined) this.openBy.delete(compiled.nested)
    if (compiled !== undefined && issues.length === 0 && this.cycles.length === 0) {
      const { nested } = compiled
      for (const { resource, source } of inside) {
        const depth = compiledOf(source.loader() as AnyLoader).nested.depth + 1
        if (depth > deepest) issues.push(tooDeep(resource, depth))
        nested.depth = Math.max(nested.depth, depth)
      }
    }
    if (issues.length > 0) around?.issues.push(invalidLoader(resource, unsound(loader, issues)))
  }
}

/** Compiles the nested loaders of a loader whose own graph is compiled. */
export const compileInside: LoaderSource["compileInside"] = (declaration, result, inside) => {
  const session = new Session()
  return inSession(session, () => session.run(declaration, result, inside))
}
