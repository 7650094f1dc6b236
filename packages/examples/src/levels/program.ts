/** A page in three levels, memory, Redis and PostgreSQL, is loaded again and again, while Redis hangs, is killed and comes back. */
import { Console, Duration, Effect, Exit } from "effect"
import { Loader, Observer, Plan } from "effect-loader"
import { bad, bar, bold, dim, fact, good, paragraph, print, prose, section } from "../terminal/Text.ts"
import * as Origin from "./Origin.ts"
import { page, times } from "./resources.ts"
import { Shared } from "./Shared.ts"
import { Tally } from "./Tally.ts"
import { counts, visit } from "./tenants.ts"

const pages = 40
const often = 20
const parts = pages * 3

let asked = 0
let stood = 0
let queries = 0

/** Whether it is there, and is the page that was asked for. */
const loadOne = Effect.suspend(() => {
  const inputs = visit(asked++)
  return Effect.map(
    Effect.exit(Loader.load(page, inputs)),
    (exit) => Exit.isSuccess(exit) && exit.value.project.id === inputs.projectId && exit.value.artifacts.length === 2
  )
})

/** Loads pages for a while, one beginning after the other, whether or not the last is there. */
const loadPages = (tally: Tally) =>
  Effect.forEach(
    Array.from({ length: pages }),
    (_, k) => Effect.delay(loadOne.pipe(Observer.observe(tally.onEvent)), k * often),
    { concurrency: "unbounded" }
  )

const level = (name: string, gave: number) => {
  const share = gave / parts
  const count = `${`${gave}`.padStart(4)}  ${dim(`${Math.round(share * 100)}%`.padStart(4))}`
  return print(`${dim(name.padEnd(13))}${count}  ${gave === 0 ? "" : bar(share, 40)}`)
}

const phase = Effect.fnUntraced(function* (
  title: string,
  about: string,
  meanwhile: Effect.Effect<unknown, unknown> = Effect.void
) {
  yield* section(title, about)
  const tally = new Tally()
  const halfway = Effect.delay(meanwhile, (pages / 2) * often)
  const [there] = yield* Effect.all([loadPages(tally), halfway], { concurrency: 2 })
  const whole = there.filter((it) => it).length
  stood += whole
  queries += tally.postgres
  yield* level("memory", tally.memory)
  yield* level("another page", tally.shared)
  yield* level("Redis", tally.redis)
  yield* level("PostgreSQL", tally.postgres)
  const { median, slowest } = tally.times
  const verdict = `${whole} of ${pages} pages stood`
  yield* print(
    "",
    `${whole === pages ? good(verdict) : bad(verdict)}, half of them within ${median}ms, the slowest took ${slowest}ms`
  )
  if (tally.redisFailed > 0) {
    yield* print(`Redis was asked ${tally.redisFailed} times in vain: counted as errors, and loaded instead`)
  }
})

const introduce = Effect.gen(function* () {
  const origin = yield* Origin.Origin
  const store = yield* Shared
  yield* Console.log(`\n${bold("effect-loader")}  a page in three levels, while the second one fails\n`)
  yield* fact("level 1", "the memory of this process")
  yield* paragraph("", `for ${times.memory}ms: so short that the others have work`)
  yield* fact("level 2", store.description)
  yield* paragraph("", store.why ?? "")
  yield* paragraph("", `for a minute; what it does not answer within ${times.within}ms is loaded instead`)
  yield* fact("level 3", origin.description)
  yield* paragraph("", origin.why ?? "")
  yield* paragraph("", `latency injected by ${origin.latency}`)
  yield* section("The page", "asked for again and again")
  yield* print(Plan.toText(Loader.plan(page)), "")
  yield* prose(
    `There are ${counts.projects} projects of ${counts.orgs} organizations. Every second page is one of ` +
      `${counts.popular} popular projects, the others take turns. In each section below ${pages} pages are asked for, ` +
      `one every ${often}ms. Each needs 3 resources, which makes ${parts}. What follows is where these came from: ` +
      "another page is one that was loading the same already."
  )
})

const bringBack = Effect.gen(function* () {
  const { answers, mend } = yield* Shared
  const [took] = yield* Effect.timed(Effect.andThen(mend.act, answers))
  return `${mend.how}; ${Math.round(Duration.toMillis(took))}ms until it answers`
})

/**
 * Closing a client of Redis waits for all answers: a server that is stopped gives none, and where the connection breaks
 * meanwhile, `node-redis` waits for ever. So Redis answers again before the client is closed.
 */
const leaveWell = Effect.flatMap(Shared, ({ answers, mend }) =>
  Effect.ignore(Effect.andThen(mend.act, Effect.timeoutOption(answers, "10 seconds")))
)

/** All that is printed. It is run once in a process, as it counts what it asks for. */
export const program = Effect.gen(function* () {
  const { answers, hang, kill, mend } = yield* Shared
  yield* introduce
  yield* phase("Nothing is remembered yet", "")
  yield* phase("All is well", "")
  yield* phase("Redis hangs", `half-way through: ${hang.how}`, hang.act)
  yield* Effect.andThen(mend.act, answers)
  yield* phase("Redis is killed", `half-way through: ${kill.how}`, kill.act)
  yield* phase("Redis is gone", "by memory and PostgreSQL alone")
  yield* phase("Redis is back", yield* bringBack)
  yield* section("In all")
  const verdict = `${stood} of ${asked} pages stood`
  yield* print(stood === asked ? good(verdict) : bad(verdict))
  yield* print(`PostgreSQL was asked ${queries} times for their ${asked * 3} resources`, "")
}).pipe(Effect.ensuring(leaveWell))
