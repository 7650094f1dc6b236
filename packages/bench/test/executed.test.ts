/** How much of core one load runs through: V8 counts calls in a process of its own. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"
import { type Executed, type ExecutedRecord, toRecord } from "../src/executed.ts"
import { readRecord } from "../src/record.ts"

const recorded = await readRecord<ReadonlyArray<ExecutedRecord>>("executed")

/** A record far above what runs lets a load grow unseen. */
const stale = 0.9

const advice = "where this is meant: npx -y pnpm@12.21.0 executed --record"

describe("the code that one load runs", () => {
  let found: ReadonlyArray<Executed>
  beforeAll(async () => {
    const program = fileURLToPath(new URL("../src/executed.ts", import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program, "--json"])
    found = JSON.parse(stdout)
  }, 120_000)

  const loadOf = (what: string) => found.find((load) => load.what === what)!

  it("each kind of load is recorded", () => {
    expect(recorded.map(({ what }) => what)).toEqual(toRecord(found).map(({ what }) => what))
  })

  it.each(recorded)("$what runs no more files and functions of core than are recorded", (record) => {
    const { files, functions } = loadOf(record.what)
    const others = files.filter((file) => !record.files.includes(file))
    expect(files.length, `${others.join(", ")} beyond the record; ${advice}`).toBeLessThanOrEqual(record.files.length)
    expect(functions.length, `${functions.join("\n")}\n${advice}`).toBeLessThanOrEqual(record.functions)
  })

  it.each(recorded)("the record of $what is not far above what runs", (record) => {
    const { files, functions } = loadOf(record.what)
    expect(files.length, advice).toBeGreaterThanOrEqual(record.files.length * stale)
    expect(functions.length, advice).toBeGreaterThanOrEqual(record.functions * stale)
  })
})
