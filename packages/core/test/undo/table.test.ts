/** The page for those who come from elsewhere names a test for each thing that it promises: each of them is there. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const root = path.resolve(import.meta.dirname, "../../../..")

const tests = fs
  .globSync(["packages/core/test/**/*.test.ts", "packages/examples/test/*.test.ts"], { cwd: root })
  .map((file) => fs.readFileSync(path.join(root, file), "utf8"))
  .join("\n")

/** The last cells of all rows of the tables that say what shows each. */
const shownBy = fs
  .readFileSync(path.join(root, "docs/coming-from.md"), "utf8")
  .split(/^## /m)
  .filter((section) => section.includes("shown by"))
  .flatMap((section) => section.split("\n").filter((line) => line.startsWith("| ") && !line.includes("shown by")))
  .map((row) =>
    row
      .split(" | ")
      .at(-1)!
      .replace(/\s*\|$/, "")
      .trim()
  )
  .filter((title) => title !== "" && !/^-+$/.test(title))

describe("the page for those who come from elsewhere", () => {
  it("names tests that there are", () => {
    assert.isAbove(shownBy.length, 50)
    const missing = shownBy.filter((title) => !tests.includes(`"${title}"`))
    assert.deepStrictEqual(missing, [])
  })
})
