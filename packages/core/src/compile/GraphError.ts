/**
 * What can be wrong with a graph, all of it found before anything runs.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { isTagged } from "../base/Tagged.ts"
import { type GraphIssue, quoted, textOf } from "../model/GraphIssue.ts"

export type { GraphIssue, NotAResource } from "../model/GraphIssue.ts"

/** How much a message shows. */
const mostIssues = 50
const longestMessage = 10_000

/** One issue a line, and how many are left out. */
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
