/** The database of the two pages, as a real one: PostgreSQL behind a small pool of connections. */
import { PgClient } from "@effect/sql-pg"
import { Duration, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { Database } from "../twopages/pages.ts"

/** How many connections there are, and how long PostgreSQL sleeps in each query. */
export const connections = 8
export const latency = Duration.millis(30)

/** By which the connections of the pool are known to the server. */
export const application = "effect-loader-experiment"

export const Pool = Layer.unwrap(
  PostgresServer.useSync(({ url }) =>
    PgClient.layer({
      url,
      applicationName: application,
      minConnections: connections,
      maxConnections: connections
    })
  )
)

/** A query that fails ends the experiment: nothing here makes one fail. */
export const Backend = Layer.effect(
  Database,
  SqlClient.SqlClient.useSync((sql) => ({
    ask: (what) =>
      sql<{
        readonly answer: string
      }>`SELECT ${what}::text AS answer FROM pg_sleep(${Duration.toSeconds(latency)})`.pipe(
        Effect.map(([row]) => row?.answer ?? "no answer"),
        Effect.orDie
      )
  }))
)
