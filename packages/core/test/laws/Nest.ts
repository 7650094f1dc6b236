/** Generated nested graphs, and the same as real resources. */
import { Effect } from "effect"
import { Loader, Resource } from "effect-loader"
import fc from "fast-check"
import { digest, isEven, type Nest, type NestedGraph } from "./NaiveNest.ts"

const part = fc.record({
  duration: fc.integer({ min: 1, max: 500_000 }),
  fails: fc.constantFrom(false, false, false, false, false, false, true)
})

const earlier = (index: number): fc.Arbitrary<number> => fc.nat({ max: index - 1 })

const deps = (index: number): fc.Arbitrary<ReadonlyArray<number>> =>
  index === 0 ? fc.constant([]) : fc.uniqueArray(earlier(index), { maxLength: 3 })

const node = (index: number, depth: number): fc.Arbitrary<Nest> => {
  const load = fc.record({ _tag: fc.constant("Load" as const), deps: deps(index), ...partOf })
  if (index === 0) return load
  const match = fc.record({
    _tag: fc.constant("Match" as const),
    on: earlier(index),
    even: earlier(index),
    odd: earlier(index)
  })
  const list = fc.record({
    _tag: fc.constant("List" as const),
    deps: deps(index),
    items: fc.array(part, { maxLength: 4 }),
    inner: depth === 0 ? fc.constant(undefined) : fc.option(nestedGraph(depth - 1), { nil: undefined })
  })
  if (depth === 0) return fc.oneof(load, match, list)
  const loader = fc.record({
    _tag: fc.constant("Loader" as const),
    input: fc.option(earlier(index), { nil: undefined }),
    inner: nestedGraph(depth - 1)
  })
  return fc.oneof(load, match, list, loader)
}

const partOf = {
  duration: fc.integer({ min: 1, max: 500_000 }),
  fails: fc.constantFrom(false, false, false, false, false, false, true)
}

/** Graphs in graphs, at most `depth` deep below the first. */
export const nestedGraph = (depth: number): fc.Arbitrary<NestedGraph> =>
  fc.integer({ min: 1, max: depth > 2 ? 6 : 4 }).chain((size) =>
    fc.record({
      nodes: fc.tuple(...Array.from({ length: size }, (_, i) => node(i, depth))),
      targets: fc.uniqueArray(fc.nat({ max: size - 1 }), { minLength: 1, maxLength: 2 }),
      limit: fc.constantFrom(undefined, undefined, 1, 2, 3)
    })
  )

type AnyLoader = Loader.Loader<Record<string, unknown>, unknown, never, { readonly x: unknown }>

const x = Resource.input<unknown>()("x")
const zero = Resource.succeed("zero", 0)

/** How often each of what was acquired was released, by the number of its acquisition. */
export type Held = Array<number>

const hold = (held: Held) =>
  Effect.acquireRelease(
    Effect.sync(() => held.push(0) - 1),
    (n) => Effect.sync(() => held[n]!++)
  )

const finish = (
  item: { readonly duration: number; readonly fails: boolean },
  value: unknown,
  held: Held | undefined
) => {
  const end = item.fails ? Effect.fail("error") : Effect.succeed(value)
  const self = Effect.andThen(Effect.sleep(item.duration), end)
  // The loader is run in a scope, though its type does not say that it needs one.
  return held === undefined ? self : (Effect.andThen(hold(held), self) as typeof self)
}

const toResource = (spec: Nest, n: number, before: ReadonlyArray<Resource.Any>, options: Options): Resource.Any => {
  const named = (ns: ReadonlyArray<number>) => Object.fromEntries(ns.map((d) => [`d${d}`, before[d]!]))
  const valuesOf = (deps: Record<string, unknown>, ns: ReadonlyArray<number>) => ns.map((d) => deps[`d${d}`])
  switch (spec._tag) {
    case "Load":
      return Resource.make(`n${n}`, {
        deps: { ...named(spec.deps), x },
        load: (deps) => finish(spec, digest([n, valuesOf(deps, spec.deps), deps["x"]]), options.held)
      })
    case "List": {
      const inner = spec.inner === undefined ? undefined : toNestedLoader(spec.inner, options)
      return Resource.forEach(`n${n}`, {
        deps: named(spec.deps),
        items: () => spec.items,
        load: (item, deps, k): Effect.Effect<unknown, unknown> => {
          const value = digest([n, k, valuesOf(deps, spec.deps)])
          return inner === undefined ? finish(item, value, options.held) : Loader.load(inner, { x: value })
        }
      })
    }
    case "Match":
      return Resource.match(`n${n}`, {
        on: before[spec.on]!.pipe(Resource.map((value: unknown) => isEven(value))),
        cases: { true: before[spec.even]!, false: before[spec.odd]! }
      })
    case "Loader":
      return Resource.fromLoader(`n${n}`, toNestedLoader(spec.inner, options), {
        inputs: { x: spec.input === undefined ? zero : before[spec.input]! }
      })
  }
}

interface Options {
  readonly limited: boolean
  readonly held?: Held
  readonly scheduling?: "eager" | "batched"
}

/** The loader of a nested graph. */
export const toNestedLoader = ({ limit, nodes, targets }: NestedGraph, options: Options): AnyLoader => {
  const resources: Array<Resource.Any> = []
  for (const spec of nodes) resources.push(toResource(spec, resources.length, resources, options))
  const chosen: Record<string, Resource.Any> = Object.fromEntries(targets.map((n) => [`t${n}`, resources[n]!]))
  return Loader.make(chosen, {
    ...(options.limited && limit !== undefined ? { concurrency: limit } : {}),
    ...(options.scheduling === undefined ? {} : { scheduling: options.scheduling })
  }) as AnyLoader
}
