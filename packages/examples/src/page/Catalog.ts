/** Organizations, their projects and artifacts, in PostgreSQL. */
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError, SqlSchema } from "effect/sql"
import { latency } from "../backends/Latency.ts"
import { Artifact, Org, OrgId, Project, ProjectId } from "./Model.ts"
import { NotFound } from "./NotFound.ts"

export class Catalog extends Context.Service<Catalog>()("page/Catalog", {
  make: Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient

    /** The id, after the injected latency. */
    const slowly = (id: string, after: Duration.Duration) =>
      sql`(SELECT ${id}::text FROM pg_sleep(${Duration.toSeconds(after)}))`

    const findOrg = SqlSchema.findOne({
      Request: OrgId,
      Result: Org,
      execute: (id) => sql`SELECT id, name, plan FROM org WHERE id = ${slowly(id, latency.org)}`
    })

    const findProject = SqlSchema.findOne({
      Request: Schema.Struct({ org: OrgId, id: ProjectId }),
      Result: Project,
      execute: ({ id, org }) =>
        sql`SELECT id, name, branch FROM project WHERE org_id = ${org} AND id = ${slowly(id, latency.project)}`
    })

    const listArtifacts = SqlSchema.findAll({
      Request: OrgId,
      Result: Artifact,
      execute: (id) =>
        sql`SELECT name, kilobytes FROM artifact WHERE org_id = ${slowly(id, latency.artifacts)} ORDER BY id`
    })

    return {
      org: (id: OrgId): Effect.Effect<Org, NotFound | SqlError.SqlError> =>
        findOrg(id).pipe(
          Effect.catchTags({
            NoSuchElementError: () => Effect.fail(new NotFound({ kind: "organization", id })),
            SchemaError: Effect.die
          })
        ),

      project: (org: OrgId, id: ProjectId): Effect.Effect<Project, NotFound | SqlError.SqlError> =>
        findProject({ org, id }).pipe(
          Effect.catchTags({
            NoSuchElementError: () => Effect.fail(new NotFound({ kind: "project", id })),
            SchemaError: Effect.die
          })
        ),

      artifacts: (org: OrgId): Effect.Effect<ReadonlyArray<Artifact>, SqlError.SqlError> =>
        listArtifacts(org).pipe(Effect.catchTag("SchemaError", Effect.die))
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}
