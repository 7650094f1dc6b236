/** Bytes a resource: declared and compiled, after everything is loaded, and while everything is in flight. */
import { Effect, Fiber } from "effect"
import { Loader, Resource } from "effect-loader"
import { bodies } from "./body.ts"
import { declareGraph } from "./contenders/ours.ts"
import { table } from "./table.ts"
import { layered } from "./workload.ts"

export interface Heap {
  readonly size: number
  readonly declared: number
  readonly compiled: number
  readonly loaded: number
  readonly inFlight: number
}

const used = (): number => {
  // Twice: what the first one finalizes the second one frees.
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const declaration = (size: number) => {
  const graph = layered(size)
  const before = used()
  const targets = declareGraph(graph, bodies[0]!)
  const declared = used() - before
  const loader = Loader.make(targets)
  const compiled = used() - before - declared
  // Handing them out keeps them alive until they have been weighed.
  return { declared, compiled, alive: [graph, targets, loader] }
}

/** What a run holds when its last resource is loaded: one more resource, after all others, does the weighing. */
const whenLoaded = async (size: number): Promise<number> => {
  let atEnd = 0
  const graph = layered(size)
  const last = Resource.make("last", {
    deps: declareGraph(graph, bodies[0]!),
    load: () =>
      Effect.sync(() => {
        atEnd = used()
      })
  })
  const loader = Loader.make({ last })
  // The first run makes what later ones share.
  await Effect.runPromise(Loader.load(loader))
  const before = used()
  await Effect.runPromise(Loader.load(loader))
  // Asking for its size keeps the graph alive until then.
  return graph.size === size ? atEnd - before : 0
}

/** What a run holds while all of its resources wait for something outside. */
const whenInFlight = async (size: number): Promise<number> => {
  const nodes = Array.from({ length: size }, (_, i) => Resource.make(`r${i}`, { load: () => Effect.never }))
  const loader = Loader.make({
    all: Resource.struct("all", Object.fromEntries(nodes.map((node) => [node.name, node])))
  })
  const before = used()
  const fiber = Effect.runFork(Loader.load(loader))
  // The scheduler gives the thread away every so often; this is long enough for all to have started.
  for (let turn = 0; turn < size / 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  const held = used() - before
  await Effect.runPromise(Fiber.interrupt(fiber))
  return held
}

export const measureHeap = async (isQuick: boolean): Promise<ReadonlyArray<Heap>> => {
  const found: Array<Heap> = []
  for (const size of isQuick ? [10_000] : [10_000, 100_000]) {
    const { compiled, declared } = declaration(size)
    const loaded = await whenLoaded(size)
    const inFlight = await whenInFlight(size)
    found.push({
      size,
      declared: declared / size,
      compiled: compiled / size,
      loaded: loaded / size,
      inFlight: inFlight / size
    })
  }
  return found
}

const bytes = (value: number): string => String(Math.round(value))

export const heapTable = (found: ReadonlyArray<Heap>): string =>
  table(
    ["heap, bytes a resource", "declared", "+ compiled", "a run, all loaded", "a run, all in flight"],
    found.map(({ compiled, declared, inFlight, loaded, size }) => [
      size.toLocaleString("en"),
      bytes(declared),
      bytes(compiled),
      bytes(loaded),
      bytes(inFlight)
    ])
  )
