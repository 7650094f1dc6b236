/** The page of a CI/CD service. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { Loader } from "effect-loader"
import { VirtualTime } from "effect-loader/testing"
import { latency } from "../src/backends/Latency.ts"
import { Catalog } from "../src/page/Catalog.ts"
import { Directory } from "../src/page/Directory.ts"
import { inputs } from "../src/page/inputs.ts"
import { byLevels, eager, oneByOne } from "../src/page/loaders.ts"
import { longestChain } from "../src/page/longestChain.ts"
import { Artifact, Notification, Org, Permissions, Project, User } from "../src/page/Model.ts"
import {
  assertEndedWell,
  assertInOrder,
  assertNothingLeft,
  assertReadable,
  ended,
  assertInterruptible,
  launch,
  onOtherMachine,
  useRun,
  hangs
} from "./kit/program.ts"

/** The part of an output that begins with a title of the failures, up to the next one. */
const part = (out: string, title: string, next: string): string =>
  out.slice(out.indexOf(`  ${title}  `), out.indexOf(next))

/** The backends, which answer at once but for the latencies that the real ones inject. */
const answering = <A>(name: keyof typeof latency, value: A) => Effect.delay(Effect.succeed(value), latency[name])

const backends = Layer.mergeAll(
  Layer.succeed(Catalog, {
    org: (id) => answering("org", new Org({ id, name: "Acme", plan: "team" })),
    project: (_, id) => answering("project", new Project({ id, name: "Launchpad", branch: "main" })),
    artifacts: () => answering("artifacts", [new Artifact({ name: "build", kilobytes: 1 })])
  }),
  Layer.succeed(Directory, {
    user: (id) => answering("user", new User({ id, name: "Ada" })),
    notifications: () => answering("notifications", [new Notification({ text: "hello" })]),
    permissions: () => answering("permissions", new Permissions({ role: "owner", can: [] }))
  })
)

const sum = (durations: ReadonlyArray<Duration.Duration>): number =>
  Duration.toMillis(durations.reduce(Duration.sum, Duration.zero))

describe("three schedules of the page", () => {
  it.effect("take the longest chain, the slowest of each level after another, and all after another", () =>
    Effect.gen(function* () {
      const took = (loader: typeof eager) =>
        Effect.map(VirtualTime.run(Loader.settle(loader, inputs)), ({ startedAt, until }) => until - startedAt)
      const latencies = new Map(Object.entries(latency))
      const levels = Loader.plan(byLevels).batches.map((names) =>
        names.map((name) => latencies.get(name) ?? Duration.zero).reduce(Duration.max, Duration.zero)
      )
      assert.strictEqual(yield* took(eager), Duration.toMillis(longestChain(Loader.plan(eager)).total))
      assert.strictEqual(yield* took(byLevels), sum(levels))
      assert.strictEqual(yield* took(oneByOne), sum(Object.values(latency)))
    }).pipe(Effect.provide(backends))
  )
})

describe("the page", () => {
  const run = useRun("page/main.ts")

  it("ends well, and prints every section in lines that people can read", () => {
    assertEndedWell(run)
    assertReadable(run.out)
    assertInOrder(run.out, [
      "effect-loader",
      "latency injected by pg_sleep",
      "latency injected by sleeps in its handlers",
      "The plan",
      'plan of "page": 7 resources in 4 batches',
      "The run, as it happens",
      '"page" started, 7 resources',
      '✓ "page" took',
      "What ran when",
      '"page" took',
      "✓ page",
      "Why it took as long as it did",
      "at least",
      "The page",
      "Acme Rockets / Launchpad",
      "The same page, three schedules",
      "one by one",
      "by Effect.all levels",
      "eager",
      "When something goes wrong"
    ])
  })

  it("names the resource that failed, why, and what became of the others", () => {
    assert.include(run.out, "When something goes wrong")
    assertInOrder(part(run.out, "Missing", "  Slow  "), [
      "failed     org",
      'NotFound: there is no organization "globex"',
      "1 attempt,",
      "page → org",
      "404",
      "project        - never started: org had failed"
    ])
    assertInOrder(part(run.out, "Slow", "  Slow, but optional  "), [
      "failed     project",
      "TimeoutError: no answer within 500ms",
      "page → project",
      "503",
      "artifacts      ✓ loaded",
      "permissions    - never started: project had failed"
    ])
    assertInOrder(part(run.out, "Slow, but optional", "  Down  "), [
      "Acme Rockets / Launchpad",
      "not to be had just now",
      "artifacts      ~ fell back (option)",
      "page           ✓ loaded"
    ])
    assertInOrder(part(run.out, "Down", "The answers are chosen"), [
      "failed     user",
      "DirectoryDown: no connection",
      "3 attempts,",
      "page → user",
      "503",
      "user           ✗ failed, 3 attempts",
      "notifications  - never started: user had failed"
    ])
  })

  it("leaves no server and no folder behind", async () => {
    await assertNothingLeft(run.out, run.folder)
  })

  it("leaves none behind when it is interrupted either", { timeout: hangs }, async () => {
    const out = await assertInterruptible("page/main.ts", "three schedules", run.folder)
    assert.notInclude(out, "When something goes wrong")
  })
})

describe("the page without a database", () => {
  it("says what to do where there is no PostgreSQL for the machine", { timeout: hangs }, async () => {
    const child = launch("page/main.ts", { DATABASE_URL: undefined }, onOtherMachine)
    const { code, err } = await ended(child)
    assert.strictEqual(code, 1)
    assert.include(err, "is not installed. Set DATABASE_URL to a PostgreSQL")
    assert.notInclude(err, "    at ")
  })
})
