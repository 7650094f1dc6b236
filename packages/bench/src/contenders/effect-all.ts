/** Hand-written Effect, as a good engineer would write it: `Effect.all` and `flatMap`; for graphs, level by level. */
import { Context, Effect } from "effect"
import { type Calls, effectCalls, orgId, userId, valuesOf } from "../page.ts"
import * as Shape from "../shapes/Shape.ts"
import { mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

const concurrently = { concurrency: "unbounded" } as const

/** What is put around each call, around each node of a graph, and around the whole. */
export interface Around {
  readonly calls: (calls: Calls<Effect.Effect<number>>) => Calls<Effect.Effect<number>>
  readonly node: (i: number, self: Effect.Effect<number>) => Effect.Effect<number>
  readonly whole: <A>(self: Effect.Effect<A>) => Effect.Effect<A>
  readonly context: Context.Context<never>
}

export const byHand = (name: string, { calls: aroundCalls, context, node: aroundNode, whole }: Around): Contender => ({
  name,
  page: (body) => {
    const runPromise = Effect.runPromiseWith(context)
    const calls = aroundCalls(effectCalls(body))
    const loadOrg = (orgId: number) =>
      Effect.flatMap(calls.org(orgId), (org) =>
        Effect.map(Effect.all([calls.project(org), calls.artifacts(org)], concurrently), ([project, artifacts]) => ({
          org,
          project,
          artifacts
        }))
      )
    const loadPage = (orgId: number, userId: number) =>
      Effect.flatMap(
        Effect.all([loadOrg(orgId), calls.user(userId)], concurrently),
        ([{ artifacts, org, project }, user]) =>
          Effect.map(calls.permissions(project, user), (permissions) => ({
            org,
            user,
            project,
            artifacts,
            permissions
          }))
      )
    return prepared(() => runPromise(whole(loadPage(orgId, userId))), valuesOf)
  },
  graph: ({ dependencies, levels, sinks }, body) => {
    const runPromise = Effect.runPromiseWith(context)
    const load = Effect.suspend(() => {
      const values: Array<number> = []
      const node = (i: number) =>
        Effect.map(
          aroundNode(
            i,
            body.effect(() =>
              mix(
                i,
                dependencies[i]!.map((j) => values[j]!)
              )
            )
          ),
          (value) => {
            values[i] = value
          }
        )
      const level = (nodes: ReadonlyArray<number>) =>
        Effect.forEach(nodes, node, { concurrency: "unbounded", discard: true })
      return Effect.as(Effect.forEach(levels, level, { discard: true }), values)
    })
    return prepared(
      () => runPromise(whole(load)),
      (values) => sinks.map((i) => values[i]!)
    )
  }
})

const plain = byHand("Effect.all", {
  calls: (calls) => calls,
  node: (_, self) => self,
  whole: (self) => self,
  context: Context.empty()
})

export const effectAll: Contender = {
  ...plain,
  shape: (shape, body) => {
    const load = shape.effectAll(Shape.effectCalls(body))
    return prepared(() => Effect.runPromise(load()), Shape.valuesOf(shape))
  }
}
