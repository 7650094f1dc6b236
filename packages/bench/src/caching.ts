/**
 * What a value costs that a cache has already: against `Cache.get` of effect, and in a load, against hand-written code that
 * asks that one.
 */
import { Cache, Context, Effect, Layer } from "effect"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { compete, type Contestant, type Rounds } from "./measure.ts"
import { duration, ratio, table } from "./table.ts"

class Users extends ResourceCache.Service<Users>()("bench/Users") {}

export interface Caching {
  readonly what: string
  /** Nanoseconds of ours, and of effect's. */
  readonly ours: number
  readonly theirs: number
  readonly ratio: number
}

const load = (key: string): Effect.Effect<string> => Effect.succeed(`user ${key}`)

const forever = Users.layer({ timeToLive: "1 hour" })

/** As an application has it: built once. Nothing is there to be released while it runs. */
const context: Context.Context<Users> = Effect.runSync(Effect.scoped(Layer.build(forever)))
const ours = Context.get(context, Users)
const theirs = Effect.runSync(Cache.make({ capacity: 10_000, lookup: load, timeToLive: "1 hour" }))

const keys = Array.from({ length: 1000 }, (_, k) => `user:${k}`)

/** Each of 1,000 keys, one after the other. */
const all = (get: (key: string) => Effect.Effect<string>): (() => Promise<unknown>) => {
  const program = Effect.forEach(keys, get, { discard: true })
  return async () => Effect.runSync(program)
}

const hits: ReadonlyArray<Contestant> = [
  { name: "ours", run: all((key) => ours.get(key, load(key))) },
  { name: "Cache.get", run: all((key) => Cache.get(theirs, key)) }
]

const id = Resource.input<string>()("id")
const users = Array.from({ length: 5 }, (_, k) =>
  Resource.make(`user${k}`, { deps: { id }, key: ({ id }) => `${id}:${k}`, load: ({ id }) => load(id) }).pipe(
    Policy.cache(Users)
  )
)
const page = Loader.make(Object.fromEntries(users.map((user) => [user.name, user])))
const cachedPage = Effect.provideContext(Loader.load(page, { id: "user" }), context)
const pageByHand = Effect.all(
  Object.fromEntries(users.map(({ name }, k) => [name, Effect.suspend(() => Cache.get(theirs, `user:${k}`))])),
  { concurrency: "unbounded" }
)

const pages: ReadonlyArray<Contestant> = [
  { name: "ours", run: async () => Effect.runSync(cachedPage) },
  { name: "Effect.all of Cache.get", run: async () => Effect.runSync(pageByHand) }
]

const measure = async (what: string, contestants: ReadonlyArray<Contestant>, rounds: Rounds): Promise<Caching> => {
  const [mine, other] = await compete(contestants, rounds)
  return { what, ours: mine!.median, theirs: other!.median, ratio: other!.ratio }
}

const thorough: Rounds = { warmUp: 20, measured: 61, sampleMs: 6 }
const quick: Rounds = { warmUp: 1, measured: 5, sampleMs: 3 }

export const hit = "1,000 hits"

export const measureCaching = async (isQuick: boolean): Promise<ReadonlyArray<Caching>> => {
  const rounds = isQuick ? quick : thorough
  return [await measure(hit, hits, rounds), await measure("page of 5 hits", pages, rounds)]
}

export const cachingTable = (found: ReadonlyArray<Caching>): string =>
  table(
    ["caching", "ours", "Cache.get", "ours / Cache.get"],
    found.map(({ ours, ratio: times, theirs, what }) => [what, duration(ours), duration(theirs), ratio(times)])
  )
