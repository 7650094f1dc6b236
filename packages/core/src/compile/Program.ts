/**
 * A compiled graph, in the form that runs: steps in one array, edges as counters and index arrays.
 *
 * Everything is computed once, in time and memory linear in resources and dependencies, by loops over arrays.
 * Dependencies stand before dependents, so one pass forwards or backwards is enough for each figure.
 */
import type { AnyResolver } from "../batching/AnyResolver.ts"
import type { Asking, AskMeans, Items, KeyOf, Layer, Lens, Node, Permits, Seal } from "../model/Node.ts"
import { protectedBy } from "../request/Protected.ts"
import { type Case, type Discovery, type Found, weight } from "./Discovery.ts"

interface StepOf<Kind extends string> {
  readonly kind: Kind
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

/** A value that is there when the run starts: an input, or a constant. */
interface Preset extends StepOf<"preset"> {
  readonly input: boolean
  /** The key under which a loader has its value, where it is given in the place of a resource. */
  readonly given: string | undefined
}

/** What a limiter does to the attempts of a step. */
export interface Limited {
  readonly label: string
  /** Which of the program's limiters. */
  readonly limiter: number
  readonly permits: number
  /** What latencies are kept of. */
  readonly resource: string
  /** How many of the innermost layers an attempt that was refused does not come to. */
  readonly inside: number
  /** Whether a refusal shows only further out, where the limit was piped. */
  readonly surfaces: boolean
}

/** A limiter that steps take permits of, and the one that takes most. */
interface ProgramLimiter {
  readonly key: Permits["limiter"]
  readonly make: Permits["make"]
  most: { readonly permits: number; readonly resource: string }
}

/** Something that is loaded by attempts, inside its policies. */
interface Wrapped {
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
}

/** What answers requests, and what is around each of its calls. */
export interface Asks extends Asking {
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

export interface Load extends StepOf<"load">, Wrapped {
  readonly load: (deps: Readonly<Record<string, unknown>>) => unknown
  /** What tells its value from others, where the declaration says so. */
  readonly key: KeyOf | undefined
  /** What is loaded item by item, where this is a list. */
  readonly items: ItemLoads | undefined
  /** Whether nothing wraps it at all. */
  readonly plain: boolean
  /** Whether it runs another loader. */
  readonly isLoader: boolean
  /** Whether it may do what can be undone, or has to be cleaned up after. */
  readonly undoes: boolean
}

/** The items of a list, each of which is loaded by attempts of its own. */
export interface ItemLoads extends Omit<Items, "each" | "resolver" | "means" | "asking">, Wrapped {}

type Struct = StepOf<"struct">

export interface View extends StepOf<"view"> {
  readonly parent: number
  readonly lens: Lens
}

/** A choice. It waits for what decides, and then for what that chooses. */
export interface Match extends StepOf<"match"> {
  /** The step of each case, by the value that chooses it; of each other value, if there is one. */
  readonly cases: ReadonlyMap<string, number>
  readonly otherwise: number | undefined
}

export type Step = Preset | Load | Struct | View | Match

/** Stands where a value is not there yet. */
export const Pending: unique symbol = /* @__PURE__ */ Symbol.for("effect-loader/Pending")

/** Lists of small integers, one after the other: list `i` is `items` from `start[i]` to `start[i + 1]`. */
export interface Lists {
  readonly start: Int32Array
  readonly items: Int32Array
}

export interface Program {
  readonly name: string
  /** Level by level, so that what runs at about the same time lies side by side: dependencies before dependents. */
  readonly steps: ReadonlyArray<Step>
  /** The steps in declaration order. */
  readonly declared: ReadonlyArray<number>
  readonly targets: { readonly keys: ReadonlyArray<string>; readonly sources: ReadonlyArray<number> }
  readonly inputs: ReadonlyArray<number>
  /** The presets whose value is given with the loader. */
  readonly given: ReadonlyArray<number>
  /** What each step's value is when a run starts: a constant's own, `Pending` for the others. */
  readonly initial: ReadonlyArray<unknown>
  /** How many steps there are to settle in a run: all but the presets. */
  readonly toSettle: number
  /** How many steps each step has yet to wait for when a run starts. */
  readonly missing: ReadonlyArray<number>
  readonly dependents: Lists
  /** The steps that wait for nothing, the most urgent first. */
  readonly roots: ReadonlyArray<number>
  /** The place of each step in the order of urgency: longest remaining path first, then declaration order. */
  readonly urgency: Int32Array
  /** The longest path from each step to the end, itself included, in resources. */
  readonly ranks: Int32Array
  /** The steps but presets and views, by the batch that they would run in if every level waited for the last. */
  readonly batches: ReadonlyArray<ReadonlyArray<number>>
  /** Whether something but its own views sees what a step ends in. */
  readonly exposed: Uint8Array
  /** Whether a step's own typed failure reaches a target, so that a load has to fail; and whether its skip does. */
  readonly fatalFailure: Uint8Array
  readonly fatalSkip: Uint8Array
  /** Whether a step's own defect does: whatever does not recover from causes passes it on. */
  readonly fatalDefect: Uint8Array
  readonly limiters: ReadonlyArray<ProgramLimiter>
  /** What may run or not, where there is any choice. */
  readonly choices: Choices | undefined
  /** Whether any step may do what can be undone, or has to be cleaned up after. */
  readonly undoes: boolean
  /** Whether others may wait for what a step loads while that needs a slot: behind a cache, or in a loader inside. */
  readonly sharesLoads: boolean
}

/** Which steps are run only if a choice wants them, and who could want them. */
export interface Choices {
  /** Whether a step runs only if a choice wants it, or something that a choice wants. */
  readonly optional: Uint8Array
  /** How many steps could want each of them: those that wait for it, and the choices that may choose it. */
  readonly wanting: ReadonlyArray<number>
  /** The choices that may choose each step. */
  readonly choosers: Lists
}

const none: ReadonlyArray<never> = []

const distinct = (indices: ReadonlyArray<number>): ReadonlyArray<number> =>
  indices.length < 2 ? indices : Array.from(new Set(indices))

/**
 * Layers up to the first that repeats are one attempt; without one, up to the first that may know the value. That one and
 * what follows go around the attempts.
 */
const splitLayers = (layers: ReadonlyArray<Layer>): readonly [ReadonlyArray<Layer>, ReadonlyArray<Layer>] => {
  if (layers.length === 0) return [none, none]
  const repeats = layers.findIndex((layer) => layer.repeats)
  const boundary = repeats < 0 ? layers.findIndex((layer) => layer.mayKnow) : repeats
  return boundary < 0 ? [layers, none] : [layers.slice(0, boundary), layers.slice(boundary)]
}

/** The parts of a default policy whose kind a resource lacks go innermost, in their own order. */
export const withDefaults = (layers: ReadonlyArray<Layer>, defaults: ReadonlyArray<Layer>): ReadonlyArray<Layer> =>
  defaults.length === 0
    ? layers
    : [...defaults.filter(({ kind }) => layers.every((layer) => layer.kind !== kind)), ...layers]

/** Whether what is around attempts may get by without them, or goes on after them: then only they take slots. */
const beginsFree = (outer: ReadonlyArray<Layer>): boolean =>
  outer.some(({ continues, mayKnow }) => continues || mayKnow === true)

/** Whether what goes around attempts may know the value. */
const knows = (wrapped: Pick<Wrapped, "outer"> | undefined): boolean =>
  wrapped?.outer.some(({ mayKnow }) => mayKnow) === true

const takesPermits = ({ takes }: Layer): boolean => takes !== undefined

/** The limiters that steps were found to take permits of. */
class Limiters {
  readonly all: Array<ProgramLimiter> = []
  private readonly known = new Map<Permits["limiter"], number>()

