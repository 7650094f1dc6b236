/** What is wrong with a graph, and the words for it. A feature brings the words for its own issues. */
import { describe } from "../base/ErrorText.ts"
import { type GraphIssue, longText, type NotAResource, phrase, quoted, shortName, worded } from "../model/GraphIssue.ts"

/** How much a message shows. */
const longestPath = 12
const mostUses = 3

/** A value in a word or two: an object by its kind, in the place of a resource. */
export const shown = (value: unknown): string => {
  if (typeof value === "function") return "a function"
  return typeof value === "object" && value !== null ? "an object" : String(value)
}

const valueOf = (value: unknown): string =>
  shortName(typeof value === "object" || typeof value === "function" ? describe(value) : String(value))

const showPath = (path: ReadonlyArray<string>): string => {
  const names = path.map(shortName)
  const most = longestPath / 2
  if (names.length > longestPath)
    names.splice(most, names.length - longestPath, `... ${names.length - longestPath} more ...`)
  return names.join(" -> ")
}

/** The first of several, and how many are left out. */
const first = (all: ReadonlyArray<string>, separator: string): string =>
  all.slice(0, mostUses).join(separator) + (all.length > mostUses ? ` and ${all.length - mostUses} more` : "")

export const cycle = (path: ReadonlyArray<string>): GraphIssue =>
  worded(
    { _tag: "Cycle", path },
    () => `cycle: ${showPath(path)}; each of these waits for the next, so none could ever start`
  )

export const moreCycles = (dependencies: number): GraphIssue =>
  worded(
    { _tag: "MoreCycles", dependencies },
    () => `${dependencies} more dependencies close cycles: those above are the first`
  )

export const duplicateName = (
  name: string,
  uses: ReadonlyArray<ReadonlyArray<string>>,
  sameDeclaration: boolean
): GraphIssue =>
  worded({ _tag: "DuplicateName", name, uses, sameDeclaration }, () => {
    const used = uses.map((some) => first(some.map(phrase), ", "))
    const todo = sameDeclaration
      ? "they are the same declaration, different policies: pipe once and use that value everywhere"
      : "rename all but one; if there is only one, its module was evaluated twice (by a hot reload, or as two copies)"
    return `duplicate name ${quoted(name)}: ${uses.length} different resources have it, used by ${first(used, "; and by ")}; ${todo}`
  })

/** `where`: the place, in words. */
export const notAResource = (place: Omit<NotAResource, "_tag" | "value">, where: string, value: unknown): GraphIssue =>
  worded(
    { _tag: "NotAResource", ...place, value: shown(value) },
    () =>
      `${where} is not a resource but ${shortName(shown(value))}` +
      (value === undefined ? "; if it is declared later, give the dependencies as a function" : "")
  )

export const invalidDependencies = (resource: string, defect: unknown): GraphIssue =>
  worded(
    { _tag: "InvalidDependencies", resource, defect },
    () => `the dependencies of ${quoted(resource)} could not be read: ${longText(describe(defect))}`
  )

export const invalidName = (name: unknown, use: string): GraphIssue =>
  worded({ _tag: "InvalidName", name, use }, () => {
    const called = typeof name === "string" ? JSON.stringify(shortName(name)) : valueOf(name)
    return `${phrase(use)} cannot be called ${called}: names and keys are strings, not empty and not "__proto__"`
  })

export const invalidOption = (option: string, value: unknown, expected: string): GraphIssue =>
  worded(
    { _tag: "InvalidOption", option, value, expected },
    () => `option ${quoted(option)}: expected ${phrase(expected)}, got ${valueOf(value)}`
  )
