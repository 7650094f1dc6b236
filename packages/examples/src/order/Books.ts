/**
 * The books of a shop, in PostgreSQL: accounts, stock, payments, orders and parcels. Each entry carries the key of its
 * order, so that doing something twice does it once, and taking back what was never done changes nothing.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

export interface Sale {
  readonly key: string
  readonly customer: string
  readonly article: string
  readonly price: number
}

const createTables = SqlClient.SqlClient.use((sql) =>
  Effect.forEach(
    [
      sql`CREATE TABLE account (owner TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))`,
      sql`CREATE TABLE stock (article TEXT PRIMARY KEY, pieces INTEGER NOT NULL CHECK (pieces >= 0))`,
      sql`CREATE TABLE reservation (key TEXT PRIMARY KEY, article TEXT NOT NULL)`,
      sql`CREATE TABLE payment (key TEXT PRIMARY KEY, customer TEXT NOT NULL, amount INTEGER NOT NULL)`,
      sql`CREATE TABLE purchase (key TEXT PRIMARY KEY, customer TEXT NOT NULL, article TEXT NOT NULL)`,
      sql`CREATE TABLE parcel (key TEXT PRIMARY KEY REFERENCES purchase DEFERRABLE INITIALLY DEFERRED)`,
      sql`CREATE TABLE unresolved (resource TEXT NOT NULL, value TEXT NOT NULL)`,
      sql`INSERT INTO account ${sql.insert([
        { owner: "ada", balance: 100 },
        { owner: "shop", balance: 0 }
      ])}`,
      sql`INSERT INTO stock ${sql.insert({ article: "book", pieces: 10 })}`
    ],
    (statement) => statement,
    { discard: true }
  )
)

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* createTables

  const move = (from: string, to: string, amount: number) =>
    Effect.andThen(
      sql`UPDATE account SET balance = balance - ${amount} WHERE owner = ${from}`,
      sql`UPDATE account SET balance = balance + ${amount} WHERE owner = ${to}`
    )

  /** Does something if `entry` is made, or undoes it if `entry` is there: both in one transaction. */
  const once = <A, E, E2>(entry: Effect.Effect<ReadonlyArray<A>, E>, then: (entry: A) => Effect.Effect<unknown, E2>) =>
    sql.withTransaction(Effect.flatMap(entry, (entries) => Effect.forEach(entries, then, { discard: true })))

  return {
    reserve: ({ article, key }: Sale) =>
      once(
        sql`INSERT INTO reservation ${sql.insert({ key, article })} ON CONFLICT DO NOTHING RETURNING key`,
        () => sql`UPDATE stock SET pieces = pieces - 1 WHERE article = ${article}`
      ),
    release: ({ key }: Sale) =>
      once(
        sql<{ readonly article: string }>`DELETE FROM reservation WHERE key = ${key} RETURNING article`,
        ({ article }) => sql`UPDATE stock SET pieces = pieces + 1 WHERE article = ${article}`
      ),
    charge: ({ customer, key, price: amount }: Sale) =>
      once(sql`INSERT INTO payment ${sql.insert({ key, customer, amount })} ON CONFLICT DO NOTHING RETURNING key`, () =>
        move(customer, "shop", amount)
      ),
    refund: ({ key }: Sale) =>
      once(
        sql<{
          readonly customer: string
          readonly amount: number
        }>`DELETE FROM payment WHERE key = ${key} RETURNING customer, amount`,
        ({ amount, customer }) => move("shop", customer, amount)
      ),
    place: ({ article, customer, key }: Sale) =>
      sql`INSERT INTO purchase ${sql.insert({ key, customer, article })} ON CONFLICT DO NOTHING`,
    cancel: ({ key }: Sale) => sql`DELETE FROM purchase WHERE key = ${key}`,
    ship: ({ key }: Sale) => sql`INSERT INTO parcel ${sql.insert({ key })} ON CONFLICT DO NOTHING`,
    recall: ({ key }: Sale) => sql`DELETE FROM parcel WHERE key = ${key}`,
    note: (resource: string, value: string) => sql`INSERT INTO unresolved ${sql.insert({ resource, value })}`,
    /** What there is of everything, for a line of text. */
    balance: Effect.map(
      sql<Balance>`SELECT
        (SELECT balance FROM account WHERE owner = 'ada') AS ada,
        (SELECT balance FROM account WHERE owner = 'shop') AS shop,
        (SELECT pieces FROM stock WHERE article = 'book') AS pieces,
        (SELECT count(*)::int FROM reservation) AS reservations,
        (SELECT count(*)::int FROM payment) AS payments,
        (SELECT count(*)::int FROM purchase) AS purchases,
        (SELECT count(*)::int FROM parcel) AS parcels,
        (SELECT count(*)::int FROM unresolved) AS unresolved`,
      ([balance]) => balance!
    )
  }
})

export interface Balance {
  readonly ada: number
  readonly shop: number
  readonly pieces: number
  readonly reservations: number
  readonly payments: number
  readonly purchases: number
  readonly parcels: number
  readonly unresolved: number
}

export class Books extends Context.Service<Books, Effect.Success<typeof make>>()("examples/Books") {
  static readonly layer = Layer.effect(Books, make)
}
