/**
 * Declarations as plain values, which compiling reads.
 *
 * A resource is a *base* (where its value comes from, wrapped in policies) seen through any number of *views*
 * (`map`, `catch`, `option`...). A base loads once per run, for all its views.
 */
import type { Named, Owner } from "../base/UserValue.ts"
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { Batches, batchesOf } from "../batching/Batches.ts"
import type { ask, askAll } from "../batching/ask.ts"
import type { AnyEffect } from "../base/AnyEffect.ts"
import type { Extension, StepFact } from "./Extension.ts"
import type { Host, Kind } from "./Kind.ts"
import type { LayerPlace, RunView } from "./Step.ts"
import type { UndoFunction } from "./Undo.ts"

export type { AnyEffect } from "../base/AnyEffect.ts"

/** The dependencies of a base, by local key. */
export type Dependencies = Readonly<Record<string, unknown>>

/** Computes the key that identifies a value in caches. */
export type KeyOf = (deps: Dependencies) => string

/** The source of the value of a base. Its kind knows its further properties. */
export interface Source {
  readonly kind: Kind
  /** The dependencies whose values it reads, by local key. A choice reads its decider, as `on`. */
  readonly deps: () => Dependencies
  /** Resources that load first but whose values are not read. */
  readonly after: () => ReadonlyArray<unknown>
  readonly key?: KeyOf | undefined
  /** Returns the nested loader of a source that runs one. Throws if its graph has issues. */
  readonly loader?: () => unknown
  /** The key of the service, for sources whose value is a service. */
  readonly service?: Context.Key<unknown, unknown>
}

/** A wrapper around requests. */
export interface AroundRequests {
  /** Wraps each request and the wait for its answer, inside all policies. */
  readonly asking?: (self: AnyEffect) => AnyEffect
}

/** The items of a list, each of which loads by itself. */
export interface Items extends AroundRequests {
  readonly items: (deps: Dependencies) => Iterable<unknown>
  /** Reads the value that `items` returned. Throws a defect if it is not a list. */
  readonly read: (of: Owner, given: unknown) => ReadonlyArray<unknown>
  readonly load: (item: unknown, deps: Dependencies, index: number) => unknown
  /** The resolver, if `load` returns a request for each item. */
  readonly resolver: AnyResolver | undefined
  readonly means?: AskMeans
  /** Further resolvers that items may use. */
  readonly resolvers: ReadonlyArray<AnyResolver>
  readonly concurrency: number | "unbounded"
  readonly itemKey?: ((item: unknown, deps: Dependencies) => string) | undefined
  /** The layers around the load of one item, innermost first. */
  readonly each: ReadonlyArray<Layer>
}

/** A call of a resolver that attempts of several resources may share. */
export interface SharedCall {
  /** Asks once for all attempts that follow the call and begin at one instant, in milliseconds. `asked` tells questions apart. */
  readonly once: (asked: object, instant: number, ask: Effect.Effect<boolean>) => Effect.Effect<boolean>
}

/** The interface through which a layer reports on the load that it wraps, and acts on its run. */
export interface LayerObserver {
  readonly resource: string
  /** A fallback replaced a typed failure. */
  readonly degraded: (fallback: string, error: unknown) => void
  /** Another attempt follows after this pause. */
  readonly pausing: (pause: Duration.Duration) => void
  /** One of several concurrent attempts has ended; the others, which may wait for a slot, continue. */
  readonly outrun: () => void
  /** Tells a fact of the load, or of the item. */
  readonly tell: (fact: StepFact) => void
  /** The number of the attempt that would follow. */
  readonly nextAttempt: number
  readonly refused: (refusal: Refusal) => void
  /** Runs an effect once per call of the backend, however many attempts share the call. */
  readonly perCall: (report: Effect.Effect<void>) => void
  /** The shared call of a resolver that answered the last attempt, if any. */
  readonly call: SharedCall | undefined
  /** The load that the layer wraps; `undefined` around the call of a resolver. */
  readonly place: LayerPlace | undefined
  /** Ends the run with this cause, past all outer layers. Returns the effect of the step until then. */
  readonly aborting: (cause: Cause.Cause<unknown>) => AnyEffect
  /** Rewinds the run to an earlier resource because of this cause. Returns whether that is allowed. */
  readonly rewinding: (cause: Cause.Cause<unknown>, rewind: Rewind) => boolean
  /** A wait for an event outside of the process. It holds no slot if no attempt runs. */
  readonly dormant: (wait: AnyEffect) => AnyEffect
  /** A value that `layer` knows from an earlier run: the effect inside does not run, but is undone as if it had. */
  readonly remembered: (layer: Layer, value: unknown) => AnyEffect
}

/** A refusal of a policy: of an attempt, which fails with `error`, or, without `error`, of a further attempt. */
export interface Refusal {
  readonly policy: string
  readonly error?: unknown
}

/** The permits that each attempt takes of a limiter, which is a service. */
export interface PermitsTaken {
  readonly limiter: Context.Key<unknown, unknown>
  readonly count: number
  /** The extension that takes permits in a run, and how attempts take them: `Taking` of `attempt/Attempts.ts`. */
  readonly extension: Extension
  readonly taking: unknown
}

/** A call of a resolver with policies around it, innermost first. */
export interface ProtectedCall {
  readonly resolver: AnyResolver
  readonly resource: string
  readonly calls: ReadonlyArray<Layer>
}

/** The functions that send requests, also in calls with policies around them. */
export interface AskMeans {
  readonly ask: typeof ask
  readonly askAll: typeof askAll
  readonly batchesOf: typeof batchesOf
  readonly protectedBatches: (call: ProtectedCall, context: Context.Context<never>) => Batches
}

