/** What a cache asks of a real Redis, and what is in it then: counted by Redis itself. */
import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema, type Scope } from "effect"
import { Loader, Policy, Resource, ResourceCache } from "effect-loader"
import * as Persisted from "effect-loader/persistence"
import { RunLog } from "effect-loader/testing"
import { Persistence, Redis } from "effect/persistence"
import { startOwn, startWith } from "../src/backends/RedisServer.ts"
import { useServers } from "./kit/servers.ts"
import { silently } from "./kit/silently.ts"

class Users extends ResourceCache.Service<Users, string>()("store/Users", { keyed: true }) {}

const hour = 3_600_000

/** No memory, so that each load asks Redis. The limit is long, so that a busy machine makes no miss of a hit. */
const common = { timeToLive: hour, memory: { timeToLive: 0, staleIfError: hour }, within: "20 seconds" } as const

type Changed = Partial<Persisted.PersistedOptions<string>>

const usersLayer = (changed: Changed = {}) => Persisted.layer(Users, { value: Schema.String, ...common, ...changed })

/** A process: a cache with a connection of its own. It has written what it loaded when its scope is closed. */
const startProcess = <Cache>(url: string, cache: Layer.Layer<Cache, never, Persistence.BackingPersistence>) => {
  const layer = cache.pipe(Layer.provide(Persistence.layerBackingRedis), Layer.provide(NodeRedis.layer({ url })))
  return Effect.map(
    Layer.build(Layer.fresh(layer)),
    (context) =>
      <A, E>(self: Effect.Effect<A, E, Cache>) =>
        Effect.provideContext(self, context)
  )
}

/** Runs something in a process that starts before it and ends after it. */
const inProcess =
  (url: string, changed?: Changed) =>
  <A, E>(self: Effect.Effect<A, E, Users>) =>
    Effect.scoped(Effect.flatMap(startProcess(url, usersLayer(changed)), (run) => run(self)))

/** So many users, and how many of them were loaded. */
const makePage = (count: number) => {
  const counted = { loads: 0 }
  const users = Resource.forEach("users", {
    items: () => Array.from({ length: count }, (_, id) => id),
    itemKey: (id) => `user:${id}`,
    load: (id) => Effect.sync(() => (counted.loads++, `user ${id}`)),
    each: Policy.cache(Users)
  })
  return { counted, load: Loader.load(Loader.make({ users })) }
}

const send = <A = string>(...command: [string, ...Array<string>]) =>
  Redis.Redis.use((redis) => redis.send<A>(...command))

const storedNames = send<Array<string>>("KEYS", "*")

/** Each name in Redis, with the milliseconds that it lives from now: -1 where it lives for ever. */
const lifetimes = Effect.flatMap(
  storedNames,
  Effect.forEach((name) => Effect.map(send<number>("PTTL", name), (millis) => ({ name, millis })))
)

const assertLives = (all: ReadonlyArray<{ readonly name: string; readonly millis: number }>, longest: number) => {
  for (const { millis, name } of all) {
    assert.isAbove(millis, 0, name)
    assert.isAtMost(millis, longest, name)
  }
}

const isMark = (name: string): boolean => name.includes("}forgotten")

const numberIn = (info: string, name: string): number => Number(new RegExp(`^${name}(\\d+)`, "m").exec(info)?.[1] ?? 0)

/** How much a number that Redis gives in its INFO grows by something, by the text before the number. */
const growth = <A, E, R>(section: string, self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* send("INFO", section)
    yield* self
    const after = yield* send("INFO", section)
    return (name: string) => numberIn(after, name) - numberIn(before, name)
  })

/** How often Redis is sent a command, or a script sends it. */
const callsDuring = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(
    growth("commandstats", self),
    (grown) =>
      (...commands: ReadonlyArray<string>) =>
        commands.reduce((sum, command) => sum + grown(`cmdstat_${command}:calls=`), 0)
  )

/** Waits until so many values were written, or were not. */
const untilTaken = (count: number): Effect.Effect<ResourceCache.Stats, never, Users> =>
  Effect.flatMap(Users.stats, (stats) =>
    stats.writes + stats.writeFailures + stats.dropped < count
      ? Effect.delay(untilTaken(count), "5 millis")
      : Effect.succeed(stats)
  )

