/** Several extensions as one. */
import type { Hooks } from "../model/Extension.ts"

export const noHooks: Hooks = {}

/** The names of hooks that wrap their last argument; of the others, the first that gives an answer gives it. */
const wrapping: ReadonlySet<string> = /* @__PURE__ */ new Set<keyof Hooks>([
  "begin",
  "context",
  "attemptContext",
  "cause",
  "inSlot",
  "load",
  "dormant",
  "enclose",
  "retried",
  "whole",
  "item",
  "wrapUndo"
])

type Hook = (...args: Array<unknown>) => unknown

const both = (name: string, first: Hook, second: Hook): Hook =>
  wrapping.has(name)
    ? (...args) => {
        args[args.length - 1] = first(...args)
        return second(...args)
      }
    : (...args) => first(...args) || second(...args)

/** The first is innermost. */
export const together = (all: ReadonlyArray<Hooks>): Hooks => {
  if (all.length < 2) return all[0] ?? noHooks
  const joined: Record<string, unknown> = {}
  for (const hooks of all) {
    for (const [name, hook] of Object.entries(hooks)) {
      const before = joined[name]
      if (before === undefined) joined[name] = hook
      else if (typeof hook === "function") joined[name] = both(name, before as Hook, hook as Hook)
      else if (hook !== undefined) joined[name] = { ...before, ...(hook as object) }
    }
  }
  return joined as Hooks
}
