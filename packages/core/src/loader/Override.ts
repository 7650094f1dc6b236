/** Loaders with something changed: resources replaced, values given, two as one. */
import { Pending } from "../model/Absent.ts"
import type { Kind } from "../model/Kind.ts"
import { loadKind, type LoadSource, waitsForNothing } from "../model/Resource.ts"
import { stepOf } from "../model/Step.ts"
import type { Source } from "../model/Node.ts"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { dual } from "effect/Function"
import { RecentMap } from "../base/RecentMap.ts"
import { counter } from "../base/Shared.ts"
import { duplicateName, invalidName, invalidOption } from "../compile/GraphError.ts"
import { type GraphIssue, phrase, quoted, worded } from "../model/GraphIssue.ts"
import { type Substitution, substituting } from "../compile/Substitution.ts"
import { asEffect } from "../model/UserEffect.ts"
import { bare, baseOf, type Dependencies, type Node } from "../model/Node.ts"
import { type Any, isResource, nodeOf, type Own, type Resource } from "../model/Resource.ts"
import {
  type AnyLoader,
  type Compiled,
  compiledOf,
  fromCompiled,
  type GivenValues,
  isLoader,
  type Loader,
  type Options,
  valuesOf
} from "./Compiled.ts"
import { compileDeclaration } from "./Compiling.ts"

/**
 * What can take the place of a resource `Name` with values `A`.
 *
 * - another resource of the same name and type of value;
 * - an effect, or a function from the values of the same dependencies to an effect. A function is always called: a value
 *   that is itself a function is given as `Effect.succeed(f)`;
 * - any other value: it is there from the start. One that is itself an effect is given by `Resource.succeed(name, value)`.
 *
 * @since 0.1.0
 * @category models
 */
export type Replacement<Name extends string, A> =
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever they are, they are added to the loader's
  | Resource<Name, A, any, any, any>
  | Effect.Effect<A, unknown, unknown>
  | ((deps: Readonly<Record<string, unknown>>) => Effect.Effect<A, unknown, unknown>)
  | PlainValue<A>

/**
 * The values that are no functions: those are called where a value or what loads it can be given.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PlainValue<A> = Exclude<A, (...args: never) => unknown>

/**
 * What a replacement adds to a loader's errors.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ReplacementError<Name extends string, P> =
  P extends Resource<Name, infer _A, infer E, infer _R, infer _In, infer _U>
    ? E
    : P extends Effect.Effect<infer _A, infer E, infer _R>
      ? Own<Name, E>
      : P extends (...args: infer _Args) => Effect.Effect<infer _A, infer E, infer _R>
        ? Own<Name, E>
        : never

/**
 * What a replacement adds to the services that a loader needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ReplacementServices<Name extends string, P> =
  P extends Resource<Name, infer _A, infer _E, infer R, infer _In, infer _U>
    ? R
    : P extends Effect.Effect<infer _A, infer _E, infer R>
      ? R
      : P extends (...args: infer _Args) => Effect.Effect<infer _A, infer _E, infer R>
        ? R
        : never

/**
 * What a replacement adds to the inputs that a loader needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ReplacementInput<Name extends string, P> = [P] extends [
  Resource<Name, infer _A, infer _E, infer _R, infer In, infer _U>
]
  ? In
  : unknown

const nextKey = /* @__PURE__ */ counter("given values")

/** A value that is given with a loader, in the place of something that would have been loaded. */
interface GivenSource extends Source {
  readonly givenAs: string
}

const givenKind: Kind = {
  name: "constant",
  isGiven: true,
  isSubstitute: true,
  refuses: "a value that is given is not loaded",
  toStep: ({ source }, common) =>
    stepOf(common, { given: { isInput: false, key: (source as GivenSource).givenAs, value: Pending } })
}

/** A node whose value is given with a loader, and the key under which it is. */
const given = (name: string): { readonly node: Node; readonly key: string } => {
  const key = `${nextKey()}`
  return { node: bare(name, { ...waitsForNothing, kind: givenKind, givenAs: key } as GivenSource), key }
}

const changed = (
  self: AnyLoader,
  change: Partial<Substitution>,
  values: GivenValues,
  issues: ReadonlyArray<GraphIssue> = []
): never => {
  const { declaration } = compiledOf(self)
  const substitution = substituting({ ...declaration.substitution, ...change })
  const compiled = Result.getOrThrow(compileDeclaration({ ...declaration, substitution }, issues))
  return fromCompiled(compiled, new Map([...valuesOf(self), ...values]))
}

/** The same dependencies as the replaced resource has, as far as it is there to be looked at. */
const loadLike = (name: string, { after, deps }: Pick<Source, "after" | "deps">, load: LoadSource["load"]): Node =>
  bare(name, { kind: loadKind, deps, after, load } as LoadSource)

