/**
 * Packs the package as it would be published, and looks at the tarball as its users will: with publint, with
 * are-the-types-wrong, and as a dependency of a package that emits declarations and has tests, under TypeScript 6 and 7.
 */
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const core = path.resolve(import.meta.dirname, "..")
const bin = path.resolve(core, "../../node_modules/.bin")
const out = path.join(core, ".packed")

const check = (command: string, args: ReadonlyArray<string>, cwd = core): void => {
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (status === 0) return
  process.exitCode = 1
  console.error(`failed: ${path.basename(command)} ${args.join(" ")}`)
}

const pack = (): string => {
  execFileSync("pnpm", ["pack", "--pack-destination", out], { cwd: core, stdio: ["ignore", "ignore", "inherit"] })
  return path.join(
    out,
    fs.readdirSync(out).find((file) => file.endsWith(".tgz"))!
  )
}

/** A package of its own that has the tarball unpacked as its dependency. */
const install = (tarball: string): string => {
  const consumer = path.join(out, "consumer")
  const unpacked = path.join(consumer, "node_modules/effect-loader")
  fs.mkdirSync(unpacked, { recursive: true })
  execFileSync("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"])
  for (const peer of ["effect", "vitest"]) {
    fs.symlinkSync(fs.realpathSync(path.join(core, "node_modules", peer)), path.join(consumer, "node_modules", peer))
  }
  for (const file of sources) fs.copyFileSync(path.join(core, "test/consumer", file), path.join(consumer, file))
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

fs.rmSync(out, { recursive: true, force: true })
fs.mkdirSync(out)
try {
  const tarball = pack()
  check(path.join(bin, "publint"), ["--strict", tarball])
  check(path.join(bin, "attw"), [tarball, "--profile", "esm-only"])
  const consumer = install(tarball)
  for (const compiler of ["typescript", "typescript-6"]) {
    const tsc = path.resolve(core, `../../node_modules/${compiler}/bin/tsc`)
    check(process.execPath, [tsc, "-p", "."], consumer)
  }
  check(process.execPath, ["out/consumer.js"], consumer)
  check(path.join(bin, "vitest"), ["run", "--root", consumer, "--reporter", "dot", "out/consumer.test.js"], consumer)
  if (process.exitCode === undefined) console.log("the package is fit to be published")
} finally {
  fs.rmSync(out, { recursive: true, force: true })
}
