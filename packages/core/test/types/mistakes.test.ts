/** Typical mistakes do not compile, and the compiler says what to do. */
import { assert, beforeAll, describe, expect, it } from "@effect/vitest"
import { messagesOf } from "./messages.ts"
import { mistakes, start } from "./mistakes.ts"

const titles = mistakes.map(({ title }, i) => [title, i] as const)

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`

const page = (): string => {
  const sections = mistakes.map(({ hint, right, says, title, wrong }) =>
    [
      `## ${title}\n`,
      fenced("typescript", wrong),
      fenced("text", says.map((part) => part.trim()).join(" ... ")),
      `${hint}\n`,
      fenced("typescript", right)
    ].join("\n")
  )
  const intro = `# What TypeScript says

Typical mistakes, the part of TypeScript's text that tells about them, and what to write instead. The texts are those of TypeScript
7; in other versions they are worded a little differently. Read a long text from its end: the last lines say most.

All examples begin with these lines:
`
  return [intro, fenced("typescript", start.trimEnd()), ...sections].join("\n")
}

describe("a typical mistake", () => {
  let ofWrong: ReadonlyArray<string> = []
  let ofRight: ReadonlyArray<string> = []
  beforeAll(async () => {
    const programs = mistakes.flatMap(({ right, wrong }) => [start + wrong, start + right])
    const messages = await messagesOf(programs)
    ofWrong = messages.filter((_, i) => i % 2 === 0)
    ofRight = messages.filter((_, i) => i % 2 === 1)
  }, 60_000)

  it.each(titles)("does not compile, and the compiler says what is wrong: %s", (_title, i) => {
    for (const part of mistakes[i]!.says) assert.include(ofWrong[i], part)
  })

  it.each(titles)("compiles when it is mended as its text says: %s", (_title, i) => {
    assert.strictEqual(ofRight[i], "")
  })

  it("has this whole text", async () => {
    const texts = mistakes.map(({ title, wrong }, i) => `# ${title}\n\n${wrong}\n\n${ofWrong[i]}`)
    await expect(texts.join("\n")).toMatchFileSnapshot("../golden/messages.txt")
  })

  it("is in the docs, with its text", async () => {
    await expect(page()).toMatchFileSnapshot("../../../../docs/messages.md")
  })
})
