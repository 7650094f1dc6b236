/** What docs/faults.md says. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { FaultName } from "./backends.ts"

const lines = readFileSync(join(import.meta.dirname, "../../../../docs/faults.md"), "utf8").split("\n")
const table = lines.filter((line) => line.startsWith("|")).map((line) => line.split("|").map((cell) => cell.trim()))

/** What becomes of the users when a backend has a fault. */
export const told = (fault: FaultName, backend: string): string | undefined =>
  table.find((row) => row[1] === fault)?.[table[0]!.indexOf(backend)]
