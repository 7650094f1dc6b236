/** What each of two processes has: loads that share a rate limit and circuit breakers, in a Redis between them. */
import { NodeRedis } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Loader, type Report, Resource } from "effect-loader"
import { CircuitBreaker, circuitBreaker, RateLimit, rateLimit } from "effect-loader/resilience"
import * as Breakers from "effect/persistence/CircuitBreaker"
import * as Rates from "effect/persistence/RateLimiter"
import { errorIn } from "../kit/errorIn.ts"

export class Search extends RateLimit.Service<Search>()("shared/Search") {}
export class Payments extends CircuitBreaker.Service<Payments>()("shared/Payments") {}
/** One that soon tries again. */
export class Mail extends CircuitBreaker.Service<Mail>()("shared/Mail") {}

/** One whose probes have little time. */
export class Reports extends CircuitBreaker.Service<Reports>()("shared/Reports") {}

/** How many searches there may be, in all processes; and for how many each one asks at once. */
export const rate = 6
export const searches = 4

const search = Loader.make(
  Object.fromEntries(
    Array.from({ length: searches }, (_, k) => {
      const one = Resource.make(`search ${k}`, { load: () => Effect.void }).pipe(rateLimit(Search))
      return [one.name, one]
    })
  )
)

const payment = (self: Effect.Effect<void, string>) =>
  Loader.make({ payment: Resource.make("payment", { load: () => self }).pipe(circuitBreaker(Payments)) })

/** What became of a resource: "loaded", or its error. */
const tell = ({ outcome }: Report.ResourceReport): string => {
  if (outcome._tag !== "Failed") return outcome._tag === "Succeeded" ? "loaded" : outcome._tag
  const error = errorIn(outcome.cause) as string | { readonly _tag: string }
  return typeof error === "string" ? error : error._tag
}

export type Answer = ReadonlyArray<string>

const told = ({ resources }: Report.Report<unknown>): Answer => resources.map(tell)

const answers = {
  search: Effect.map(Loader.settle(search), told),
  "fail to pay": Effect.map(Loader.settle(payment(Effect.fail("down"))), told),
  pay: Effect.map(Loader.settle(payment(Effect.void)), told)
}

export type Question = keyof typeof answers

export const answer = (question: Question): Effect.Effect<Answer, never, Search | Payments> => answers[question]

/** A client that says at once that it is not connected. */
const redisOn = (url: string) => NodeRedis.layer({ url, disableOfflineQueue: true })

export const processOn = (url: string) =>
  Layer.mergeAll(
    Search.layerShared({ limit: rate, window: "1 hour" }).pipe(Layer.provide(Rates.layerStoreRedis())),
    Layer.mergeAll(
      Payments.layerShared({ opens: { failures: 2 }, openDuration: "1 hour" }),
      Mail.layerShared({ opens: { failures: 1 }, openDuration: "100 millis" }),
      Reports.layerShared({ opens: { failures: 1 }, openDuration: "50 millis", probeTimeout: "50 millis" })
    ).pipe(Layer.provide(Breakers.layerStoreRedis()))
  ).pipe(Layer.provide(redisOn(url)))
