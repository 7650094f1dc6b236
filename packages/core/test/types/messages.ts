/** What TypeScript says about programs that must not compile. */
import { execFile } from "node:child_process"
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"

const root = path.join(import.meta.dirname, "../../../..")
const compiler = path.join(root, "node_modules/typescript/bin/tsc")

const compilerOptions = {
  target: "es2023",
  module: "nodenext",
  moduleDetection: "force",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: ["node"],
  typeRoots: [path.join(root, "node_modules/@types")],
  paths: {
    "effect-loader": [path.join(root, "packages/core/src/index.ts")],
    effect: [path.join(root, "node_modules/effect/dist/index.d.ts")]
  }
}

const run = (project: string): Promise<string> =>
  new Promise((resolve) =>
    // It exits with another code than 0 where there are errors, which its output tells.
    execFile(process.execPath, [compiler, "-p", project, "--pretty", "false"], (_error, stdout) => resolve(stdout))
  )

/** What the compiler says about each program, in their order: nothing about one that compiles. */
export const messagesOf = async (programs: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), "effect-loader-types-"))
  try {
    const files = programs.map((_, i) => `program${i}.ts`)
    await Promise.all(programs.map((program, i) => writeFile(path.join(folder, files[i]!), program)))
    const project = path.join(folder, "tsconfig.json")
    await writeFile(project, JSON.stringify({ compilerOptions, files }))
    const output = await run(project)
    const messages = programs.map(() => "")
    // A line that is indented goes on with the message before it.
    for (const message of output.split(/\n(?=\S)/)) {
      const of = /program(\d+)\.ts\(\d+,\d+\): error TS\d+: (.*)/s.exec(message)
      if (of === null) {
        if (message.trim() !== "") throw new Error(`the compiler says of no program: ${message}`)
      } else messages[Number(of[1])] += of[2]!.trimEnd() + "\n"
    }
    return messages
  } finally {
    await rm(folder, { recursive: true })
  }
}
