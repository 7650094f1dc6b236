/** Steps: compiled resources, in the form that runs. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { Extension, Hooks, Sink } from "./Extension.ts"
import type {
  AnyEffect,
  AroundRequests,
  AskMeans,
  Dependencies,
  Items,
  KeyOf,
  Layer,
  Lens,
  Node,
  PermitsTaken,
  Seal
} from "./Node.ts"

/** The properties that all steps have. */
export interface Common {
  readonly name: string
  readonly node: Node
  /** The index of its base. A base is its own. */
  readonly base: number
  /** The local keys of the values that it reads, and the indices of those values. */
  readonly keys: ReadonlyArray<string>
  readonly sources: ReadonlyArray<number>
  /** The steps that it waits for, each once: those that it reads, and its `after`. */
  readonly waitsFor: ReadonlyArray<number>
}

/** A value that exists when the run starts. */
interface GivenValue {
  readonly isInput: boolean
  /** The key of the value in its loader, if it replaces a resource. */
  readonly key: string | undefined
  readonly value: unknown
}

/** A step that derives its end from that of another step. */
interface View {
  readonly parent: number
  readonly lens: Lens
}

/** The cases of a choice. */
export interface Cases {
  /** The step of each case, by the value that chooses it, and the step for all other values. */
  readonly cases: ReadonlyMap<string, number>
  readonly otherwise: number | undefined
}

/**
 * A step is `given`, or has an effect to run (`begin`), or settles on the spot (`settle`), by calling the run.
 */
export interface Step extends Common {
  readonly given: GivenValue | undefined
  /** A load that nothing wraps. */
  readonly load: ((deps: Dependencies) => unknown) | undefined
  /** Returns the effect of the step. A user's `load` may return another value, which is checked later. */
  readonly begin: ((run: RunView, index: number, deps: Dependencies) => unknown) | undefined
  readonly settle: ((run: RunView, index: number) => void) | undefined
  readonly view: View | undefined
  readonly choice: Cases | undefined
  /** The steps that it may choose, each once. */
  readonly mayChoose: ReadonlyArray<number>
  /** The permits that its first attempt takes together with its slot. */
  readonly limit: Limited | undefined
  /** Whether it begins without a slot: only its attempts take slots, or none of them does. */
  readonly beginsFree: boolean
  /** The load and its layers, for a step that attempts load. */
  readonly attempts: Attempted | undefined
  readonly extensions: ReadonlyArray<Extension>
}

/** How a limiter limits the attempts of a step. */
export interface Limited {
  readonly label: string
  readonly permits: number
  readonly takes: PermitsTaken
  /** The index of the limiter in the program, assigned after compiling. */
  limiter: number
  /** The name under which the limiter learns latencies. */
  readonly resource: string
  /** The number of innermost layers that a refused attempt does not reach. */
  readonly inside: number
  /** Whether a refusal becomes an error only further out, where the limit was piped. */
  readonly surfaces: boolean
}

/** A load, or the load of an item, inside its layers. */
export interface Wrapped {
  /** The layers around one attempt, innermost first. */
  readonly inner: ReadonlyArray<Layer>
  /** The layers around all attempts, innermost first. Empty if there is only one attempt. */
  readonly outer: ReadonlyArray<Layer>
  /** The permits that each attempt takes. */
  readonly limit: Limited | undefined
  /** Wraps the load itself, or that of each item. */
  readonly seal?: Seal | undefined
  /** Whether an outer layer may continue after the attempts. */
  readonly goesOn: boolean
  /** Whether it begins without a slot, since it may end without an attempt. Attempts take slots themselves. */
  readonly beginsFree: boolean
  /** Whether its attempts hold slots. Lists and nested loaders hold none: their items and steps do. */
  readonly holdsSlot: boolean
  /** The resolver, if `load` returns a request. Such attempts hold no slots and take no permits. */
  readonly asks: Asks | undefined
  /** Makes the effect of one attempt: see `attempt/Loading.ts`. */
  readonly loading: unknown
}

/** A resolver, and the layers around each of its calls. */
export interface Asks extends AroundRequests {
  readonly resolver: AnyResolver
  readonly means: AskMeans
  readonly resource: string
  /** The permits that each call takes. */
  readonly limit: Limited | undefined
  /** The policies around each call, innermost first. */
  readonly calls: ReadonlyArray<Layer>
  /** The time after which the resource gives up, in milliseconds. A call on which all waiters gave up counts as too slow. */
  readonly patience: number | undefined
}

/** The items of a list, each of which has its own attempts. */
export interface ItemLoads extends Omit<Items, "each" | "resolver" | "means" | "asking">, Wrapped {}

/** A step that attempts load. */
export interface Attempted extends Wrapped {
  readonly load: (deps: Dependencies) => unknown
  /** Computes the key of its value, if the declaration has one. */
  readonly key: KeyOf | undefined
  /** The items, if it is a list. */
  readonly items: ItemLoads | undefined
  /** Whether it runs another loader. */
  readonly isLoader: boolean
  /** Whether it may have side effects to undo or to clean up. */
  readonly undoes: boolean
}

/** An item of a list. */
export interface ItemPlace {
  readonly items: ItemLoads
  readonly value: unknown
  readonly index: number
  /** Notes its failure, in a run. */
  readonly failed?: (cause: Cause.Cause<unknown>) => void
}

/** A load, or that of an item of a list, which layers are around. */
export interface LayerPlace {
  readonly step: Step
  readonly deps: Dependencies
  readonly item: ItemPlace | undefined
  readonly hooks: Pick<Hooks, "permits">
}

/** The part of a run that steps and extensions see. */
export interface RunView {
  readonly program: ProgramView
  readonly hooks: Hooks
  readonly sink: Sink | undefined
  readonly context: Context.Context<never>
  /** The value of a step, or its placeholder. */
  readonly valueOf: (index: number) => unknown
  readonly causeOf: (index: number) => Cause.Cause<unknown> | undefined
  readonly depsOf: (index: number) => Dependencies
  /** One attempt of a load that nothing wraps. */
  readonly attempt: (index: number, load: (deps: Dependencies) => unknown, deps: Dependencies) => unknown
  readonly succeed: (index: number, value: unknown) => void
  /** Fails a step with a cause that does not name its resource yet. */
  readonly fail: (index: number, cause: Cause.Cause<unknown>) => void
  /** Fails a step with a cause that already names its resource. */
  readonly conclude: (index: number, cause: Cause.Cause<unknown>) => void
  /** Recovers a step by an effect. `failure` is the error from which it recovers. */
  readonly recover: (index: number, label: string, handler: AnyEffect, failure: () => unknown) => void
}

/** The part of a program that steps and extensions see. */
interface ProgramView {
  /** The name of its loader. */
  readonly name: string
  readonly steps: ReadonlyArray<Step>
}

const none: ReadonlyArray<never> = []

const nothing = {
  given: undefined,
  load: undefined,
  begin: undefined,
  settle: undefined,
  view: undefined,
  choice: undefined,
  mayChoose: none,
  limit: undefined,
  beginsFree: false,
  attempts: undefined,
  extensions: none
}

/** Makes a step. All steps have the same object shape, which keeps loops over them fast. */
export const stepOf = (common: Common, parts: Partial<Step>): Step => ({ ...common, ...nothing, ...parts })
