/** The programs, run as a user runs them. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const launch = (program: string, env: NodeJS.ProcessEnv = {}, flags: ReadonlyArray<string> = []): ChildProcess => {
  const { FORCE_COLOR: _, ...inherited } = process.env
  return spawn(process.execPath, [...flags, join(import.meta.dirname, "../src", program)], {
    env: { ...inherited, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
}

const ended = (child: ChildProcess, onOut: (out: string) => void = () => {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    let out = ""
    let err = ""
    child.stdout?.on("data", (chunk) => onOut((out += chunk)))
    child.stderr?.on("data", (chunk) => (err += chunk))
    child.once("error", reject)
    child.once("close", (code) => resolve({ code, out, err }))
  })

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => (socket.destroy(), resolve(true)))
    socket.once("error", () => resolve(false))
  })

const assertInOrder = (text: string, parts: ReadonlyArray<string>): void => {
  let from = 0
  for (const part of parts) {
    const at = text.indexOf(part, from)
    assert.isAtLeast(at, 0, `"${part}" is missing, or out of order, in:\n${text}`)
    from = at + part.length
  }
}

const assertReadable = (out: string): void => {
  assert.notMatch(out, /undefined|\[object Object\]|NaN|Infinity/)
  assert.notInclude(out, "\u001b")
  const widest = Math.max(...out.split("\n").map((line) => line.length))
  assert.isAtMost(widest, 100)
}

/** What of the servers and folders that the output tells of is still there. */
const leftovers = async (out: string, folder: string) => {
  const addresses = out.matchAll(/(?:started for this run|a service of this program) on \S*?127\.0\.0\.1:(\d+)/g)
  const ports = Array.from(addresses, ([, port]) => Number(port))
  const open = await Promise.all(ports.map(listens))
  return { told: ports.length > 0, ports: ports.filter((_, i) => open[i]), files: await readdir(folder) }
}

const none = { told: true, ports: [], files: [] }

/** The part of an output that begins with a title of the failures, up to the next one. */
const part = (out: string, title: string, next: string): string =>
  out.slice(out.indexOf(`  ${title}  `), out.indexOf(next))

