/**
 * Batches: 1,000 keys in one call, beside Effect's own requests and `dataloader`; and pages of three levels of 50 users
 * each, beside the same pages by hand.
 */
import DataLoader from "dataloader"
import { Effect, Exit, Request, RequestResolver } from "effect"
import { Batching, Loader, Resource } from "effect-loader"
import { compete, type Contestant, type Measured } from "./measure.ts"
import { duration, ratio, round, table } from "./table.ts"

class GetUser extends Request.TaggedClass("GetUser")<{ readonly id: number }, number> {}

const answer = (entries: ReadonlyArray<Request.Entry<GetUser>>) =>
  Effect.sync(() => {
    for (const entry of entries) entry.completeUnsafe(Exit.succeed(entry.request.id))
  })

type Resolver = RequestResolver.RequestResolver<GetUser>

/** What asks for 1,000 keys at once; ours is first. */
const manyKeys = (): ReadonlyArray<Contestant> => {
  const keys = Array.from({ length: 1000 }, (_, k) => k)
  const resolver = RequestResolver.make<GetUser>(answer)
  const users = Resource.forEachRequest("users", { items: () => keys, request: (id) => new GetUser({ id }), resolver })
  const list = Loader.make({ users })
  const one = (id: number) => Resource.fromRequest(`user ${id}`, { request: () => new GetUser({ id }), resolver })
  const resources = Loader.make(Object.fromEntries(keys.map((id) => [`user ${id}`, one(id)])))
  const dataLoader = () => new DataLoader<number, number>((ids) => Promise.resolve(ids), { cache: false })
  const concurrently = <A>(load: (id: number) => Effect.Effect<A>) =>
    Effect.runPromise(Effect.forEach(keys, load, { concurrency: "unbounded" }))
  return [
    { name: "ours, a list", run: () => Effect.runPromise(Loader.load(list)) },
    { name: "ours, 1,000 resources", run: () => Effect.runPromise(Loader.load(resources)) },
    { name: "Effect.request", run: () => concurrently((id) => Effect.request(new GetUser({ id }), resolver)) },
    {
      name: "dataloader in Effect",
      run: () => {
        const loader = dataLoader()
        return concurrently((id) => Effect.promise(() => loader.load(id)))
      }
    },
    {
      name: "dataloader alone",
      run: () => {
        const loader = dataLoader()
        return Promise.all(keys.map((id) => loader.load(id)))
      }
    }
  ]
}

const width = 50

/** Milliseconds that a card takes before it asks for the user of a level: more for some than for others. */
type Stagger = (card: number, level: number) => number

const staggered: Stagger = (card, level) => (card * (level + 2)) % 7

const idOf = (card: number, level: number, before: number): number => level * 100 + card + (before % 1)

const pageOf = (resolver: Resolver, stagger: Stagger | undefined) => {
  const card = Resource.input<number>()("card")
  type Before = Resource.Resource<string, number, any, never, { readonly card: number }> // oxlint-disable-line typescript/no-explicit-any
  const level = (n: number, before: Before): Before => {
    const ready =
      stagger === undefined
        ? before
        : Resource.make(`ready ${n}`, {
            deps: { before, card },
            load: ({ before, card }) => Effect.as(Effect.sleep(stagger(card, n)), before)
          })
    return Resource.fromRequest(`user ${n}`, {
      deps: { card, ready },
      request: ({ card, ready }) => new GetUser({ id: idOf(card, n, ready) }),
      resolver
    })
  }
  const inner = Loader.make({ last: level(2, level(1, level(0, card))) })
  const cards = Resource.forEach("cards", {
    items: () => Array.from({ length: width }, (_, k) => k),
    load: (card) => Loader.load(inner, { card }),
    resolvers: [resolver]
  })
  const page = Loader.make({ cards })
  return () => Effect.runPromise(Loader.load(page) as Effect.Effect<unknown>)
}

