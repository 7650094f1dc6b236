/** The pictures of the guide are what the simulation says. */
import { describe, expect, it } from "vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { draw as plot } from "../simulation/Plot.ts"
import { pictures } from "../simulation/Pictures.ts"

const folder = path.resolve(import.meta.dirname, "../../../../docs/guides/pictures")
const read = (name: string): string => fs.readFileSync(path.join(folder, name), "utf8")

describe("the pictures of the guide", () => {
  it("are all there, and no others", () => {
    expect(fs.readdirSync(folder).toSorted()).toEqual(Object.keys(pictures).toSorted())
  })

  it("are small, say what is seen, and have colours for light and dark pages", () => {
    for (const name of Object.keys(pictures)) {
      const svg = read(name)
      expect(svg.length).toBeLessThan(60_000)
      expect(svg).toMatch(/<title id="t">.+<\/title>\n<desc id="d">.+<\/desc>/)
      expect(svg).toContain("prefers-color-scheme: dark")
    }
  })

  it("are drawn again to the byte: `pnpm pictures` makes them anew", () => {
    expect(pictures["limit-follows.svg"]!()).toBe(read("limit-follows.svg"))
  })
})

describe("a plot", () => {
  const lineOf = (values: ReadonlyArray<number>, logarithmic = false): string => {
    const ticks = logarithmic ? [1, 100] : [0, 100]
    const panel = { title: "p", ticks, logarithmic, lines: [{ name: "a", look: "good" as const, values }] }
    const svg = plot({ title: "<t>", description: "d", step: 1, tickEvery: 1, panels: [panel] })
    expect(svg).toContain("&lt;t&gt;")
    return svg.match(/class="line good" d="(M[^"h]+)"/)![1]!
  }
  const heights = (d: string): ReadonlyArray<number> =>
    d
      .split(/[ML]/)
      .slice(1)
      .map((point) => Number(point.split(" ")[1]))

  it("breaks where there is no value, and stays on top where one is too high", () => {
    const d = lineOf([0, 100, Number.NaN, Infinity, 50])
    expect(d.match(/[ML]/g)).toEqual(["M", "L", "M", "L"])
    const [bottom, top, above, middle] = heights(d)
    expect(above).toBe(top)
    expect(middle).toBeCloseTo((bottom! + top!) / 2)
  })

  it("goes up by factors where it is told to", () => {
    const [bottom, middle, top] = heights(lineOf([1, 10, 100], true))
    expect(middle).toBeCloseTo((bottom! + top!) / 2)
  })
})
