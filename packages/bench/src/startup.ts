/**
 * Starting up: twelve services, wired with layers in two ways and as one start-up graph.
 *
 * By level: what has the same depth is merged, and each level is provided to the next. A merge is there when the slowest
 * of it is, which is a barrier that the graph does not ask for. One by one: each layer is given those that it needs, and
 * nothing else, which takes care but has no barrier. All build the very
 * same services; to build one takes some milliseconds of sleep, or nothing.
 */
import { Context, Effect, Layer } from "effect"
import { Loader, Resource } from "effect-loader"
import { compete, type Rounds } from "./measure.ts"
import { duration, ratio, table } from "./table.ts"

interface Service {
  readonly name: string
  readonly needs: ReadonlyArray<string>
  readonly millis: number
}

/** In each of the first three levels somebody is slow, and it is nobody whom the slow one of the next level needs. */
const levels: ReadonlyArray<ReadonlyArray<Service>> = [
  [
    { name: "config", needs: [], millis: 1 },
    { name: "secrets", needs: [], millis: 20 },
    { name: "telemetry", needs: [], millis: 5 }
  ],
  [
    { name: "database", needs: ["config"], millis: 20 },
    { name: "cache", needs: ["config"], millis: 2 },
    { name: "mail", needs: ["secrets"], millis: 2 },
    { name: "queue", needs: ["config", "telemetry"], millis: 5 }
  ],
  [
    { name: "users", needs: ["database", "cache"], millis: 2 },
    { name: "search", needs: ["cache"], millis: 20 },
    { name: "invites", needs: ["mail", "queue"], millis: 2 }
  ],
  [
    { name: "sessions", needs: ["users"], millis: 2 },
    { name: "health", needs: ["search", "invites"], millis: 1 }
  ]
]

const services = levels.flat()

type Key = Context.Key<string, number>
const keys = new Map(services.map(({ name }) => [name, Context.Service<string, number>(`bench/${name}`) as Key]))
const keyOf = (name: string): Key => keys.get(name)!

/** Builds one service from those that it needs: its depth. */
const build = ({ millis, name, needs }: Service, isSlow: boolean): Layer.Layer<string, never, string> => {
  const made = Effect.map(Effect.context<string>(), (context) =>
    needs.reduce((depth, need) => Math.max(depth, Context.get(context, keyOf(need)) + 1), 0)
  )
  return Layer.effect(keyOf(name), isSlow ? Effect.andThen(Effect.sleep(millis), made) : made)
}

const merged = (level: ReadonlyArray<Service>, isSlow: boolean): Layer.Layer<string, never, string> =>
  Layer.mergeAll(...(level.map((service) => build(service, isSlow)) as [Layer.Layer<string, never, string>]))

/** Each level on top of the ones before. */
const byLevels = (isSlow: boolean): Layer.Layer<string> =>
  levels
    .map((level) => merged(level, isSlow))
    .reduce((below, level) => Layer.provideMerge(level, below)) as Layer.Layer<string>

/** Each layer on those that it needs. That each is built once rests on its being the same value everywhere. */
const oneByOne = (isSlow: boolean): Layer.Layer<string> => {
  const known = new Map<string, Layer.Layer<string>>()
  for (const service of services) {
    const needs = service.needs.map((need) => known.get(need)!)
    known.set(service.name, Layer.provide(build(service, isSlow), needs as [Layer.Layer<string>]))
  }
  return Layer.mergeAll(...(Array.from(known.values()) as [Layer.Layer<string>]))
}

/** The same services, each a resource that depends on those that it needs. */
const byGraph = (isSlow: boolean): Layer.Layer<string> => {
  const resources: Record<string, Resource.Any> = {}
  for (const service of services) {
    const deps = Object.fromEntries(service.needs.map((need) => [need, resources[need]!]))
    resources[service.name] = Resource.fromLayer(service.name, keyOf(service.name), build(service, isSlow), { deps })
  }
  return Loader.toLayer(Loader.make(resources), Object.fromEntries(keys) as never) as never
}

/** Builds everything and releases it, in a memo map of its own, and says what was built. */
const startUp = (layer: Layer.Layer<string>): Promise<string> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.map(Layer.build(layer), (context) => services.map(({ name }) => Context.get(context, keyOf(name))).join())
    )
  )

export interface StartUp {
  readonly what: string
  readonly graph: number
  readonly byLevel: number
  readonly oneByOne: number
  /** The graph, as a multiple of each of the others: the median over rounds. */
  readonly toLevel: number
  readonly toOneByOne: number
}

const measure = async (what: string, isSlow: boolean, rounds: Rounds): Promise<StartUp> => {
  const wirings = { graph: byGraph(isSlow), level: byLevels(isSlow), one: oneByOne(isSlow) }
  const built = await Promise.all(Object.values(wirings).map(startUp))
  if (new Set(built).size > 1) throw new Error(`not the same is built: ${built.join(" or ")}`)
  const contestants = Object.entries(wirings).map(([name, layer]) => ({ name, run: () => startUp(layer) }))
  const [graph, level, one] = await compete(contestants, rounds)
  return {
    what,
    graph: graph!.median,
    byLevel: level!.median,
    oneByOne: one!.median,
    toLevel: level!.ratio,
    toOneByOne: one!.ratio
  }
}

/** The time of the longest chain, and of the slowest of each level, one level after the other. */
const foretold = (): readonly [chain: number, barriers: number] => {
  const until = new Map<string, number>()
  for (const { millis, name, needs } of services) {
    until.set(name, millis + Math.max(0, ...needs.map((need) => until.get(need)!)))
  }
  const slowest = levels.map((level) => Math.max(...level.map(({ millis }) => millis)))
  return [Math.max(...until.values()), slowest.reduce((sum, millis) => sum + millis)]
}

export const measureStartUp = async (isQuick: boolean): Promise<ReadonlyArray<StartUp>> => {
  const slow: Rounds = { warmUp: 1, measured: isQuick ? 3 : 15, sampleMs: 1 }
  const quick: Rounds = isQuick ? { warmUp: 1, measured: 5, sampleMs: 3 } : { warmUp: 5, measured: 31, sampleMs: 6 }
  const [chain, barriers] = foretold()
  const said = { what: "as declared", graph: chain * 1e6, byLevel: barriers * 1e6, oneByOne: chain * 1e6 }
  return [
    { ...said, toLevel: chain / barriers, toOneByOne: 1 },
    await measure("measured, by sleeps", true, slow),
    await measure("measured, synchronous", false, quick)
  ]
}

export const startUpTable = (found: ReadonlyArray<StartUp>): string =>
  table(
    ["starting 12 services", "Loader.toLayer", "layers by level", "layers one by one"],
    found.map(({ byLevel, graph, oneByOne, toLevel, toOneByOne, what }) => [
      what,
      duration(graph),
      `${ratio(toLevel)} (${duration(byLevel)})`,
      `${ratio(toOneByOne)} (${duration(oneByOne)})`
    ])
  )
