/** Targets to a program, or to everything that is wrong with them. */
import { Result } from "effect"
import type { Base, Layer, Node } from "../model/Node.ts"
import { layersOf, type Policy } from "../model/Policy.ts"
import { discover, type Found } from "./Discovery.ts"
import { GraphError, type GraphIssue } from "./GraphError.ts"
import { type Program, toProgram } from "./Program.ts"
import type { Substitution } from "./Substitution.ts"

/** What compiling needs to know of a loader's options. */
export interface CompileOptions {
  readonly name?: string | undefined
  readonly policy?: Policy<unknown, unknown> | undefined
  readonly substitution: Substitution
}

const withoutWork = {
  Struct: "a struct does no work of its own: pipe it onto the struct's members",
  Match: "a choice does no work of its own: pipe it onto the cases",
  Input: "an input is given, not loaded",
  Constant: "a constant is there from the start",
  Given: "a value that is given is not loaded"
}

/** A layer is refused for what was piped onto it; a resource without work of its own takes no policy at all. */
const misplacedPolicies = (base: Base): ReadonlyArray<GraphIssue> => {
  const issue = (policy: Layer, reason: string): GraphIssue => ({
    _tag: "MisplacedPolicy",
    resource: base.name,
    policy: policy.label,
    reason
  })
  const { _tag } = base.source
  if (_tag in withoutWork) {
    return base.layers.slice(-1).map((layer) => issue(layer, withoutWork[_tag as keyof typeof withoutWork]))
  }
  return base.layers.flatMap((layer, i) => {
    if (layer.refused !== undefined) return [issue(base.layers[i + 1]!, layer.refused)]
    const late = layer.undo?._tag === "Compensation" && base.layers.slice(0, i).some(({ recovers }) => recovers)
    return late ? [issue(layer, "a fallback gives nothing that could be undone: pipe it before the fallback")] : []
  })
}

const bases = (found: ReadonlyArray<Found>): ReadonlyArray<Base> =>
  found.flatMap(({ node }: { readonly node: Node }) => (node._tag === "Base" ? [node] : []))

/** Compiles targets. Linear in resources and dependencies, and it recurs into nothing. */
export const compile = (
  targets: Readonly<Record<string, unknown>>,
  options: CompileOptions,
  optionIssues: ReadonlyArray<GraphIssue>
): Result.Result<Program, GraphError> => {
  const loader = options.name ?? "anonymous"
  const discovery = discover(targets, options.substitution)
  const issues = [...optionIssues, ...discovery.issues, ...bases(discovery.found).flatMap(misplacedPolicies)]
  return issues.length > 0
    ? Result.fail(new GraphError({ loader, issues }))
    : Result.succeed(toProgram(loader, discovery, options.policy === undefined ? [] : layersOf(options.policy)))
}
