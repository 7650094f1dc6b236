/** What it costs when somebody watches. */
import { bodies } from "./body.ts"
import { eager, observed } from "./contenders/ours.ts"
import type { Prepared } from "./contenders/Contender.ts"
import { compete, type Rounds } from "./measure.ts"
import { duration, ratio, table } from "./table.ts"
import { layered } from "./workload.ts"

export interface Watching {
  readonly what: string
  readonly nobody: number
  readonly somebody: number
  /** Watched, as a multiple of not watched: the median over rounds. */
  readonly ratio: number
}

const watch = async (what: string, rounds: Rounds, watched: Prepared, alone: Prepared): Promise<Watching> => {
  const [somebody, nobody] = await compete(
    [
      { name: "watched", run: watched.run },
      { name: "alone", run: alone.run }
    ],
    rounds
  )
  return { what, nobody: nobody!.median, somebody: somebody!.median, ratio: nobody!.ratio }
}

export const measureWatching = async (isQuick: boolean): Promise<ReadonlyArray<Watching>> => {
  const rounds: Rounds = isQuick ? { warmUp: 1, measured: 5, sampleMs: 3 } : { warmUp: 5, measured: 31, sampleMs: 6 }
  const graph = layered(1000)
  const found: Array<Watching> = []
  for (const body of bodies.slice(0, 2)) {
    found.push(await watch(`page of 5, ${body.name}`, rounds, observed.page!(body), eager.page!(body)))
    found.push(
      await watch(`${graph.name}, ${body.name}`, rounds, observed.graph!(graph, body), eager.graph!(graph, body))
    )
  }
  return found
}

export const watchingTable = (found: ReadonlyArray<Watching>): string =>
  table(
    ["watching", "nobody", "an observer", "ratio"],
    found.map(({ nobody, ratio: watched, somebody, what }) => [
      what,
      duration(nobody),
      duration(somebody),
      ratio(watched)
    ])
  )