const loadAlone = (name: string, load: () => unknown): Node => loadLike(name, waitsForNothing, load)

/** A function that is the value was taken for one that loads it. */
const replacing = "the replacement, which is called (a value that is a function is given as Effect.succeed(f)),"

const notLoaded = (name: string, use: string): GraphIssue =>
  worded(
    { _tag: "NotLoaded", name, use },
    () => `${phrase(use)} ${quoted(name)} has nothing to replace: the loader does not load it`
  )

const checkOverride = (self: AnyLoader, name: string, replacement: unknown): ReadonlyArray<GraphIssue> => {
  const issues: Array<GraphIssue> = []
  const { program } = compiledOf(self)
  if (program.steps.every((step) => step.name !== name)) {
    issues.push(notLoaded(name, "the override of"))
  }
  if (isResource(replacement) && replacement.name !== name) {
    issues.push(invalidName(replacement.name, `the replacement of "${name}"`))
  }
  return issues
}

/**
 * A loader in which another thing stands in the place of a resource, wherever that resource is needed.
 *
 * - `replacement`: see {@link Replacement}. It comes without the policies of what it replaces; views of it (`map`,
 *   `option`, a fallback...) stay.
 *
 * What nothing needs any more is not in the new loader: it does not run, and its inputs need not be given. The types
 * keep the errors, services and inputs of before as upper bounds, and add those of the replacement.
 *
 * Throws a `GraphError` when the loader does not load the resource, or when the new graph is not sound.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const org = Resource.make("org", { load: (): Effect.Effect<string> => Effect.die("no database") })
 * const members = Resource.make("members", { deps: { org }, load: ({ org }) => Effect.succeed([`ada of ${org}`]) })
 *
 * const page = Loader.make({ members }).pipe(Loader.override(org, "acme"))
 * console.log(Effect.runSync(Loader.load(page))) // { members: [ "ada of acme" ] }
 * ```
 *
 * @since 0.1.0
 * @category changing
 */
export const override: {
  <Name extends string, A, E0, R0, In0, P extends Replacement<Name, A>>(
    resource: Resource<Name, A, E0, R0, In0>,
    replacement: P
  ): <LA, E, R, In, T>(
    self: Loader<LA, E, R, In, T>
  ) => Loader<LA, E | ReplacementError<Name, P>, R | ReplacementServices<Name, P>, In & ReplacementInput<Name, P>, T>
  <LA, E, R, In, T, Name extends string, A, E0, R0, In0, P extends Replacement<Name, A>>(
    self: Loader<LA, E, R, In, T>,
    resource: Resource<Name, A, E0, R0, In0>,
    replacement: P
  ): Loader<LA, E | ReplacementError<Name, P>, R | ReplacementServices<Name, P>, In & ReplacementInput<Name, P>, T>
} = /* @__PURE__ */ dual(3, (self: AnyLoader, resource: Any, replacement: unknown): never => {
  const { name } = resource
  const issues = checkOverride(self, name, replacement)
  const use = (node: Node, values: GivenValues = new Map()): never => {
    const { byName } = compiledOf(self).declaration.substitution
    return changed(self, { byName: new Map([...byName, [name, node]]) }, values, issues)
  }
  if (isResource(replacement)) return use(nodeOf(replacement))
  if (Effect.isEffect(replacement)) return use(loadAlone(name, () => replacement))
  if (typeof replacement === "function") {
    const load = (deps: Dependencies) =>
      asEffect({ name }, replacing, (replacement as (deps: Dependencies) => unknown)(deps))
    return use(loadLike(name, baseOf(nodeOf(resource)).source, load))
  }
  const { key, node } = given(name)
  return use(node, new Map([[key, replacement]]))
})

/** A loader with some of its targets given, for any values of them. */
interface Variant {
  readonly compiled: Compiled
  /** The key of each target's value. */
  readonly keys: ReadonlyMap<string, string>
}

/** How many sets of targets a loader remembers. */
const mostVariants = 100

/** Compiled once for each set of targets, however many values are given for them. */
const variants = new WeakMap<Compiled, RecentMap<Variant>>()

const variantOf = (self: AnyLoader, targets: ReadonlyArray<string>): Variant => {
  const compiled = compiledOf(self)
  let known = variants.get(compiled)
  if (known === undefined) variants.set(compiled, (known = new RecentMap(mostVariants)))
  const id = JSON.stringify(targets)
  let variant = known.get(id)
  if (variant === undefined) known.set(id, (variant = makeVariant(self, targets)))
  return variant
}

