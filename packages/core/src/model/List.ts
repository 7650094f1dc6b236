/** Checks the lists that users' functions return. Declarations of lists import it, so programs without lists do not contain it. */
import { shared } from "../base/Shared.ts"
import { type Owner, subjectOf, unexpected } from "../base/UserValue.ts"
import { kindOf } from "../base/ValueText.ts"

/** The type of a list. Strings, Effects, Options and Results are iterable but not lists. */
export type List<I> = Iterable<I> & {
  readonly charAt?: never
  readonly "~effect/Effect"?: never
  readonly _tag?: never
}

/** The maximal number of items of an iterable of unknown size, which may be endless. */
const mostUncounted = 1_000_000

const adviceOnLists: Readonly<Record<string, string>> = {
  undefined: "did you forget `return`?",
  Promise: "load it in a resource of its own, and name that in `deps`",
  Effect: "load it in a resource of its own, and name that in `deps`",
  thenable: "load it in a resource of its own, and name that in `deps`",
  string: "split it, or give an array of one",
  AsyncGenerator: "load it in a resource of its own with Stream.runCollect, and name that in `deps`",
  "async iterable": "load it in a resource of its own with Stream.runCollect, and name that in `deps`",
  Stream: "load it in a resource of its own with Stream.runCollect, and name that in `deps`",
  resource: "name it in `deps` and use its value",
  object: "give the array in it, or its Object.values",
  Option: "use Option.toArray"
}

/** Kinds of values that are iterable but not lists. */
const singles: ReadonlyArray<string> = ["string", "Effect", "Option", "Result"]

/** The items of one-shot iterators. An iterator can be read once, but its list may load several times. */
const onceRead = /* @__PURE__ */ shared(
  "one-shot iterators",
  (): WeakMap<object, () => ReadonlyArray<unknown>> => new WeakMap()
)

const readAll = (of: Owner, given: Iterable<unknown>): ReadonlyArray<unknown> => {
  const all: Array<unknown> = []
  for (const item of given) {
    if (all.length === mostUncounted) {
      throw new RangeError(
        `${subjectOf(of)}: \`items\` has not ended after ${mostUncounted} items: give an array where there are more`
      )
    }
    all.push(item)
  }
  return all
}

const readOnce = (of: Owner, given: object, iterator: Iterable<unknown>): ReadonlyArray<unknown> => {
  let known = onceRead.get(given)
  if (known === undefined) {
    try {
      const all = readAll(of, iterator)
      known = () => all
    } catch (defect) {
      known = () => {
        throw defect
      }
    }
    onceRead.set(given, known)
  }
  return known()
}

/** The items of a list. Throws a defect if the value is not a list. */
export const itemsOf = (of: Owner, given: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(given)) return Array.from(given as ReadonlyArray<unknown>)
  const isIterable = typeof given === "object" && given !== null && Symbol.iterator in given
  if (!isIterable || singles.includes(kindOf(given))) {
    throw unexpected(of, "`items`", { text: "a list", advice: (kind) => adviceOnLists[kind] }, given)
  }
  const list = given as Iterable<unknown>
  if (list instanceof Set || list instanceof Map) return Array.from(list)
  const iterator = list[Symbol.iterator]()
  // An iterable that returns itself as its iterator can be read once.
  return (iterator as unknown) === given ? readOnce(of, given, list) : readAll(of, list)
}
