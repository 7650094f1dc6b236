/**
 * Packs each package with npm and with pnpm, and looks at the tarballs as their users will.
 *
 * 1. Copies the repository, and packs there: the two tarballs of a package have the same files.
 * 2. publint and are-the-types-wrong find nothing.
 * 3. Consumers run them. By default those that this repository has installed, without a registry. With `--all`, every
 *    runtime, bundler, compiler and test runner that the packages name, installed from the registry.
 *
 * Each program may run for two minutes, each installation for five.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { run } from "./Command.ts"
import { all, type Consumer, few, type Project, typescript, vitest } from "./Consumers.ts"
import { installed, linked } from "./Projects.ts"
import { stage } from "./Stage.ts"
import { tarballs } from "./Tarballs.ts"
import { root } from "./Workspace.ts"

const bin = path.join(root, "node_modules/.bin")
const out = path.join(root, "packages/release/.packed")

/** Does one step, and says how long it took. A step that fails lets the others go on. */
const step = <A>(name: string, f: () => A): A | undefined => {
  const began = Date.now()
  try {
    const value = f()
    console.log(`✓ ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
    return value
  } catch (error) {
    process.exitCode = 1
    console.error(`✗ ${name}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const tryAll = (project: Project | undefined, consumers: ReadonlyArray<Consumer>): void => {
  if (project === undefined) return
  for (const consumer of consumers) step(consumer.name, () => consumer.try(project))
}

const needsOf = (consumers: ReadonlyArray<Consumer>): Readonly<Record<string, string>> =>
  Object.fromEntries(consumers.flatMap(({ needs }) => Object.entries(needs)))

const check = (): void => {
  const staged = path.join(out, "staged")
  const packed = step("npm and pnpm pack the same files", () => {
    stage(staged)
    return tarballs(staged, path.join(out, "tarballs"))
  })
  if (packed === undefined) return
  for (const { file, name } of packed) {
    step(`publint of ${name}`, () => run({ program: path.join(bin, "publint"), args: ["--strict", file], cwd: out }))
    const args = [file, "--profile", "esm-only"]
    step(`are-the-types-wrong of ${name}`, () => run({ program: path.join(bin, "attw"), args, cwd: out }))
  }
  if (!process.argv.includes("--all")) {
    tryAll(linked(path.join(out, "linked"), packed), few)
    return
  }
  const install = (name: string, consumers: ReadonlyArray<Consumer>): void => {
    const folder = path.join(out, name)
    tryAll(
      step(`npm install, ${name}`, () => installed(folder, packed, { effect: "~4.1.0", ...needsOf(consumers) })),
      consumers
    )
  }
  install("with vitest 5", all)
  for (const version of ["4.1.12", "3.2.7"]) {
    install(`with vitest ${version}`, [vitest(version), typescript("7.0.2")])
  }
}

fs.rmSync(out, { recursive: true, force: true })
fs.mkdirSync(out)
try {
  check()
  if (process.exitCode === undefined) console.log("the packages are fit to be published")
} finally {
  fs.rmSync(out, { recursive: true, force: true })
}