const makeVariant = (self: AnyLoader, targets: ReadonlyArray<string>): Variant => {
  const { declaration } = compiledOf(self)
  const issues: Array<GraphIssue> = []
  const byNode = new Map(declaration.substitution.byNode)
  const keys = new Map<string, string>()
  for (const target of targets) {
    const resource = Object.hasOwn(declaration.targets, target) ? declaration.targets[target] : undefined
    if (resource === undefined) {
      issues.push(notLoaded(target, "the value for target"))
      continue
    }
    const { key, node } = given(resource.name)
    keys.set(target, key)
    byNode.set(nodeOf(resource), node)
  }
  return { compiled: compiledOf(changed(self, { byNode }, new Map(), issues)), keys }
}

/**
 * A loader with values at hand for some of its targets, by their keys: they are not loaded.
 *
 * What only they needed is not loaded either, and its inputs need not be given. Cheap enough for each request: the
 * graph is compiled once for each set of keys. The types keep errors, services and inputs as upper bounds.
 *
 * Throws a `GraphError` when a key is none of the loader's targets.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const user = Resource.make("user", { load: (): Effect.Effect<string> => Effect.die("never asked for") })
 * const greeting = Resource.make("greeting", { deps: { user }, load: ({ user }) => Effect.succeed(`Hello ${user}`) })
 * const page = Loader.make({ user, greeting })
 *
 * console.log(Effect.runSync(Loader.load(Loader.withValues(page, { user: "Ada" }))).greeting) // Hello Ada
 * ```
 *
 * @since 0.1.0
 * @category changing
 */
export const withValues: {
  <V extends Readonly<Record<string, unknown>>>(
    values: V
  ): <A, E, R, In, T>(
    self: Loader<A, E, R, In, T> &
      ([V] extends [Partial<A>] ? unknown : { readonly "the values are not those of the targets": V })
  ) => Loader<A, E, R, In, T>
  <A, E, R, In, T>(self: Loader<A, E, R, In, T>, values: Partial<NoInfer<A>>): Loader<A, E, R, In, T>
} = /* @__PURE__ */ dual(2, (self: AnyLoader, values: Readonly<Record<string, unknown>>): never => {
  const { compiled, keys } = variantOf(self, Object.keys(values).sort())
  const all = new Map(valuesOf(self))
  for (const [target, key] of keys) all.set(key, values[target])
  return fromCompiled(compiled, all)
})

/**
 * How two loaders become one.
 *
 * - `rename`: other keys for targets of the second, where both have one.
 * - The other options are those of `Loader.make`. Those that are not given come from the two: the smaller `concurrency`
 *   and `timeout`, both names, and `policy`, `scheduling` and `onCompensationFailure` where both have the same.
 *
 * What was hung on the two with `Loader.onExit` saw loads of theirs: the loader that they become has none of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface MergeOptions<B> extends Options {
  readonly rename?: { readonly [K in keyof B]?: string }
}

export type Renamed<B, O> = O extends { readonly rename: infer N }
  ? { readonly [K in keyof B as K extends keyof N ? (N[K] extends string ? N[K] : K) : K]: B[K] }
  : B

export type Flat<A> = { readonly [K in keyof A]: A[K] }

const limitOf = ({ concurrency = "unbounded" }: Options): number =>
  concurrency === "unbounded" ? Infinity : concurrency

const undoLimitOf = ({ compensationConcurrency, concurrency }: Options): number =>
  limitOf({ concurrency: compensationConcurrency ?? concurrency ?? "unbounded" })

const timeoutOf = ({ timeout }: Options): Duration.Duration =>
  timeout === undefined ? Duration.infinity : Duration.fromInputUnsafe(timeout)

/** The options of two loaders as those of one, and where they leave no choice but to say which. */
const mergeOptions = (
  a: Options,
  b: Options,
  given: Options
): { readonly options: Options; readonly issues: ReadonlyArray<GraphIssue> } => {
  const issues: Array<GraphIssue> = []
  const same = <A>(option: "policy" | "scheduling" | "onCompensationFailure", first: A, second: A): A => {
    if (!(option in given) && first !== second) {
      const expected = "the one that both are to have, as the two loaders differ in it"
      issues.push(invalidOption(option, "none", expected))
    }
    return first
  }
  const limit = Math.min(limitOf(a), limitOf(b))
  const policy = same("policy", a.policy, b.policy)
  const [first, second] = [a.onCompensationFailure, b.onCompensationFailure]
  const handler =
    first === undefined || second === undefined ? (first ?? second) : same("onCompensationFailure", first, second)
  const undoLimit = Math.min(undoLimitOf(a), undoLimitOf(b))
  const options: Options = {
    name: [a.name, b.name].map((name) => name ?? "anonymous").join(" + "),
    concurrency: limit === Infinity ? "unbounded" : limit,
    timeout: Duration.min(timeoutOf(a), timeoutOf(b)),
    ...(policy === undefined ? {} : { policy }),
    ...(handler === undefined ? {} : { onCompensationFailure: handler }),
    compensationConcurrency: undoLimit === Infinity ? "unbounded" : undoLimit,
    scheduling: same("scheduling", a.scheduling ?? "eager", b.scheduling ?? "eager"),
    ...given
  }
  return { options, issues }
}