describe("the page", () => {
  let folder = ""
  let run: Ended = { code: null, out: "", err: "" }
  let missing = false

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "effect-loader-test-"))
    // as the system's temporary folder is: under root the server runs as somebody else, who must get in
    await chmod(folder, 0o755)
    run = await ended(launch("page/main.ts", { TMPDIR: folder }))
    missing = run.code === 1 && run.err.includes("NoDatabase")
    if (missing && process.env["TEST_REQUIRE_SERVICES"] === "1") throw new Error(run.err)
    if (missing) console.warn(`\n!! PostgreSQL could not be had: the page's tests are SKIPPED.\n${run.err}`)
  }, 60_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it("ends well, and prints every section in lines that people can read", ({ skip }) => {
    skip(missing)
    assert.strictEqual(run.err, "")
    assert.strictEqual(run.code, 0)
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

  it("is loaded faster eagerly than by levels, and by levels faster than one by one", ({ skip }) => {
    skip(missing)
    const millis = ["one by one", "by Effect.all levels", "eager"].map((name) =>
      Number(new RegExp(`${name} +█+ +(\\d+)ms`).exec(run.out)?.[1])
    )
    const [oneByOne = NaN, byLevels = NaN, eager = NaN] = millis
    assert.isBelow(eager, byLevels)
    assert.isBelow(byLevels, oneByOne)
  })

  it("names the resource that failed, why, and what became of the others", ({ skip }) => {
    skip(missing)
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

  it("leaves no server and no folder behind", async ({ skip }) => {
    skip(missing)
    assert.deepStrictEqual(await leftovers(run.out, folder), none)
  })

  it("leaves none behind when it is interrupted either", { timeout: 30_000 }, async ({ skip }) => {
    skip(missing)
    const child = launch("page/main.ts", { TMPDIR: folder })
    const { code, out } = await ended(child, (out) => {
      if (out.includes("three schedules") && child.exitCode === null) child.kill("SIGINT")
    })
    assert.strictEqual(code, 130)
    assert.notInclude(out, "When something goes wrong")
    assert.deepStrictEqual(await leftovers(out, folder), none)
  })

  it("says what to do where there is no PostgreSQL for the machine", { timeout: 30_000 }, async () => {
    const otherMachine = "data:text/javascript,Object.defineProperty(process,'arch',{value:'mips'})"
    const child = launch("page/main.ts", { DATABASE_URL: undefined }, ["--import", otherMachine])
    const { code, err } = await ended(child)
    assert.strictEqual(code, 1)
    assert.include(err, "is not installed. Set DATABASE_URL to a PostgreSQL")
    assert.notInclude(err, "    at ")
  })
})

describe("the nested graph", () => {
  it("shows that nothing waits for an unrelated sibling", { timeout: 30_000 }, async () => {
    const { code, err, out } = await ended(launch("nested/main.ts"))
    assert.strictEqual(err, "")
    assert.strictEqual(code, 0)
    assertReadable(out)
    assertInOrder(out, [
      "a needs b and c; c needs d and e; e needs f",
      "The plan",
      "Eager",
      "By levels",
      "What the levels cost",
      "it needs f, but was made to wait for b",
      "it needs d and e, and e came later",
      "a(b, c(d, e(f)))"
    ])
  })
})

describe("telemetry", () => {
  it("exports the spans of a run over OTLP, which a collector gets as a tree", { timeout: 30_000 }, async () => {
    const { code, err, out } = await ended(launch("telemetry/traces.ts", { OTEL_EXPORTER_OTLP_ENDPOINT: undefined }))
    assert.strictEqual(err, "")
    assert.strictEqual(code, 0)
    assertReadable(out)
    assertInOrder(out, [
      "What the collector got  14 spans over OTLP",
      "✓ GET /orders/7",
      "✓   load order",
      "✓     order"
    ])
    for (const span of ["✗       customer 1", "✓         GET /customers", "✗     invoice", "-     receipt"]) {
      assert.include(out, `${span} `)
    }
    assert.match(out, /-     receipt .* links to invoice, customer/)
  })

  it("exports to an endpoint that it is told of", { timeout: 30_000 }, async () => {
    const asked: Array<string> = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? "")
      request.resume().on("end", () => response.writeHead(200).end("{}"))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, err, out } = await ended(launch("telemetry/traces.ts", { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }))
    server.close()
    assert.strictEqual(err, "")
    assert.strictEqual(code, 0)
    assert.include(out, `The spans went to ${endpoint}`)
    assert.include(asked, "/v1/traces")
  })

  it("prints the metrics of runs as Prometheus reads them", { timeout: 30_000 }, async () => {
    const { code, err, out } = await ended(launch("telemetry/metrics.ts"))
    assert.strictEqual(err, "")
    assert.strictEqual(code, 0)
    for (const line of [
      'effect_loader_attempts_total{loader="order",resource="customer"} 6',
      'effect_loader_skips_total{loader="order",resource="receipt",reason="dependency_failed"} 3',
      'effect_loader_run_duration_seconds_count{loader="order",end="completed"} 3'
    ]) {
      assert.include(out.split("\n"), line)
    }
  })
})

