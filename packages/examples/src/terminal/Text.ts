/** Words on a terminal: at most 100 columns, in colour where the terminal has any (`styleText` honours NO_COLOR). */
import { Console, Effect } from "effect"
import { styleText } from "node:util"

export const dim = (text: string): string => styleText("dim", text)
export const bold = (text: string): string => styleText("bold", text)
export const good = (text: string): string => styleText("green", text)
export const bad = (text: string): string => styleText("red", text)
export const warn = (text: string): string => styleText("yellow", text)
const accent = (text: string): string => styleText("cyan", text)

/** How wide anything may be that is printed here, less the two columns by which it is indented. */
export const width = Math.min(process.stdout.columns || 100, 100) - 2

/** Prints lines, indented by two. */
export const print = (...lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Console.log(
    lines
      .flatMap((line) => line.split("\n"))
      .map((line) => `  ${line}`.trimEnd())
      .join("\n")
  )

/** Prints the title of a section, and what is to be seen in it: below the title where it has no room beside it. */
export const section = (title: string, about: string = ""): Effect.Effect<void> => {
  const between = title.length + about.length > width ? "\n  " : "  "
  return Console.log(`\n${bold(accent(title))}${about === "" ? "" : `${between}${dim(about)}`}\n`)
}

/** Prints a name and what goes with it. */
export const fact = (name: string, text: string): Effect.Effect<void> => print(`${dim(name.padEnd(10))} ${text}`)

/** A text in lines of so many columns at most. */
const broken = (text: string, columns: number): ReadonlyArray<string> =>
  text.match(new RegExp(`.{1,${columns}}(?:\\s+|$)`, "g")) ?? []

/** Prints a text that may be longer than a line, without a name. */
export const prose = (text: string): Effect.Effect<void> =>
  Effect.forEach(broken(text, width), (line) => print(dim(line.trim())), { discard: true })

/** Prints a name and a text that may be longer than a line. */
export const paragraph = (name: string, text: string): Effect.Effect<void> => {
  const lines = broken(text, width - 11)
  return Effect.forEach(lines, (line, i) => fact(i === 0 ? name : "", dim(line.trim())), { discard: true })
}

/** A bar of `share` of `width` columns. */
export const bar = (share: number, width: number): string => "█".repeat(Math.max(1, Math.round(share * width)))
