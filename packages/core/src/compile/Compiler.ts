/** Compiles targets to a program, or to all their issues. */
import * as Result from "effect/Result"
import type { GraphIssue } from "../model/GraphIssue.ts"
import { hostOf } from "../model/Kind.ts"
import type { Base, Layer } from "../model/Node.ts"
import { isPolicy, layersOf, type Part } from "../model/Policy.ts"
import { discover, type Found, type LookInside } from "./Discovery.ts"
import { GraphError } from "./GraphError.ts"
import { type Program, toProgram } from "./Program.ts"
import type { Substitution } from "./Substitution.ts"

/** The options of a loader that compiling reads. */
export interface CompileOptions {
  readonly name?: string | undefined
  readonly policy?: { readonly parts: ReadonlyArray<Part> } | undefined
  readonly substitution: Substitution
  readonly inside: LookInside
}

const basesOf = (found: ReadonlyArray<Found>): ReadonlyArray<Base> =>
  found.flatMap(({ node }) => (node._tag === "Base" ? [node] : []))

/** The issues that kinds report, of single resources and of several together. */
const misplaced = (bases: ReadonlyArray<Base>, defaults: ReadonlyArray<Layer>): ReadonlyArray<GraphIssue> => {
  const kinds = new Set(bases.map(({ source }) => source.kind))
  return [
    ...bases.flatMap((base) => {
      const { check = hostOf([...defaults, ...base.layers])?.check } = base.source.kind
      return check?.(base, defaults) ?? []
    }),
    ...Array.from(kinds).flatMap(({ checkAll }) => checkAll?.(bases, defaults) ?? [])
  ]
}

/** Compiles targets. Linear in resources and dependencies, without recursion. */
export const compile = (
  targets: Readonly<Record<string, unknown>>,
  options: CompileOptions,
  optionIssues: ReadonlyArray<GraphIssue>
): Result.Result<Program, GraphError> => {
  const loader = options.name ?? "anonymous"
  const discovery = discover(targets, options.substitution, options.inside)
  const defaults = isPolicy(options.policy) ? layersOf(options.policy) : []
  const issues = [...optionIssues, ...discovery.issues, ...misplaced(basesOf(discovery.found), defaults)]
  if (issues.length > 0) return Result.fail(new GraphError({ loader, issues }))
  const program = toProgram(loader, discovery, defaults)
  // An override may cut the path to the resource of a rewind, which is not a mistake.
  const lost =
    options.substitution.apply === undefined
      ? program.extensions.flatMap(({ extension }) => extension.check?.(program as never) ?? [])
      : []
  return lost.length > 0 ? Result.fail(new GraphError({ loader, issues: lost })) : Result.succeed(program)
}
