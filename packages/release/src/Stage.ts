/** A copy of the repository, in which packing may replace files while others work in the original. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "./Workspace.ts"

const isLink = (entry: string): boolean => !/[/\\]node_modules[/\\]\.(cache|vite)/.test(entry)

/** Copies what git knows, and what is new, and links the installed packages. */
export const stage = (to: string): void => {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" })
  for (const file of listed.split("\0")) {
    const from = path.join(root, file)
    // What was removed is listed until it is committed.
    if (file !== "" && fs.existsSync(from)) fs.cpSync(from, path.join(to, file))
  }
  // Or pnpm, when it runs a script there, would install into the packages that are linked.
  const workspace = path.join(to, "pnpm-workspace.yaml")
  fs.writeFileSync(
    workspace,
    fs.readFileSync(workspace, "utf8").replace("verifyDepsBeforeRun: install", "verifyDepsBeforeRun: false")
  )
  fs.symlinkSync(path.join(root, "node_modules"), path.join(to, "node_modules"))
  for (const modules of fs.globSync("packages/*/node_modules", { cwd: root })) {
    const options = { recursive: true, verbatimSymlinks: true, filter: isLink } as const
    fs.cpSync(path.join(root, modules), path.join(to, modules), options)
  }
}
