/** Users by their ids, from PostgreSQL: one query for all that are asked for while a batch is collected. */
import { type RequestResolver, Schema } from "effect"
import { Batching } from "effect-loader"
import { SqlClient, SqlResolver } from "effect/sql"

const User = Schema.Struct({ id: Schema.Int, name: Schema.String })

export const Users = SqlResolver.findById({
  Id: Schema.Int,
  Result: User,
  ResultId: ({ id }) => id,
  execute: (ids) => SqlClient.SqlClient.use((sql) => sql`SELECT id, name FROM person WHERE id = ANY(${ids})`)
})

type RequestOf<Resolver> = Resolver extends RequestResolver.RequestResolver<infer Request> ? Request : never

/** Asks for one of them. */
export const getUser: (id: number) => RequestOf<typeof Users> = SqlResolver.SqlRequest

/** The same, but a batch waits up to 200ms for what its page is still to ask. */
export const PatientUsers = Users.pipe(Batching.graphAware({ maxHold: "200 millis" }))
