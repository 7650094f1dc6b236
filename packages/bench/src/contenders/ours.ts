/** Ours: declared and compiled once, loaded many times. */
import { Context, Effect } from "effect"
import * as EffectLoader from "effect-loader"
import type { Loader, Resource } from "effect-loader"
import type { Body } from "../body.ts"
import { effectCalls, orgId as someOrg, userId as someUser, valuesOf } from "../page.ts"
import * as Shape from "../shapes/Shape.ts"
import { type Graph, mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

/** The library, or one that was built from its source. */
export type Library = Pick<typeof EffectLoader, "Loader" | "Resource">

type Node = Resource.Resource<string, number>

type Numbers = Loader.Loader<Readonly<Record<string, number>>>

const declarePage = ({ Resource }: Library, body: Body) => {
  const calls = effectCalls(body)
  const orgId = Resource.input<number>()("orgId")
  const userId = Resource.input<number>()("userId")
  const org = Resource.make("org", { deps: { orgId }, load: ({ orgId }) => calls.org(orgId) })
  const user = Resource.make("user", { deps: { userId }, load: ({ userId }) => calls.user(userId) })
  const project = Resource.make("project", { deps: { org }, load: ({ org }) => calls.project(org) })
  const artifacts = Resource.make("artifacts", { deps: { org }, load: ({ org }) => calls.artifacts(org) })
  const permissions = Resource.make("permissions", {
    deps: { project, user },
    load: ({ project, user }) => calls.permissions(project, user)
  })
  return { org, user, project, artifacts, permissions }
}

/** The sinks of a graph as resources, with everything that they need behind them. */
export const declareGraph = (
  { dependencies, sinks }: Graph,
  body: Body,
  { Resource }: Library = EffectLoader
): Readonly<Record<string, Node>> => {
  const nodes: Array<Node> = []
  dependencies.forEach((mine, i) => {
    const deps: Record<string, Node> = {}
    // Keys are local to a declaration, so a generated one has no need to make up new ones each time.
    mine.forEach((j, k) => {
      deps[`d${k}`] = nodes[j]!
    })
    nodes.push(Resource.make(`r${i}`, { deps, load: (values) => body.effect(() => mix(i, Object.values(values))) }))
  })
  return Object.fromEntries(sinks.map((i) => [`r${i}`, nodes[i]!]))
}

export interface Variant {
  readonly scheduling?: "batched" | "eager"
  readonly library?: Library
  /** What runs are run with: who watches them. */
  readonly context?: Context.Context<never>
}

export const contender = (name: string, variant: Variant = {}): Contender => {
  const { context = Context.empty(), library = EffectLoader, scheduling = "eager" } = variant
  const { Loader } = library
  const runPromise = Effect.runPromiseWith(context)
  return {
    name,
    page: (body) => {
      const loader = Loader.make(declarePage(library, body), { scheduling })
      return prepared(() => runPromise(Loader.load(loader, { orgId: someOrg, userId: someUser })), valuesOf)
    },
    shape: (shape, body) => {
      const load = shape.ours(library)(Shape.effectCalls(body))
      return prepared(() => runPromise(load()), Shape.valuesOf(shape))
    },
    graph: (graph, body) => {
      const loader: Numbers = Loader.make(declareGraph(graph, body, library), { scheduling })
      return prepared(
        () => runPromise(Loader.load(loader)),
        (result) => graph.sinks.map((i) => result[`r${i}`]!)
      )
    }
  }
}

export const eager = contender("ours")

/** The same once more: how far its ratio is from 1 says how much of the others' ratios is noise. */
export const again = contender("ours again")

export const batched = contender("ours, batched", { scheduling: "batched" })
