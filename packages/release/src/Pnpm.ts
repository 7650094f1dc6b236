import * as path from "node:path"
import { run } from "./Command.ts"
import { readRootManifest, root } from "./Workspace.ts"

let found: string | undefined

/** The program of the pnpm that the repository names, which npm fetches where it is not there. */
export const pnpm = (): string =>
  (found ??= run({
    program: "npx",
    args: ["-y", "-p", readRootManifest().packageManager, "-c", "command -v pnpm"],
    cwd: root
  }).trim())

/** The folder of that program, for programs that look for it in their PATH. */
export const pnpmFolder = (): string => path.dirname(pnpm())
