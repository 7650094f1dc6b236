/**
 * What can be wrong with a graph, all of it found before anything runs.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { describe as inWords } from "../base/ErrorText.ts"
import { isTagged } from "../base/Tagged.ts"
import { type GraphIssue, longText, type NotAResource, phrase, quoted, shortName, textOf } from "../model/GraphIssue.ts"

export type { GraphIssue, NotAResource } from "../model/GraphIssue.ts"

/** How much a message shows. */
const longestPath = 12
const mostUses = 3
const mostIssues = 50
const longestMessage = 10_000

const valueOf = (value: unknown): string =>
  shortName(
    typeof value === "object" || typeof value === "function"
      ? inWords(value)
      : String(value as string | number | boolean | bigint | symbol | undefined)
  )

const showPath = (path: ReadonlyArray<string>): string => {
  const names = (from: number, to?: number) => path.slice(from, to).map(shortName)
  const shown =
    path.length <= longestPath
      ? names(0)
      : [...names(0, longestPath / 2), `... ${path.length - longestPath} more ...`, ...names(-longestPath / 2)]
  return shown.join(" -> ")
}

/** The first of several, and how many are left out. */
const first = (all: ReadonlyArray<string>, separator: string): string =>
  all.length <= mostUses
    ? all.join(separator)
    : `${all.slice(0, mostUses).join(separator)} and ${all.length - mostUses} more`

const showPlace = ({ key = "", place, resource = "" }: NotAResource): string => {
  switch (place) {
    case "target":
      return `target ${quoted(key)}`
    case "dependency":
      return `dependency ${quoted(key)} of ${quoted(resource)}`
    case "after":
      return `an entry in \`after\` of ${quoted(resource)}`
    case "case":
      return `case ${quoted(key)} of ${quoted(resource)}`
    case "on":
    case "orElse":
      return `\`${place}\` of ${quoted(resource)}`
  }
}

const describe = (issue: GraphIssue): string => {
  switch (issue._tag) {
    case "Cycle":
      return `cycle: ${showPath(issue.path)}; each of these waits for the next, so none could ever start`
    case "MoreCycles":
      return `${issue.dependencies} more dependencies close cycles: those above are the first`
    case "DuplicateName":
      return (
        `duplicate name ${quoted(issue.name)}: ${issue.uses.length} different resources have it, used by ` +
        first(
          issue.uses.map((uses) =>
            first(
              uses.map((use) => phrase(use)),
              ", "
            )
          ),
          "; and by "
        ) +
        (issue.sameDeclaration
          ? "; they are the same declaration, different policies: pipe once and use that value everywhere"
          : "; rename all but one; if there is only one, its module was evaluated twice (by a hot reload, or as two copies)")
      )
    case "NotAResource":
      return (
        `${showPlace(issue)} is not a resource but ${shortName(issue.value)}` +
        (issue.value === "undefined" ? "; if it is declared later, give the dependencies as a function" : "")
      )
    case "InvalidDependencies":
      return `the dependencies of ${quoted(issue.resource)} could not be read: ${longText(inWords(issue.defect))}`
    case "InvalidName":
      return (
        `${phrase(issue.use)} cannot be called ${typeof issue.name === "string" ? JSON.stringify(shortName(issue.name)) : valueOf(issue.name)}: ` +
        'names and keys are strings, not empty and not "__proto__"'
      )
    case "InvalidOption":
      return `option ${quoted(issue.option)}: expected ${phrase(issue.expected)}, got ${valueOf(issue.value)}`
    default:
      return textOf(issue)
  }
}

/** One issue a line, and how many are left out. */
const linesOf = (issues: ReadonlyArray<GraphIssue>): string => {
  let lines = ""
  let shown = 0
  for (; shown < Math.min(issues.length, mostIssues) && lines.length < longestMessage; shown++) {
    lines += `\n  - ${describe(issues[shown]!)}`
  }
  return shown === issues.length ? lines : `${lines}\n  ... and ${issues.length - shown} more`
}

/**
 * A graph cannot be compiled, and this is everything that is wrong with it.
 *
 * `Loader.make` throws it, `Loader.compile` gives it as a `Result`: it is a mistake in the program, not in its data.
 * `issues` has all of them; `message` lists them, one a line, as far as fits: what it leaves out it counts.
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

/** Whether an error is that of a graph, also of another copy of the library. */
export const isGraphError = (error: unknown): error is GraphError => isTagged(error, "GraphError", "issues")