describe("a cache with a Redis behind it", () => {
  const started = useServers(startOwn)
  const url = () => Redacted.value(started().url)

  /** With an empty Redis, and a connection to it that no cache uses. */
  const law = <A, E>(title: string, self: () => Effect.Effect<A, E, Redis.Redis | Scope.Scope>) =>
    it.live(title, () =>
      Effect.suspend(() => Effect.andThen(send("FLUSHALL"), self())).pipe(
        Effect.provide(NodeRedis.layer({ url: url() })),
        Effect.scoped,
        silently
      )
    )

  law("asks once for what a run looks for, and has all of it written, by a few commands, when it is closed", () =>
    Effect.gen(function* () {
      const page = makePage(200)
      const calls = yield* callsDuring(inProcess(url())(page.load))
      assert.strictEqual(page.counted.loads, 200)
      assert.strictEqual(calls("mget", "get"), 1)
      assert.isAtLeast(calls("evalsha", "eval"), 1)
      assert.isAtMost(calls("evalsha", "eval"), 5)
      assert.strictEqual(calls("set"), 200)

      const lives = yield* lifetimes
      assert.lengthOf(lives, 200)
      assertLives(lives, 2 * hour)

      const again = yield* callsDuring(inProcess(url())(page.load))
      assert.strictEqual(page.counted.loads, 200)
      assert.deepStrictEqual([again("mget", "get"), again("evalsha", "eval", "set")], [1, 0])
    })
  )

  const typed: ReadonlyArray<readonly [what: string, text: string]> = [
    ["colons", ":".repeat(12_000)],
    ["words between colons", "ab:".repeat(4000)],
    ["text", "a".repeat(12_000)],
    ["characters of several bytes", "\u{1f600}:".repeat(4000)],
    ["halves of characters", "\ud83d".repeat(12_000)]
  ]
  for (const [what, text] of typed) {
    law(`sends fewer bytes for a read and a write than a visitor typed into the key: 12,000 of ${what}`, () =>
      Effect.gen(function* () {
        const get = Users.get(`search:${text}`, Effect.succeed("none"))
        const read = Effect.andThen(get, untilTaken(1))
        const run = yield* startProcess(url(), usersLayer())
        const bytes = (yield* growth("stats", run(read)))("total_net_input_bytes:")
        assert.isAbove(bytes, 0)
        assert.isBelow(bytes, 8000)
        assert.lengthOf(yield* storedNames, 1)
        assert.strictEqual(yield* inProcess(url())(Users.get(`search:${text}`, Effect.succeed("loaded again"))), "none")
      })
    )
  }

  law("keeps the values of two schemas beside each other, and what one forgets the other forgets", () =>
    Effect.gen(function* () {
      class Named extends ResourceCache.Service<Named, { readonly name: string }>()("store/Named", { keyed: true }) {}
      class Split extends ResourceCache.Service<Split, { readonly first: string }>()("store/Named", { keyed: true }) {}
      let loads = 0
      const counted = <A>(value: A) => Effect.sync(() => (loads++, value))
      const named = startProcess(
        url(),
        Persisted.layer(Named, { value: Schema.Struct({ name: Schema.String }), ...common })
      )
      const split = startProcess(
        url(),
        Persisted.layer(Split, { value: Schema.Struct({ first: Schema.String }), ...common })
      )
      const readNamed = Effect.scoped(
        Effect.flatMap(named, (run) => run(Named.get("user:7", counted({ name: "Ada L" }))))
      )
      const readSplit = Effect.scoped(
        Effect.flatMap(split, (run) => run(Split.get("user:7", counted({ first: "Ada" }))))
      )

      for (let turn = 0; turn < 10; turn++) {
        assert.deepStrictEqual(yield* readNamed, { name: "Ada L" })
        assert.deepStrictEqual(yield* readSplit, { first: "Ada" })
      }
      assert.strictEqual(loads, 2)
      assert.lengthOf(yield* storedNames, 2)

      assert.isTrue(yield* Effect.scoped(Effect.flatMap(named, (run) => run(Named.invalidate("user:7")))))
      yield* readNamed
      yield* readSplit
      assert.strictEqual(loads, 4)
    })
  )

  const key = "user:1"
  const ranges = {
    invalidate: Users.invalidate(key),
    invalidateUnder: Users.invalidateUnder("user"),
    invalidateAll: Users.invalidateAll
  }
  for (const [name, forget] of Object.entries(ranges)) {
    law(`gives nothing that another process has forgotten by ${name}, also not when the database is down`, () =>
      Effect.gen(function* () {
        const one = yield* startProcess(url(), usersLayer())
        const two = yield* startProcess(url(), usersLayer())
        const down = Effect.exit(Users.get(key, Effect.fail("down")))
        yield* inProcess(url())(Users.get(key, Effect.succeed("Ada")))
        assert.strictEqual(yield* two(Users.get(key, Effect.fail("down"))), "Ada")

        assert.isTrue(yield* one(forget))
        assert.strictEqual((yield* two(down))._tag, "Failure")
        if (name === "invalidate") assert.isEmpty((yield* storedNames).filter((name) => !isMark(name)))

        const whileLoaded = Effect.as(one(forget), "loaded before it was forgotten")
        yield* inProcess(url())(Users.get(key, whileLoaded))
        assert.strictEqual((yield* two(down))._tag, "Failure")
        assert.strictEqual((yield* inProcess(url())(down))._tag, "Failure")

        const marks = (yield* lifetimes).filter(({ name }) => isMark(name))
        assert.isNotEmpty(marks)
        assertLives(marks, 2 * hour)
      })
    )
  }

  /** Commands that a user may not send, and what a read, a write and an invalidation come to then. */
  const denials = [
    { denied: ["mget"], reads: "error", writeFailures: 0, forgets: true },
    { denied: ["evalsha", "eval"], reads: "miss", writeFailures: 1, forgets: false },
    { denied: ["del"], reads: "miss", writeFailures: 0, forgets: false },
    { denied: ["mget", "evalsha", "eval", "del"], reads: "error", writeFailures: 1, forgets: false }
  ] as const
  for (const { denied, forgets, reads, writeFailures } of denials) {
    law(`loads where its user may not ${denied.join(", ")}, and says what Redis did not do, without a key`, () =>
      Effect.gen(function* () {
        yield* send(
          "ACL",
          "SETUSER",
          "app",
          "reset",
          "on",
          ">secret",
          "~*",
          "&*",
          "+@all",
          ...denied.map((c) => `-${c}`)
        )
        const run = yield* startProcess(url().replace("redis://", "redis://app:secret@"), usersLayer())
        const { events, exit } = yield* run(RunLog.record(makePage(1).load))
        assert.strictEqual(exit._tag, "Success")
        const read = events.find((event) => event._tag === "CacheRead" && event.level === "persisted")
        assert.deepInclude(read, { cache: "store/Users", result: reads })
        if (reads === "error") assert.match((read as { readonly reason?: string }).reason!, /NOPERM.*'mget'/)
        else assert.notProperty(read, "reason")
        assert.notInclude(JSON.stringify(read), "user:0")
        assert.strictEqual((yield* run(untilTaken(1))).writeFailures, writeFailures)
        assert.strictEqual(yield* run(Users.invalidate("user:0")), forgets)
      })
    )
  }
})

