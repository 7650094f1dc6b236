/** Level 3: PostgreSQL, or a stand-in in memory where there is none. */
import { Array as Arr, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../backends/Database.ts"
import { latency, range } from "../backends/Latency.ts"
import { PostgresServer } from "../backends/PostgresServer.ts"
import { Catalog } from "../page/Catalog.ts"
import { NotFound } from "../page/NotFound.ts"
import { Artifact, Org, Project } from "../page/Model.ts"
import { orgs } from "./tenants.ts"

/** What the catalog is asked of, in words. */
export class Origin extends Context.Service<
  Origin,
  { readonly description: string; readonly latency: string; readonly why?: string }
>()("levels/Origin") {}

const rows = {
  org: Arr.map(orgs, ({ id, name, plan }) => ({ id, name, plan })),
  project: Arr.flatMap(orgs, ({ id, projects }) => Arr.map(projects, (project) => ({ ...project, org_id: id }))),
  artifact: Arr.flatMap(orgs, ({ artifacts, id }) => Arr.map(artifacts, (artifact) => ({ ...artifact, org_id: id })))
}

/** Beside the rows of the page example. */
const fill = SqlClient.SqlClient.use((sql) =>
  Effect.all([
    sql`INSERT INTO org ${sql.insert(rows.org)}`,
    sql`INSERT INTO project ${sql.insert(rows.project)}`,
    sql`INSERT INTO artifact ${sql.insert(rows.artifact)}`
  ])
)

const asked = range(["org", "project", "artifacts"])

const real = Layer.mergeAll(
  Catalog.layer,
  Layer.effectDiscard(fill),
  Layer.effect(
    Origin,
    PostgresServer.useSync(({ description }) => ({ description, latency: `pg_sleep: ${asked} a query` }))
  )
).pipe(Layer.provide(Database), Layer.provide(PostgresServer.layer))

const found = <A>(kind: string, id: string, value: A | undefined) =>
  value === undefined ? Effect.fail(new NotFound({ kind, id })) : Effect.succeed(value)

const inMemory = Layer.succeed(Catalog, {
  org: (id) => {
    const org = orgs.find((org) => org.id === id)
    return Effect.delay(found("organization", id, org && new Org(org)), latency.org)
  },
  project: (org, id) => {
    const project = orgs.find(({ id }) => id === org)?.projects.find((project) => project.id === id)
    return Effect.delay(found("project", id, project && new Project(project)), latency.project)
  },
  artifacts: (id) => {
    const artifacts = orgs.find((org) => org.id === id)?.artifacts ?? []
    return Effect.delay(Effect.succeed(artifacts.map((artifact) => new Artifact(artifact))), latency.artifacts)
  }
})

/** What stands in where there is no server. */
export const standIn = (why: string) =>
  Layer.merge(
    inMemory,
    Layer.succeed(Origin, {
      description: "none: tables in the memory of this program stand in for PostgreSQL",
      latency: `sleeps: ${asked} a query`,
      why
    })
  )

export const layer = Layer.catchTag(real, "NoServer", ({ message }) => standIn(message))
