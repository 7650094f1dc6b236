/** Compiled files, with none left of a source that is gone. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "./Workspace.ts"

const tsc = path.join(root, "node_modules/typescript/bin/tsc")

/** Compiles a package into its `dist`, and the packages that it refers to into theirs. */
export const build = (folder: string): void => {
  execFileSync(process.execPath, [tsc, "-b", "tsconfig.build.json"], { cwd: folder, stdio: ["ignore", 2, 2] })
  for (const file of fs.globSync("dist/**/*.{js,js.map,d.ts,d.ts.map}", { cwd: folder })) {
    const source = file.replace(/^dist/, "src").replace(/\.(d\.ts|js)(\.map)?$/, ".ts")
    if (!fs.existsSync(path.join(folder, source))) fs.rmSync(path.join(folder, file))
  }
}
