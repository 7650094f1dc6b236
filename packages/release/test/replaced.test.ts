import fc from "fast-check"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { replace, restore } from "../src/Replaced.ts"

/** The texts of all files, without those that wait to be put back. */
const textsIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(folder)
      .filter((file) => file !== ".prepack")
      .map((file) => [file, fs.readFileSync(path.join(folder, file), "utf8")])
  )

const texts = fc.dictionary(fc.constantFrom("package.json", "README.md", "LICENSE", "AGENTS.md"), fc.string())

const inFolder = (files: Record<string, string>, f: (folder: string) => void): void => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "replaced-"))
  try {
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text)
    f(folder)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

const property = (f: (before: Record<string, string>, files: Record<string, string>, more: typeof files) => void) =>
  fc.assert(fc.property(texts, texts, texts, f), { numRuns: 30 })

const toMap = (files: Record<string, string>) => new Map(Object.entries(files))

describe("files that stand in for others", () => {
  it("are there while a package is packed, and what they replaced is back afterwards", () =>
    property((before, files) =>
      inFolder(before, (folder) => {
        replace(folder, toMap(files))
        expect(textsIn(folder)).toEqual({ ...before, ...files })
        restore(folder)
        expect(textsIn(folder)).toEqual(before)
        expect(fs.existsSync(path.join(folder, ".prepack"))).toBe(false)
      })
    ))

  it("do no harm when packing was cut short: the next packing begins with the originals", () =>
    property((before, files, more) =>
      inFolder(before, (folder) => {
        replace(folder, toMap(files))
        replace(folder, toMap(more))
        expect(textsIn(folder)).toEqual({ ...before, ...more })
        restore(folder)
        expect(textsIn(folder)).toEqual(before)
        expect(fs.existsSync(path.join(folder, ".prepack"))).toBe(false)
      })
    ))

  it("change nothing when they were never written: packing was cut short while originals were kept", () =>
    property((before, files) =>
      inFolder(before, (folder) => {
        fs.mkdirSync(path.join(folder, ".prepack"))
        for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, ".prepack", file), text)
        restore(folder)
        expect(textsIn(folder)).toEqual(before)
        expect(fs.existsSync(path.join(folder, ".prepack"))).toBe(false)
      })
    ))
})
