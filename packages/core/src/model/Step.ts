/** A compiled resource, in the form that runs. */
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

/** What every step has. */
export interface Common {
  readonly name: string
  readonly node: Node
  /** The index of the base: its own, or that of the resource that it is a view of. */
  readonly base: number
  /** The local keys of what it reads, and where the values are. */
  readonly keys: ReadonlyArray<string>
  readonly sources: ReadonlyArray<number>
  /** Everything it waits for, each once: what it reads, and its `after`. */
  readonly waitsFor: ReadonlyArray<number>
}

/** A value that is there when the run starts. */
interface GivenValue {
  readonly isInput: boolean
  /** The key under which a loader has the value, where it is given in the place of a resource. */
  readonly key: string | undefined
  readonly value: unknown
}

/** A step that looks at what another one ended in. */
interface View {
  readonly parent: number
  readonly lens: Lens
}

/** The cases of a choice. */
export interface Cases {
  /** The step of each case, by the value that chooses it; of each other value, if there is one. */
  readonly cases: ReadonlyMap<string, number>
  readonly otherwise: number | undefined
}

/**
 * A step is `given`, or has an effect to run (`begin`), or settles on the spot (`settle`). The first value of `settle` is
 * the run, which decides by itself what follows.
 */
export interface Step extends Common {
  readonly given: GivenValue | undefined
  /** A load that nothing wraps. */
  readonly load: ((deps: Dependencies) => unknown) | undefined
  /** The effect of a step whose turn has come; a user's `load` may give something else. */
  readonly begin: ((run: RunView, index: number, deps: Dependencies) => unknown) | undefined
  readonly settle: ((run: RunView, index: number) => void) | undefined
  readonly view: View | undefined
  readonly choice: Cases | undefined
  /** What it may choose, each once. */
  readonly mayChoose: ReadonlyArray<number>
  /** The permits that its first attempt takes together with its slot. */
  readonly limit: Limited | undefined
  /** Whether it begins without a slot, since only its attempts take one, or it is none itself. */
  readonly beginsFree: boolean
  /** What runs it, and what is around that, where there is more to it than a load. */
  readonly attempts: Attempted | undefined
  readonly extensions: ReadonlyArray<Extension>
}

/** What a limiter does to the attempts of a step. */
export interface Limited {
  readonly label: string
  readonly permits: number
  readonly takes: PermitsTaken
  /** Which of the program's limiters, once they are known. */
  limiter: number
  /** What latencies are kept of. */
  readonly resource: string
  /** How many of the innermost layers an attempt that was refused does not come to. */
  readonly inside: number
  /** Whether a refusal shows only further out, where the limit was piped. */
  readonly surfaces: boolean
}

/** Something that is loaded by attempts, inside its policies. */
export interface Wrapped {
  /** What wraps one attempt, innermost first. */
  readonly inner: ReadonlyArray<Layer>
  /** What repeats attempts, and what wraps that, innermost first: empty where there is only one attempt. */
  readonly outer: ReadonlyArray<Layer>
  /** The permits that each attempt takes. */
  readonly limit: Limited | undefined
  /** What goes around the load itself, or each item's. */
  readonly seal?: Seal | undefined
  /** Whether something around the attempts works too, after them. */
  readonly goesOn: boolean
  /** Whether it begins without a slot, so that only the attempts themselves take one: it may get by without them. */
  readonly beginsFree: boolean
  /** Whether its attempts hold slots: those of a list do not, for its items do, nor do those of a loader inside. */
  readonly holdsSlot: boolean
  /** What answers, where `load` gives no effect but a request. Its attempts hold no slots, and take no permits. */
  readonly asks: Asks | undefined
  /** Makes the effect of one attempt: see `attempt/Loading.ts`. */
  readonly loading: unknown
}

/** What answers requests, and what is around each of its calls. */
export interface Asks extends AroundRequests {
  readonly resolver: AnyResolver
  readonly means: AskMeans
  readonly resource: string
  /** The permits that each call takes. */
  readonly limit: Limited | undefined
  /** The policies around each call, innermost first. */
  readonly calls: ReadonlyArray<Layer>
  /** After how many milliseconds the resource gives up, so that a call which all have given up on took too long. */
  readonly patience: number | undefined
}

/** The items of a list, each of which is loaded by attempts of its own. */
export interface ItemLoads extends Omit<Items, "each" | "resolver" | "means" | "asking">, Wrapped {}

/** What is loaded by attempts. */
export interface Attempted extends Wrapped {
  readonly load: (deps: Dependencies) => unknown
  /** What tells its value from others, where the declaration says so. */
  readonly key: KeyOf | undefined
  /** The items, where this is a list. */
  readonly items: ItemLoads | undefined
  /** Whether it runs another loader. */
  readonly isLoader: boolean
  /** Whether it may do what can be undone, or has to be cleaned up after. */
  readonly undoes: boolean
}

/** An item of a list. */
export interface ItemPlace {
  readonly items: ItemLoads
  readonly value: unknown
  readonly index: number
}

/** A load, or that of an item of a list, which layers are around. */
export interface LayerPlace {
  readonly step: Step
  readonly deps: Dependencies
  readonly item: ItemPlace | undefined
  readonly hooks: Pick<Hooks, "permits">
}

/** What steps see of their run. */
export interface RunView {
  readonly program: ProgramView
  readonly hooks: Hooks
  readonly sink: Sink | undefined
  readonly context: Context.Context<never>
  /** A value, or what stands in its place. */
  readonly valueOf: (index: number) => unknown
  readonly causeOf: (index: number) => Cause.Cause<unknown> | undefined
  readonly depsOf: (index: number) => Dependencies
  /** One attempt of a load that nothing wraps. */
  readonly attempt: (index: number, load: (deps: Dependencies) => unknown, deps: Dependencies) => unknown
  readonly succeed: (index: number, value: unknown) => void
  /** It fails, with a cause that does not name it yet. */
  readonly fail: (index: number, cause: Cause.Cause<unknown>) => void
  /** It ends in a cause that names its resource. */
  readonly conclude: (index: number, cause: Cause.Cause<unknown>) => void
  /** It is recovered by an effect; `failure` is what is recovered. */
  readonly recover: (index: number, label: string, handler: AnyEffect, failure: () => unknown) => void
}

/** What a run shows of its program. */
export interface ProgramView {
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

/** A step of these parts. All steps have one shape, which keeps the loops over them fast. */
export const stepOf = (common: Common, parts: Partial<Step>): Step => ({ ...common, ...nothing, ...parts })
