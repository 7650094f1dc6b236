/** Hand-written promises: a promise per node, each waiting for those of its dependencies. */
import { orgId, promiseCalls, userId, valuesOf } from "../page.ts"
import { mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

export const promises: Contender = {
  name: "promises",
  page: (body) => {
    const calls = promiseCalls(body)
    const loadOrg = async (orgId: number) => {
      const org = await calls.org(orgId)
      const [project, artifacts] = await Promise.all([calls.project(org), calls.artifacts(org)])
      return { org, project, artifacts }
    }
    const loadPage = async (orgId: number, userId: number) => {
      const [{ artifacts, org, project }, user] = await Promise.all([loadOrg(orgId), calls.user(userId)])
      const permissions = await calls.permissions(project, user)
      return { org, user, project, artifacts, permissions }
    }
    return prepared(() => loadPage(orgId, userId), valuesOf)
  },
  graph: ({ dependencies, sinks }, body) => {
    const node = (i: number, values: ReadonlyArray<number>) => body.promise(() => mix(i, values))
    const load = (): Promise<ReadonlyArray<number>> => {
      const nodes: Array<Promise<number>> = []
      dependencies.forEach((mine, i) => {
        nodes.push(Promise.all(mine.map((j) => nodes[j]!)).then((values) => node(i, values)))
      })
      return Promise.all(sinks.map((i) => nodes[i]!))
    }
    return prepared(load, (values) => values)
  }
}
