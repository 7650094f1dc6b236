/**
 * SQL over the PostgreSQL server: a pool whose connections work in a schema made for this run, filled by the
 * migrations, and dropped at the end, so that a database of yours is left as it was.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { migrate } from "./Migrations.ts"
import { PostgresServer } from "./PostgresServer.ts"

const pool = (schema: string) =>
  Layer.unwrap(
    PostgresServer.useSync(({ url }) =>
      PgClient.layer({ url, minConnections: 4, maxConnections: 8, startupParameters: { search_path: schema } })
    )
  )

const ownSchema = (schema: string) =>
  Layer.effectDiscard(
    SqlClient.SqlClient.use((sql) =>
      Effect.acquireRelease(sql`CREATE SCHEMA ${sql(schema)}`, () =>
        Effect.ignore(sql`DROP SCHEMA ${sql(schema)} CASCADE`, { log: "Warn" })
      ).pipe(Effect.andThen(migrate))
    )
  )

export const Database = Layer.unwrap(
  Effect.sync(() => {
    const schema = `effect_loader_${randomUUID().slice(0, 8)}`
    return ownSchema(schema).pipe(Layer.provideMerge(pool(schema)))
  })
)
