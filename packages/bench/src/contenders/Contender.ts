/** One way to load a page or a graph. */
import type { Body } from "../body.ts"
import type { Shape } from "../shapes/Shape.ts"
import type { Graph } from "../workload.ts"

/** Everything that can be prepared once is: only `run` is timed. */
export interface Prepared {
  readonly run: () => Promise<unknown>
  /** What the last run loaded: the page's five values, or those of a graph's sinks. */
  readonly values: () => ReadonlyArray<number>
}

export interface Contender {
  readonly name: string
  readonly page?: (body: Body) => Prepared
  /** A page of another shape than the page of five. */
  readonly shape?: (shape: Shape, body: Body) => Prepared
  readonly graph?: (graph: Graph, body: Body) => Prepared
}

/** Keeps what a run gave, so that reading values from it is not timed. */
export const prepared = <Result>(
  load: () => Promise<Result>,
  read: (result: Result) => ReadonlyArray<number>
): Prepared => {
  let last: (() => Result) | undefined
  return {
    run: async () => {
      const result = await load()
      last = () => result
    },
    values: () => (last === undefined ? [] : read(last()))
  }
}
