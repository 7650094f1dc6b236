import { describe, expect, it } from "vitest"
import { absoluteLinks } from "../src/AbsoluteLinks.ts"
import { readRootManifest } from "../src/Workspace.ts"

const base = readRootManifest().repository.url.replace(/^git\+|\.git$/g, "")

describe("absolute links", () => {
  it.each([
    ["a file", "[x](docs/limits.md)", `[x](${base}/blob/main/docs/limits.md)`],
    ["a heading of a file", "[x](docs/limits.md#a-b)", `[x](${base}/blob/main/docs/limits.md#a-b)`],
    ["a folder", "[x](docs/decisions)", `[x](${base}/tree/main/docs/decisions)`],
    [
      "a picture",
      "![x](docs/guides/pictures/limit-follows.svg)",
      `![x](${base}/raw/main/docs/guides/pictures/limit-follows.svg)`
    ],
    ["code as words", "[`a`](docs/limits.md)", `[\`a\`](${base}/blob/main/docs/limits.md)`]
  ])("lead to %s of the repository", (_, text, expected) => expect(absoluteLinks(text, "README.md")).toBe(expected))

  it("start from the folder of the text", () =>
    expect(absoluteLinks("[x](../../README.md)", "packages/vitest/README.md")).toBe(`[x](${base}/blob/main/README.md)`))

  it.each([
    ["that are absolute already", "[x](https://effect.website) [y](mailto:a@b.c)"],
    ["to headings of the same text", "[x](#see-it-run)"],
    ["that are code", "```ts\nconst y = x[0](docs/limits.md)\n```\n`[x](docs/limits.md)`"]
  ])("leave alone those %s", (_, text) => expect(absoluteLinks(text, "README.md")).toBe(text))

  it("fail for a link that leads nowhere", () =>
    expect(() => absoluteLinks("[x](docs/none.md)", "README.md")).toThrow("README.md links to docs/none.md"))
})