  /** Which of the limiters somebody takes permits of. */
  add({ count, limiter, make }: Permits, resource: string): number {
    const most = { permits: count, resource }
    const known = this.known.get(limiter) ?? this.all.push({ key: limiter, make, most }) - 1
    this.known.set(limiter, known)
    if (count > this.all[known]!.most.permits) this.all[known]!.most = most
    return known
  }
}

const protects = ({ protects }: Layer): boolean => protects !== undefined

/** Whether it may refuse what is inside before that takes permits. */
export const guards = ({ protects, takes }: Layer): boolean => protects !== undefined && takes === undefined

/** What stays of a layer in its place when it stands around calls: it gives their refusals to who waits. */
const toRefusals = (layer: Layer): Layer =>
  layer.protects === undefined ? layer : { ...layer, repeats: false, wrap: layer.protects.inPlace }

/** What protects a backend counts its calls: what a cache knows, or another caller loads, is none. */
const insideCaches = (layers: ReadonlyArray<Layer>): ReadonlyArray<Layer> => {
  const cache = layers.findIndex(({ mayKnow }) => mayKnow)
  const around = cache < 0 ? none : layers.slice(cache + 1).filter(guards)
  if (around.length === 0) return layers
  const inside = around.map((layer) => ({ ...layer, wrap: layer.protects!.furtherIn }))
  const listed = (layer: Layer): Layer => (guards(layer) ? { ...toRefusals(layer), unlisted: true } : layer)
  return [...layers.slice(0, cache), ...inside, ...layers.slice(cache).map(listed)]
}

const distinctBy = <A>(all: ReadonlyArray<A>, by: (one: A) => unknown): ReadonlyArray<A> => {
  const seen = new Set<unknown>()
  return all.filter((one) => seen.size < seen.add(by(one)).size)
}

/** Limits stand inside of what may refuse a call: what is refused takes no permits. */
const permitsFirst = (calls: ReadonlyArray<Layer>): ReadonlyArray<Layer> => {
  const guard = calls.findIndex(guards)
  if (guard < 0) return calls
  const later = calls.slice(guard)
  return [...calls.slice(0, guard), ...later.filter(takesPermits), ...later.filter((layer) => !takesPermits(layer))]
}

/** The shortest timeout inside of what protects a backend: a call that has not ended by then has failed for the resource. */
const patienceOf = (layers: ReadonlyArray<Layer>): number | undefined => {
  const limits = layers.slice(0, layers.findLastIndex(protects) + 1).flatMap(({ patience }) => patience ?? [])
  return limits.length === 0 ? undefined : limits.reduce((least, limit) => Math.min(least, limit))
}

/** `around`: what is around the list, of its items. */
type Wrap = (
  layers: ReadonlyArray<Layer>,
  resource: string,
  limiters: Limiters,
  around?: ReadonlyArray<Layer>
) => Wrapped

/**
 * Layers as they stand around attempts. Wherever a limit was piped, its permits are taken outside of one attempt: where
 * that is further in than it was piped, the layer stays there, and turns a refusal into the error that it is.
 */
const wrappedIn: Wrap = (given, resource, limiters, around = none) => {
  const layers = insideCaches(given)
  const [inner, outer] = splitLayers(layers)
  const layer = layers.find(takesPermits) ?? around.find(takesPermits)
  const inside = inner.findIndex(takesPermits)
  const limit = layer?.takes && {
    label: layer.label,
    limiter: limiters.add(layer.takes, resource),
    permits: layer.takes.count,
    resource,
    inside: inside < 0 ? inner.length : inside,
    surfaces: inside < 0
  }
  const goesOn = outer.some(({ continues }) => continues)
  return {
    inner: inside < 0 ? inner : inner.toSpliced(inside, 1),
    outer,
    limit,
    goesOn,
    beginsFree: beginsFree(outer),
    holdsSlot: true,
    asks: undefined
  }
}

/**
 * As `wrappedIn`, around requests: limits and what else protects a backend are around the call, which several requests share.
 * A call that takes permits does so inside of what may refuse it.
 */
const askedIn =
  (resolver: AnyResolver, means: AskMeans, { asking }: Asking): Wrap =>
  (layers, resource, limiters, around = none) => {
    const own = protectedBy(resolver)
    const [inner, outer] = splitLayers([...own.filter(protects), ...layers].map(toRefusals))
    const { beginsFree, goesOn, limit } = wrappedIn(layers, resource, limiters, around)
    const piped = [...layers, ...around]
    const calls = permitsFirst(distinctBy([...own, ...piped.filter(protects)], ({ label }) => label))
    const patience = patienceOf(piped)
    return {
      inner,
      outer,
      goesOn,
      beginsFree,
      limit: undefined,
      holdsSlot: false,
      asks: { resolver, means, resource, limit, calls, patience, ...(asking && { asking }) }
    }
  }

/** What every step has. */
type Common = Omit<StepOf<"load">, "kind">

/** All layers around attempts, innermost first. */
export const layersIn = ({ inner, outer }: Pick<Wrapped, "inner" | "outer">): ReadonlyArray<Layer> => [
  ...inner,
  ...outer
]

/**
 * What the layers around a load seal it with: nothing where a `key` says what its value depends on. Policies of a resolver's
 * calls take their services from those who ask, so that what asks through them is not sealed.
 */
const sealOf = (
  wrapped: Pick<Wrapped, "inner" | "outer">,
  asks: Asks | undefined,
  key: object | undefined
): Seal | undefined =>
  key !== undefined || (asks?.calls.length ?? 0) > 0
    ? undefined
    : layersIn(wrapped).find(({ seal }) => seal !== undefined)?.seal

/** Whether something is undone, or what is around may be taken back. */
const undoesIn = (wrapped: Wrapped): boolean =>
  layersIn(wrapped).some(({ rewind, undo }) => undo !== undefined || rewind !== undefined)

/**
 * A list, and what runs another loader, hold others that do the work: they take no slot from them. What they do may be
 * undone, whatever they are wrapped in.
 */
const toLoad = (
  common: Common,
  wrapped: Wrapped,
  { isLoader, items, key, load }: Pick<Load, "isLoader" | "items" | "key" | "load">
): Load => {
  const holdsSlot = wrapped.holdsSlot && items === undefined && !isLoader
  const isOne =
    holdsSlot || (wrapped.asks !== undefined && wrapped.asks.calls.length === 0 && wrapped.asks.asking === undefined)
  const plain = isOne && wrapped.inner.length + wrapped.outer.length === 0 && wrapped.limit === undefined
  const undoes = isLoader || undoesIn(wrapped) || (items !== undefined && (items.asks === undefined || undoesIn(items)))
  const seal = sealOf(wrapped, wrapped.asks, key)
  const sealOfItems = items && (sealOf(wrapped, items.asks, key) ?? sealOf(items, items.asks, items.itemKey))
  return {
    ...common,
    ...wrapped,
    kind: "load",
    load,
    items: items && { ...items, seal: sealOfItems },
    holdsSlot,
    plain,
    isLoader,
    undoes,
    key,
    seal
  }
}

/** A list in its layers. Where they limit it, it is each item that takes permits. */
const aroundItems = (layers: ReadonlyArray<Layer>): Wrapped => {
  const [inner, outer] = splitLayers(layers)
  const goesOn = outer.some(({ continues }) => continues)
  return { inner, outer, limit: undefined, goesOn, beginsFree: beginsFree(outer), holdsSlot: false, asks: undefined }
}

const toOne = ({ key, load }: Pick<Load, "load"> & { readonly key?: KeyOf | undefined }, isLoader: boolean) => ({
  load,
  isLoader,
  key,
  items: undefined
})

/** A list is loaded item by item. */
const noLoad: Load["load"] = () => undefined

const toCases = (cases: ReadonlyArray<Case>, indexOf: (node: Node) => number): Pick<Match, "cases" | "otherwise"> => {
  const byValue = new Map<string, number>()
  let otherwise: number | undefined
  for (const { node, value } of cases) {
    if (value === undefined) otherwise = indexOf(node)
    else byValue.set(value, indexOf(node))
  }
  return { cases: byValue, otherwise }
}

/** What a choice may choose, each once. */
export const chosenBy = ({ cases, otherwise }: Match): ReadonlyArray<number> =>
  distinct([...cases.values(), ...(otherwise === undefined ? [] : [otherwise])])

/** Nodes by level, and within a level in the order in which they were found: a bucket a level, filled in order. */
const layOut = (found: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  const levels: Array<Array<Found>> = []
  for (const one of found) (levels[one.level] ??= []).push(one)
  const laidOut = levels.flat()
  laidOut.forEach((one, index) => (one.index = index))
  return laidOut
}

const toSteps = (
  laidOut: ReadonlyArray<Found>,
  foundBy: ReadonlyMap<Node, Found>,
  defaults: ReadonlyArray<Layer>,
  limiters: Limiters
): ReadonlyArray<Step> => {
  const indexOf = (node: Node): number => foundBy.get(node)!.index
  const steps: Array<Step> = []
  const toStep = ({ after, cases, dependencies, index, keys, node }: Found): Step => {
    const sources = dependencies.map(indexOf)
    const waitsFor = distinct(after.length === 0 ? sources : [...sources, ...after.map(indexOf)])
    const common = { name: node.name, node, base: index, keys, sources, waitsFor }
    if (node._tag === "View") {
      const parent = sources[0]!
      return { ...common, kind: "view", base: steps[parent]!.base, parent, lens: node.lens }
    }
    switch (node.source._tag) {
      case "Input":
      case "Constant":
        return { ...common, kind: "preset", input: node.source._tag === "Input", given: undefined }
      case "Given":
        return { ...common, kind: "preset", input: false, given: node.source.key }
      case "Struct":
        return { ...common, kind: "struct" }
      case "Match":
        return { ...common, kind: "match", ...toCases(cases, indexOf) }
      case "Load": {
        const wrapped = wrappedIn(withDefaults(node.layers, defaults), node.name, limiters)
        return toLoad(common, wrapped, toOne(node.source, false))
      }
      case "Request": {
        const wrap = askedIn(node.source.resolver, node.source.means, node.source)
        const wrapped = wrap(withDefaults(node.layers, defaults), node.name, limiters)
        return toLoad(common, wrapped, toOne({ ...node.source, load: node.source.request }, false))
      }
      case "Loader":
        // What its resources lack is for the loader inside to say.
        return toLoad(common, wrappedIn(node.layers, node.name, limiters), toOne(node.source, true))
      case "List": {
        const { means, resolver } = node.source
        const isAsked = resolver !== undefined && means !== undefined
        const wrap = isAsked ? askedIn(resolver, means, node.source) : wrappedIn
        // What the list has for its items, no item needs a default of.
        const forItems = node.layers.filter(isAsked ? protects : takesPermits)
        const own = defaults.filter(({ kind }) => forItems.every((layer) => layer.kind !== kind))
        const wrapped = wrap(withDefaults(node.source.each, own), node.name, limiters, forItems)
        const items = { ...node.source, ...wrapped }
        const around = aroundItems(isAsked ? node.layers.map(toRefusals) : node.layers)
        return toLoad(common, around, { items, key: node.source.key, load: noLoad, isLoader: false })
      }
    }
  }
  for (const one of laidOut) steps.push(toStep(one))
  return steps
}

const initialValue = ({ node }: Step): unknown =>
  node._tag === "Base" && node.source._tag === "Constant" ? node.source.value : Pending

const isPreset = (step: Step): boolean => step.kind === "preset"

/** What leads from each step to others, turned round. Presets are there from the start, so nobody has to be told of them. */
const turnRound = (steps: ReadonlyArray<Step>, leadsTo: (step: Step) => ReadonlyArray<number>): Lists => {
  const start = new Int32Array(steps.length + 1)
  for (const step of steps) {
    for (const j of leadsTo(step)) if (!isPreset(steps[j]!)) start[j + 1]!++
  }
  for (let i = 0; i < steps.length; i++) start[i + 1]! += start[i]!
  const items = new Int32Array(start[steps.length]!)
  const next = start.slice()
  steps.forEach((step, i) => {
    for (const j of leadsTo(step)) if (!isPreset(steps[j]!)) items[next[j]!++] = i
  })
  return { start, items }
}

const waitsForOf = ({ waitsFor }: Step): ReadonlyArray<number> => waitsFor

const choiceOf = (step: Step): ReadonlyArray<number> => (step.kind === "match" ? chosenBy(step) : none)

/** All that a step may wait for: what it waits for in any case, and what it may choose. */
export const mayWaitFor = (step: Step): ReadonlyArray<number> =>
  step.kind === "match" ? distinct([...step.waitsFor, ...chosenBy(step)]) : step.waitsFor

/** Whether a step may have to wait for one of this name, however far. */
export const isBefore = ({ steps }: Pick<Program, "steps">, name: string, index: number): boolean => {
  const seen = new Set([index])
  for (const i of seen) {
    for (const j of mayWaitFor(steps[i]!)) {
      if (steps[j]!.name === name && steps[j]!.base !== steps[index]!.base) return true
      seen.add(j)
    }
  }
  return false
}

/** What is run in any case is wanted by a target, through steps that wait for it. All the rest is for choices to want. */
const toChoices = (steps: ReadonlyArray<Step>, isTarget: Uint8Array): Choices | undefined => {
  if (steps.every(({ kind }) => kind !== "match")) return undefined
  const optional = isTarget.map((target) => 1 - target)
  const wanting = steps.map(() => 0)
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!
    for (const j of step.waitsFor) {
      optional[j]! &= optional[i]!
      wanting[j]!++
    }
    for (const j of choiceOf(step)) wanting[j]!++
  }
  return { optional, wanting, choosers: turnRound(steps, choiceOf) }
}

const toRanks = (steps: ReadonlyArray<Step>): Int32Array => {
  const ranks = new Int32Array(steps.length)
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!
    ranks[i]! += weight(step.node)
    for (const j of mayWaitFor(step)) ranks[j] = Math.max(ranks[j]!, ranks[i]!)
  }
  return ranks
}

