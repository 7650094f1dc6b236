/** Whether a resource costs the same in a graph of 100,000 as in one of 1,000: loading, and compiling. */
import { Loader } from "effect-loader"
import { Effect } from "effect"
import { bodies, type Body } from "./body.ts"
import { declareGraph, eager } from "./contenders/ours.ts"
import { compete, type Contestant, type Rounds } from "./measure.ts"
import { duration, ratio, table } from "./table.ts"
import { chain, layered } from "./workload.ts"

const sizes = [1000, 10_000, 100_000] as const

export interface Growth {
  readonly what: string
  /** Nanoseconds a resource, by size. */
  readonly perResource: ReadonlyArray<number>
  /** A resource in the largest graph, as a multiple of one in the smallest: the median over rounds. */
  readonly ratio: number
  /** The budget of the ratio. */
  readonly most: number
}

const rounds: Rounds = { warmUp: 2, measured: 9, sampleMs: 100 }

const grow = async (what: string, most: number, runOf: (size: number) => () => Promise<unknown>): Promise<Growth> => {
  const contestants = sizes.map((size): Contestant => ({ name: String(size), run: runOf(size) }))
  const measured = await compete(contestants.toReversed(), rounds)
  const smallest = measured.at(-1)!
  return {
    what,
    perResource: measured.map(({ median, name }) => median / Number(name)).toReversed(),
    most,
    ratio: (smallest.ratio * sizes[0]) / sizes[2]
  }
}

const [synchronous, microtask] = bodies

/** An effect that is an exit already, so that a chain of them settles in one loop. */
const done: Body = { name: "done", effect: (compute) => Effect.succeed(compute()), promise: (compute) => compute() }

/** Wide layers for all, as in the table: a layer is a hundredth of a large graph. */
export const measureGrowth = async (): Promise<ReadonlyArray<Growth>> => [
  await grow("load, sync", 1.5, (size) => eager.graph!(layered(size), synchronous!).run),
  await grow("load, microtask", 1.5, (size) => eager.graph!(layered(size), microtask!).run),
  await grow("load, chain of effects that are done", 2.5, (size) => eager.graph!(chain(size), done).run),
  await grow("compile", 2, (size) => {
    const targets = declareGraph(layered(size), synchronous!)
    return async () => Loader.make(targets)
  })
]

export const growthTable = (growth: ReadonlyArray<Growth>): string =>
  table(
    ["a resource, at", ...sizes.map((size) => size.toLocaleString("en")), "100,000 / 1,000"],
    growth.map(({ perResource, ratio: grown, what }) => [what, ...perResource.map(duration), ratio(grown)])
  )
