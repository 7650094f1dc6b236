/**
 * The floor of a load: kernels that know the graph and nothing else. They have no failures, names, limits or events, so
 * the difference to `ours` is the price of those.
 *
 *     node --expose-gc packages/bench/tools/floor.ts [--rounds=100] [page:sync] [layers:1000:microtask] ...
 *
 * Workloads are `page`, `layers`, `chain` and `fan`, with a size and a body; by default the page and layers of 1,000,
 * synchronous and in microtasks. Prints lower deciles.
 *
 * Two choices make the kernels:
 *
 *  - a fiber for each step, or one fiber ("lane") that goes on with the next ready step;
 *  - dependencies gathered by a loop over keys, by a closure chosen by the number of keys, or by a generated function,
 *    which workers and strict content policies refuse.
 */
import { Effect, Exit } from "effect"
import { bodies, type Body } from "../src/body.ts"
import type { Prepared } from "../src/contenders/Contender.ts"
import { prepared } from "../src/contenders/Contender.ts"
import { effectAll } from "../src/contenders/effect-all.ts"
import { eager } from "../src/contenders/ours.ts"
import { compete } from "../src/measure.ts"
import { effectCalls, expectedPage, orgId, userId } from "../src/page.ts"
import { duration, table } from "../src/table.ts"
import { chain, expectedOf, fan, type Graph, layered, mix } from "../src/workload.ts"

type Values = Readonly<Record<string, number>>

/** A step of a graph: its dependencies are the indices of earlier steps. */
interface Step {
  readonly deps: Readonly<Record<string, number>>
  readonly load: (deps: Values) => Effect.Effect<number>
}

/** Steps by their indices. Values given with the run come before those of steps. */
interface Workload {
  readonly inputs: ReadonlyArray<number>
  readonly steps: ReadonlyArray<Step>
  readonly targets: Values
}

/** Five steps after two inputs. */
const pageOf = (body: Body): Workload => {
  const calls = effectCalls(body)
  return {
    inputs: [orgId, userId],
    steps: [
      { deps: { orgId: 0 }, load: ({ orgId }) => calls.org(orgId!) },
      { deps: { userId: 1 }, load: ({ userId }) => calls.user(userId!) },
      { deps: { org: 2 }, load: ({ org }) => calls.project(org!) },
      { deps: { org: 2 }, load: ({ org }) => calls.artifacts(org!) },
      { deps: { project: 4, user: 3 }, load: ({ project, user }) => calls.permissions(project!, user!) }
    ],
    targets: { org: 2, user: 3, project: 4, artifacts: 5, permissions: 6 }
  }
}

const graphOf = ({ dependencies, sinks }: Graph, body: Body): Workload => ({
  inputs: [],
  steps: dependencies.map((mine, i) => ({
    deps: Object.fromEntries(mine.map((j, k) => [`d${k}`, j])),
    load: (values) => body.effect(() => mix(i, Object.values(values)))
  })),
  targets: Object.fromEntries(sinks.map((i) => [`r${i}`, i]))
})

type Gather = (values: ReadonlyArray<number>) => Values

type GatherOf = (keys: ReadonlyArray<string>, sources: ReadonlyArray<number>) => Gather

const byLoop: GatherOf = (keys, sources) => (values) => {
  const deps: Record<string, number> = {}
  for (let k = 0; k < keys.length; k++) deps[keys[k]!] = values[sources[k]!]!
  return deps
}

const byClosure: GatherOf = (keys, sources) => {
  const [a, b, c] = keys as [string, string, string]
  const [i, j, k] = sources as [number, number, number]
  switch (keys.length) {
    case 0:
      return () => ({})
    case 1:
      return (values) => ({ [a]: values[i]! })
    case 2:
      return (values) => ({ [a]: values[i]!, [b]: values[j]! })
    case 3:
      return (values) => ({ [a]: values[i]!, [b]: values[j]!, [c]: values[k]! })
    default:
      return byLoop(keys, sources)
  }
}

const generated = new Map<string, (values: ReadonlyArray<number>, sources: ReadonlyArray<number>) => Values>()

/** One function for all steps with the same keys, so that their dependencies have one hidden class. */
const byGenerated: GatherOf = (keys, sources) => {
  const shape = keys.join()
  const members = keys.map((key, k) => `${key}: values[sources[${k}]]`).join(", ")
  // oxlint-disable-next-line no-implied-eval, no-new-func -- a measurement, of what the library must not do
  const gather = generated.get(shape) ?? (new Function("values", "sources", `return { ${members} }`) as never)
  generated.set(shape, gather)
  return (values) => gather(values, sources)
}

/** A workload in flat arrays: made once, run many times. */
interface Flat {
  readonly loads: ReadonlyArray<Step["load"]>
  readonly gathers: ReadonlyArray<Gather>
  readonly initial: ReadonlyArray<number>
  /** How many steps each step waits for. */
  readonly missing: ReadonlyArray<number>
  readonly roots: ReadonlyArray<number>
  /** The dependents of step `i` are those from `starts[i]` to `starts[i + 1]`. */
  readonly starts: Int32Array
  readonly dependents: Int32Array
  readonly toSettle: number
  readonly result: Gather
}

const noLoad: Step["load"] = () => Effect.die("an input is not loaded")

