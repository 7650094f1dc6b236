/** Pages that are asked for whether or not earlier ones have been answered, and how long each took. */
import { Clock, Effect } from "effect"
import { Loader } from "effect-loader"
import { type Database, greeting, report } from "../twopages/pages.ts"
import { byShares, type Queries } from "../twopages/shared.ts"
import type { Arrival, Page } from "./arrivals.ts"

const heavy = Loader.make(report)
const light = Loader.make(greeting)

/** Whatever is asked for goes to the pool of connections at once. */
export const unbounded = (page: Page): Effect.Effect<unknown, never, Database> =>
  page === "light" ? Loader.load(light) : Loader.load(heavy)

/** The same by `Policy.limit`, with one limiter for both. */
export const limited = (page: Page): Effect.Effect<unknown, Loader.Error<typeof byShares.light>, Database | Queries> =>
  page === "light" ? Loader.load(byShares.light) : Loader.load(byShares.heavy)

/** Instants are milliseconds from the start of the trial. */
export interface Answer {
  readonly page: Page
  readonly asked: number
  readonly answered: number
  readonly values: unknown
}

export const run = <E, R>(
  load: (page: Page) => Effect.Effect<unknown, E, R>,
  arrivals: ReadonlyArray<Arrival>
): Effect.Effect<ReadonlyArray<Answer>, E, R> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const sinceStart = Effect.map(Clock.currentTimeMillis, (now) => now - start)
    const ask = Effect.fnUntraced(function* ({ at, page }: Arrival) {
      yield* Effect.sleep(at - (yield* sinceStart))
      const values = yield* load(page)
      return { page, asked: at, answered: yield* sinceStart, values }
    })
    return yield* Effect.forEach(arrivals, ask, { concurrency: "unbounded" })
  })

/** One page after the other, while the database has nothing else to do. */
export const alone = (page: Page, times: number) =>
  Effect.map(Effect.replicateEffect(run(unbounded, [{ at: 0, page }]), times), (answers) => answers.flat())
