/** What a source is. Each constructor of resources brings its kind, so that nothing else asks which one it is. */
import type { GraphIssue } from "./GraphIssue.ts"
import type { Base, Dependencies, Layer, Lens, Node } from "./Node.ts"
import type { Common, Step } from "./Step.ts"

/** What plans call a kind. */
type KindName = "input" | "constant" | "struct" | "load" | "request" | "list" | "match" | "loader"

/** What compiling a step can use beside its source. */
export interface Compiling {
  /** The layers of a loader's default policy. */
  readonly defaults: ReadonlyArray<Layer>
  /** What a choice may choose: the step of each case, in the order of `cases`. */
  readonly chosen: ReadonlyArray<number>
  readonly cases: ReadonlyArray<Case>
}

/** A resource that a choice may choose. */
export interface Case {
  /** The value that chooses it; the case without one is for every other value. */
  readonly value: string | undefined
  readonly node: Node
  /** How the choice uses it, in words. */
  readonly use: string
}

/** Reads the resources that a user gave. What is wrong becomes an issue. */
export interface ReadResources {
  /** The node of a resource; for any other value, `refuse` says what is wrong. */
  readonly resolve: (value: unknown, refuse: (value: unknown) => GraphIssue) => Node | undefined
  /** What a record of resources holds, by key. */
  readonly entries: (record: () => object, owner: string) => ReadonlyArray<readonly [key: string, value: unknown]>
}

export interface Kind {
  readonly name: KindName
  /** Whether the value is there when a run starts. */
  readonly isGiven?: boolean
  /** Whether it stands for a resource that other parts of the graph may still need, so that both may have one name. */
  readonly isSubstitute?: boolean
  /** Why a resource of this kind takes no policies. */
  readonly refuses?: string
  readonly toStep: (base: Base, common: Common, compiling: Compiling) => Step
  /** What it may choose, where it is a choice. */
  readonly cases?: (base: Base, read: ReadResources) => ReadonlyArray<Case>
  /** What is wrong with a dependency that is no resource. Default: the issue names the key of the dependency. */
  readonly refuse?: (resource: string, value: unknown) => GraphIssue
  /** What is wrong with it and its policies. */
  readonly check?: (base: Base, defaults: ReadonlyArray<Layer>) => ReadonlyArray<GraphIssue>
  /** What is wrong with several resources together. */
  readonly checkAll?: (bases: ReadonlyArray<Base>, defaults: ReadonlyArray<Layer>) => ReadonlyArray<GraphIssue>
}

/** Runs loads inside layers. */
export interface Host {
  /** A lens as a layer, for a policy that is piped onto a view: the policy then wraps what the view does, too. */
  readonly layerOf: (lens: Lens) => Layer
  readonly check: (base: Base, defaults: ReadonlyArray<Layer>) => ReadonlyArray<GraphIssue>
  readonly toStep: (
    base: Base,
    common: Common,
    layers: ReadonlyArray<Layer>,
    load: (deps: Dependencies) => unknown
  ) => Step
}

/** The host that layers bring; `undefined` where there are none. A lens has none, but the policy piped onto it has. */
export const hostOf = (layers: ReadonlyArray<Layer>): Host | undefined =>
  layers.findLast(({ host }) => host !== undefined)?.host

/** The parts of a default policy whose kind a resource lacks go innermost, in their own order. */
export const withDefaults = (layers: ReadonlyArray<Layer>, defaults: ReadonlyArray<Layer>): ReadonlyArray<Layer> =>
  defaults.length === 0
    ? layers
    : [...defaults.filter(({ kind }) => layers.every((layer) => layer.kind !== kind)), ...layers]
