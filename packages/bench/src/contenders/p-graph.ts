/**
 * p-graph: names and a list of edges, built once. It passes no values, so each run gets a runner of its own that keeps
 * them: two runs can overlap, as with all the others.
 */
import { type DependencyList, PGraph } from "p-graph"
import { orgId, promiseCalls, userId } from "../page.ts"
import { mix } from "../workload.ts"
import { type Contender, type Prepared, prepared } from "./Contender.ts"

type Values = Map<string, number>
type Load = (values: Values) => number | Promise<number>

/** Has a task put its value where its dependents find it, without a promise where there is none. */
const keep = (values: Values, name: string, value: number | Promise<number>): unknown =>
  typeof value === "number" ? values.set(name, value) : value.then((value) => values.set(name, value))

const prepare = (tasks: ReadonlyMap<string, Load>, edges: DependencyList, targets: ReadonlyArray<string>): Prepared => {
  const graph = new PGraph(new Map([...tasks.keys()].map((name) => [name, {}])), edges)
  const load = async (): Promise<Values> => {
    const values: Values = new Map()
    await graph.run({ run: (name) => keep(values, name, tasks.get(name)!(values)) })
    return values
  }
  return prepared(load, (values) => targets.map((name) => values.get(name)!))
}

export const pGraph: Contender = {
  name: "p-graph",
  page: (body) => {
    const calls = promiseCalls(body)
    const tasks = new Map<string, Load>([
      ["org", () => calls.org(orgId)],
      ["user", () => calls.user(userId)],
      ["project", (values) => calls.project(values.get("org")!)],
      ["artifacts", (values) => calls.artifacts(values.get("org")!)],
      ["permissions", (values) => calls.permissions(values.get("project")!, values.get("user")!)]
    ])
    const edges: DependencyList = [
      ["org", "project"],
      ["org", "artifacts"],
      ["project", "permissions"],
      ["user", "permissions"]
    ]
    return prepare(tasks, edges, [...tasks.keys()])
  },
  graph: ({ dependencies, sinks }, body) => {
    const tasks = new Map<string, Load>()
    const edges: DependencyList = []
    dependencies.forEach((mine, i) => {
      const needs = mine.map((j) => `r${j}`)
      for (const name of needs) edges.push([name, `r${i}`])
      tasks.set(`r${i}`, (values) =>
        body.promise(() =>
          mix(
            i,
            needs.map((name) => values.get(name)!)
          )
        )
      )
    })
    return prepare(
      tasks,
      edges,
      sinks.map((i) => `r${i}`)
    )
  }
}
