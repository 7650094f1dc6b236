/** What programs download: no more than was reached, and no other modules of core. */
import { beforeAll, describe, expect, it } from "vitest"
import { measureBundles } from "../src/bundle.ts"
import { readRecord } from "../src/record.ts"
import { type SizeRecord, toRecord } from "../src/sizes.ts"

const recorded = await readRecord<SizeRecord>("sizes")

/** Compilers and gzip differ by a few bytes between machines. */
const tolerance = 1.02

/** A record far above what is measured lets programs grow unseen. */
const stale = 0.9

const advice = "where this is meant: npx -y pnpm@12.21.0 size --record"

/** Bundling `effect` two dozen times takes long on a busy machine. */
const enough = 240_000

describe("the size of programs", () => {
  let measured: SizeRecord
  beforeAll(async () => {
    measured = toRecord(await measureBundles())
  }, enough)

  const sizeOf = ({ bundler, what }: { readonly bundler: string; readonly what: string }) =>
    measured.sizes.find((size) => size.bundler === bundler && size.what === what)!

  it("every program is recorded", () => {
    const names = ({ sizes }: SizeRecord) => sizes.map(({ bundler, what }) => `${bundler}, ${what}`)
    expect(names(recorded), advice).toEqual(names(measured))
  })

  it.each(recorded.sizes)("by $bundler, $what: a program brings no more than is recorded, plus 2 %", (size) => {
    const { all, beyond } = sizeOf(size)
    expect(beyond, `bytes of gzip beyond effect; ${advice}`).toBeLessThanOrEqual(size.beyond * tolerance)
    expect(all, `bytes of gzip; ${advice}`).toBeLessThanOrEqual(size.all * tolerance)
  })

  it.each(recorded.sizes)("by $bundler, $what: the record is not far above the size", (size) => {
    expect(sizeOf(size).beyond, advice).toBeGreaterThanOrEqual(size.beyond * stale)
  })

  it("a program that undoes nothing contains no code that declares what undoes", () => {
    expect(measured.modules).not.toContain("undo/Compensation.ts")
  })

  it("a program without observers contains no code that reports runs", () => {
    expect(measured.modules.length).toBeGreaterThan(20)
    expect(measured.modules.filter((module) => /^(?:watch|observe)\//.test(module))).toEqual([])
  })

  it("a program that declares and loads contains no modules of core but the recorded ones", () => {
    const allowed = new Set(recorded.modules)
    expect(
      measured.modules.filter((module) => !allowed.has(module)),
      advice
    ).toEqual([])
  })
})
