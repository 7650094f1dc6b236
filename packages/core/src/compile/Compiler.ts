/** Targets to a program, or to everything that is wrong with them. */
import * as Result from "effect/Result"
import type { Base, Layer, Node } from "../model/Node.ts"
import { layersOf, type Part } from "../model/Policy.ts"
import { discover, type Found, type LookInside } from "./Discovery.ts"
import { GraphError, type GraphIssue } from "./GraphError.ts"
import { isBefore, layersIn, type Program, type Step, toProgram, withDefaults } from "./Program.ts"
import { differingProtections } from "../request/Protections.ts"
import { isNone, type Substitution } from "./Substitution.ts"

/** What compiling needs to know of a loader's options. */
export interface CompileOptions {
  readonly name?: string | undefined
  readonly policy?: { readonly parts: ReadonlyArray<Part> } | undefined
  readonly substitution: Substitution
  readonly inside: LookInside
}

const withoutWork = {
  Struct: "a struct does no work of its own: pipe it onto the struct's members",
  Match: "a choice does no work of its own: pipe it onto the cases",
  Input: "an input is given, not loaded",
  Constant: "a constant is there from the start",
  Given: "a value that is given is not loaded"
}

const limitReasons = {
  inside:
    "what runs inside takes permits itself, and would wait for these: pipe it onto the resources of the loader inside",
  several: "an attempt that holds permits of one limiter must not wait for those of another: keep one of them"
}

/** Limits that cannot be kept: those around another loader, and all but the first. */
const misplacedLimits = ({ layers, source }: Base): ReadonlyArray<Layer> => {
  const each = source._tag === "List" ? source.each : []
  const limits = [...each, ...layers].filter(({ takes }) => takes !== undefined)
  return source._tag === "Loader" ? limits : limits.slice(1)
}

/** The items of a list are told apart by their places: two lists of one resource, side by side, could not be. */
const ofList = (base: Base, layer: Layer): string | undefined =>
  base.source._tag === "List" && layer.kind === "hedge" ? "a list is hedged item by item: give it as `each`" : undefined

/** A layer is refused for what was piped onto it; a resource without work of its own takes no policy at all. */
const misplacedPolicies = (base: Base, defaults: ReadonlyArray<Layer>): ReadonlyArray<GraphIssue> => {
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
  return [
    ...base.layers.flatMap((layer, i) => {
      const reason = ofList(base, layer) ?? tooLate(base, i)
      return [
        ...(layer.refused === undefined ? [] : [issue(base.layers[i + 1]!, layer.refused)]),
        ...(reason === undefined ? [] : [issue(layer, reason)])
      ]
    }),
    ...misplacedLimits(base).map((limit) => issue(limit, limitReasons[_tag === "Loader" ? "inside" : "several"])),
    ...keyless(base, defaults).map((layer) => issue(layer, needsKey)),
    ...(isService(base)
      ? withDefaults(base.layers, defaults)
          .filter(({ mayKnow }) => mayKnow)
          .map((layer) => issue(layer, staysInRun))
      : [])
  ]
}

/** What is piped after a fallback may get a value that nothing loaded. */
const tooLate = ({ layers }: Base, i: number): string | undefined =>
  layers[i]!.undo?._tag === "Compensation" && layers.slice(0, i).some(({ recovers }) => recovers)
    ? "a fallback gives nothing that could be undone: pipe it before the fallback"
    : undefined

const needsKey = "this cache is for resources that have a `key`, and this one has none"
const staysInRun = "a service that a layer built is released with its run, so nothing may remember it longer"

const isService = ({ source }: Base): boolean => source._tag === "Load" && source.service !== undefined

/** The layers that need a key where there is none. */
const keyless = ({ layers, source }: Base, defaults: ReadonlyArray<Layer>): ReadonlyArray<Layer> => {
  const needing = (all: ReadonlyArray<Layer>, key: unknown) =>
    key === undefined ? all.filter(({ needsKey }) => needsKey) : []
  switch (source._tag) {
    case "Load":
      return needing(withDefaults(layers, defaults), source.key)
    case "List":
      return [...needing(layers, source.key), ...needing(withDefaults(source.each, defaults), source.itemKey)]
    case "Loader":
      return needing(layers, source.key)
    default:
      return []
  }
}

/** A run can only be taken back to what comes before. */
const misplacedRewinds = (program: Program): ReadonlyArray<GraphIssue> =>
  program.steps.flatMap((step, i) =>
    rewindsOf(step).flatMap(({ label, rewind }) =>
      rewind === undefined || isBefore(program, rewind.to, i)
        ? []
        : [
            {
              _tag: "MisplacedPolicy" as const,
              resource: step.name,
              policy: label,
              reason: `it does not depend on "${rewind.to}", so nothing would change by going back there`
            }
          ]
    )
  )

const rewindsOf = (step: Step): ReadonlyArray<Layer> => {
  if (step.kind !== "load" || !step.undoes) return []
  return [step, step.items].flatMap((wrapped) => (wrapped === undefined ? [] : layersIn(wrapped)))
}

const bases = (found: ReadonlyArray<Found>): ReadonlyArray<Base> =>
  found.flatMap(({ node }: { readonly node: Node }) => (node._tag === "Base" ? [node] : []))

/** Compiles targets. Linear in resources and dependencies, without recursion. */
export const compile = (
  targets: Readonly<Record<string, unknown>>,
  options: CompileOptions,
  optionIssues: ReadonlyArray<GraphIssue>
): Result.Result<Program, GraphError> => {
  const loader = options.name ?? "anonymous"
  const discovery = discover(targets, options.substitution, options.inside)
  const defaults = options.policy === undefined ? [] : layersOf(options.policy)
  const all = bases(discovery.found)
  const misplaced = all.flatMap((base) => misplacedPolicies(base, defaults))
  const differing = differingProtections(all, defaults)
  const issues = [...optionIssues, ...discovery.issues, ...misplaced, ...differing]
  if (issues.length > 0) return Result.fail(new GraphError({ loader, issues }))
  const program = toProgram(loader, discovery, defaults)
  // What is given in the place of something else may leave nothing to go back to: that is no mistake.
  const lost = isNone(options.substitution) ? misplacedRewinds(program) : []
  return lost.length > 0 ? Result.fail(new GraphError({ loader, issues: lost })) : Result.succeed(program)
}