/** The place of each step by falling rank, then by declaration: a bucket a rank, filled in order. */
const byUrgency = (ranks: Int32Array, declared: ReadonlyArray<number>): Int32Array => {
  const start = new Int32Array(ranks.reduce((most, rank) => Math.max(most, rank), 0) + 2)
  const bucket = (rank: number): number => start.length - 2 - rank
  for (const rank of ranks) start[bucket(rank) + 1]!++
  for (let i = 1; i < start.length; i++) start[i]! += start[i - 1]!
  const urgency = new Int32Array(ranks.length)
  for (const i of declared) urgency[i] = start[bucket(ranks[i]!)]!++
  return urgency
}

const toBatches = (laidOut: ReadonlyArray<Found>, urgency: Int32Array): ReadonlyArray<ReadonlyArray<number>> => {
  const batches: Array<Array<number>> = []
  for (const { index, level, node } of laidOut) if (weight(node) === 1) (batches[level - 1] ??= []).push(index)
  for (const batch of batches) batch.sort((a, b) => urgency[a]! - urgency[b]!)
  return batches
}

/**
 * Which failures reach a target whatever is chosen, read from the targets backwards. A skip goes further down than a
 * failure does.
 */
const toFatal = (
  steps: ReadonlyArray<Step>,
  isTarget: Uint8Array,
  dependents: Lists
): Pick<Program, "fatalFailure" | "fatalSkip" | "fatalDefect" | "exposed"> => {
  const fatalFailure = isTarget.slice()
  const fatalSkip = isTarget.slice()
  const fatalDefect = isTarget.slice()
  const exposed = isTarget.slice()
  for (let i = steps.length - 1; i >= 0; i--) {
    for (let k = dependents.start[i]!; k < dependents.start[i + 1]!; k++) {
      const j = dependents.items[k]!
      const step = steps[j]!
      const view = step.kind === "view" ? step.lens : undefined
      if (view === undefined) exposed[i] = fatalDefect[i] = 1
      else if (view._tag === "Map" || !view.causes) fatalDefect[i]! |= fatalDefect[j]!
      if (view?._tag !== "Recover" || !view.ancestors) fatalSkip[i]! |= fatalSkip[j]!
      if (view === undefined) fatalFailure[i]! |= fatalSkip[j]!
      else if (view._tag === "Map") fatalFailure[i]! |= fatalFailure[j]!
    }
    for (const j of choiceOf(steps[i]!)) exposed[j] = fatalDefect[j] = 1
  }
  return { fatalFailure, fatalSkip, fatalDefect, exposed }
}