/** How a layer protects a backend by a service, and the wrappers that replace it when it moves: see `protection`. */
export interface Protection {
  readonly key: Context.Key<unknown, unknown>
  /** The value that callers must have in common to share calls. Default: the service. */
  readonly sharedBy?: ((service: unknown, context: Context.Context<never>) => object) | undefined
  /** Wraps a call of a resolver. */
  readonly aroundCall: (service: unknown, self: AnyEffect, resource: string) => AnyEffect
  /** Wraps the effect inside a cache. */
  readonly furtherIn: Layer["wrap"]
  /** Wraps the wait, in the old place of the layer. */
  readonly inPlace: Layer["wrap"]
}

/** The resource to which a run rewinds, how often, and after which pauses. */
export interface Rewind {
  readonly to: string
  readonly times: number
  readonly schedule: Schedule.Schedule<unknown, unknown> | undefined
}

/** Hides services that the load of a resource must not read. */
export type Seal = (self: AnyEffect, resource: string) => AnyEffect

/** The source inside a layer. For a layer of the items of a list, `key` is the key of items. */
export interface LayeredSource {
  readonly key?: unknown
  readonly service?: unknown
  readonly loader?: unknown
}

/** A wrapper of a load: a part of a policy, or a view onto which a policy was piped. */
export interface Layer {
  /** Its name: `timeout`, `retry`... A loader's default policy adds only the kinds that a resource lacks. */
  readonly kind: string
  /** Runs loads inside layers. Each policy brings it, so that programs without policies do not contain it. */
  readonly host?: Host
  /** An extension for the runs of its program. */
  readonly extension?: Extension
  /** Its name and its settings, for people: `timeout(500ms)`. */
  readonly label: string
  /** Whether the effect inside is one attempt, of which there may be several or none. */
  readonly repeats: boolean
  /** Whether it may continue when the effect inside has succeeded. */
  readonly continues: boolean
  /** The permits that each attempt inside takes, for a layer that limits attempts. */
  readonly takes?: PermitsTaken
  /** How it protects a backend. Around a request the protection moves to the resolver's call; the rest of the layer passes
   * refusals to the waiter. */
  readonly protects?: Protection
  /** The time after which it gives up on the effect inside, in milliseconds. */
  readonly patience?: number
  /** Whether plans leave it out, because they show another layer for it. */
  readonly unlisted?: boolean
  /** Puts the layers of a resource into another order than the one in which they were piped. */
  readonly arrange?: (layers: ReadonlyArray<Layer>) => ReadonlyArray<Layer>
  /** Whether it may know the value without running the effect inside: then there is no attempt, and no slot is taken. */
  readonly mayKnow?: boolean
  /** Wraps the load itself, so that a value that callers may share does not depend on one of them. */
  readonly seal?: Seal
  /** Why it cannot wrap this source and these layers further in, if so. */
  readonly misplaced?: (source: LayeredSource, inside: ReadonlyArray<Layer>) => string | undefined
  /** Why no graph accepts this layer, if so. */
  readonly refused: string | undefined
  readonly wrap: (self: AnyEffect, observer: LayerObserver) => AnyEffect
  /** The function that undoes the effect inside. The run keeps it; such a layer wraps nothing. */
  readonly undo?: UndoFunction
  /** The rewind that it may ask for. */
  readonly rewind?: Rewind
  /** Whether it replaces a failure of the effect inside by a value. */
  readonly recovers?: boolean
  /** Identifies the functions by which it changes the value, if any. */
  readonly changes?: ReadonlyArray<unknown>
}

/** A source with its policies, innermost first. Each object is one resource of a run. */
export interface Base {
  readonly _tag: "Base"
  readonly name: string
  /** One object for a declaration and everything that was piped from it. */
  readonly origin: object
  readonly source: Source
  readonly layers: ReadonlyArray<Layer>
  readonly annotations: Readonly<Record<string, unknown>>
}

/** How a view changes the result of its base. */
export interface Lens {
  readonly label: string
  /** Which failures it recovers: typed errors, all causes, or none. `ancestors`: whether those of ancestors, too. */
  readonly recovers: "errors" | "causes" | undefined
  readonly ancestors: boolean
  /** Whether it replaces failures only by other failures. */
  readonly keepsFailing?: boolean
  /** The function that changes the value, if any. */
  readonly onSuccess: ((value: unknown) => unknown) | undefined
  /** The function that recovers by an effect. It gets the typed error, or the whole cause. */
  readonly onFailure: ((failure: unknown) => unknown) | undefined
  /** Settles a view when its parent has settled or was skipped. */
  readonly settle: (run: RunView, index: number, step: Named, parent: number) => void
}

/** A base, or a view of it, seen through a lens. */
interface ViewNode {
  readonly _tag: "View"
  readonly name: string
  readonly parent: Node
  readonly lens: Lens
}

/** The node of a resource in a graph. */
export type Node = Base | ViewNode

/** A base of this source, inside the layers that it was declared with. */
export const bare = (name: string, source: Source, layers: ReadonlyArray<Layer> = []): Base => ({
  _tag: "Base",
  name,
  origin: source,
  source,
  layers,
  annotations: {}
})

/** The base of a view; a base is its own. */
export const baseOf = (node: Node): Base => {
  let current = node
  while (current._tag === "View") current = current.parent
  return current
}

/** The lenses between a node and its base, innermost first. */
export const lensesOf = (node: Node): ReadonlyArray<Lens> => {
  const lenses: Array<Lens> = []
  for (let current = node; current._tag === "View"; current = current.parent) lenses.push(current.lens)
  return lenses.reverse()
}

/** The same views over another base. */
export const mapBase = (node: Node, f: (base: Base) => Base): Node =>
  lensesOf(node).reduce<Node>((parent, lens) => ({ _tag: "View", name: parent.name, parent, lens }), f(baseOf(node)))
