/**
 * What a declaration is made of. Nothing here runs anything: these are the values that compiling reads.
 *
 * A resource is a *base* (where its value comes from, wrapped in policies) seen through any number of *views*
 * (`map`, `catch`, `option`...). A base is loaded once per run, whoever looks at it, and through whichever view.
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
import type { CacheLevel, CacheResult } from "../cache/CacheRead.ts"
import type { Extension } from "./Extension.ts"
import type { Host, Kind } from "./Kind.ts"
import type { LayerPlace, RunView } from "./Step.ts"
import type { UndoFunction } from "./Undo.ts"

export type { AnyEffect } from "../base/AnyEffect.ts"

/** The dependencies of a base, by local key. */
export type Dependencies = Readonly<Record<string, unknown>>

/** What tells one value of a resource from another, for caches. */
export type KeyOf = (deps: Dependencies) => string

/** Where the value of a base comes from. What else a source has is known to its kind. */
export interface Source {
  readonly kind: Kind
  /** What it reads, by local key; a choice reads what decides, as `on`. */
  readonly deps: () => Dependencies
  /** Resources that must be loaded first, though their values are not needed. */
  readonly after: () => ReadonlyArray<unknown>
  readonly key?: KeyOf | undefined
  /** The loader inside, where it runs one; throws where there is none, or none that is sound. */
  readonly loader?: () => unknown
  /** The key of the service that the value is, where it is one. */
  readonly service?: Context.Key<unknown, unknown>
}

/** What is done about asking, beside asking. */
export interface AroundRequests {
  /** What goes around each request and the wait for its answer, inside all policies. */
  readonly asking?: (self: AnyEffect) => AnyEffect
}

/** The items of a list, each of which is loaded by itself. */
export interface Items extends AroundRequests {
  readonly items: (deps: Dependencies) => Iterable<unknown>
  /** The items of what `items` gave. Throws a defect where that is no list. */
  readonly read: (of: Owner, given: unknown) => ReadonlyArray<unknown>
  readonly load: (item: unknown, deps: Dependencies, index: number) => unknown
  /** What answers the items, where what `load` gives for each is a request. */
  readonly resolver: AnyResolver | undefined
  readonly means?: AskMeans
  /** The resolvers that items may ask in any other way. */
  readonly resolvers: ReadonlyArray<AnyResolver>
  readonly concurrency: number | "unbounded"
  readonly itemKey?: ((item: unknown, deps: Dependencies) => string) | undefined
  /** What wraps the load of one item, innermost first. */
  readonly each: ReadonlyArray<Layer>
}

/** What a layer may tell of the load that it wraps. */
export interface LayerObserver {
  readonly resource: string
  /** A fallback took the place of a typed failure. */
  readonly degraded: (fallback: string, error: unknown) => void
  /** There will be another attempt, after this pause. */
  readonly pausing: (pause: Duration.Duration) => void
  /** Of attempts side by side one is over, and it is for the others, which may wait for their turns, to go on. */
  readonly outrun: () => void
  /** There will be another attempt, beside those that run. */
  readonly hedging: () => void
  readonly refused: (refusal: Refusal) => void
  /** Has an effect run once for each call of the backend that a first attempt makes, however many attempts share the call. */
  readonly perCall: (report: Effect.Effect<void>) => void
  /** The call that the last attempt shared with others, if a resolver has answered it. */
  readonly call: object | undefined
  /** What the layer is around; `undefined` around the call of a resolver. */
  readonly place: LayerPlace | undefined
  /** A cache was looked into; `reason` says why a level failed. */
  readonly cacheRead: (cache: string, level: CacheLevel, result: CacheResult, reason?: string) => void
  /** Ends the run with this cause, whatever is around; gives what stands in its place until then. */
  readonly aborting: (cause: Cause.Cause<unknown>) => AnyEffect
  /** Takes the run back to an earlier resource because of this cause, and says whether it may. */
  readonly rewinding: (cause: Cause.Cause<unknown>, rewind: Rewind) => boolean
  /** A wait for something outside of the process. Where no attempt runs, no slot is held meanwhile. */
  readonly dormant: (wait: AnyEffect) => AnyEffect
  /** A value that `layer` knows from an earlier run: what is inside does not run, and is undone as if it had. */
  readonly remembered: (layer: Layer, value: unknown) => AnyEffect
}

/** What a policy did not let happen: an attempt, so that `error` is what comes of it, or only a further one. */
export interface Refusal {
  readonly policy: string
  readonly error?: unknown
}

/** Permits of a limiter, which is a service. */
export interface PermitsTaken {
  readonly limiter: Context.Key<unknown, unknown>
  readonly count: number
  /** What takes permits in a run. */
  readonly extension: Extension
}

/** A call that has policies around it, innermost first. */
export interface ProtectedCall {
  readonly resolver: AnyResolver
  readonly resource: string
  readonly calls: ReadonlyArray<Layer>
}

