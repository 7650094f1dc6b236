/** Projects of users: a folder that has the tarballs and some tools installed, and the programs of `consumer`. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Project } from "./Consumers.ts"
import { run } from "./Command.ts"
import type { Tarball } from "./Tarballs.ts"
import { published, root } from "./Workspace.ts"

const programs = path.join(root, "packages/release/consumer")

const tsconfig = {
  compilerOptions: {
    target: "es2023",
    lib: ["es2023"],
    types: [],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    outDir: "out"
  },
  include: ["consumer.ts", "consumer.test.ts"]
}

const write = (folder: string, dependencies: Readonly<Record<string, string>>): void => {
  fs.cpSync(programs, folder, { recursive: true })
  const manifest = { name: "consumer", private: true, type: "module", dependencies }
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest))
  fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
}

/** The packages that programs use: tests alone import the matchers, which need a run of vitest around them. */
const namesOf = (packed: ReadonlyArray<Tarball>): ReadonlyArray<string> =>
  packed.map(({ name }) => name).filter((name) => name !== "@effect-loader/vitest")

/** Without a registry: unpacked by hand, beside links to what this repository has installed. */
export const linked = (folder: string, packed: ReadonlyArray<Tarball>): Project => {
  write(folder, {})
  const modules = path.join(folder, "node_modules")
  for (const { name, unpacked } of packed) fs.cpSync(unpacked, path.join(modules, name), { recursive: true })
  const own = path.join(root, "packages/release")
  for (const from of [own, ...published().map((self) => self.folder)]) {
    for (const entry of fs.globSync(["*", "@*/*"], { cwd: path.join(from, "node_modules") })) {
      const to = path.join(modules, entry)
      if (/^[@.][^/]*$/.test(entry) || fs.existsSync(to)) continue
      fs.mkdirSync(path.dirname(to), { recursive: true })
      fs.symlinkSync(fs.realpathSync(path.join(from, "node_modules", entry)), to)
    }
  }
  return { folder, names: namesOf(packed) }
}

/** As users do: by npm, from the registry, which refuses peers that do not fit. */
export const installed = (
  folder: string,
  packed: ReadonlyArray<Tarball>,
  needs: Readonly<Record<string, string>>
): Project => {
  write(folder, { ...needs, ...Object.fromEntries(packed.map(({ file, name }) => [name, `file:${file}`])) })
  const args = ["install", "--strict-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]
  run({ program: "npm", args, cwd: folder, limit: 300_000 })
  return { folder, names: namesOf(packed) }
}
