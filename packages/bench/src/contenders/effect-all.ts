/** Hand-written Effect, as a good engineer would write it: `Effect.all` and `flatMap`; for graphs, level by level. */
import { Effect } from "effect"
import { effectCalls, orgId, userId, valuesOf } from "../page.ts"
import { mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

const concurrently = { concurrency: "unbounded" } as const

export const effectAll: Contender = {
  name: "Effect.all",
  page: (body) => {
    const calls = effectCalls(body)
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
    return prepared(() => Effect.runPromise(loadPage(orgId, userId)), valuesOf)
  },
  graph: ({ dependencies, levels, sinks }, body) => {
    const load = Effect.suspend(() => {
      const values: Array<number> = []
      const node = (i: number) =>
        Effect.map(
          body.effect(() =>
            mix(
              i,
              dependencies[i]!.map((j) => values[j]!)
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
      () => Effect.runPromise(load),
      (values) => sinks.map((i) => values[i]!)
    )
  }
}