const pageByHand = (resolver: Resolver, stagger: Stagger | undefined) => {
  const level = (card: number, n: number, before: number) => {
    const asked = Effect.request(new GetUser({ id: idOf(card, n, before) }), resolver)
    return stagger === undefined ? asked : Effect.andThen(Effect.sleep(stagger(card, n)), asked)
  }
  const one = Effect.fnUntraced(function* (card: number) {
    const first = yield* level(card, 0, card)
    const second = yield* level(card, 1, first)
    return { last: yield* level(card, 2, second) }
  })
  const cards = Array.from({ length: width }, (_, k) => k)
  return () => Effect.runPromise(Effect.forEach(cards, one, { concurrency: "unbounded" }))
}

interface Counted extends Contestant {
  readonly callsOfOne: () => Promise<number>
}

/** A page, and how many calls one run of it takes. */
const counted = (
  name: string,
  takes: number,
  toPage: (resolver: Resolver) => () => Promise<unknown>,
  change: (resolver: Resolver) => Resolver = (resolver) => resolver
): Counted => {
  let calls = 0
  const resolver = RequestResolver.make<GetUser>((entries) => {
    calls++
    return takes === 0 ? answer(entries) : Effect.andThen(Effect.sleep(takes), answer(entries))
  })
  const run = toPage(change(resolver))
  const callsOfOne = async (): Promise<number> => {
    calls = 0
    await run()
    return calls
  }
  return { name, run, callsOfOne }
}

const hold = Batching.graphAware({ maxHold: "50 millis" })

const pages = (takes: number, stagger: Stagger | undefined): ReadonlyArray<Counted> => [
  counted("ours, graph-aware", takes, (resolver) => pageOf(resolver, stagger), hold),
  counted("ours", takes, (resolver) => pageOf(resolver, stagger)),
  counted("by hand, Effect.request", takes, (resolver) => pageByHand(resolver, stagger))
]

export interface Batched extends Measured {
  readonly what: string
  /** How many calls of the resolver there were. */
  readonly calls: number | undefined
}

const rounds = (isQuick: boolean, sampleMs: number) =>
  isQuick ? { warmUp: 0, measured: 1, sampleMs: 1 } : { warmUp: 3, measured: 15, sampleMs }

const measurePages = async (what: string, contestants: ReadonlyArray<Counted>, isQuick: boolean) => {
  const calls: Array<number> = []
  for (const { callsOfOne } of contestants) calls.push(await callsOfOne())
  const measured = await compete(contestants, rounds(isQuick, 100))
  return measured.map((one, k): Batched => ({ ...one, what, calls: calls[k]! }))
}

export const measureBatches = async (isQuick: boolean): Promise<ReadonlyArray<Batched>> => {
  const keys = await compete(manyKeys(), rounds(isQuick, 50))
  return [
    ...keys.map((one): Batched => ({ ...one, what: "1,000 keys", calls: 1 })),
    ...(await measurePages("3 x 50, in step", pages(0, undefined), isQuick)),
    ...(await measurePages("3 x 50, calls of 5 ms, out of step", pages(5, staggered), isQuick))
  ]
}

/** Ours, as a multiple of the time of somebody else. */
export const batchedAgainst = (all: ReadonlyArray<Batched>, what: string, name: string): number | undefined =>
  all.find((one) => one.what === what && one.name === name)?.ratio

export const batchesTable = (all: ReadonlyArray<Batched>): string =>
  table(
    ["what", "who", "calls", "time", "ours / theirs"],
    all.map(({ calls, median, name, ratio: times, what }) => [
      what,
      name,
      String(calls ?? ""),
      duration(median),
      ratio(times)
    ]),
    2
  )

export const batchesJson = (all: ReadonlyArray<Batched>): ReadonlyArray<object> =>
  all.map(({ calls, median, name, ratio: times, what }) => ({
    what,
    name,
    calls,
    ns: round(median),
    ratio: round(times)
  }))
