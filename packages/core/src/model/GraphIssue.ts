/** The issues that compiling a graph can report. */

/**
 * A value that is not a resource, where one is needed.
 *
 * - `place`: its place: among the targets of a loader, in the `deps` or `after` of a resource, or the `on`, a case or the
 *   `orElse` of a choice.
 * - `resource`: the resource whose option it is; `undefined` for a target.
 * - `key`: its key: of the target, the dependency or the case, or its index in `after`.
 * - `value`: the kind of the value, in a word or two.
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
 *   same name. Every dependency that closes a cycle is in at least one of the reported cycles.
 * - `MoreCycles`: the number of dependencies that close further cycles, if there are too many to report.
 * - `TooDeep`: a nested loader has more levels of loaders inside it than a run supports.
 * - `DuplicateName`: different resources share a name. `uses` lists where each of them is used; `sameDeclaration` says that
 *   they come from one declaration and differ by what was piped onto it.
 * - `MisplacedPolicy`: a policy that cannot have an effect where it stands, and the reason.
 * - `NotAResource`: a dependency or target that is not a resource, for example from a module that is not initialized yet: see
 *   {@link NotAResource}.
 * - `InvalidDependencies`: a `deps` or `after` function threw, or did not return an object of resources.
 * - `InvalidLoader`: the nested loader of a resource is not a loader, or its graph has issues.
 * - `InvalidName`: a name or a key that is empty, not a string, or `__proto__`.
 * - `DuplicateTarget`: two merged loaders have different targets of the same key.
 * - `NotLoaded`: an override names a resource or a target that the loader does not load.
 * - `EscapesTransaction`: a loader is to run in a transaction, but a resource does work that a rollback does not undo.
 * - `DifferentProtections`: two resources share the calls of one resolver, but have different circuit breakers or rate limits.
 * - `InvalidOption`: an option of a loader has an invalid value.
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

/** An issue with its text. The code that finds an issue brings its words. */
export const worded = <I extends GraphIssue>(issue: I, text: () => string): I => {
  texts.set(issue, text)
  return issue
}

export const textOf = (issue: GraphIssue): string => texts.get(issue)?.() ?? issue._tag

/** The maximal length of names and texts in a message. */
const longestName = 100
const longestText = 2_000

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}... ${text.length - longest} characters more`

export const shortName = (name: string): string => cut(name, longestName)

export const quoted = (name: string): string => `"${shortName(name)}"`

/** A place, or a reason, in words. */
export const phrase = (text: string): string => cut(text, 3 * longestName)

export const longText = (text: string): string => cut(text, longestText)
