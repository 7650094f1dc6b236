/** Runs in the folder of a package after npm or pnpm has packed it. */
import { restore } from "./Replaced.ts"

restore(process.cwd())
