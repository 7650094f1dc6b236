/** Runs in the folder of a package before npm or pnpm packs it. */
import * as process from "node:process"
import { build } from "./build.ts"
import { contents } from "./Contents.ts"
import { replace, restore } from "./Replaced.ts"
import { readPackage } from "./Workspace.ts"

const folder = process.cwd()
const { npm_command: command, npm_config_user_agent: agent } = process.env

restore(folder)
// npm reads the manifest that it tells the registry after packing, when the original is back.
if (command === "publish" && agent?.startsWith("npm/") === true) {
  throw new Error("npm would publish the manifest of the repository: publish with pnpm, or publish a tarball")
}
build(folder)
replace(folder, contents(readPackage(folder)))
