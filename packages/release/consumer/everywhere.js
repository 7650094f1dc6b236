/** A program that runs on every JavaScript runtime: it needs nothing of Node.js. */
import { Effect } from "effect"
import { Loader, Policy, Report, Resource, ResourceCache } from "effect-loader"
import { toMermaid } from "effect-loader/diagram"
import { CircuitBreaker, circuitBreaker } from "effect-loader/resilience"
import { reportToJson } from "effect-loader/wire"

class Orgs extends ResourceCache.Service()("app/Orgs") {}
class Backend extends CircuitBreaker.Service()("app/Backend") {}

const orgId = Resource.input()("orgId")
const org = Resource.make("org", {
  deps: { orgId },
  key: ({ orgId }) => orgId,
  load: ({ orgId }) => Effect.as(Effect.sleep("5 millis"), { id: orgId })
}).pipe(Policy.timeout("5 seconds"), Policy.retry({ times: 1 }), circuitBreaker(Backend), Policy.cache(Orgs))
let asked = 0
const members = Resource.make("members", {
  deps: { org },
  load: ({ org }) => Effect.suspend(() => (++asked === 1 ? Effect.fail("busy") : Effect.succeed([`ada of ${org.id}`])))
}).pipe(Policy.retry({ times: 1 }))

const page = Loader.make({ org, members }, { name: "page" })

/** Loads a page, and gives what came of it as one line. */
export const everywhere = () =>
  Effect.gen(function* () {
    const values = yield* Loader.load(page, { orgId: "acme" })
    const report = yield* Loader.settle(page, { orgId: "acme" })
    JSON.parse(reportToJson(report))
    const shown = [Report.toWaterfall(report), toMermaid(Loader.plan(page))]
    return [values.members[0], report.end, ...shown.map((text) => text.split("\n").length > 2)].join(", ")
  }).pipe(
    Effect.provide(Orgs.layer({ timeToLive: "1 minute" })),
    Effect.provide(Backend.layer({ opens: { failures: 3 }, openDuration: "1 minute" })),
    Effect.runPromise
  )