/** The compiled form of a graph that is known to be sound. */
export const toProgram = (
  name: string,
  { found, foundBy, targets }: Omit<Discovery, "issues">,
  defaults: ReadonlyArray<Layer>
): Program => {
  const laidOut = layOut(found)
  const declared = found.map(({ index }) => index)
  const limiters = new Limiters()
  const steps = toSteps(laidOut, foundBy, defaults, limiters)
  const dependents = turnRound(steps, waitsForOf)
  const ranks = toRanks(steps)
  const urgency = byUrgency(ranks, declared)
  const sources = targets.map(([, node]) => foundBy.get(node)!.index)
  const isTarget = new Uint8Array(steps.length)
  for (const i of sources) isTarget[i] = 1
  const choices = toChoices(steps, isTarget)
  // What a choice has to want waits for that, too.
  const missing = steps.map((step, i) =>
    step.waitsFor.reduce((n, j) => (isPreset(steps[j]!) ? n : n + 1), choices?.optional[i] ?? 0)
  )
  return {
    name,
    steps,
    declared,
    targets: { keys: targets.map(([key]) => key), sources },
    inputs: declared.filter((i) => {
      const step = steps[i]!
      return step.kind === "preset" && step.input
    }),
    given: declared.filter((i) => {
      const step = steps[i]!
      return step.kind === "preset" && step.given !== undefined
    }),
    initial: steps.map(initialValue),
    toSettle: steps.reduce((n, step) => (isPreset(step) ? n : n + 1), 0),
    missing,
    dependents,
    roots: declared.filter((i) => missing[i] === 0 && !isPreset(steps[i]!)).sort((a, b) => urgency[a]! - urgency[b]!),
    urgency,
    ranks,
    batches: toBatches(laidOut, urgency),
    limiters: limiters.all,
    choices,
    undoes: steps.some((step) => step.kind === "load" && step.undoes),
    sharesLoads: steps.some((step) => step.kind === "load" && (step.isLoader || knows(step) || knows(step.items))),
    ...toFatal(steps, isTarget, dependents)
  }
}
