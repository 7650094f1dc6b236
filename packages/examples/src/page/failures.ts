/** What one sees when something is missing, slow or down: the typed failure, and what became of the others. */
import { Deferred, Duration, Effect } from "effect"
import { Loader } from "effect-loader"
import { SqlClient } from "effect/sql"
import { DirectoryServer } from "../backends/DirectoryServer.ts"
import * as Outcomes from "../terminal/Outcomes.ts"
import { bad, bold, dim, fact, print, prose, section } from "../terminal/Text.ts"
import { answer } from "./answer.ts"
import { inputs } from "./inputs.ts"
import { eager } from "./loaders.ts"
import { OrgId } from "./Model.ts"

type Failure = Loader.Error<typeof eager>

const showFailure = Effect.fnUntraced(function* (e: Failure) {
  yield* fact("failed", bad(bold(e.resource)))
  yield* fact("because", `${e.error._tag}: ${e.error.message}`)
  yield* fact(
    "after",
    `${e.attempts} ${e.attempts === 1 ? "attempt" : "attempts"}, ${Math.round(Duration.toMillis(e.elapsed))}ms`
  )
  yield* fact("path", e.path.join(" → "))
  yield* fact("so answer", answer(e))
})

const showPage = (page: string) =>
  Effect.forEach(page.split("\n"), (line, i) => fact(i === 0 ? "the page" : "", line), { discard: true })

/** Loads the page, shows what it came to, then what became of each resource. */
const attempt = Effect.fnUntraced(function* (title: string, about: string, given: Loader.Input<typeof eager>) {
  yield* print(`${bold(title)}  ${dim(about)}`)
  const { exit, report } = yield* Loader.loadWithReport(eager, given)
  yield* exit.pipe(
    Effect.flatMap(({ page }) => showPage(page)),
    Effect.catchTag("ResourceError", showFailure)
  )
  yield* Effect.forEach(Outcomes.toLines(report), (line, i) => fact(i === 0 ? "outcomes" : "", line), {
    discard: true
  })
  yield* print("")
})

/** Somebody else's transaction holds a table while `self` runs, as a migration would. */
const whileLocked = <A, E, R>(table: string, self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const locked = yield* Deferred.make<void>()
    const lock = sql`LOCK TABLE ${sql(table)} IN ACCESS EXCLUSIVE MODE`
    yield* Effect.forkScoped(
      sql.withTransaction(lock.pipe(Effect.andThen(Deferred.succeed(locked, undefined)), Effect.andThen(Effect.never)))
    )
    yield* Deferred.await(locked)
    return yield* self
  }).pipe(Effect.scoped)

const missing = attempt("Missing", "nobody has heard of the organization", { ...inputs, orgId: OrgId.make("globex") })

const slow = whileLocked(
  "project",
  attempt("Slow", "another transaction holds a lock on the table of projects", inputs)
)

const optional = whileLocked(
  "artifact",
  attempt("Slow, but optional", "a lock on artifacts, which the page can do without", inputs)
)

const down = Effect.gen(function* () {
  const { stop } = yield* DirectoryServer
  yield* stop
  yield* attempt("Down", "the HTTP service has been stopped and refuses connections", inputs)
})

export const failures = Effect.gen(function* () {
  yield* section("When something goes wrong", "each failure says which resource, why and after what")
  yield* missing
  yield* slow
  yield* optional
  yield* down
  yield* prose(
    "The answers are chosen in src/page/answer.ts. There e.resource narrows e.error, since the compiler knows " +
      "which resources can fail, and with what."
  )
  yield* print("")
})