describe("the order", () => {
  let folder = ""
  let run: Ended = { code: null, out: "", err: "" }
  let missing = false

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "effect-loader-test-"))
    await chmod(folder, 0o755)
    run = await ended(launch("order/main.ts", { TMPDIR: folder }))
    missing = run.code === 1 && run.err.includes("NoDatabase")
    if (missing && process.env["TEST_REQUIRE_SERVICES"] === "1") throw new Error(run.err)
    if (missing) console.warn(`\n!! PostgreSQL could not be had: the order's tests are SKIPPED.\n${run.err}`)
  }, 90_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it("with a fault in each step in turn loses no money and charges nobody twice", ({ skip }) => {
    skip(missing)
    assert.strictEqual(run.err, "")
    assert.strictEqual(run.code, 0)
    assertReadable(run.out)
    assert.notInclude(run.out, "✗ ")
    for (const step of ["reservation", "payment", "purchase", "parcel"]) {
      for (const fault of ["dies before loading", "dies once loaded", "hangs before loading", "hangs once loaded"]) {
        assert.match(run.out, new RegExp(`✓ ${step} ${fault} +failed +nothing charged`))
      }
    }
  })

  it("interrupted at each event is either not done at all, or done once", ({ skip }) => {
    skip(missing)
    const lines = Array.from(
      run.out.matchAll(/✓ interrupted at event (\d+) +(failed {2}nothing|done {4}12 EUR) charged/g)
    )
    assert.isAbove(lines.length, 15)
    assert.strictEqual(lines.length, Number(lines.at(-1)?.[1]) + 1)
  })

  it("tells of what could not be taken back, and undoes all the rest", ({ skip }) => {
    skip(missing)
    assert.include(run.out, "What cannot be taken back")
    assertInOrder(run.out, [
      "What cannot be taken back",
      "← reservation",
      "≠ payment",
      "← purchase",
      'resource "payment" was not undone: the bank does not answer',
      "1 in the table"
    ])
  })

  it("in a transaction is committed as a whole, or rolled back, and what the bank did is undone", ({ skip }) => {
    skip(missing)
    assert.include(run.out, "In one transaction")
    assertInOrder(run.out, [
      "In one transaction",
      "committed, 2 rows; bank: 12 EUR charged",
      "rolled back, 0 rows; bank: 12 EUR charged, 12 EUR returned"
    ])
  })

  it("leaves no server and no file behind", async ({ skip }) => {
    skip(missing)
    assert.deepStrictEqual(await leftovers(run.out, folder), none)
  })
})

describe("the server", () => {
  let folder = ""
  let run: Ended = { code: null, out: "", err: "" }
  let missing = false

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "effect-loader-test-"))
    await chmod(folder, 0o755)
    run = await ended(launch("server/main.ts", { TMPDIR: folder }))
    missing = run.code === 1 && run.err.includes("there is no PostgreSQL")
    if (missing && process.env["TEST_REQUIRE_SERVICES"] === "1") throw new Error(run.err)
  }, 60_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it("starts up, answers with a status for each failure, and says what latency is injected", ({ skip }) => {
    skip(missing)
    assert.strictEqual(run.err, "")
    assert.strictEqual(run.code, 0)
    assertReadable(run.out)
    assertInOrder(run.out, [
      "latency injected by sleeps in queries and handlers",
      "latency injected by a sleep in the warm-up",
      'plan of "start-up": 8 resources in 3 batches',
      '"start-up" took',
      "✓ catalog",
      '200  {"banner":"Welcome, acme","page":"Acme Rockets / Launchpad',
      '404  {"resource":"org"',
      '403  {"resource":"user"',
      '404  {"error":"no such page"}'
    ])
  })

  it("interrupts the load of a client that goes away", ({ skip }) => {
    skip(missing)
    assert.include(run.out, "the client went away")
    assertInOrder(run.out, ['"server/Page" was interrupted', "page", "the run was interrupted"])
  })

  it("ends every load and gives every place back, whoever goes away", ({ skip }) => {
    skip(missing)
    const ends = /loads +(\d+) begun and over: (\d+) completed, (\d+) failed, (\d+) interrupted/.exec(run.out)
    const [begun, ...ended] = (ends ?? []).slice(1).map(Number)
    assert.strictEqual(
      begun,
      ended.reduce((sum, count) => sum + count, 0)
    )
    const [, taken, givenBack] = /places +(\d+) taken at the desk in all, (\d+) given back/.exec(run.out) ?? []
    assert.isDefined(taken)
    assert.strictEqual(taken, givenBack)
  })

  it("releases what it had started: no server and no folder is left", async ({ skip }) => {
    skip(missing)
    assert.include(run.out, "Shut down")
    assert.deepStrictEqual(await leftovers(run.out, folder), none)
  })

  it("releases it on an interruption, too", { timeout: 30_000 }, async ({ skip }) => {
    skip(missing)
    const child = launch("server/main.ts", { TMPDIR: folder })
    const { code, out } = await ended(child, (out) => {
      if (out.includes("Requests, one after the other") && child.exitCode === null) child.kill("SIGINT")
    })
    assert.strictEqual(code, 130)
    assert.deepStrictEqual(await leftovers(out, folder), none)
  })
})
