/** A backend gets slow, goes away, and comes back, while pages are loaded all the time: what they get, and what it gets. */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Loader, Observer, type Plan, type Policy } from "effect-loader"
import { bold, fact, paragraph, print, section } from "../terminal/Text.ts"
import { Backend, type Health as How, late, usual } from "./Backend.ts"
import { Health, layer, page, Retries } from "./resources.ts"
import { Shop } from "./Shop.ts"
import { Tally } from "./Tally.ts"

const often = 50
const pages = 20

/** Loads pages for a while, one beginning after the other, whether or not the last is there. */
const loadPages = (tally: Tally) => {
  const one = Loader.load(page).pipe(Observer.observe(tally.onEvent))
  return Effect.forEach(Array.from({ length: pages }), (_, k) => Effect.delay(one, k * often), {
    concurrency: "unbounded",
    discard: true
  })
}

const stateText = Effect.map(Health.state, (state) =>
  state._tag === "Open" ? "open: nothing goes through" : state._tag === "HalfOpen" ? "being tried out" : "closed"
)

const labels = (parts: ReadonlyArray<Policy.Part>): ReadonlyArray<string> =>
  parts.toReversed().map(({ label }) => label)

const stackOf = ({ around, attempt, name, views }: Plan.PlanResource): ReadonlyArray<string> =>
  [bold(name), ...views.toReversed(), ...labels(around), `[${labels(attempt).join(" > ")}]`].map((line, k) =>
    k === 0 ? line : `  ${line}`
  )

const during = (how: How, title: string, about: string = "") =>
  Effect.gen(function* () {
    const backend = yield* Backend
    yield* section(title, about)
    yield* backend.become(how)
    const before = yield* backend.asked
    const tally = new Tally()
    yield* loadPages(tally)
    const asked = (yield* backend.asked) - before
    yield* fact("pages", `${tally.of("RunEnded")} loaded of ${pages}, the slowest in ${tally.slowestRun}ms`)
    yield* fact(
      "parts",
      `${tally.of("ResourceSucceeded")} as they should be, ${tally.of("ResourceDegraded")} fallen back`
    )
    yield* fact("requests", `${asked} reached the backend, for ${pages * 3} parts of pages`)
    yield* fact("hedges", `${tally.of("HedgeStarted")} begun beside attempts that took long`)
    yield* fact("retries", `${tally.of("RetryScheduled")} scheduled`)
    yield* fact("refused", `${tally.of("PolicyRefused")} by the breaker or the budget, without asking the backend`)
    yield* fact("breaker", yield* stateText)
  })

const program = Effect.gen(function* () {
  const { url } = yield* Backend
  yield* Console.log(`\n${bold("effect-loader")}  a page while its backend is down\n`)
  yield* fact("HTTP", `a service of this program on ${url}`)
  yield* paragraph("", `latency and faults injected in its handlers: ${usual}ms an answer, ${late}ms a late one`)
  yield* section(
    "What is around each part of the page",
    "outermost first; an attempt has a slot, all around it has none"
  )
  for (const part of Loader.plan(page).resources) yield* print(stackOf(part).join("\n"))
  // Whatever is slow only the first time is over before anything is measured.
  yield* Effect.ignore(Effect.flatMap(Shop, (shop) => Effect.all([shop.user, shop.rate, shop.offers])))
  yield* during("well", "All is well")
  yield* during("unevenly", "It gets uneven", "every fifth answer is late")
  yield* during("gone", "It is gone", "connections break")
  yield* during("refusing", "It is back, and overloaded", "503, and it asks for a second of peace")
  yield* Effect.sleep("1100 millis")
  yield* during("well", "It has recovered")
  const { attempts, granted, refused } = yield* Retries.stats
  yield* section("The budget of retries and hedges, in all")
  yield* fact("", `${granted} granted and ${refused} refused, beside ${attempts} that were made anyway`)
  yield* print("")
})

const services = Layer.mergeAll(layer, Shop.layer).pipe(Layer.provideMerge(Backend.layer))

program.pipe(Effect.provide(services), NodeRuntime.runMain)
