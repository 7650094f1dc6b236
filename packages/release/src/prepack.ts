/** Runs in the folder of a package before npm or pnpm packs it. */
import { build } from "./build.ts"
import { contents } from "./Contents.ts"
import { replace, restore } from "./Replaced.ts"
import { readPackage } from "./Workspace.ts"

const folder = process.cwd()

restore(folder)
build(folder)
replace(folder, contents(readPackage(folder)))
