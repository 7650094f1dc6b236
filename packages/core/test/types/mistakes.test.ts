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

/** What an editor shows of a value is the type that the compiler names when the value is given where there can be none. */
const shown: ReadonlyArray<readonly [what: string, expression: string, type: string]> = [
  [
    "a loader",
    "page",
    'Loader<{ readonly org: { id: string; }; }, never, never, { readonly orgId: string; }, { readonly org: Resource<"org", '
  ],
  ["what compiling gives", "Loader.compile({ user })", "Result<Loader<{ readonly user: string; }, ResourceError<"],
  [
    "two loaders as one",
    "Loader.merge(page, Loader.make({ user }))",
    "Loader<{ readonly org: { id: string; }; readonly user: string; }, "
  ],
  ["what a load gives", 'Loader.load(page, { orgId: "" })', "Effect<{ readonly org: { id: string; }; }, never, never>"],
  ["a struct", 'Resource.struct("all", { org, user })', "{ readonly org: { id: string; }; readonly user: string; }"]
]

describe("editors show values, and not the types that compute them", () => {
  let messages: ReadonlyArray<string> = []
  beforeAll(async () => {
    const ofDeps =
      'Resource.make("x", { deps: { org, user }, load: (deps) => { const _: never = deps; return Effect.void } })'
    messages = await messagesOf([
      ...shown.map(([, expression]) => `${start}const _: never = ${expression}`),
      start + ofDeps
    ])
  }, 60_000)

  it.each(shown.map(([what, , type], i) => [what, type, i] as const))("of %s", (_what, type, i) => {
    assert.match(messages[i]!, /^Type '.*' is not assignable to type 'never'\.\n/)
    assert.include(messages[i], type)
  })

  it("of dependencies", () => {
    const type = "{ readonly org: { id: string; }; readonly user: string; }"
    assert.strictEqual(messages.at(-1), `Type '${type}' is not assignable to type 'never'.\n`)
  })
})
