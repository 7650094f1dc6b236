/** The same two pages, with the same number of queries at once, by two ways to share it. */
import { Duration, Effect, Semaphore } from "effect"
import { Limiter, Loader, Policy } from "effect-loader"
import { greeting, report } from "./pages.ts"

/** How many queries the database may be asked at once. */
export const limit = 4

export class Queries extends Limiter.Service<Queries>()("twopages/Queries") {}

const fair = Policy.limit(Queries)

/** What one would write without a limiter: a semaphore, which serves who came first. */
const places = Semaphore.makeUnsafe(limit)
const firstCome = Policy.around("semaphore", (self) => places.withPermit(self))

export const byTurns = {
  heavy: Loader.make(report, { name: "report, first come", policy: firstCome }),
  light: Loader.make(greeting, { name: "greeting, first come", policy: firstCome })
}

export const byShares = {
  heavy: Loader.make(report, { name: "report, fair", policy: fair }),
  light: Loader.make(greeting, { name: "greeting, fair", policy: fair })
}

/** The light page begins so long after the heavy one: in the middle of its queries, so that it has to wait for a permit. */
export const later = Duration.millis(110)

/** Both pages at once, and what became of each. */
export const loadBoth = ({ heavy, light }: typeof byTurns | typeof byShares) =>
  Effect.all(
    { heavy: Loader.settle(heavy), light: Effect.delay(Loader.settle(light), later) },
    { concurrency: "unbounded" }
  )
