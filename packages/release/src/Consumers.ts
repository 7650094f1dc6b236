/**
 * What users run the packages with: runtimes, bundlers, compilers and the test runner.
 *
 * Each consumer is tried in one project that has the tarballs installed and nothing else of this repository.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { run } from "./Command.ts"

/** The project, and what is to be found in it. */
export interface Project {
  readonly folder: string
  /** The names of the packages under test that are for programs, not for tests. */
  readonly names: ReadonlyArray<string>
}

export interface Consumer {
  readonly name: string
  /** Packages of the registry that it needs beside those under test, by the name that it finds them under. */
  readonly needs: Readonly<Record<string, string>>
  readonly try: (project: Project) => void
}

const expectPrinted = (printed: string, expected: RegExp): void => {
  if (!expected.test(printed)) throw new Error(`printed ${JSON.stringify(printed)}, not ${expected}`)
}

const inModules = (project: Project, file: string): string => path.join(project.folder, "node_modules", file)

/** The entries of an installed package, as programs import them. */
const entriesOf = (folder: string, name: string): ReadonlyArray<string> => {
  const { exports } = JSON.parse(fs.readFileSync(path.join(folder, "node_modules", name, "package.json"), "utf8"))
  return Object.keys(exports as object)
    .filter((entry) => !entry.endsWith(".json"))
    .map((entry) => path.posix.join(name, entry))
}

/** What `everywhere.js` prints. */
const everywhere = /ada of acme, Completed, true, true/

const allEntries = /^\d\d+ entries/m

/** Runs the program for every runtime, and one that imports all entries. */
const runModules = (project: Project, program: string, args: ReadonlyArray<string>): void => {
  const { folder, names } = project
  expectPrinted(run({ program, args: [...args, "main.js"], cwd: folder }), everywhere)
  expectPrinted(run({ program, args: [...args, "entries.js", ...names], cwd: folder }), allEntries)
}

const runNode = (project: Project, program: string): void => {
  runModules(project, program, [])
  for (const file of ["alone.js", "required.cjs"]) {
    expectPrinted(run({ program, args: [file, ...project.names], cwd: project.folder }), allEntries)
  }
}

const isArm = process.arch === "arm64"

const node = (version: string): Consumer => {
  const folder = `node-${version}`
  return {
    name: `Node.js ${version}, by import and by require`,
    needs: { [folder]: `npm:node-linux-${isArm ? "arm64" : "x64"}@${version}` },
    try: (project) => runNode(project, inModules(project, `${folder}/bin/node`))
  }
}

/** The Node.js that runs this. */
const ownNode: Consumer = {
  name: `Node.js ${process.versions.node}, by import and by require`,
  needs: {},
  try: (project) => runNode(project, process.execPath)
}

const bunPlatform = `@oven/bun-linux-${isArm ? "aarch64" : "x64"}`
const bun: Consumer = {
  name: "Bun 1.4",
  needs: { [bunPlatform]: "1.4.4" },
  try: (project) => runModules(project, inModules(project, `${bunPlatform}/bin/bun`), ["run"])
}

const denoPlatform = `@deno/linux-${isArm ? "arm64" : "x64"}-glibc`
const deno: Consumer = {
  name: "Deno 2.9",
  needs: { [denoPlatform]: "2.9.6" },
  try: (project) => {
    const program = inModules(project, `${denoPlatform}/deno`)
    runModules(project, program, ["run", "--no-remote", "--no-lock", "--node-modules-dir=manual", "--allow-all"])
  }
}

const bundleWithEsbuild = (project: Project, from: string, to: string, platform: string): void => {
  // A native program where its install script has run, and a script where it has not.
  const program = inModules(project, "esbuild/bin/esbuild")
  const args = [from, "--bundle", "--format=esm", "--minify", `--platform=${platform}`, `--outfile=${to}`]
  run({ program, args, cwd: project.folder })
}

