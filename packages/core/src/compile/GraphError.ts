/**
 * What can be wrong with a graph, all of it found before anything runs.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { describe as inWords } from "../base/ErrorText.ts"
import { isTagged } from "../base/Tagged.ts"

/**
 * What stands where a resource is needed, and is none.
 *
 * - `place`: where it was given: among a loader's targets, among the dependencies or in the `after` of a resource, or what a
 *   choice decides by, chooses for a value, or for every other.
 * - `resource`: the resource that it was given to; there is none for a target.
 * - `key`: the key that it was given under: the target's, the dependency's, the case's, its place in `after`.
 * - `value`: what was given, in a word or two.
 *
 * @since 0.1.0
 * @category models
 */
export interface NotAResource {
  readonly _tag: "NotAResource"
  readonly place: "target" | "dependency" | "after" | "on" | "case" | "orElse"
  readonly resource?: string
  readonly key?: string
  readonly value: string
}

/**
 * One thing that is wrong with a graph.
 *
 * - `Cycle`: these resources wait for each other, or these loaders contain each other; `path` starts and ends with the
 *   same name. Every dependency that closes a cycle is in at least one of those told.
 * - `MoreCycles`: how many dependencies close cycles that are not told, where there are too many to tell.
 * - `TooDeep`: a loader inside has more loaders inside each other than can be run.
 * - `DuplicateName`: different resources share a name. `uses` tells where each of them is used;
 *   `sameDeclaration` that they come from one declaration and differ by what was piped onto it.
 * - `MisplacedPolicy`: a policy stands where it can have no effect, and why.
 * - `NotAResource`: a dependency or target that is no resource, as when a module is read before it was initialized: see
 *   {@link NotAResource}.
 * - `InvalidDependencies`: a `deps` or `after` function threw, or gave no object of resources.
 * - `InvalidLoader`: the loader inside a resource is none, or its own graph is not sound.
 * - `InvalidName`: a name or a key that is empty, not a string, or `__proto__`.
 * - `DuplicateTarget`: two loaders that are to become one have different targets of one key.
 * - `NotLoaded`: something is to take the place of a resource, or of a target, that the loader does not load.
 * - `EscapesTransaction`: a loader is to run in a transaction, and a resource would do work that this cannot undo.
 * - `DifferentProtections`: two resources ask one resolver, whose calls they share, and differ in the circuit breakers and rate
 *   limits around them.
 * - `InvalidOption`: a loader's option with a value that it cannot have.
 *
 * @since 0.1.0
 * @category models
 */
export type GraphIssue =
  | { readonly _tag: "Cycle"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "MoreCycles"; readonly dependencies: number }
  | { readonly _tag: "TooDeep"; readonly resource: string; readonly depth: number }
  | {
      readonly _tag: "DuplicateName"
      readonly name: string
      readonly uses: ReadonlyArray<ReadonlyArray<string>>
      readonly sameDeclaration: boolean
    }
  | { readonly _tag: "MisplacedPolicy"; readonly resource: string; readonly policy: string; readonly reason: string }
  | NotAResource
  | { readonly _tag: "InvalidDependencies"; readonly resource: string; readonly defect: unknown }
  | { readonly _tag: "InvalidLoader"; readonly resource: string; readonly defect: unknown }
  | { readonly _tag: "InvalidName"; readonly name: unknown; readonly use: string }
  | { readonly _tag: "DuplicateTarget"; readonly key: string }
  | { readonly _tag: "NotLoaded"; readonly name: string; readonly use: string }
  | { readonly _tag: "EscapesTransaction"; readonly resource: string; readonly reason: string }
  | {
      readonly _tag: "DifferentProtections"
      readonly resources: readonly [string, string]
      readonly policies: readonly [string, string]
    }
  | { readonly _tag: "InvalidOption"; readonly option: string; readonly value: unknown; readonly expected: string }

/** How much of what a message shows it shows: names and texts can be as long as what made them. */
const longestName = 100
const longestText = 2_000
const longestPath = 12
const mostUses = 3
const mostIssues = 50
const longestMessage = 10_000

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}... ${text.length - longest} characters more`

const nameOf = (name: string): string => cut(name, longestName)

const quoted = (name: string): string => `"${nameOf(name)}"`

const valueOf = (value: unknown): string =>
  cut(
    typeof value === "object" || typeof value === "function"
      ? inWords(value)
      : String(value as string | number | boolean | bigint | symbol | undefined),
    longestName
  )

const showPath = (path: ReadonlyArray<string>): string => {
  const names = (from: number, to?: number) => path.slice(from, to).map(nameOf)
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
    case "TooDeep":
      return `the loader of ${quoted(issue.resource)} has ${issue.depth} loaders inside each other, which is too deep`
    case "DuplicateName":
      return (
        `duplicate name ${quoted(issue.name)}: ${issue.uses.length} different resources have it, used by ` +
        first(
          issue.uses.map((uses) =>
            first(
              uses.map((use) => cut(use, 3 * longestName)),
              ", "
            )
          ),
          "; and by "
        ) +
        (issue.sameDeclaration
          ? "; they are the same declaration, different policies: pipe once and use that value everywhere"
          : "; rename all but one; if there is only one, its module was evaluated twice (by a hot reload, or as two copies)")
      )
    case "MisplacedPolicy":
      return `misplaced policy ${quoted(issue.policy)} on ${quoted(issue.resource)}: ${cut(issue.reason, 3 * longestName)}`
    case "NotAResource":
      return (
        `${showPlace(issue)} is not a resource but ${nameOf(issue.value)}` +
        (issue.value === "undefined" ? "; if it is declared later, give the dependencies as a function" : "")
      )
    case "InvalidDependencies":
      return `the dependencies of ${quoted(issue.resource)} could not be read: ${cut(inWords(issue.defect), longestText)}`
    case "InvalidLoader":
      return isGraphError(issue.defect)
        ? `the loader of ${quoted(issue.resource)} is not sound: ${cut(issue.defect.message.replaceAll("\n", "\n  "), longestText)}`
        : `the loader of ${quoted(issue.resource)} could not be read: ${cut(inWords(issue.defect), longestText)}`
    case "InvalidName":
      return (
        `${cut(issue.use, 3 * longestName)} cannot be called ${typeof issue.name === "string" ? JSON.stringify(nameOf(issue.name)) : valueOf(issue.name)}: ` +
        'names and keys are strings, not empty and not "__proto__"'
      )
    case "DuplicateTarget":
      return `both loaders have a target ${quoted(issue.key)}, and not the same: give one another key with \`rename\``
    case "NotLoaded":
      return `${cut(issue.use, 3 * longestName)} ${quoted(issue.name)} has nothing to replace: the loader does not load it`
    case "EscapesTransaction":
      return `${quoted(issue.resource)} cannot be inside a transaction, which it escapes: ${cut(issue.reason, longestText)}`
    case "DifferentProtections": {
      const [one, other] = issue.resources.map((name, i) => `"${name}" (${issue.policies[i]})`)
      return (
        `${one} and ${other} share the calls of one resolver, which can have one protection: pipe the same onto both, ` +
        "give it to the resolver with `Batching.protect`, or give each a resolver of its own"
      )
    }
    case "InvalidOption":
      return `option ${quoted(issue.option)}: expected ${cut(issue.expected, 3 * longestName)}, got ${valueOf(issue.value)}`
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

const isGraphError = (error: unknown): error is GraphError => isTagged(error, "GraphError", "issues")
