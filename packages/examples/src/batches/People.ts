/** The table that users are in: a hundred of them, with the ids from 1. */
import { Array as Arr, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../backends/Database.ts"

const names = ["Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Hedy", "John", "Margaret", "Radia"]

const rows = Arr.makeBy(100, (k) => ({ id: k + 1, name: `${names[k % names.length]} ${k + 1}` }))

const fill = SqlClient.SqlClient.use((sql) =>
  Effect.andThen(
    sql`CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL)`,
    sql`INSERT INTO person ${sql.insert(rows)}`
  )
)

/** A database in which they are. */
export const layer = Layer.effectDiscard(fill).pipe(Layer.provideMerge(Database))
