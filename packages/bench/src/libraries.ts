/** Builds of core, bundled alike, with the one copy of `effect` that the bench has. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { fileURLToPath, pathToFileURL } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import type { Library } from "./contenders/ours.ts"

const here = fileURLToPath(new URL("../", import.meta.url))
const root = fileURLToPath(new URL("../../../", import.meta.url))

/** The entry of core as it is in the working tree. */
const core = fileURLToPath(import.meta.resolve("effect-loader"))

const bundle = (entry: string, file: string) =>
  build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    format: "esm",
    target: "es2023",
    external: ["effect", "effect/*"],
    minifySyntax: true,
    absWorkingDir: here,
    logLevel: "error"
  })

const load = (file: string): Promise<Library> => import(pathToFileURL(file).href)

/** A folder from which `effect` is found, for as long as it is used. */
const inFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(`${here}.built-`)
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The sources of core at a commit. */
const checkOut = async (commit: string, folder: string): Promise<string> => {
  const run = promisify(execFile)
  const archive = `${folder}/core.tar`
  await run("git", ["archive", "--output", archive, commit, "packages/core/src"], { cwd: root })
  await mkdir(`${folder}/before`)
  await run("tar", ["-xf", archive, "-C", `${folder}/before`])
  // Tells the bundler what it knows of core: nothing in it runs when it is imported.
  await writeFile(`${folder}/before/package.json`, JSON.stringify({ type: "module", sideEffects: false }))
  return `${folder}/before/packages/core/src/index.ts`
}

export interface Compared {
  readonly now: Library
  readonly before: Library
}

/** Core in the working tree, and at a commit. */
export const compareWith = (commit: string): Promise<Compared> =>
  inFolder(async (folder) => {
    const [now, before] = [`${folder}/now.js`, `${folder}/before.js`]
    await bundle(core, now)
    await bundle(await checkOut(commit, folder), before)
    return { now: await load(now), before: await load(before) }
  })
