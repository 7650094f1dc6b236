/** Every fenced `ts` block of the guides and of the doc comments compiles, runs, and prints what its comments say. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Printed } from "./inTurn.ts"
import { runAll } from "./Programs.ts"

const root = path.resolve(import.meta.dirname, "../../../..")
/** In a package that depends on all others, as a user's program does. */
const out = path.join(root, "packages/examples/.snippets")
fs.rmSync(out, { recursive: true, force: true })
fs.mkdirSync(out)
afterAll(() => fs.rmSync(out, { recursive: true, force: true }))

const sources = [
  "README.md",
  "CONTRIBUTING.md",
  "AGENTS.md",
  "docs/**/*.md",
  "packages/*/README.md",
  "packages/*/src/**/*.ts"
].flatMap((pattern) => fs.globSync(pattern, { cwd: root }))

const snippets = sources.flatMap((source) => {
  const text = fs.readFileSync(path.join(root, source), "utf8").replaceAll(/^ *\* ?/gm, "")
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code], index) => {
    const file = `${source.replaceAll(/[^\w]/g, "_")}_${index}.ts`
    fs.writeFileSync(path.join(out, file), code!)
    return { name: `${source} #${index + 1}`, file, code: code! }
  })
})

/** Blocks that quote a file, which is tested where it is: they name it as their title. */
const quotes = sources.flatMap((source) =>
  [...fs.readFileSync(path.join(root, source), "utf8").matchAll(/^```ts title="(.*?)"\n(.*?)^```/gms)].map(
    ([, file, code], index) => ({ name: `${source}, quote #${index + 1}`, file: file!, code: code! })
  )
)

/** The lines of code, wherever they stand in their line. */
const lines = (code: string): string =>
  code
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim()

/** What the comments behind and below `console.log(...)` say that it prints. */
const promised = (code: string): ReadonlyArray<string> => {
  const lines = code.split("\n")
  return lines.flatMap((line, i) => {
    const beside = /console\.log\(.*\)+ \/\/ (.*)$/.exec(line)?.[1]
    if (beside !== undefined) return [beside]
    if (!/console\.log\(.*\)$/.test(line)) return []
    const below = lines.slice(i + 1)
    const end = below.findIndex((next) => !next.startsWith("//"))
    const comment = below.slice(0, end < 0 ? below.length : end).map((next) => next.replace(/^\/\/ ?/, ""))
    return comment.length === 0 ? [] : [comment.join("\n")]
  })
}

/** Node's way of showing values differs from how people write them, and durations differ from run to run. */
const normal = (text: string): string => text.replaceAll("'", '"').replaceAll(/\s+/g, " ").trim()

describe("snippets", () => {
  it("there are many", () => expect(snippets.length).toBeGreaterThan(30))

  it("compile", () => {
    const options = { noUnusedLocals: false }
    const config = { extends: "../../../tsconfig.json", compilerOptions: options, include: ["*.ts"] }
    fs.writeFileSync(path.join(out, "tsconfig.json"), JSON.stringify(config))
    const tsc = spawnSync(path.join(root, "node_modules/.bin/tsc"), ["-p", out], { encoding: "utf8" })
    expect(tsc.stdout).toBe("")
    expect(tsc.status).toBe(0)
  })

  it.each(quotes)("$name is what the file says", ({ code, file }) =>
    expect(lines(fs.readFileSync(path.join(root, file), "utf8"))).toContain(lines(code))
  )

  // Examples with a test runner are run by it, not by Node: their own package has the same file as a test.
  const programs = snippets.filter(({ code }) => !code.includes("vitest"))
  const paths = programs.map(({ file }) => path.join(out, file))
  let results: ReadonlyMap<string, Promise<Printed>>
  beforeAll(() => void (results = runAll(paths, 2)))

  it.each(programs)("$name runs and prints what it says", { timeout: 300_000 }, async ({ code, file }) => {
    const { stderr, stdout } = await results.get(path.join(out, file))!
    expect(stderr).toBe("")
    for (const text of promised(code)) {
      for (const part of normal(text).split("...")) expect(normal(stdout)).toContain(part.trim())
    }
  })
})
