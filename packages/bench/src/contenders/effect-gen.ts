/** The same page as `effect-all.ts`, in the form that most people write. */
import { Effect } from "effect"
import { effectCalls, orgId, userId, valuesOf } from "../page.ts"
import * as Shape from "../shapes/Shape.ts"
import { type Contender, prepared } from "./Contender.ts"

const concurrently = { concurrency: "unbounded" } as const

export const effectGen: Contender = {
  name: "Effect.gen",
  page: (body) => {
    const calls = effectCalls(body)
    const loadOrg = (orgId: number) =>
      Effect.gen(function* () {
        const org = yield* calls.org(orgId)
        const [project, artifacts] = yield* Effect.all([calls.project(org), calls.artifacts(org)], concurrently)
        return { org, project, artifacts }
      })
    const loadPage = (orgId: number, userId: number) =>
      Effect.gen(function* () {
        const [{ artifacts, org, project }, user] = yield* Effect.all(
          [loadOrg(orgId), calls.user(userId)],
          concurrently
        )
        const permissions = yield* calls.permissions(project, user)
        return { org, user, project, artifacts, permissions }
      })
    return prepared(() => Effect.runPromise(loadPage(orgId, userId)), valuesOf)
  },
  shape: (shape, body) => {
    const load = shape.effectGen(Shape.effectCalls(body))
    return prepared(() => Effect.runPromise(load()), Shape.valuesOf(shape))
  }
}