const flatten = ({ inputs, steps, targets }: Workload, gatherOf: GatherOf): Flat => {
  const first = inputs.length
  const given = inputs.map((): Step => ({ deps: {}, load: noLoad }))
  const all = [...given, ...steps]
  const awaited = all.map(({ deps }) => Object.values(deps).filter((source) => source >= first))
  const lists = all.map((): Array<number> => [])
  awaited.forEach((mine, i) => {
    for (const source of mine) lists[source]!.push(i)
  })
  const starts = new Int32Array(all.length + 1)
  lists.forEach((list, i) => {
    starts[i + 1] = starts[i]! + list.length
  })
  return {
    loads: all.map(({ load }) => load),
    gathers: all.map(({ deps }) => gatherOf(Object.keys(deps), Object.values(deps))),
    initial: [...inputs, ...steps.map(() => 0)],
    missing: awaited.map((mine) => mine.length),
    roots: steps.map((_, k) => first + k).filter((i) => awaited[i]!.length === 0),
    starts,
    dependents: Int32Array.from(lists.flat()),
    toSettle: steps.length,
    result: byLoop(Object.keys(targets), Object.values(targets))
  }
}

type Starts = "a fiber a step" | "lanes"

/** One run, as an effect. All loads succeed. */
const runOf = (flat: Flat, starts: Starts): Effect.Effect<Values> =>
  Effect.withFiber((parent) =>
    Effect.callback((resume) => {
      const fork = Effect.runForkWith(parent.context)
      const values = flat.initial.slice()
      const missing = flat.missing.slice()
      const ready = flat.roots.slice()
      let next = 0
      let left = flat.toSettle
      let isPumping = false

      const begin = (i: number) => flat.loads[i]!(flat.gathers[i]!(values))
      const settle = (i: number, value: number): void => {
        values[i] = value
        left--
        for (let k = flat.starts[i]!, end = flat.starts[i + 1]!; k < end; k++) {
          const dependent = flat.dependents[k]!
          if (--missing[dependent]! === 0) ready.push(dependent)
        }
      }

      const startStep = (i: number): void => {
        const effect = begin(i)
        if (Exit.isExit(effect)) return settle(i, valueOf(effect as Exit.Exit<number>))
        const fiber = fork(effect)
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return settle(i, valueOf(exit))
        fiber.addObserver((exit) => {
          settle(i, valueOf(exit))
          pump()
        })
      }

      const lane = (first: number): Effect.Effect<void> => {
        let i = first
        const goOn = (value: number): Effect.Effect<void> => {
          settle(i, value)
          if (next === ready.length) return Effect.void
          i = ready[next++]!
          return Effect.flatMap(begin(i), goOn)
        }
        return Effect.flatMap(begin(i), goOn)
      }
      const startLane = (i: number): void => {
        const fiber = fork(lane(i))
        if (fiber.pollUnsafe() === undefined) fiber.addObserver(pump)
      }

      const start = starts === "lanes" ? startLane : startStep
      const pump = (): void => {
        if (isPumping) return
        isPumping = true
        while (next < ready.length) start(ready[next++]!)
        isPumping = false
        if (left === 0) resume(Effect.succeed(flat.result(values)))
      }
      pump()
    })
  )

const valueOf = (exit: Exit.Exit<number>): number => (Exit.isSuccess(exit) ? exit.value : Number.NaN)

const kernel = (workload: Workload, starts: Starts, gatherOf: GatherOf): Prepared => {
  const flat = flatten(workload, gatherOf)
  return prepared(
    () => Effect.runPromise(runOf(flat, starts)),
    (values) => Object.values(values)
  )
}

interface Case {
  readonly name: string
  readonly expected: ReadonlyArray<number>
  readonly contestants: Readonly<Record<string, Prepared>>
}

const graphs: Readonly<Record<string, (size: number) => Graph>> = { layers: layered, chain, fan }

const caseOf = (name: string): Case => {
  const [kind, ...rest] = name.split(":")
  const body = bodies.find(({ name }) => name === rest.at(-1))
  const graph = graphs[kind!]?.(Number(rest[0]))
  if (body === undefined || (graph === undefined && kind !== "page")) throw new Error(`no workload: ${name}`)
  const workload = graph === undefined ? pageOf(body) : graphOf(graph, body)
  return {
    name,
    expected: graph === undefined ? expectedPage() : expectedOf(graph),
    contestants: {
      ours: graph === undefined ? eager.page!(body) : eager.graph!(graph, body),
      "by hand": graph === undefined ? effectAll.page!(body) : effectAll.graph!(graph, body),
      "fiber, loop": kernel(workload, "a fiber a step", byLoop),
      "fiber, closure": kernel(workload, "a fiber a step", byClosure),
      "fiber, generated": kernel(workload, "a fiber a step", byGenerated),
      "lane, loop": kernel(workload, "lanes", byLoop),
      "lane, closure": kernel(workload, "lanes", byClosure),
      "lane, generated": kernel(workload, "lanes", byGenerated)
    }
  }
}

const measure = async ({ contestants, expected, name }: Case, rounds: number) => {
  const present = Object.entries(contestants).map(([name, { run }]) => ({ name, run }))
  const measured = await compete(present, { warmUp: Math.ceil(rounds / 2), measured: rounds, sampleMs: 2 })
  for (const [who, { values }] of Object.entries(contestants)) {
    if (values().join() !== expected.join()) throw new Error(`${who} loads other values in ${name}`)
  }
  return measured
}

const defaults = ["page:sync", "page:microtask", "layers:1000:sync", "layers:1000:microtask"]

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const rounds = args.find((arg) => arg.startsWith("--rounds="))?.split("=")[1] ?? "100"
  const given = args.filter((arg) => !arg.startsWith("--"))
  const cases = (given.length === 0 ? defaults : given).map(caseOf)
  const rows: Array<ReadonlyArray<string>> = []
  for (const one of cases)
    rows.push([one.name, ...(await measure(one, Number(rounds))).map(({ low }) => duration(low))])
  process.stdout.write(`${table(["lower deciles", ...Object.keys(cases[0]!.contestants)], rows)}\n`)
}

await main(process.argv.slice(2))
