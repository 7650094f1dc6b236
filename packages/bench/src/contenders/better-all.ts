/** better-all: tasks by name that await each other through `this.$`. */
import { all } from "better-all"
import { orgId, promiseCalls, userId, valuesOf } from "../page.ts"
import { mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

interface Siblings {
  readonly $: Readonly<Record<string, Promise<number>>>
}

type Task = (this: Siblings) => number | Promise<number>

export const betterAll: Contender = {
  name: "better-all",
  page: (body) => {
    const calls = promiseCalls(body)
    const loadPage = (orgId: number, userId: number) =>
      all({
        org: () => calls.org(orgId),
        user: () => calls.user(userId),
        async project(): Promise<number> {
          return calls.project(await this.$.org)
        },
        async artifacts(): Promise<number> {
          return calls.artifacts(await this.$.org)
        },
        async permissions(): Promise<number> {
          const [project, user] = await Promise.all([this.$.project, this.$.user])
          return calls.permissions(project, user)
        }
      })
    return prepared(() => loadPage(orgId, userId), valuesOf)
  },
  graph: ({ dependencies, sinks }, body) => {
    const task = (mine: ReadonlyArray<number>, i: number): Task => {
      if (mine.length === 0) return () => body.promise(() => mix(i, []))
      const needs = mine.map((j) => `r${j}`)
      return async function () {
        const values = await Promise.all(needs.map((name) => this.$[name]!))
        return body.promise(() => mix(i, values))
      }
    }
    const tasks: Record<string, Task> = Object.fromEntries(dependencies.map((mine, i) => [`r${i}`, task(mine, i)]))
    return prepared(
      async (): Promise<Readonly<Record<string, number>>> => all(tasks),
      (results) => sinks.map((i) => results[`r${i}`]!)
    )
  }
}
