/** Whether a resource costs the same in a graph of 100,000 as in one of 1,000: loading, and compiling. */
import { Loader } from "effect-loader"
import { bodies } from "./body.ts"
import { declareGraph, eager } from "./contenders/ours.ts"
import { compete, type Contestant, type Rounds } from "./measure.ts"
import { duration, ratio, table } from "./table.ts"
import { layered } from "./workload.ts"

const sizes = [1000, 10_000, 100_000] as const

export interface Growth {
  readonly what: string
  /** Nanoseconds a resource, by size. */
  readonly perResource: ReadonlyArray<number>
  /** A resource in the largest graph, as a multiple of one in the smallest: the median over rounds. */
  readonly ratio: number
}

const rounds: Rounds = { warmUp: 2, measured: 9, sampleMs: 100 }

const grow = async (what: string, runOf: (size: number) => () => Promise<unknown>): Promise<Growth> => {
  const contestants = sizes.map((size): Contestant => ({ name: String(size), run: runOf(size) }))
  const measured = await compete(contestants.toReversed(), rounds)
  const smallest = measured.at(-1)!
  return {
    what,
    perResource: measured.map(({ median, name }) => median / Number(name)).toReversed(),
    ratio: (smallest.ratio * sizes[0]) / sizes[2]
  }
}

const [synchronous, microtask] = bodies

/** Wide layers for all, as in the table: a layer is a hundredth of a large graph. */
export const measureGrowth = async (): Promise<ReadonlyArray<Growth>> => [
  await grow("load, sync", (size) => eager.graph!(layered(size), synchronous!).run),
  await grow("load, microtask", (size) => eager.graph!(layered(size), microtask!).run),
  await grow("compile", (size) => {
    const targets = declareGraph(layered(size), synchronous!)
    return async () => Loader.make(targets)
  })
]

export const growthTable = (growth: ReadonlyArray<Growth>): string =>
  table(
    ["a resource, at", ...sizes.map((size) => size.toLocaleString("en")), "100,000 / 1,000"],
    growth.map(({ perResource, ratio: grown, what }) => [what, ...perResource.map(duration), ratio(grown)])
  )
