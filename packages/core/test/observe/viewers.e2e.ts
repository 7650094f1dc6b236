/** Output for other programs, opened by these programs in a real browser. */
import { Effect, Schedule } from "effect"
import { Loader, Policy, Report, Resource } from "effect-loader"
import * as Diagram from "effect-loader/diagram"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { type Browser, chromium } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { hostileNames } from "./hostile.ts"

const root = path.resolve(import.meta.dirname, "../../../..")
const modules = path.join(root, "node_modules")

const findChromium = (): string | undefined => {
  try {
    return execFileSync("sh", ["-c", "command -v chromium || command -v google-chrome"], { encoding: "utf8" }).trim()
  } catch {
    return undefined
  }
}

const executablePath = findChromium()
if (executablePath === undefined) {
  if (process.env["TEST_REQUIRE_SERVICES"] === "1") throw new Error("there is no Chromium: install chromium")
  console.warn("\n!! There is no Chromium on the PATH: the tests in a browser are SKIPPED.\n")
}

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css"
}

/** Serves the files of the installed packages, and those that a test adds. */
const serve = (extra: Map<string, string>): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      const name = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname)
      const own = extra.get(name)
      const file = path.join(modules, name)
      const type = types[path.extname(name)] ?? "application/octet-stream"
      if (own !== undefined) return void response.writeHead(200, { "content-type": type }).end(own)
      if (!file.startsWith(modules) || !fs.existsSync(file)) return void response.writeHead(404).end()
      response.writeHead(200, { "content-type": type }).end(fs.readFileSync(file))
    })
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

const report = (): Promise<Report.Report<unknown>> => {
  let attempts = 0
  const org = Resource.make("org", { load: () => Effect.sleep(40) })
  const members = Resource.make("members", { deps: { org }, load: () => Effect.sleep(30) })
  const flaky = Resource.make("flaky", {
    load: () =>
      Effect.andThen(
        Effect.sleep(10),
        Effect.suspend(() => (++attempts < 2 ? Effect.fail("busy") : Effect.void))
      )
  }).pipe(Policy.retry({ times: 1, schedule: Schedule.spaced(20) }))
  const named = hostileNames.map((name, i) => [`t${i}`, Resource.make(name, { load: () => Effect.sleep(i) })])
  const targets: Record<string, Resource.Any> = { members, flaky, ...Object.fromEntries(named) }
  return Effect.runPromise(Loader.settle(Loader.make(targets, { name: "page" }) as Loader.Loader<unknown>))
}

describe.skipIf(executablePath === undefined)("in a browser", () => {
  let browser: Browser
  let server: Server
  const extra = new Map<string, string>()
  const at = (file: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${file}`

  beforeAll(async () => {
    server = await serve(extra)
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] })
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  it("speedscope opens a trace, and shows its lanes and resources", { timeout: 60_000 }, async () => {
    const trace = path.join(fs.mkdtempSync(path.join(fs.realpathSync("/tmp"), "trace-")), "page.json")
    fs.writeFileSync(trace, Report.toChromeTrace(await report()))
    const page = await browser.newPage({ viewport: { width: 1200, height: 700 } })
    const errors: Array<string> = []
    page.on("pageerror", (error) => errors.push(error.message))
    await page.goto(at("/speedscope/dist/release/index.html"))
    await page.setInputFiles("input[type=file]", trace)
    await page
      .getByText(/lane|run/)
      .first()
      .waitFor({ timeout: 20_000 })
    const shown = await page.evaluate("document.title + ' ' + document.body.innerText")
    assert.match(String(shown), /page, run \d+/)
    if (process.env["TEST_SCREENSHOTS"] !== undefined) {
      await page.screenshot({ path: path.join(process.env["TEST_SCREENSHOTS"], "speedscope.png") })
    }
    assert.deepStrictEqual(errors, [])
    await page.close()
    fs.rmSync(path.dirname(trace), { recursive: true })
  })

  it("Mermaid draws a plan with any names", { timeout: 60_000 }, async () => {
    let before: Record<string, Resource.Any> = {}
    for (const name of hostileNames) before = { before: Resource.make(name, { deps: before, load: () => Effect.void }) }
    const plan = Loader.plan(Loader.make(before))
    extra.set("/plan.html", "<!doctype html><meta charset=utf-8><div id=plan></div>")
    const page = await browser.newPage({ viewport: { width: 900, height: 1600 } })
    await page.goto(at("/plan.html"))
    const texts = await page.evaluate(
      `(async () => {
        const { default: mermaid } = await import("/mermaid/dist/mermaid.esm.min.mjs")
        mermaid.initialize({ startOnLoad: false })
        const { svg } = await mermaid.render("drawn", ${JSON.stringify(Diagram.toMermaid(plan))})
        document.getElementById("plan").innerHTML = svg
        return Array.from(document.querySelectorAll("#plan .node"), (node) => node.textContent.trim())
      })()`
    )
    if (process.env["TEST_SCREENSHOTS"] !== undefined) {
      await page.screenshot({ path: path.join(process.env["TEST_SCREENSHOTS"], "mermaid.png"), fullPage: true })
    }
    const drawn = texts as ReadonlyArray<string>
    assert.lengthOf(drawn, hostileNames.length)
    for (const part of [
      "new\\nline",
      "<script>alert(1)</script>",
      "a & b < c > d; e # f %% g",
      "[square] {curly} (round) |pipe|",
      "subgraph",
      "end",
      "日本語"
    ]) {
      assert.isTrue(
        drawn.some((text) => text.includes(part)),
        `${part} in ${JSON.stringify(drawn)}`
      )
    }
    await page.close()
  })
})
