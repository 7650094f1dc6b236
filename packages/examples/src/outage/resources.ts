/** A page of three parts, each of which stands in its own way when the backend does not. */
import { Effect, Layer, Option, Schedule } from "effect"
import { Loader, Policy, Resource } from "effect-loader"
import { CircuitBreaker, circuitBreaker, RetryBudget } from "effect-loader/resilience"
import { Shop, Unavailable } from "./Shop.ts"

/** What all parts know of the backend together. */
export class Health extends CircuitBreaker.Service<Health>()("shop/Health") {}
export class Retries extends RetryBudget.Service<Retries>()("shop/Retries") {}

export const layer = Layer.mergeAll(
  Health.layer({
    opens: { threshold: 0.5, size: 20, minimumCalls: 10 },
    openDuration: "300 millis",
    retryAfter: (error) => (error instanceof Unavailable ? error.retryAfter : undefined)
  }),
  Retries.layer({ ratio: 0.2, perSecond: 1 })
)

/** Innermost first: what one attempt may take, what is known of the backend, and how often to try. */
const patient = Policy.compose(
  Policy.timeout("1 second"),
  circuitBreaker(Health),
  Policy.hedge({ after: "200 millis", budget: Retries })
)

const again = {
  times: 2,
  schedule: Schedule.exponential("20 millis").pipe(Schedule.jittered),
  budget: Retries
}

const user = Resource.make("user", { load: () => Effect.flatMap(Shop, ({ user }) => user) }).pipe(
  patient,
  Policy.retry({ ...again, while: (error) => error._tag !== "CircuitOpen" }),
  Resource.orElseSucceed(() => ({ name: "guest" }))
)

/** A chain of fallbacks: the backend, what was known last, and a figure from the configuration. */
let lastKnown = Option.none<{ readonly euro: number }>()

const rate = Resource.make("rate", {
  load: () =>
    Effect.tap(
      Effect.flatMap(Shop, ({ rate }) => rate),
      (rate) => Effect.sync(() => void (lastKnown = Option.some(rate)))
    )
}).pipe(
  patient,
  Policy.retry({ ...again, while: (error) => error._tag !== "CircuitOpen" }),
  Resource.catch(() => Effect.fromOption(lastKnown)),
  Resource.catch(() => Effect.succeed({ euro: 1 }))
)

/** Nobody misses what they do not see: one attempt, and no section without it. */
const offers = Resource.make("offers", { load: () => Effect.flatMap(Shop, ({ offers }) => offers) }).pipe(
  Policy.timeout("1 second"),
  circuitBreaker(Health),
  Resource.option
)

export const page = Loader.make({ user, rate, offers }, { name: "shop", concurrency: 8 })
