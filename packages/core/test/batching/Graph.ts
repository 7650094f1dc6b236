/** Generated graphs of requests. The same graph can be declared for different resolvers. */
import { Effect, Request, type RequestResolver } from "effect"
import { Resource } from "effect-loader"
import * as fc from "fast-check"

export class GetSum extends Request.TaggedClass("GetSum")<{ readonly of: number }, number, "negative"> {}

/** One resource: its dependencies among the earlier ones, the time before its request, and its kind. */
export interface Spec {
  readonly needs: ReadonlyArray<number>
  readonly delay: number
  readonly kind: "request" | "load" | "list" | "optional"
  readonly resolver: 0 | 1
  readonly seed: number
}

export const graphs: fc.Arbitrary<ReadonlyArray<Spec>> = fc
  .array(
    fc.record({
      picks: fc.array(fc.nat(20), { maxLength: 3 }),
      delay: fc.integer({ min: 0, max: 9 }),
      kind: fc.constantFrom("request", "load", "list", "optional"),
      resolver: fc.constantFrom(0, 1),
      seed: fc.integer({ min: -1, max: 5 })
    }),
    { minLength: 1, maxLength: 10 }
  )
  .map((specs) =>
    specs.map(({ picks, ...spec }, i): Spec => ({
      ...spec,
      needs: i === 0 ? [] : Array.from(new Set(picks.map((pick) => pick % i)))
    }))
  )

type Resolver = RequestResolver.RequestResolver<GetSum>

const keyOf = (i: number): string => `r${i}`

const total = (values: object): number =>
  Object.values(values).reduce((sum: number, value: unknown) => sum + (typeof value === "number" ? value : 0), 0)

/** A list gives the sum of its items, so that all values are numbers. */
const declare = (
  { delay, kind, needs, resolver, seed }: Spec,
  i: number,
  before: ReadonlyArray<Resource.Any>,
  resolvers: readonly [Resolver, Resolver]
): Resource.Any => {
  const name = keyOf(i)
  const deps: Resource.Deps = Object.fromEntries(needs.map((k) => [keyOf(k), before[k]!]))
  const late = Resource.make(`late ${name}`, { deps, load: () => Effect.sleep(delay) })
  const all: Resource.Deps = { ...deps, late }
  const asked = (values: object): number => seed + (seed < 0 ? -100 : total(values))
  switch (kind) {
    case "load":
      return Resource.make(name, { deps, load: (values) => Effect.as(Effect.sleep(delay), seed + total(values)) })
    case "request":
      return Resource.fromRequest(name, {
        deps: all,
        request: (values) => new GetSum({ of: Math.abs(asked(values)) }),
        resolver: resolvers[resolver]
      })
    case "optional":
      return Resource.fromRequest(name, {
        deps: all,
        request: (values) => new GetSum({ of: asked(values) }),
        resolver: resolvers[resolver]
      }).pipe(Resource.orElseSucceed(() => -1))
    case "list": {
      const list = Resource.forEachRequest(name, {
        deps: all,
        items: () => [0, 1, 2],
        request: (item, values) => new GetSum({ of: Math.abs(item + total(values)) }),
        resolver: resolvers[resolver]
      })
      return Resource.map(list, (values) => values.reduce((sum, value) => sum + value, 0))
    }
  }
}

export const targetsOf = (
  specs: ReadonlyArray<Spec>,
  resolvers: readonly [Resolver, Resolver]
): Readonly<Record<string, Resource.Any>> => {
  const resources: Array<Resource.Any> = []
  specs.forEach((spec, i) => resources.push(declare(spec, i, resources, resolvers)))
  return Object.fromEntries(resources.map((resource, i) => [keyOf(i), resource]))
}

/** The value of each resource, computed one after the other. */
export const plainly = (specs: ReadonlyArray<Spec>): Readonly<Record<string, number>> => {
  const values: Array<number> = []
  for (const { kind, needs, seed } of specs) {
    const sum = needs.reduce((sum, k) => sum + values[k]!, 0)
    const asked = seed + (seed < 0 ? -100 : sum)
    if (kind === "load") values.push(seed + sum)
    else if (kind === "list") values.push([0, 1, 2].reduce((all, item) => all + answerTo(Math.abs(item + sum)), 0))
    else if (kind === "request") values.push(answerTo(Math.abs(asked)))
    else values.push(asked < 0 ? -1 : answerTo(asked))
  }
  return Object.fromEntries(values.map((value, i) => [keyOf(i), value]))
}

export const answerTo = (of: number): number => (Math.abs(of) * 7 + 3) % 101
