/** Which queries a database is sent: each is printed as it goes out, with what it is given, and counted. */
import { Effect } from "effect"
import { Statement } from "effect/sql"
import { dim, print } from "../terminal/Text.ts"

/** Runs something, and gives with its result how many queries it took. */
export const counted = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    let queries = 0
    const tell: Statement.Transformer = (statement) => {
      queries++
      const [text, [ids]] = statement.compile() as readonly [string, ReadonlyArray<ReadonlyArray<number>>]
      return Effect.as(print(text, dim(`  ${ids?.length} users: ${ids?.join(" ")}`)), statement)
    }
    return self.pipe(
      Effect.provideService(Statement.CurrentTransformer, tell),
      Effect.map((result) => ({ result, queries }))
    )
  })
