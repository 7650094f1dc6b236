/** The tables of the example, and what is in them. */
import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"

const createTables = SqlClient.SqlClient.use((sql) =>
  Effect.all([
    sql`CREATE TABLE org (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      plan TEXT NOT NULL
    )`,
    sql`CREATE TABLE project (
      id TEXT PRIMARY KEY,
      org_id TEXT NOT NULL REFERENCES org,
      name TEXT NOT NULL,
      branch TEXT NOT NULL
    )`,
    sql`CREATE TABLE artifact (
      id INTEGER PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      org_id TEXT NOT NULL REFERENCES org,
      name TEXT NOT NULL,
      kilobytes INTEGER NOT NULL
    )`
  ])
)

const fillTables = SqlClient.SqlClient.use((sql) =>
  Effect.all([
    sql`INSERT INTO org ${sql.insert({ id: "acme", name: "Acme Rockets", plan: "team" })}`,
    sql`INSERT INTO project ${sql.insert({ id: "launchpad", org_id: "acme", name: "Launchpad", branch: "main" })}`,
    sql`INSERT INTO artifact ${sql.insert([
      { org_id: "acme", name: "launchpad.tgz", kilobytes: 4_210 },
      { org_id: "acme", name: "guidance.wasm", kilobytes: 812 },
      { org_id: "acme", name: "build.log", kilobytes: 96 }
    ])}`
  ])
)

export const migrate = Migrator.make({})({
  loader: Migrator.fromRecord({
    "0001_create_tables": Effect.asVoid(createTables),
    "0002_fill_tables": Effect.asVoid(fillTables)
  })
})