/** A bundle imports no module of Node.js, and runs. */
const runBundle = ({ folder }: Project, file: string): void => {
  const imports = /\b(?:from|import|require)\s*\(?\s*["'](node:[\w/]+)["']/.exec(
    fs.readFileSync(path.join(folder, file), "utf8")
  )
  if (imports !== null) throw new Error(`${file} imports ${imports[1]}`)
  expectPrinted(run({ program: process.execPath, args: [file], cwd: folder }), everywhere)
}

const esbuildVersion = { esbuild: "0.28.2" }

const esbuild: Consumer = {
  name: "esbuild 0.28, for browsers",
  needs: esbuildVersion,
  try: (project) => {
    bundleWithEsbuild(project, "main.js", "esbuild.bundle.mjs", "browser")
    runBundle(project, "esbuild.bundle.mjs")
  }
}

const workerdPlatform = `@cloudflare/workerd-linux-${isArm ? "arm64" : "64"}`
const workerd: Consumer = {
  name: "workerd 1.2026",
  needs: { ...esbuildVersion, [workerdPlatform]: "1.20261117.1" },
  try: (project) => {
    bundleWithEsbuild(project, "worker.js", "worker.bundle.js", "neutral")
    const program = inModules(project, `${workerdPlatform}/bin/workerd`)
    const args = ["test", "--verbose", "worker.capnp"]
    run({ program, args, cwd: project.folder })
  }
}

const vite: Consumer = {
  name: "Vite 8, for browsers",
  needs: { vite: "8.3.8" },
  try: (project) => {
    const args = [inModules(project, "vite/bin/vite.js"), "build", "--config", "vite.config.js"]
    run({ program: process.execPath, args, cwd: project.folder })
    runBundle(project, "vite/bundle.mjs")
  }
}

export const typescript = (version: string): Consumer => {
  const folder = `typescript-${version}`
  return {
    name: `TypeScript ${version}, declarations included`,
    needs: { [folder]: `npm:typescript@${version}` },
    try: (project) => {
      const { folder: cwd } = project
      const args = [inModules(project, `${folder}/bin/tsc`), "-p", "tsconfig.json"]
      // Once as Node.js resolves modules, and once as bundlers do.
      const bundled = ["--module", "esnext", "--moduleResolution", "bundler", "--noEmit"]
      for (const more of [[], bundled]) run({ program: process.execPath, args: [...args, ...more], cwd })
      run({ program: process.execPath, args: ["out/consumer.js"], cwd })
    }
  }
}

/** The declarations themselves, which compilers skip where they are told to skip libraries: of every entry for programs. */
const declarations = (version: string): Consumer => {
  const folder = `typescript-${version}`
  return {
    name: `TypeScript ${version}, without skipping libraries`,
    needs: { [folder]: `npm:typescript@${version}` },
    try: ({ folder: cwd, names }) => {
      const lines = names.flatMap((name) => entriesOf(cwd, name).map((entry) => `import "${entry}"\n`))
      fs.writeFileSync(path.join(cwd, "declarations.ts"), lines.join(""))
      const compilerOptions = { skipLibCheck: false, lib: ["es2023", "dom", "dom.iterable"], noEmit: true }
      const config = { extends: "./tsconfig.json", compilerOptions, files: ["declarations.ts"], include: [] }
      fs.writeFileSync(path.join(cwd, "tsconfig.declarations.json"), JSON.stringify(config))
      const args = [path.join(cwd, "node_modules", folder, "bin/tsc"), "-p", "tsconfig.declarations.json"]
      run({ program: process.execPath, args, cwd })
    }
  }
}

/** The test runner, which a project has once. */
export const vitest = (version: string): Consumer => ({
  name: `vitest ${version}, with the matchers`,
  needs: { vitest: version },
  try: (project) => {
    const args = [inModules(project, "vitest/vitest.mjs"), "run", "--root", project.folder, "--reporter", "dot"]
    run({ program: process.execPath, args, cwd: project.folder })
  }
})

/** Those that this repository has installed for itself. */
export const few: ReadonlyArray<Consumer> = [
  ownNode,
  esbuild,
  vite,
  typescript("6.0.3"),
  typescript("7.0.2"),
  declarations("7.0.2"),
  vitest("5.1.1")
]

export const all: ReadonlyArray<Consumer> = [
  node("20.19.0"),
  node("24.21.0"),
  bun,
  deno,
  workerd,
  vite,
  esbuild,
  ...["5.7.3", "5.8.3", "5.9.3", "6.0.3", "7.0.2"].map(typescript),
  declarations("7.0.2"),
  vitest("5.1.1")
]
