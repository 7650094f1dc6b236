/** What has become of each resource of a run so far. */
import { isThere, Pending, Running, Skipped } from "../model/Absent.ts"
import type { Progress } from "../model/Extension.ts"
import type { Run } from "./Run.ts"

export const progressOf = ({ program, values }: Run): Progress => {
  const done: Array<string> = []
  const inFlight: Array<string> = []
  const notStarted: Array<string> = []
  for (const i of program.declared) {
    const { given, name, view } = program.steps[i]!
    if (given !== undefined || view !== undefined) continue
    const value = values[i]
    if (value === Running) inFlight.push(name)
    else if (value === Pending || value === Skipped) notStarted.push(name)
    else if (isThere(value)) done.push(name)
  }
  return { done, inFlight, notStarted }
}
