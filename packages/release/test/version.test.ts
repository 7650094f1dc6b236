/** A dry run of the command that makes the versions of a release from the changesets, in a copy of the repository. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { run } from "../src/Command.ts"
import { stage } from "../src/Stage.ts"
import { packages, published, root } from "../src/Workspace.ts"

interface Changeset {
  readonly file: string
  readonly releases: Readonly<Record<string, string>>
  readonly firstLine: string
}

const changesets: ReadonlyArray<Changeset> = fs.globSync(".changeset/*.md", { cwd: root }).map((file) => {
  const [, head, text] = /^---\n(.*?)\n---\n(.*)$/s.exec(fs.readFileSync(path.join(root, file), "utf8")) ?? []
  const lines = (head ?? "").split("\n").map((line) => line.split(": ").map((part) => part.replaceAll('"', "").trim()))
  return { file, releases: Object.fromEntries(lines), firstLine: text!.trim().split("\n")[0]! }
})

const names = published().map(({ manifest }) => manifest.name)

/** The version after this one: all packages share one, and none is stable yet. */
const next = (version: string): string => {
  const [major, minor, patch] = version.split(".").map(Number)
  const isMinor = changesets.some(({ releases }) => Object.values(releases).includes("minor"))
  return isMinor ? `${major}.${minor! + 1}.0` : `${major}.${minor}.${patch! + 1}`
}

describe("changesets", () => {
  it.each(changesets)("$file is a minor or a patch of packages that are published", ({ firstLine, releases }) => {
    expect(names).toEqual(expect.arrayContaining(Object.keys(releases)))
    expect(["minor", "patch"]).toEqual(expect.arrayContaining(Object.values(releases)))
    expect(firstLine.length).toBeGreaterThan(10)
  })
})

describe.runIf(changesets.length > 0)("the command that makes a version", { timeout: 120_000 }, () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "version-"))
  const textOf = (folder: string, file: string): string =>
    fs.readFileSync(path.join(copy, "packages", folder, file), "utf8")
  afterAll(() => fs.rmSync(copy, { recursive: true }))

  beforeAll(() => {
    stage(copy)
    const git = (...args: ReadonlyArray<string>) =>
      run({ program: "git", args: ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], cwd: copy })
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=staged")
    const { scripts } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
    const bin = `${path.join(root, "node_modules/.bin")}${path.delimiter}${process.env.PATH}`
    run({ program: "sh", args: ["-c", scripts["release:version"]], cwd: copy, env: { PATH: bin } })
  }, 120_000)

  it("gives all packages that are published the same next version, and no other a version", () => {
    const { version } = published()[0]!.manifest
    for (const { manifest } of packages(copy)) {
      expect(manifest.version, manifest.name).toBe(names.includes(manifest.name) ? next(version) : "0.0.0")
    }
  })

  it("writes a CHANGELOG for each package, with all of its changesets, and no commit in it", () => {
    for (const { folder, manifest } of published(copy)) {
      const text = textOf(path.basename(folder), "CHANGELOG.md")
      expect(text).toContain(`# ${manifest.name}\n\n## ${manifest.version}\n`)
      expect(text).not.toContain("Major Changes")
      expect(text).not.toMatch(/^- [0-9a-f]{7}: /m)
      for (const { firstLine, releases } of changesets) {
        if (manifest.name in releases) expect(text).toContain(firstLine)
      }
    }
  })

  it("leaves no changeset, and files that are formatted", () => {
    expect(fs.globSync(".changeset/*.md", { cwd: copy })).toEqual([])
    expect(() =>
      run({ program: path.join(root, "node_modules/.bin/oxfmt"), args: ["--check"], cwd: copy })
    ).not.toThrow()
  })
})