/** A node of a cluster that has all slots. Its bus has a port below its own, as there may be none so far above. */
const startCluster = Effect.gen(function* () {
  const { url } = yield* startWith((port) => ["--cluster-enabled", "yes", "--cluster-port", `${port - 10_000}`])
  const ready: Effect.Effect<void, Redis.RedisError, Redis.Redis> = Effect.flatMap(send("CLUSTER", "INFO"), (info) =>
    info.includes("cluster_state:ok") ? Effect.void : Effect.delay(ready, "20 millis")
  )
  yield* Effect.andThen(send("CLUSTER", "ADDSLOTSRANGE", "0", "16383"), ready).pipe(
    Effect.provide(NodeRedis.layer({ url: Redacted.value(url) }))
  )
  return Redacted.value(url)
})

describe("a cache with a Redis cluster behind it", () => {
  const started = useServers(startCluster)

  const tagOf = (name: string): string => /\{(.*?)\}/.exec(name)![1]!

  for (const shards of [1, 4]) {
    it.live(`has all of what is read at once in one slot, and forgets in each: shards: ${shards}`, () =>
      Effect.gen(function* () {
        yield* send("FLUSHALL")
        const run = inProcess(started(), { shards })
        const page = makePage(200)
        const crossed = yield* growth(
          "errorstats",
          Effect.gen(function* () {
            yield* run(page.load)
            const calls = yield* callsDuring(run(page.load))
            assert.strictEqual(calls("mget", "get"), shards)
            assert.strictEqual(page.counted.loads, 200)

            assert.isTrue(yield* run(Users.invalidate("user:7")))
            yield* run(page.load)
            assert.strictEqual(page.counted.loads, 201)
            assert.isTrue(yield* run(Users.invalidateUnder("user")))
            yield* run(page.load)
            assert.strictEqual(page.counted.loads, 401)
          })
        )
        assert.strictEqual(crossed("errorstat_CROSSSLOT:count="), 0)

        const names = yield* storedNames
        assert.lengthOf(new Set(names.map(tagOf)), shards)
        const slots = yield* Effect.forEach(names, (name) => send<number>("CLUSTER", "KEYSLOT", name))
        assert.lengthOf(new Set(slots), shards)
      }).pipe(Effect.provide(NodeRedis.layer({ url: started() })), silently)
    )
  }

  it.live("would be refused what is not in one slot", () =>
    Effect.gen(function* () {
      const crossed = yield* growth("errorstats", Effect.exit(send("MGET", "one", "another")))
      assert.strictEqual(crossed("errorstat_CROSSSLOT:count="), 1)
    }).pipe(Effect.provide(NodeRedis.layer({ url: started() })))
  )
})
