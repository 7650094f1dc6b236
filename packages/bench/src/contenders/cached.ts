/**
 * Hand-written Effect without barriers: `Effect.cached` for each node, and `Effect.all` of its dependencies.
 *
 * A cache is for one load, so making the caches is part of each run.
 */
import { Effect } from "effect"
import { effectCalls, orgId, userId, valuesOf } from "../page.ts"
import { mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

const concurrently = { concurrency: "unbounded" } as const

export const cached: Contender = {
  name: "Effect.cached",
  page: (body) => {
    const calls = effectCalls(body)
    const loadPage = (orgId: number, userId: number) =>
      Effect.gen(function* () {
        const org = yield* Effect.cached(calls.org(orgId))
        const user = yield* Effect.cached(calls.user(userId))
        const project = yield* Effect.cached(Effect.flatMap(org, calls.project))
        const artifacts = Effect.flatMap(org, calls.artifacts)
        const permissions = Effect.flatMap(Effect.all([project, user], concurrently), ([project, user]) =>
          calls.permissions(project, user)
        )
        return yield* Effect.all({ org, user, project, artifacts, permissions }, concurrently)
      })
    return prepared(() => Effect.runPromise(loadPage(orgId, userId)), valuesOf)
  },
  graph: ({ dependencies, sinks }, body) => {
    const load = Effect.gen(function* () {
      const nodes: Array<Effect.Effect<number>> = []
      for (let i = 0; i < dependencies.length; i++) {
        const needs = dependencies[i]!.map((j) => nodes[j]!)
        nodes.push(
          yield* Effect.cached(
            Effect.flatMap(Effect.all(needs, concurrently), (values) => body.effect(() => mix(i, values)))
          )
        )
      }
      return yield* Effect.forEach(sinks, (i) => nodes[i]!, concurrently)
    })
    return prepared(
      () => Effect.runPromise(load),
      (values) => values
    )
  }
}
