/**
 * async.auto: tasks by name, each with the names of what it needs.
 *
 * Synchronous bodies call back at once and the others are async functions: for each, what is cheapest for async.
 */
import { auto } from "async"
import type { Body } from "../body.ts"
import { orgId, type Page, promiseCalls, userId, valuesOf } from "../page.ts"
import { mix } from "../workload.ts"
import { type Contender, prepared } from "./Contender.ts"

type Results = Readonly<Record<string, number>>
type Callback = (error: null, value: number) => void
type Root = ((callback: Callback) => void) | (() => Promise<number>)
type Dependent = ((results: Results, callback: Callback) => void) | ((results: Results) => Promise<number>)
type Task = Root | ReadonlyArray<string | Dependent>

/** Its types want a callback in every task; at run time it knows async functions too. */
const run = auto as unknown as <Result>(tasks: Readonly<Record<string, Task>>) => Promise<Result>

const isSynchronous = (body: Body): boolean => body.name === "sync"

const root = (body: Body, load: () => number | Promise<number>): Root =>
  isSynchronous(body) ? (callback: Callback) => callback(null, load() as number) : async () => load()

const dependent = (
  body: Body,
  needs: ReadonlyArray<string>,
  load: (results: Results) => number | Promise<number>
): Task => [
  ...needs,
  isSynchronous(body)
    ? (results: Results, callback: Callback) => callback(null, load(results) as number)
    : async (results: Results) => load(results)
]

export const asyncAuto: Contender = {
  name: "async.auto",
  page: (body) => {
    const calls = promiseCalls(body)
    const tasks = {
      org: root(body, () => calls.org(orgId)),
      user: root(body, () => calls.user(userId)),
      project: dependent(body, ["org"], (results) => calls.project(results["org"]!)),
      artifacts: dependent(body, ["org"], (results) => calls.artifacts(results["org"]!)),
      permissions: dependent(body, ["project", "user"], (results) =>
        calls.permissions(results["project"]!, results["user"]!)
      )
    }
    return prepared(() => run<Page>(tasks), valuesOf)
  },
  graph: ({ dependencies, sinks }, body) => {
    const task = (mine: ReadonlyArray<number>, i: number): Task => {
      if (mine.length === 0) return root(body, () => body.promise(() => mix(i, [])))
      const needs = mine.map((j) => `r${j}`)
      return dependent(body, needs, (results) =>
        body.promise(() =>
          mix(
            i,
            needs.map((name) => results[name]!)
          )
        )
      )
    }
    const tasks = Object.fromEntries(dependencies.map((mine, i) => [`r${i}`, task(mine, i)]))
    return prepared(
      () => run<Results>(tasks),
      (results) => sinks.map((i) => results[`r${i}`]!)
    )
  }
}
