/**
 * The error of a graph that cannot be compiled.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { isTagged } from "../base/Tagged.ts"
import { valueText } from "../base/ValueText.ts"
import { describe } from "../base/ErrorText.ts"
import {
  type GraphIssue,
  longText,
  type NotAResource,
  phrase,
  quoted,
  shortName,
  textOf,
  worded
} from "../model/GraphIssue.ts"

export type { GraphIssue, NotAResource } from "../model/GraphIssue.ts"

/** The limits of a message. */
const longestPath = 12
const mostUses = 3
const mostIssues = 50
const longestMessage = 10_000

/** A value in a word or two: an object by its kind, in the place of a resource. */
const shown = (value: unknown): string =>
  typeof value === "object" || typeof value === "function"
    ? valueText(value)
    : String(value as string | number | boolean | bigint | symbol | undefined)

const valueOf = (value: unknown): string => shortName(describe(value))

const showPath = (path: ReadonlyArray<string>): string => {
  const names = path.map(shortName)
  const most = longestPath / 2
  if (names.length > longestPath)
    names.splice(most, names.length - longestPath, `... ${names.length - longestPath} more ...`)
  return names.join(" -> ")
}

/** The first items, and the number of the others. */
const first = (all: ReadonlyArray<string>, separator: string): string =>
  all.slice(0, mostUses).join(separator) + (all.length > mostUses ? ` and ${all.length - mostUses} more` : "")

export const cycle = (path: ReadonlyArray<string>): GraphIssue =>
  worded(
    { _tag: "Cycle", path },
    () => `cycle: ${showPath(path)}; each of these waits for the next, so none could ever start`
  )

export const moreCycles = (dependencies: number): GraphIssue =>
  worded(
    { _tag: "MoreCycles", dependencies },
    () => `${dependencies} more dependencies close cycles: those above are the first`
  )

export const duplicateName = (
  name: string,
  uses: ReadonlyArray<ReadonlyArray<string>>,
  sameDeclaration: boolean
): GraphIssue =>
  worded({ _tag: "DuplicateName", name, uses, sameDeclaration }, () => {
    const used = uses.map((some) => first(some.map(phrase), ", "))
    const todo = sameDeclaration
      ? "they are the same declaration, different policies: pipe once and use that value everywhere"
      : "rename all but one; if there is only one, its module was evaluated twice (by a hot reload, or as two copies)"
    return `duplicate name ${quoted(name)}: ${uses.length} different resources have it, used by ${first(used, "; and by ")}; ${todo}`
  })

/** `where`: the place, in words. */
export const notAResource = (place: Omit<NotAResource, "_tag" | "value">, where: string, value: unknown): GraphIssue =>
  worded(
    { _tag: "NotAResource", ...place, value: shown(value) },
    () =>
      `${where} is not a resource but ${shortName(shown(value))}` +
      (value === undefined ? "; if it is declared later, give the dependencies as a function" : "")
  )

export const invalidDependencies = (resource: string, defect: unknown): GraphIssue =>
  worded(
    { _tag: "InvalidDependencies", resource, defect },
    () => `the dependencies of ${quoted(resource)} could not be read: ${longText(describe(defect))}`
  )

export const invalidName = (name: unknown, use: string): GraphIssue =>
  worded({ _tag: "InvalidName", name, use }, () => {
    const called = typeof name === "string" ? JSON.stringify(shortName(name)) : valueOf(name)
    return `${phrase(use)} cannot be called ${called}: names and keys are strings, not empty and not "__proto__"`
  })

export const invalidOption = (option: string, value: unknown, expected: string): GraphIssue =>
  worded(
    { _tag: "InvalidOption", option, value, expected },
    () => `option ${quoted(option)}: expected ${phrase(expected)}, got ${valueOf(value)}`
  )

/** One issue per line, and the number of the others. */
const linesOf = (issues: ReadonlyArray<GraphIssue>): string => {
  let lines = ""
  let shown = 0
  for (const issue of issues) {
    if (shown === mostIssues || lines.length >= longestMessage) {
      return `${lines}\n  ... and ${issues.length - shown} more`
    }
    lines += `\n  - ${textOf(issue)}`
    shown++
  }
  return lines
}

/**
 * A graph cannot be compiled: all its issues.
 *
 * `Loader.make` throws it, `Loader.compile` returns it in a `Result`: it is a mistake in the program, not in its data.
 * `issues` has all issues; `message` lists the first ones, one per line, and the number of the others.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const a: Resource.Resource<"a", number> = Resource.make("a", { deps: () => ({ b }), load: () => Effect.succeed(1) })
 * const b: Resource.Resource<"b", number> = Resource.make("b", { deps: () => ({ a }), load: () => Effect.succeed(2) })
 *
 * try {
 *   Loader.make({ a })
 * } catch (error) {
 *   console.log(String(error)) // ... cycle: a -> b -> a; each of these waits for the next, so none could ever start
 * }
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class GraphError extends Data.TaggedError("GraphError")<{
  readonly message: string
  readonly loader: string
  readonly issues: ReadonlyArray<GraphIssue>
}> {
  constructor(props: { readonly loader: string; readonly issues: ReadonlyArray<GraphIssue> }) {
    const count = props.issues.length === 1 ? "1 problem" : `${props.issues.length} problems`
    super({ ...props, message: `${count} in the graph of loader ${quoted(props.loader)}:${linesOf(props.issues)}` })
  }
}

/** Whether an error is a `GraphError`, also of another copy of the library. */
export const isGraphError = (error: unknown): error is GraphError => isTagged(error, "GraphError", "issues")