/** The functions that ask for requests, also in calls that have policies around them. */
export interface AskMeans {
  readonly ask: typeof ask
  readonly askAll: typeof askAll
  readonly batchesOf: typeof batchesOf
  readonly protectedBatches: (call: ProtectedCall, context: Context.Context<never>) => Batches
}

/** How a layer protects a backend by a service, and the effects that take its place when it moves: see `protection`. */
export interface Protection {
  readonly key: Context.Key<unknown, unknown>
  /** The value that callers must have in common to share calls. Default: the service. */
  readonly sharedBy?: ((service: unknown, context: Context.Context<never>) => object) | undefined
  /** Around a call of a resolver. */
  readonly aroundCall: (service: unknown, self: AnyEffect, resource: string) => AnyEffect
  /** Around what is inside of a cache. */
  readonly furtherIn: Layer["wrap"]
  /** In its old place, around the wait. */
  readonly inPlace: Layer["wrap"]
}

/** How often, and after which pauses, a run is taken back to a resource. */
export interface Rewind {
  readonly to: string
  readonly times: number
  readonly schedule: Schedule.Schedule<unknown, unknown> | undefined
}

/** Hides from the load of a resource the services that it must not read. */
export type Seal = (self: AnyEffect, resource: string) => AnyEffect

/** One wrapping of a load: a part of a policy, or a view that a policy was piped onto. */
export interface Layer {
  /** What it does: `timeout`, `retry`... A loader's default policy adds only the kinds that a resource lacks. */
  readonly kind: string
  /** What runs loads inside layers. Each policy brings it, so that programs without policies do not carry it. */
  readonly host?: Host
  /** What else the runs of its program need. */
  readonly extension?: Extension
  /** What it does and how much, for people: `timeout(500ms)`. */
  readonly label: string
  /** Whether what is inside is one attempt out of possibly several, or of none. */
  readonly repeats: boolean
  /** Whether it may go on working when what is inside has succeeded. */
  readonly continues: boolean
  /** The permits that each attempt inside takes, where it limits them. */
  readonly takes?: PermitsTaken
  /** How it protects a backend. Around a request it moves to the resolver's call; what stays gives refusals to the waiter. */
  readonly protects?: Protection
  /** After how many milliseconds it gives up on the effect inside. */
  readonly patience?: number
  /** Whether plans leave it out, because they show another layer for it. */
  readonly unlisted?: boolean
  /** Whether it may have the value without what is inside, which then takes no slot and is no attempt. */
  readonly mayKnow?: boolean
  /** Goes around the load itself, so that a value that may be shared does not depend on its caller. */
  readonly seal?: Seal
  /** Whether the resource must have a key for it. */
  readonly needsKey?: boolean
  /** Why no graph can accept this layer, where that is so. */
  readonly refused: string | undefined
  readonly wrap: (self: AnyEffect, observer: LayerObserver) => AnyEffect
  /** What undoes what is inside, for the run to keep: such a layer wraps nothing. */
  readonly undo?: UndoFunction
  /** Where it may take a run back to. */
  readonly rewind?: Rewind
  /** Whether it gives a value where what is inside failed. */
  readonly recovers?: boolean
  /** Identifies how it changes the value inside, if it does. */
  readonly changes?: ReadonlyArray<unknown>
}

/** A source with its policies, innermost first. Its identity is what makes it one resource of a run. */
export interface Base {
  readonly _tag: "Base"
  readonly name: string
  /** The same object for a declaration and for everything that was piped from it. */
  readonly origin: object
  readonly source: Source
  readonly layers: ReadonlyArray<Layer>
  readonly annotations: Readonly<Record<string, unknown>>
}

/** How a view changes what its base gave. */
export interface Lens {
  readonly label: string
  /** Whether it takes the place of failures: typed errors, or all causes. Whether it also does for what a resource depends on. */
  readonly recovers: "errors" | "causes" | undefined
  readonly ancestors: boolean
  /** What it makes of a value, if it changes that. */
  readonly onSuccess: ((value: unknown) => unknown) | undefined
  /** What it gives, as an effect, in the place of a failure: gets the typed error, or the whole cause. */
  readonly onFailure: ((failure: unknown) => unknown) | undefined
  /** Settles a view whose parent has settled, or has been skipped. */
  readonly settle: (run: RunView, index: number, step: Named, parent: number) => void
}

/** A base, or another view of it, seen through a lens. */
interface ViewNode {
  readonly _tag: "View"
  readonly name: string
  readonly parent: Node
  readonly lens: Lens
}

/** What a resource value stands for in a graph. */
export type Node = Base | ViewNode

/** A base of this source, and nothing around it but what it was declared with. */
export const bare = (name: string, source: Source, layers: ReadonlyArray<Layer> = []): Base => ({
  _tag: "Base",
  name,
  origin: source,
  source,
  layers,
  annotations: {}
})

/** The base that a node is a view of: itself, if it is none. */
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
