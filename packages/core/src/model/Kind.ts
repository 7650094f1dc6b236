/** The kind of a source: how it compiles, and what can be wrong with it. Each constructor of resources brings its own. */
import type { GraphIssue } from "./GraphIssue.ts"
import type { Base, Dependencies, Layer, Lens, Node } from "./Node.ts"
import type { Common, Step } from "./Step.ts"

/** The name of a kind in plans. */
type KindName = "input" | "constant" | "struct" | "load" | "request" | "list" | "match" | "loader"

/** What compiling a step reads besides its source. */
export interface Compiling {
  /** The layers of a loader's default policy. */
  readonly defaults: ReadonlyArray<Layer>
  /** The steps that a choice may choose, in the order of `cases`. */
  readonly chosen: ReadonlyArray<number>
  readonly cases: ReadonlyArray<Case>
}

/** A resource that a choice may choose. */
export interface Case {
  /** The value that chooses it. The case without a value is for all other values. */
  readonly value: string | undefined
  readonly node: Node
  /** The place of the resource in the choice, in words. */
  readonly use: string
}

/** Reads resources from users' options. Invalid values become issues. */
export interface ReadResources {
  /** The node of a resource. For any other value, `refuse` makes the issue. */
  readonly resolve: (value: unknown, refuse: (value: unknown) => GraphIssue) => Node | undefined
  /** The entries of a record of resources. */
  readonly entries: (record: () => object, owner: string) => ReadonlyArray<readonly [key: string, value: unknown]>
}

export interface Kind {
  readonly name: KindName
  /** Whether the value exists before a run starts. */
  readonly isGiven?: boolean
  /** Whether it replaces a resource that other parts of the graph may still need: both may have the same name. */
  readonly isSubstitute?: boolean
  /** Why a resource of this kind takes no policies. */
  readonly refuses?: string
  readonly toStep: (base: Base, common: Common, compiling: Compiling) => Step
  /** The cases of a choice. */
  readonly cases?: (base: Base, read: ReadResources) => ReadonlyArray<Case>
  /** Makes the issue for a dependency that is not a resource. Default: the issue names the key of the dependency. */
  readonly refuse?: (resource: string, value: unknown) => GraphIssue
  /** Reports what is wrong with a resource of this kind and its policies. */
  readonly check?: (base: Base, defaults: ReadonlyArray<Layer>) => ReadonlyArray<GraphIssue>
  /** Reports what is wrong with several resources together. */
  readonly checkAll?: (bases: ReadonlyArray<Base>, defaults: ReadonlyArray<Layer>) => ReadonlyArray<GraphIssue>
}

/** Runs loads inside layers. Layers bring it, so that programs without policies do not contain it. Layers bring it, so that programs without policies do not contain it. Layers bring it, so that programs without policies do not contain it. Layers bring it, so that programs without policies do not contain it. Layers bring it, so that programs without policies do not contain it. */
export interface Host {
  /** Turns a lens into a layer. A policy that is piped onto a view wraps the view, too. */
  readonly layerOf: (lens: Lens) => Layer
  readonly check: (base: Base, defaults: ReadonlyArray<Layer>) => ReadonlyArray<GraphIssue>
  readonly toStep: (
    base: Base,
    common: Common,
    layers: ReadonlyArray<Layer>,
    load: (deps: Dependencies) => unknown
  ) => Step
}

/** The host that layers bring; `undefined` without layers. A lens brings none, but the policy piped onto it does. */
export const hostOf = (layers: ReadonlyArray<Layer>): Host | undefined =>
  layers.findLast(({ host }) => host !== undefined)?.host

/** The parts of a default policy whose kind a resource lacks go innermost, in their own order. */
export const withDefaults = (layers: ReadonlyArray<Layer>, defaults: ReadonlyArray<Layer>): ReadonlyArray<Layer> =>
  defaults.length === 0
    ? layers
    : [...defaults.filter(({ kind }) => layers.every((layer) => layer.kind !== kind)), ...layers]
