/**
 * The five-resource page: org ← orgId, user ← userId, project ← org, artifacts ← org, permissions ← project and user.
 *
 * Here are the functions that a backend would already have; each contender puts them together in its own way.
 */
import type { Effect } from "effect"
import type { Body } from "./body.ts"
import { mix } from "./workload.ts"

export interface Page {
  readonly org: number
  readonly user: number
  readonly project: number
  readonly artifacts: number
  readonly permissions: number
}

export const orgId = 7
export const userId = 11

export interface Calls<Result> {
  readonly org: (orgId: number) => Result
  readonly user: (userId: number) => Result
  readonly project: (org: number) => Result
  readonly artifacts: (org: number) => Result
  readonly permissions: (project: number, user: number) => Result
}

const callsOf = <Result>(call: (compute: () => number) => Result): Calls<Result> => ({
  org: (orgId) => call(() => mix(1, [orgId])),
  user: (userId) => call(() => mix(2, [userId])),
  project: (org) => call(() => mix(3, [org])),
  artifacts: (org) => call(() => mix(4, [org])),
  permissions: (project, user) => call(() => mix(5, [project, user]))
})

export const effectCalls = (body: Body): Calls<Effect.Effect<number>> => callsOf(body.effect)

export const promiseCalls = (body: Body): Calls<number | Promise<number>> => callsOf(body.promise)

export const valuesOf = ({ artifacts, org, permissions, project, user }: Page): ReadonlyArray<number> => [
  org,
  user,
  project,
  artifacts,
  permissions
]

export const expectedPage = (): ReadonlyArray<number> => {
  const calls = callsOf((compute) => compute())
  const org = calls.org(orgId)
  const user = calls.user(userId)
  const project = calls.project(org)
  return valuesOf({
    org,
    user,
    project,
    artifacts: calls.artifacts(org),
    permissions: calls.permissions(project, user)
  })
}
