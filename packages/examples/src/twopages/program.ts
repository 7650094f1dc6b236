/** Two pages over one limiter, a heavy one and a light one, and what each gets. */
import { Console, Duration, Effect, Layer } from "effect"
import { Loader, Plan, Report } from "effect-loader"
import { toWaterfall } from "@effect-loader/terminal"
import { bar, bold, dim, good, print, prose, section, width } from "../terminal/Text.ts"
import { Database, query } from "./pages.ts"
import { byShares, byTurns, later, limit, loadBoth, Queries } from "./shared.ts"

type Pages = Effect.Success<ReturnType<typeof loadBoth>>

const millis = (report: Report.Report<unknown>): number => Math.round(report.until - report.startedAt)

const showTimes = (first: Pages, fair: Pages) => {
  const longest = [first, fair].reduce((most, { heavy, light }) => Math.max(most, millis(heavy), millis(light)), 0)
  const line = (how: string, page: keyof Pages, pages: Pages) => {
    const took = millis(pages[page])
    const drawn = bar(took / longest, 40)
    return `${how.padEnd(14)} ${page}  ${(page === "light" ? good : dim)(drawn)} ${`${took}ms`}`
  }
  return print(
    line("first come", "light", first),
    line("fair shares", "light", fair),
    "",
    line("first come", "heavy", first),
    line("fair shares", "heavy", fair)
  )
}

/** All that is printed: it takes as long as the clock that it runs on says. */
export const program = Effect.gen(function* () {
  yield* Console.log(`\n${bold("effect-loader")}  a heavy page and a light one, over one limiter\n`)
  yield* prose(
    `A database in memory: each query sleeps for ${Duration.format(query)}, and there may be ${limit} at once. ` +
      `The heavy page has 62 queries. The light page has 3, and is asked for ${Duration.format(later)} later.`
  )

  yield* section("The light page")
  yield* print(Plan.toText(Loader.plan(byShares.light)))

  const first = yield* loadBoth(byTurns)
  const fair = yield* loadBoth(byShares)

  yield* section("First come, first served", "by a semaphore: the light page stands behind all of the heavy one")
  yield* print(toWaterfall(first.light, { columns: width }))
  yield* section("Fair shares", "by a limiter: whoever had less goes first")
  yield* print(toWaterfall(fair.light, { columns: width }))

  yield* section("What each got")
  yield* showTimes(first, fair)
  const { granted } = yield* Queries.stats
  yield* print("")
  yield* prose(
    `The limiter let ${granted} queries through, and never more than ${limit} at once. ` +
      "The heavy page pays for the light one with the few queries that it has to let go first."
  )
  yield* print("")
}).pipe(Effect.provide(Layer.merge(Database.layer, Queries.layer({ limit }))))
