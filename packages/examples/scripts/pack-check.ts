/**
 * Packs each package as it would be published, and looks at the tarballs as their users will: with publint, with
 * are-the-types-wrong, as dependencies of a package that emits declarations and has tests, under TypeScript 6 and 7, and as
 * modules: each entry is imported, by itself.
 */
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const packages = path.resolve(import.meta.dirname, "../..")
const bin = path.resolve(packages, "../node_modules/.bin")
const out = path.join(packages, "examples/.packed")

/** The packages that are published, by their folders. */
const published = {
  core: "effect-loader",
  terminal: "@effect-loader/terminal",
  vitest: "@effect-loader/vitest"
} as const

const check = (command: string, args: ReadonlyArray<string>, cwd = out): void => {
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (status === 0) return
  process.exitCode = 1
  console.error(`failed: ${path.basename(command)} ${args.join(" ")}`)
}

/** The tarball of a package, in a folder of its own. */
const pack = (folder: string): string => {
  const destination = path.join(out, folder)
  const cwd = path.join(packages, folder)
  execFileSync("pnpm", ["pack", "--pack-destination", destination], { cwd, stdio: ["ignore", "ignore", "inherit"] })
  return path.join(
    destination,
    fs.readdirSync(destination).find((file) => file.endsWith(".tgz"))!
  )
}

/** A package of its own that has the tarballs unpacked as its dependencies. */
const install = (tarballs: Readonly<Record<string, string>>): string => {
  const consumer = path.join(out, "consumer")
  const modules = path.join(consumer, "node_modules")
  for (const [name, tarball] of Object.entries(tarballs)) {
    const unpacked = path.join(modules, name)
    fs.mkdirSync(unpacked, { recursive: true })
    execFileSync("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"])
  }
  for (const peer of ["effect", "vitest"]) {
    fs.symlinkSync(fs.realpathSync(path.join(packages, "vitest/node_modules", peer)), path.join(modules, peer))
  }
  const consumed = path.join(packages, "examples/test/consumer")
  for (const file of sources) fs.copyFileSync(path.join(consumed, file), path.join(consumer, file))
  fs.writeFileSync(path.join(consumer, "package.json"), JSON.stringify({ name: "consumer", type: "module" }))
  fs.writeFileSync(path.join(consumer, "tsconfig.json"), JSON.stringify(tsconfig))
  return consumer
}

const sources = ["consumer.ts", "consumer.test.ts"]

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
  include: sources
}

/** Imports each entry of core in a process of its own: none of them needs another one to be imported first. */
const importEntries = (consumer: string): void => {
  const name = published.core
  const manifest = path.join(consumer, "node_modules", name, "package.json")
  const { exports } = JSON.parse(fs.readFileSync(manifest, "utf8")) as { readonly exports: object }
  for (const entry of Object.keys(exports).filter((entry) => !entry.endsWith(".json"))) {
    check(process.execPath, ["--input-type=module", "-e", `await import("${path.posix.join(name, entry)}")`], consumer)
  }
}

fs.rmSync(out, { recursive: true, force: true })
fs.mkdirSync(out)
try {
  const tarballs: Record<string, string> = {}
  for (const [folder, name] of Object.entries(published)) {
    const tarball = pack(folder)
    tarballs[name] = tarball
    check(path.join(bin, "publint"), ["--strict", tarball])
    check(path.join(bin, "attw"), [tarball, "--profile", "esm-only"])
  }
  const consumer = install(tarballs)
  for (const compiler of ["typescript", "typescript-6"]) {
    const tsc = path.resolve(packages, `../node_modules/${compiler}/bin/tsc`)
    check(process.execPath, [tsc, "-p", "."], consumer)
  }
  check(process.execPath, ["out/consumer.js"], consumer)
  importEntries(consumer)
  check(path.join(bin, "vitest"), ["run", "--root", consumer, "--reporter", "dot", "out/consumer.test.js"], consumer)
  if (process.exitCode === undefined) console.log("the packages are fit to be published")
} finally {
  fs.rmSync(out, { recursive: true, force: true })
}
