/** Light and heavy pages on a real PostgreSQL, with a limit that adapts and without: what no timing decides. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { PostgresServer, startOwn } from "../src/backends/PostgresServer.ts"
import { arrivals } from "../src/experiment/arrivals.ts"
import { application, Backend, connections, Pool } from "../src/experiment/Backend.ts"
import { limited, run, unbounded } from "../src/experiment/trial.ts"
import { Queries } from "../src/twopages/shared.ts"
import { useServers } from "./kit/servers.ts"

const asked = arrivals({ perSecond: { light: 20, heavy: 1.5 }, seconds: 3, seed: 4 })
const lightAsked = asked.filter(({ page }) => page === "light").length

const pages = {
  light: { user: "user", team: "team", inbox: "inbox" },
  heavy: { project: "project", durations: Array.from({ length: 60 }, (_, i) => `build ${i + 1}`) }
}

describe("the experiment", () => {
  const started = useServers(startOwn)

  /** The most connections of the pool that the server has ever had while `self` ran, as it says itself. */
  const watchingConnections = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      let most = 0
      const look = Effect.map(
        sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = ${application}`,
        ([row]) => (most = Math.max(most, row?.n ?? 0))
      )
      yield* Effect.forkChild(Effect.repeat(look, Schedule.spaced("20 millis")))
      return { answers: yield* self, most }
    }).pipe(Effect.provide(PgClient.layer({ url: started().url, maxConnections: 1 })))

  it.live("answers every page with the same values, loses no permit, and stays within the pool", () =>
    Effect.gen(function* () {
      const free = yield* run(unbounded, asked)
      const { answers: fair, most } = yield* watchingConnections(run(limited, asked))
      for (const answers of [free, fair]) {
        assert.lengthOf(answers, asked.length)
        assert.lengthOf(
          answers.filter(({ page }) => page === "light"),
          lightAsked
        )
        for (const { page, values } of answers) assert.deepStrictEqual(values, pages[page])
      }
      const queries = lightAsked * 3 + (asked.length - lightAsked) * 62
      const { granted, inFlight, refused, waiting } = yield* Queries.stats
      assert.deepStrictEqual(
        { granted, inFlight, waiting, refused },
        { granted: queries, inFlight: 0, waiting: 0, refused: { QueueFull: 0, Deadline: 0, Shed: 0 } }
      )
      assert.strictEqual(most, connections)
    }).pipe(
      Effect.provide(
        Layer.merge(Backend.pipe(Layer.provide(Pool)), Queries.layerAdaptive({ initial: 4 })).pipe(
          Layer.provideMerge(Layer.sync(PostgresServer, started))
        )
      )
    )
  )
})
