/**
 * Plans as text for drawing programs: Mermaid and Graphviz, through `effect/Graph`.
 *
 * @since 0.1.0
 */
import * as Graph from "effect/Graph"
import type { Plan, PlanResource } from "../compile/Plan.ts"
import { noteOf, signs } from "../observe/OutcomeText.ts"
import { showPolicies } from "../observe/PlanText.ts"
import { printableLabel } from "../observe/Printable.ts"
import type { Report, ResourceReport } from "../watch/Report.ts"

/**
 * How a plan is drawn.
 *
 * - `direction`: the side on which dependents stand. Default `"TD"`: below; `"LR"`: on the right.
 * - `report`: the report of one run of the plan. The drawing then shows the outcome of each resource: a sign before its name, as
 *   in a waterfall, and the reason below it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly direction?: "TD" | "LR"
  readonly report?: Report<unknown>
}

/** An arrow. That of a choice has the values for which the choice takes it. */
type PlanGraph = Graph.DirectedGraph<PlanResource, string>

const shapes: Record<PlanResource["kind"], Graph.MermaidNodeShape> = {
  input: "stadium",
  constant: "rounded",
  load: "rectangle",
  request: "rectangle",
  list: "rectangle",
  loader: "subroutine",
  struct: "subroutine",
  match: "diamond"
}

/** The name, and below it the nested loader, the policies, outermost first, and the outcome. */
const labelOf = (resource: PlanResource, report: ResourceReport | undefined): string => {
  const { loader, name } = resource
  const sign = report === undefined ? "" : `${signs[report.outcome._tag]} `
  const lines = [
    sign + printableLabel(name),
    loader === undefined ? "" : `runs ${printableLabel(loader.loader)}`,
    showPolicies(resource),
    report === undefined ? "" : noteOf(report)
  ]
  return lines.filter((line) => line !== "").join("\n")
}

const labelsOf = ({ report }: Options): ((resource: PlanResource) => string) => {
  const reports = new Map(report?.resources.map((one) => [one.resource, one]))
  return (resource) => labelOf(resource, reports.get(resource.name))
}

/** The values for which a choice takes the arrow from a resource; `undefined` for the resource that decides. */
const valuesFor = ({ cases = {}, otherwise }: PlanResource, dependency: string): string =>
  [
    ...Object.entries(cases).flatMap(([value, name]) => (name === dependency ? [printableLabel(value)] : [])),
    ...(otherwise === dependency ? ["otherwise"] : [])
  ].join(", ")

const toGraph = ({ resources }: Plan): PlanGraph =>
  Graph.directed<PlanResource, string>((graph) => {
    const indices = new Map(resources.map((resource) => [resource.name, Graph.addNode(graph, resource)]))
    for (const resource of resources) {
      for (const dependency of resource.dependencies) {
        const label = valuesFor(resource, dependency)
        Graph.addEdge(graph, indices.get(dependency)!, indices.get(resource.name)!, label)
      }
    }
  })

/**
 * A plan as a Mermaid flowchart: arrows lead from what a resource depends on to the resource. Inputs have round ends,
 * constants round corners, structs and loaders double sides, choices are diamonds with their cases at the arrows;
 * policies stand below the names.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Policy, Resource } from "effect-loader"
 * import * as Diagram from "effect-loader/diagram"
 *
 * const orgId = Resource.input<string>()("orgId")
 * const org = Resource.make("org", { deps: { orgId }, load: ({ orgId }) => Effect.succeed(orgId) }).pipe(
 *   Policy.timeout("1 second")
 * )
 * console.log(Diagram.toMermaid(Loader.plan(Loader.make({ org }))))
 * // flowchart TD
 * //   0(["orgId"])
 * //   1["org<br/>timeout#40;1s#41;"]
 * //   0 --> 1
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toMermaid = (plan: Plan, options: Options = {}): string => {
  const labelOf = labelsOf(options)
  return Graph.toMermaid(toGraph(plan), {
    direction: options.direction ?? "TD",
    // A label that begins with a backtick would be read as Markdown.
    nodeLabel: (resource) => labelOf(resource).replaceAll("`", "'"),
    edgeLabel: (label) => label.replaceAll("`", "'"),
    nodeShape: ({ kind }) => shapes[kind]
  })
}

/**
 * A plan as a Graphviz graph: arrows lead from what a resource depends on to the resource; policies stand below the
 * names.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import * as Diagram from "effect-loader/diagram"
 *
 * const org = Resource.make("org", { load: () => Effect.succeed("acme") })
 * const members = Resource.make("members", { deps: { org }, load: () => Effect.succeed(["ada"]) })
 * console.log(Diagram.toGraphviz(Loader.plan(Loader.make({ members }, { name: "page" }))))
 * // digraph "page" {
 * //   rankdir=TB;
 * //   "0" [label="org"];
 * //   "1" [label="members"];
 * //   "0" -> "1" [label=""];
 * // }
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const toGraphviz = (plan: Plan, options: Options = {}): string => {
  const text = Graph.toGraphViz(toGraph(plan), {
    graphName: printableLabel(plan.loader),
    nodeLabel: labelsOf(options)
  })
  return text.replace("{\n", () => `{\n  rankdir=${options.direction === "LR" ? "LR" : "TB"};\n`)
}