const mergeTargets = (
  a: Readonly<Record<string, Any>>,
  b: Readonly<Record<string, Any>>,
  rename: Readonly<Record<string, string | undefined>>
): { readonly targets: Readonly<Record<string, Any>>; readonly issues: ReadonlyArray<GraphIssue> } => {
  const issues: Array<GraphIssue> = []
  const targets: Record<string, Any> = { ...a }
  for (const [key, resource] of Object.entries(b)) {
    const renamed = rename[key] ?? key
    const other = Object.hasOwn(targets, renamed) ? targets[renamed] : undefined
    if (other !== undefined && nodeOf(other) !== nodeOf(resource)) {
      issues.push(
        worded(
          { _tag: "DuplicateTarget", key: renamed },
          () => `both loaders have a target ${quoted(renamed)}, and not the same: give one another key with \`rename\``
        )
      )
    }
    targets[renamed] = resource
  }
  return { targets, issues }
}

const mergeNames = (
  a: ReadonlyMap<string, Node>,
  b: ReadonlyMap<string, Node>
): { readonly byName: ReadonlyMap<string, Node>; readonly issues: ReadonlyArray<GraphIssue> } => {
  const clashing = Array.from(b).filter(([name, node]) => a.has(name) && a.get(name) !== node)
  const uses = [["an override in the first loader"], ["an override in the second loader"]]
  const issues = clashing.map(([name]) => duplicateName(name, uses, false))
  return { byName: new Map([...a, ...b]), issues }
}

/**
 * Two loaders as one: the targets of both, what both need is loaded once.
 *
 * Throws a `GraphError` when both have a target of one key that is not the same resource (see `rename`), when two
 * resources share a name, and where the options of the two leave no choice but to say which.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const user = Resource.make("user", { load: () => Effect.succeed("ada") })
 * const avatar = Resource.make("avatar", { deps: { user }, load: ({ user }) => Effect.succeed(`${user}.png`) })
 * const mail = Resource.make("mail", { deps: { user }, load: ({ user }) => Effect.succeed(`${user}@example.org`) })
 *
 * const page = Loader.merge(Loader.make({ avatar }), Loader.make({ mail }))
 * console.log(Effect.runSync(Loader.load(page))) // { avatar: "ada.png", mail: "ada@example.org" }
 * ```
 *
 * @since 0.1.0
 * @category changing
 */
export const merge: {
  <B, E2, R2, In2, T2, const O extends MergeOptions<B> = {}>(
    that: Loader<B, E2, R2, In2, T2>,
    options?: O
  ): <A, E, R, In, T>(
    self: Loader<A, E, R, In, T>
  ) => Loader<Flat<A & Renamed<B, O>>, E | E2, R | R2, In & In2, Flat<T & Renamed<T2, O>>>
  <A, E, R, In, T, B, E2, R2, In2, T2, const O extends MergeOptions<B> = {}>(
    self: Loader<A, E, R, In, T>,
    that: Loader<B, E2, R2, In2, T2>,
    options?: O
  ): Loader<Flat<A & Renamed<B, O>>, E | E2, R | R2, In & In2, Flat<T & Renamed<T2, O>>>
} = /* @__PURE__ */ dual(
  (args) => isLoader(args[1]),
  (self: AnyLoader, that: AnyLoader, { rename = {}, ...given }: MergeOptions<Record<string, unknown>> = {}): never => {
    const [a, b] = [compiledOf(self).declaration, compiledOf(that).declaration]
    const { issues, options } = mergeOptions(a.options, b.options, given)
    const { issues: clashes, targets } = mergeTargets(a.targets, b.targets, rename)
    const { byName, issues: overrides } = mergeNames(a.substitution.byName, b.substitution.byName)
    const byNode = new Map([...a.substitution.byNode, ...b.substitution.byNode])
    const declaration = { targets, options, substitution: substituting({ byName, byNode }) }
    const compiled = Result.getOrThrow(compileDeclaration(declaration, [...issues, ...clashes, ...overrides]))
    return fromCompiled(compiled, new Map([...valuesOf(self), ...valuesOf(that)]))
  }
)
