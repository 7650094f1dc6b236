/** A page in three levels, while the second one fails. */
import { NodeRedis } from "@effect/platform-node"
import { Console, Effect, Layer, Redacted } from "effect"
import { Redis } from "effect/persistence"
import { assert, describe, it } from "@effect/vitest"
import { VirtualTime } from "effect-loader/testing"
import { stripVTControlCharacters } from "node:util"
import { startOwn } from "../src/backends/RedisServer.ts"
import * as Origin from "../src/levels/Origin.ts"
import { program } from "../src/levels/program.ts"
import { caches } from "../src/levels/resources.ts"
import * as Shared from "../src/levels/Shared.ts"
import {
  assertEndedWell,
  assertInOrder,
  assertNothingLeft,
  assertReadable,
  ended,
  assertInterruptible,
  launch,
  onOtherMachine,
  assertEndsUnread,
  useRun,
  hangs
} from "./kit/program.ts"
import { useServers } from "./kit/servers.ts"

const titles = [
  "Nothing is remembered yet",
  "All is well",
  "Redis hangs",
  "Redis is killed",
  "Redis is gone",
  "Redis is back"
] as const

/** What was printed in a part of the program. */
const partOf = (out: string, title: (typeof titles)[number]): string => {
  const from = out.indexOf(`\n${title}`)
  const next = titles[titles.indexOf(title) + 1] ?? "In all"
  return out.slice(from, out.indexOf(`\n${next}`, from))
}

/** What a level gave in a part of the program, out of what was printed; `stood` is how many pages did. */
const gaveOf =
  (out: string) =>
  (title: (typeof titles)[number], level: string): number => {
    const part = partOf(out, title).split("pages stood", 1)[0]!
    const pattern = level === "stood" ? /(\d+) of 40 $/ : new RegExp(`^  ${level} +(\\d+)`, "m")
    return Number(pattern.exec(part)?.[1] ?? Number.NaN)
  }

/** What holds however slow the machine is. */
const assertStands = (out: string): void => {
  const gave = gaveOf(out)
  for (const title of titles) {
    assert.strictEqual(gave(title, "stood"), 40)
    const levels = ["memory", "another page", "Redis", "PostgreSQL"].map((level) => gave(title, level))
    assert.strictEqual(
      levels.reduce((sum, n) => sum + n),
      120,
      title
    )
  }
  // Each of 6 organizations, 18 projects and 6 lists of artifacts is loaded once, if nobody else has it.
  assert.isAtLeast(gave("Nothing is remembered yet", "PostgreSQL"), 30)
  assert.strictEqual(gave("Redis is gone", "Redis"), 0)
  // Redis gives what it is asked for, unless it is slower than its time limit, and then says so.
  for (const title of ["All is well", "Redis is back"] as const) {
    assert.isTrue(gave(title, "Redis") > 0 || partOf(out, title).includes("in vain"), title)
  }
}

/** What each level gives where time passes as it should. */
const assertGives = (out: string): void => {
  const gave = gaveOf(out)
  assert.isAbove(gave("All is well", "memory"), 0)
  assert.isAbove(gave("All is well", "Redis"), 0)
  assert.isAbove(gave("Redis is gone", "PostgreSQL"), 0)
  assert.isAbove(gave("Redis is back", "Redis"), 0)
}

describe("the levels", () => {
  const run = useRun("levels/main.ts", /in the memory of this program stands? in/)

  it("print where the parts of pages came from, in lines that people can read", () => {
    assertEndedWell(run)
    assertReadable(run.out)
    assertInOrder(run.out, [
      "level 1",
      "level 2",
      "level 3",
      "latency injected by pg_sleep",
      'plan of "project page": 3 resources in 2 batches',
      ...titles,
      "In all",
      "240 of 240 pages stood"
    ])
  })

  it("give every page, whole, while Redis hangs, when it is killed, while it is gone, and when it is back", () => {
    assertStands(run.out)
  })

  it("say what was asked of Redis in vain", () => {
    for (const title of ["Redis hangs", "Redis is killed", "Redis is gone"]) {
      const part = run.out.slice(run.out.indexOf(`\n${title}`))
      assert.match(part, /Redis was asked \d+ times in vain/)
    }
  })

  it("leave no server and no folder behind", async () => {
    await assertNothingLeft(run.out, run.folder)
  })

  it("leave none behind either when they are interrupted while Redis is killed", { timeout: hangs }, async () => {
    const out = await assertInterruptible("levels/main.ts", "\nRedis is gone", run.folder)
    assert.notInclude(out, "Redis is back")
  })

  it("nor when nobody reads on", { timeout: hangs }, async () => {
    await assertEndsUnread("levels/main.ts", "The page", run.folder)
  })
})

/** For a program that finds no server by itself. */
const withoutServers = { DATABASE_URL: undefined, REDIS_URL: undefined, PATH: "" }

describe("the levels without servers", () => {
  it("stand in memory, and say so", { timeout: hangs }, async () => {
    const ran = await ended(launch("levels/main.ts", withoutServers, onOtherMachine))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, [
      "a store in the memory of this program stands in for Redis",
      "REDIS_URL",
      "tables in the memory of this program stand in for PostgreSQL",
      "DATABASE_URL",
      "latency injected by sleeps"
    ])
    assertStands(ran.out)
  })

  it.live("give in virtual time what each of them has, however slow the machine is", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const console = { ...globalThis.console, log: (line: string) => void lines.push(line) }
      const levels = Layer.merge(Origin.standIn(""), Layer.provideMerge(caches, Shared.standIn("")))
      yield* VirtualTime.run(Effect.provide(program, levels)).pipe(Effect.provideService(Console.Console, console))
      const out = stripVTControlCharacters(lines.join("\n"))
      assertStands(out)
      assertGives(out)
    })
  )

  it.each([
    ["named wrongly", "localhost:6379", "REDIS_URL should look like redis://"],
    ["not there", "redis://127.0.0.1:1", "the Redis of REDIS_URL, on 127.0.0.1:1 does not answer"]
  ])("do not stand in for a Redis that is %s", { timeout: hangs }, async (_, url, message) => {
    const { code, err } = await ended(launch("levels/main.ts", { REDIS_URL: url }))
    assert.strictEqual(code, 1)
    assert.include(err, message)
    assert.notInclude(err, "    at ")
  })
})

/** The keys of a Redis that it would keep for ever. */
const keysThatStay = (url: Redacted.Redacted) =>
  Redis.Redis.use((redis) =>
    Effect.gen(function* () {
      const keys = yield* redis.send<ReadonlyArray<string>>("KEYS", "*")
      assert.isNotEmpty(keys)
      return yield* Effect.filter(keys, (key) => Effect.map(redis.send<number>("TTL", key), (ttl) => ttl < 0))
    })
  ).pipe(Effect.provide(NodeRedis.layer({ url: Redacted.value(url) })))

describe("the levels on a Redis that was given", () => {
  const started = useServers(startOwn)

  it("leave it running, and what they wrote there expires", { timeout: hangs }, async () => {
    const { port, url } = started()
    // Level 3 is in memory here: what is tried out is the Redis.
    const env = { ...withoutServers, REDIS_URL: Redacted.value(url) }
    const ran = await ended(launch("levels/main.ts", env, onOtherMachine))
    assertEndedWell(ran)
    assertReadable(ran.out)
    assertInOrder(ran.out, [
      `the Redis of REDIS_URL, on 127.0.0.1:${port}`,
      "its answers come a second late",
      "are cut"
    ])
    assertStands(ran.out)
    assert.deepStrictEqual(await Effect.runPromise(keysThatStay(url)), [])
  })
})
