/** Refreshes that fail, because a service of their reader has ended or because of the backend. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Layer, Logger } from "effect"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import { withTime } from "../withTime.ts"

class Connection extends Context.Service<Connection, { readonly query: Effect.Effect<string, unknown> }>()(
  "test/Connection"
) {}
class Users extends ResourceCache.Service<Users>()("test/Users") {}

/** A connection for each request, which is closed at the end of the request. A query takes time. */
const perRequest = (closed: (id: number) => Effect.Effect<never, unknown>) => {
  const state = { connections: 0, version: 1, down: false }
  const query = (id: number, connection: { open: boolean }) =>
    Effect.andThen(
      Effect.sleep(10),
      Effect.suspend((): Effect.Effect<string, unknown> => {
        if (state.down) return Effect.fail(new Cause.TimeoutError("the database is down"))
        return connection.open ? Effect.succeed(`version ${state.version}`) : closed(id)
      })
    )
  const layer = Layer.effect(
    Connection,
    Effect.acquireRelease(
      Effect.sync(() => ({ open: true })),
      (connection) => Effect.sync(() => void (connection.open = false))
    ).pipe(Effect.map((connection) => ({ query: query(++state.connections, connection) })))
  )
  const user = Resource.make("user", {
    key: () => "user:7",
    load: () => Effect.flatMap(Connection, ({ query }) => query)
  }).pipe(Policy.cache(Users))
  const request = Effect.map(Loader.load(Loader.make({ user })), ({ user }) => user).pipe(
    Effect.provide(layer, { local: true })
  )
  return { request, state }
}

const stale = Users.layer({ timeToLive: 20, staleWhileRevalidate: "1 hour" })

const closings = {
  fails: (id: number) => Effect.fail(`connection ${id} is closed`),
  dies: (id: number) => Effect.die(new Error(`connection ${id} is closed`)),
  // As fibers are whose scope closes.
  "is interrupted": () => Effect.interrupt
}

/** Reads until a refresh has ended: the first read loads, and the second finds a stale value. */
const refreshed = <A, E, R>(request: Effect.Effect<A, E, R>) =>
  Effect.replicateEffect(Effect.andThen(request, Effect.sleep(40)), 2, { discard: true })

describe("a refresh that fails", () => {
  for (const [how, closed] of Object.entries(closings)) {
    it.effect(
      `because its connection has ended (and ${how}) makes the next read load with a connection of its own`,
      () =>
        Effect.gen(function* () {
          const { request, state } = perRequest(closed)
          assert.strictEqual(yield* request, "version 1")
          for (const version of [2, 3, 4]) {
            state.version = version
            yield* Effect.sleep(40)
            // It is stale, and its refresh fails.
            assert.strictEqual(yield* request, `version ${version - 1}`)
            yield* Effect.sleep(40)
            assert.strictEqual(yield* request, `version ${version}`)
          }
          const { refreshes, refreshFailures } = yield* Users.stats
          assert.deepStrictEqual([refreshes, refreshFailures], [3, 3])
        }).pipe(Effect.provide(stale), withTime)
    )
  }

  it.effect("because of the backend keeps the stale value, even if the next read fails to load", () =>
    Effect.gen(function* () {
      const { request, state } = perRequest(closings.fails)
      yield* refreshed(request)
      // The refresh has failed with its connection, and now the database is down, too.
      state.down = true
      for (let k = 0; k < 5; k++) {
        assert.strictEqual(yield* request, "version 1")
        yield* Effect.sleep(40)
      }
      state.down = false
      state.version = 2
      yield* request
      yield* Effect.sleep(40)
      assert.strictEqual(yield* request, "version 2")
    }).pipe(Effect.provide(stale), withTime)
  )

  it.effect("is logged with the cache and the cause, without the key, at most once a minute", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
      const { request } = perRequest(closings.fails)
      const read = Effect.andThen(request, Effect.sleep(30))
      yield* Effect.provide(Effect.repeat(read, { times: 20 }), logger)
      const failures = (yield* Users.stats).refreshFailures
      assert.isAbove(failures, 3)
      assert.deepStrictEqual(lines, ['cache "test/Users": a value could not be refreshed: connection 2 is closed'])
      yield* Effect.sleep("1 minute")
      yield* Effect.provide(Effect.repeat(read, { times: 2 }), logger)
      assert.strictEqual(lines.length, 2)
      assert.include(lines[1], `is closed (and ${failures - 1} more times since the last line)`)
    }).pipe(Effect.provide(stale), withTime)
  )

  it.effect("is not kept in place of the value, even if failures are kept", () =>
    Effect.gen(function* () {
      const { request, state } = perRequest(closings.fails)
      yield* refreshed(request)
      state.version = 2
      assert.strictEqual(yield* request, "version 2")
    }).pipe(
      Effect.provide(
        Users.layer({ timeToLive: 20, staleWhileRevalidate: "1 hour", failures: { timeToLive: "1 minute" } })
      ),
      withTime
    )
  )

  it.effect("lets one reader load: the others get the stale value meanwhile", () =>
    Effect.gen(function* () {
      const { request, state } = perRequest(closings.fails)
      yield* refreshed(request)
      state.version = 2
      const all = yield* Effect.all([request, request, request], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        all.toSorted((a, b) => (a < b ? -1 : 1)),
        ["version 1", "version 1", "version 2"]
      )
    }).pipe(Effect.provide(stale), withTime)
  )
})
