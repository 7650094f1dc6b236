/** The manifests of the tarballs, which are made while a package is packed. */
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { contents } from "../src/Contents.ts"
import { publishedManifest } from "../src/PublishedManifest.ts"
import { published, readRootManifest } from "../src/Workspace.ts"

interface Conditions {
  readonly types: string
  readonly default: string
}

const given = published().map((self) => {
  const manifest = publishedManifest(self) as Record<string, any>
  return { name: self.manifest.name, self, manifest }
})

describe("the manifest of a tarball", () => {
  it("is there for each package that is not private", () => {
    expect(given.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["effect-loader", "@effect-loader/terminal", "@effect-loader/vitest"])
    )
  })

  it.each(given)("$name: each entry points at the compiled files of a source that exists", ({ manifest, self }) => {
    const entries = Object.entries<string | Conditions>(manifest.exports).filter(([entry]) => !entry.endsWith(".json"))
    expect(entries.length).toBeGreaterThan(0)
    for (const [entry, target] of entries) {
      expect(target, entry).toEqual({
        types: expect.stringMatching(/^\.\/dist\/.*\.d\.ts$/),
        default: expect.stringMatching(/^\.\/dist\/.*\.js$/)
      })
      const source = (target as Conditions).default.replace("./dist/", "src/").replace(/\.js$/, ".ts")
      expect(fs.existsSync(path.join(self.folder, source)), source).toBe(true)
    }
  })

  it.each(given)("$name: has no range, script or dependency that only the repository knows", ({ manifest }) => {
    expect(JSON.stringify(manifest)).not.toContain("workspace:")
    expect(manifest).not.toHaveProperty("scripts")
    expect(manifest).not.toHaveProperty("devDependencies")
  })

  it.each(given)("$name: says where it comes from, who made it, and what it runs on", ({ manifest, self }) => {
    const { author, bugs, homepage, license, repository } = readRootManifest()
    expect(manifest).toMatchObject({ author, bugs, homepage, license })
    expect(manifest.repository).toEqual({ ...repository, directory: `packages/${path.basename(self.folder)}` })
    expect(manifest.engines).toEqual({ node: expect.stringMatching(/^>=\d+/) })
    expect(manifest.keywords).toEqual(expect.arrayContaining(["effect", "typescript"]))
    expect(manifest.keywords).toEqual(manifest.keywords.toSorted())
    expect(manifest.description.length).toBeGreaterThan(20)
    expect(manifest.publishConfig).toEqual({ access: "public" })
  })

  it.each(given)("$name: takes effect 4.1 and no other minor as its peer", ({ manifest }) =>
    expect(manifest.peerDependencies.effect).toBe("~4.1.0")
  )

  it("an entry with conditions of its own is refused", () => {
    const { self } = given[0]!
    const exports = { ".": { import: "./src/index.ts" } as unknown as string }
    expect(() => publishedManifest({ ...self, manifest: { ...self.manifest, exports } })).toThrow(
      'exports["."]: give one file of src, not conditions'
    )
  })

  it("a range of a package that the repository does not have is refused", () => {
    const { self } = given[0]!
    const manifest = { ...self.manifest, dependencies: { other: "workspace:^" } }
    expect(() => publishedManifest({ ...self, manifest })).toThrow('"other" is no package of this repository')
  })
})

describe("the other files of a tarball", () => {
  it.each(given)("$name: has a README without relative links, and the licence", ({ self }) => {
    const files = contents(self)
    expect(files.get("LICENSE")).toContain("MIT License")
    const text = files.get("README.md")!.replaceAll(/^```.*?^```$/gms, "")
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
    expect(targets.filter((target) => !/^(https:|#)/.test(target))).toEqual([])
    expect(text).toContain(`# ${self.manifest.name}`)
  })

  it("effect-loader: has the advice for coding assistants, as far as it is for programs that use the library", () => {
    const core = published().find(({ manifest }) => manifest.name === "effect-loader")!
    const advice = contents(core).get("AGENTS.md")!
    expect(advice).toContain("Using the library")
    expect(advice).not.toContain("CONTRIBUTING")
    expect((core.manifest as unknown as { readonly files: ReadonlyArray<string> }).files).toContain("AGENTS.md")
  })
})
