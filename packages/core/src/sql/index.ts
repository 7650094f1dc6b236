/**
 * Loads inside one database transaction.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RequestResolver from "effect/RequestResolver"
import { SqlClient, type SqlError } from "effect/sql"
import { GraphError } from "../compile/GraphError.ts"
import { type GraphIssue, longText, quoted, worded } from "../model/GraphIssue.ts"
import { type Plan, type PlanResource, withInside } from "../compile/Plan.ts"
import { annotate, type Resource } from "../model/Resource.ts"
import { allInside, type AnyLoader, type Compiled, compiledOf } from "../loader/Compiled.ts"
import { type Args, loadReversible, type Loader, plan } from "../loader/Loader.ts"
import type { RollbackError } from "../undo/CompensationError.ts"

const escaping = "effect-loader/sql/escapes"

/**
 * Declares that a resource works outside the transaction around the load: on a connection of its own, in another database, or
 * in the background. {@link withTransaction} refuses loaders with such a resource.
 *
 * - `why`: a text for people. It ends the sentence "it escapes the transaction: ...".
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 * import * as Sql from "effect-loader/sql"
 *
 * const audit = Resource.make("audit", { load: () => Effect.void }).pipe(Sql.escapes("it has a pool of its own"))
 * try {
 *   Sql.withTransaction(Loader.make({ audit }, { name: "order" }))
 * } catch (error) {
 *   console.log(String(error).includes("it has a pool of its own")) // true
 * }
 * ```
 *
 * @since 0.1.0
 * @category annotations
 */
export const escapes =
  (why: string) =>
  <N extends string, A, E, R, In, U>(self: Resource<N, A, E, R, In, U>): Resource<N, A, E, R, In, U> =>
    annotate(self, { [escaping]: why })

/** Policies that keep a value for other callers, who would get it even after a rollback. */
const keeping: Readonly<Record<string, string>> = {
  cache: "other callers would get its values even after a rollback"
}

const escapesFrom = (resource: string, reason: string): GraphIssue =>
  worded(
    { _tag: "EscapesTransaction", resource, reason },
    () => `${quoted(resource)} cannot be inside a transaction, which it escapes: ${longText(reason)}`
  )

const issuesOf = ({ annotations, around, attempt, items, name }: PlanResource): ReadonlyArray<GraphIssue> => {
  const why = annotations[escaping]
  const parts = [...attempt, ...around, ...(items === undefined ? [] : [...items.attempt, ...items.around])]
  return [
    ...(typeof why === "string" ? [escapesFrom(name, why)] : []),
    ...parts.flatMap(({ kind, label }) => {
      const reason = keeping[kind]
      return reason === undefined ? [] : [escapesFrom(name, `${label}: ${reason}`)]
    })
  ]
}

const escapingFrom = (plan: Plan): ReadonlyArray<GraphIssue> =>
  withInside(plan).flatMap(({ resources }) => resources.flatMap(issuesOf))

/** A resolver without groups: it puts all requests into one call. */
const plain = RequestResolver.make(() => Effect.void)

/**
 * Whether the call of a request can run for another caller, in the transaction of that caller or in none. Effect's own resolvers
 * for SQL keep transactions apart.
 */
const sharing = ({ program }: Compiled): ReadonlyArray<GraphIssue> =>
  program.steps.flatMap((step): ReadonlyArray<GraphIssue> => {
    const { attempts, name } = step
    const items = attempts?.items
    const resolvers = [attempts?.asks?.resolver, items?.asks?.resolver, ...(items?.resolvers ?? [])]
    const reason =
      "its requests share calls with those of others: give its resolver a `batchKey` that tells transactions apart"
    return resolvers.some((resolver) => resolver?.batchKey === plain.batchKey) ? [escapesFrom(name, reason)] : []
  })

/**
 * A loader each of whose loads runs inside a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transaction<A, E, R, In> {
  readonly load: (...inputs: Args<In>) => Effect.Effect<A, E | SqlError.SqlError, R | SqlClient.SqlClient>
}

/**
 * Runs each load of a loader inside one transaction of the `SqlClient`. It is committed if the load succeeds, and rolled back
 * if the load fails, dies, times out or is interrupted.
 *
 * Compensations undo the work of the load in other systems: before the rollback if the load fails, and also if the load succeeds
 * and the commit fails. Resources that work in the database need no compensation. The compensations of other resources must not
 * use the database, since the rollback would undo that, too.
 *
 * Throws a `GraphError` for resources that would escape the transaction: those declared with {@link escapes}, those whose values
 * are kept for others beyond it, as in a cache, and those whose requests share calls with requests of other callers. The
 * resolvers of Effect's `SqlResolver` keep transactions apart.
 *
 * All queries use the one connection of the transaction, one after the other. Other work of the resources runs concurrently.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { SqlClient } from "effect/sql"
 * import { Loader, Resource, Saga } from "effect-loader"
 * import * as Sql from "effect-loader/sql"
 *
 * const amount = Resource.input<number>()("amount")
 * const order = Resource.make("order", {
 *   deps: { amount },
 *   load: ({ amount }) => SqlClient.SqlClient.use((sql) => sql`INSERT INTO orders ${sql.insert({ amount })} RETURNING id`)
 * })
 * const charge = Resource.make("charge", {
 *   deps: { order, amount },
 *   load: ({ amount }) => Effect.succeed(`charge of ${amount}`)
 * }).pipe(Saga.compensate((charge) => Effect.log(`refund the ${charge}`)))
 *
 * const checkout = Sql.withTransaction(Loader.make({ order, charge }, { name: "checkout" }))
 * // checkout.load({ amount: 12 }): an Effect that needs the SqlClient
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const withTransaction = <A, E, R, In, T>(self: Loader<A, E, R, In, T>): Transaction<A, E, R, In> => {
  const compiled = plan(self)
  const issues = [...escapingFrom(compiled), ...allInside(compiledOf(self as AnyLoader)).flatMap(sharing)]
  if (issues.length > 0) throw new GraphError({ loader: compiled.loader, issues })
  return {
    load: (...inputs) =>
      SqlClient.SqlClient.use((sql) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            // Set when the load has succeeded: a failure after that is one of the commit.
            let undo: Effect.Effect<void, RollbackError> = Effect.void
            const load = Effect.map(loadReversible(self, ...inputs), (loaded) => {
              undo = loaded.undo
              return loaded.values
            })
            const exit = yield* Effect.exit(restore(sql.withTransaction(load)))
            if (Exit.isFailure(exit)) yield* Effect.catch(undo, (error) => Effect.logError(error.message))
            return yield* exit
          })
        )
      )
  }
}
