/**
 * What can be wrong with a graph, all of it found before anything runs.
 *
 * @since 0.1.0
 */
import { Data } from "effect"

/**
 * One thing that is wrong with a graph.
 *
 * - `Cycle`: these resources wait for each other; `path` starts and ends with the same name.
 * - `DuplicateName`: different resources share a name. `uses` tells where each of them is used;
 *   `sameDeclaration` that they come from one declaration and differ by what was piped onto it.
 * - `MisplacedPolicy`: a policy stands where it can have no effect, and why.
 * - `NotAResource`: a dependency or target that is no resource, as when a module is read before it was initialized.
 * - `InvalidDependencies`: a `deps` or `after` function threw.
 * - `InvalidLoader`: the loader inside a resource is none, or its own graph is not sound.
 * - `InvalidName`: a name or a key that is empty, not a string, or `__proto__`.
 * - `DuplicateTarget`: two loaders that are to become one have different targets of one key.
 * - `NotLoaded`: something is to take the place of a resource, or of a target, that the loader does not load.
 * - `EscapesTransaction`: a loader is to run in a transaction, and a resource would do work that this cannot undo.
 * - `InvalidOption`: a loader's option with a value that it cannot have.
 *
 * @since 0.1.0
 * @category models
 */
export type GraphIssue =
  | { readonly _tag: "Cycle"; readonly path: ReadonlyArray<string> }
  | {
      readonly _tag: "DuplicateName"
      readonly name: string
      readonly uses: ReadonlyArray<ReadonlyArray<string>>
      readonly sameDeclaration: boolean
    }
  | { readonly _tag: "MisplacedPolicy"; readonly resource: string; readonly policy: string; readonly reason: string }
  | { readonly _tag: "NotAResource"; readonly use: string; readonly value: string }
  | { readonly _tag: "InvalidDependencies"; readonly resource: string; readonly defect: unknown }
  | { readonly _tag: "InvalidLoader"; readonly resource: string; readonly defect: unknown }
  | { readonly _tag: "InvalidName"; readonly name: unknown; readonly use: string }
  | { readonly _tag: "DuplicateTarget"; readonly key: string }
  | { readonly _tag: "NotLoaded"; readonly name: string; readonly use: string }
  | { readonly _tag: "EscapesTransaction"; readonly resource: string; readonly reason: string }
  | { readonly _tag: "InvalidOption"; readonly option: string; readonly value: unknown; readonly expected: string }

const longestPath = 12

const showPath = (path: ReadonlyArray<string>): string => {
  const shown =
    path.length <= longestPath
      ? path
      : [
          ...path.slice(0, longestPath / 2),
          `... ${path.length - longestPath} more ...`,
          ...path.slice(-longestPath / 2)
        ]
  return shown.join(" -> ")
}

const showUses = (uses: ReadonlyArray<string>): string =>
  uses.length <= 3 ? uses.join(", ") : `${uses.slice(0, 3).join(", ")} and ${uses.length - 3} more`

const describe = (issue: GraphIssue): string => {
  switch (issue._tag) {
    case "Cycle":
      return `cycle: ${showPath(issue.path)}; each of these waits for the next, so none could ever start`
    case "DuplicateName":
      return (
        `duplicate name "${issue.name}": ${issue.uses.length} different resources have it, used by ` +
        issue.uses.map(showUses).join("; and by ") +
        (issue.sameDeclaration
          ? "; they are the same declaration, different policies: pipe once and use that value everywhere"
          : "; rename all but one")
      )
    case "MisplacedPolicy":
      return `misplaced policy "${issue.policy}" on "${issue.resource}": ${issue.reason}`
    case "NotAResource":
      return (
        `${issue.use} is not a resource but ${issue.value}` +
        (issue.value === "undefined" ? "; if it is declared later, give the dependencies as a function" : "")
      )
    case "InvalidDependencies":
      return `the dependencies of "${issue.resource}" could not be read: ${String(issue.defect)}`
    case "InvalidLoader":
      return issue.defect instanceof GraphError
        ? `the loader of "${issue.resource}" is not sound: ${issue.defect.message.replaceAll("\n", "\n  ")}`
        : `the loader of "${issue.resource}" could not be read: ${String(issue.defect)}`
    case "InvalidName":
      return (
        `${issue.use} cannot be called ${typeof issue.name === "string" ? JSON.stringify(issue.name) : String(issue.name)}: ` +
        'names and keys are strings, not empty and not "__proto__"'
      )
    case "DuplicateTarget":
      return `both loaders have a target "${issue.key}", and not the same: give one another key with \`rename\``
    case "NotLoaded":
      return `${issue.use} "${issue.name}" has nothing to replace: the loader does not load it`
    case "EscapesTransaction":
      return `"${issue.resource}" cannot be inside a transaction, which it escapes: ${issue.reason}`
    case "InvalidOption":
      return `option "${issue.option}": expected ${issue.expected}, got ${String(issue.value)}`
  }
}

/**
 * A graph cannot be compiled, and this is everything that is wrong with it.
 *
 * `Loader.make` throws it, `Loader.compile` gives it as a `Result`: it is a mistake in the program, not in its data.
 * `message` lists the issues, one a line.
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
    const lines = props.issues.map((issue) => `\n  - ${describe(issue)}`)
    super({ ...props, message: `${count} in the graph of loader "${props.loader}":${lines.join("")}` })
  }
}
