/** What can be wrong with a graph. */

/**
 * What stands where a resource is needed, and is none.
 *
 * - `place`: where it was given: among a loader's targets, among the dependencies or in the `after` of a resource, or what a
 *   choice decides by, chooses for a value, or for every other.
 * - `resource`: the resource that it was given to; there is none for a target.
 * - `key`: the key that it was given under: the target's, the dependency's, the case's, its place in `after`.
 * - `value`: what was given, in a word or two.
 *
 * @since 0.1.0
 * @category models
 */
export interface NotAResource {
  readonly _tag: "NotAResource"
  readonly place: "target" | "dependency" | "after" | "on" | "case" | "orElse"
  readonly resource?: string
  readonly key?: string
  readonly value: string
}

/**
 * One thing that is wrong with a graph.
 *
 * - `Cycle`: these resources wait for each other, or these loaders contain each other; `path` starts and ends with the
 *   same name. Every dependency that closes a cycle is in at least one of those told.
 * - `MoreCycles`: how many dependencies close cycles that are not told, where there are too many to tell.
 * - `TooDeep`: a loader inside has more loaders inside each other than can be run.
 * - `DuplicateName`: different resources share a name. `uses` tells where each of them is used;
 *   `sameDeclaration` that they come from one declaration and differ by what was piped onto it.
 * - `MisplacedPolicy`: a policy stands where it can have no effect, and why.
 * - `NotAResource`: a dependency or target that is no resource, as when a module is read before it was initialized: see
 *   {@link NotAResource}.
 * - `InvalidDependencies`: a `deps` or `after` function threw, or gave no object of resources.
 * - `InvalidLoader`: the loader inside a resource is none, or its own graph is not sound.
 * - `InvalidName`: a name or a key that is empty, not a string, or `__proto__`.
 * - `DuplicateTarget`: two loaders that are to become one have different targets of one key.
 * - `NotLoaded`: something is to take the place of a resource, or of a target, that the loader does not load.
 * - `EscapesTransaction`: a loader is to run in a transaction, and a resource would do work that this cannot undo.
 * - `DifferentProtections`: two resources ask one resolver, whose calls they share, and differ in the circuit breakers and rate
 *   limits around them.
 * - `InvalidOption`: a loader's option with a value that it cannot have.
 *
 * @since 0.1.0
 * @category models
 */
export type GraphIssue =
  | { readonly _tag: "Cycle"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "MoreCycles"; readonly dependencies: number }
  | { readonly _tag: "TooDeep"; readonly resource: string; readonly depth: number }
  | {
      readonly _tag: "DuplicateName"
      readonly name: string
      readonly uses: ReadonlyArray<ReadonlyArray<string>>
      readonly sameDeclaration: boolean
    }
  | { readonly _tag: "MisplacedPolicy"; readonly resource: string; readonly policy: string; readonly reason: string }
  | NotAResource
  | { readonly _tag: "InvalidDependencies"; readonly resource: string; readonly defect: unknown }
  | { readonly _tag: "InvalidLoader"; readonly resource: string; readonly defect: unknown }
  | { readonly _tag: "InvalidName"; readonly name: unknown; readonly use: string }
  | { readonly _tag: "DuplicateTarget"; readonly key: string }
  | { readonly _tag: "NotLoaded"; readonly name: string; readonly use: string }
  | { readonly _tag: "EscapesTransaction"; readonly resource: string; readonly reason: string }
  | {
      readonly _tag: "DifferentProtections"
      readonly resources: readonly [string, string]
      readonly policies: readonly [string, string]
    }
  | { readonly _tag: "InvalidOption"; readonly option: string; readonly value: unknown; readonly expected: string }

const texts = new WeakMap<GraphIssue, () => string>()

/** An issue with its text: what finds an issue brings the words for it. */
export const worded = <I extends GraphIssue>(issue: I, text: () => string): I => {
  texts.set(issue, text)
  return issue
}

export const textOf = (issue: GraphIssue): string => texts.get(issue)?.() ?? issue._tag

/** How much a message shows of names and texts, which can be as long as what made them. */
const longestName = 100
const longestText = 2_000

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}... ${text.length - longest} characters more`

export const shortName = (name: string): string => cut(name, longestName)

export const quoted = (name: string): string => `"${shortName(name)}"`

/** A place, or a reason, in words. */
export const phrase = (text: string): string => cut(text, 3 * longestName)

export const longText = (text: string): string => cut(text, longestText)
