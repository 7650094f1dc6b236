/** Changes of loaders: replaced resources, given values, merged loaders. */
import { Pending } from "../model/Absent.ts"
import type { Kind } from "../model/Kind.ts"
import { loadKind, type LoadSource, waitsForNothing } from "../model/Resource.ts"
import { stepOf } from "../model/Step.ts"
import type { Source } from "../model/Node.ts"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { dual } from "effect/Function"
import { RecentMap } from "../base/RecentMap.ts"
import { counter } from "../base/Shared.ts"
import { valueText } from "../base/ValueText.ts"
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
 * The replacements of a resource `Name` with values `A`:
 *
 * - another resource of the same name and type of value;
 * - an effect, or a function from the values of the same dependencies to an effect. A function is always called: pass a value
 *   that is itself a function as `Effect.succeed(f)`;
 * - any other value, which exists from the start. Pass a value that is itself an effect as `Resource.succeed(name, value)`.
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
 * The values that are not functions: a function in the place of a value is called.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PlainValue<A> = Exclude<A, (...args: never) => unknown>

/**
 * The errors that a replacement adds to a loader.
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
 * The services that a replacement adds to a loader.
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
 * The inputs that a replacement adds to a loader.
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

/** A given value that replaces a resource. */
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

/** A node with a given value, and the key of the value. */
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

/** The dependencies of the replaced resource, if the loader has it. */
const loadLike = (name: string, { after, deps }: Pick<Source, "after" | "deps">, load: LoadSource["load"]): Node =>
  bare(name, { kind: loadKind, deps, after, load } as LoadSource)

const loadAlone = (name: string, load: () => unknown): Node => loadLike(name, waitsForNothing, load)

/** The issue of a function that is the value itself, but was called as a load. */
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
 * Replaces a resource of a loader, for all its dependents.
 *
 * - `replacement`: see {@link Replacement}. It does not have the policies of the replaced resource; views (`map`,
 *   `option`, a fallback...) stay.
 *
 * Resources that nothing needs any more are dropped: they do not run, and their inputs are not needed. The types cannot follow
 * that: they keep all previous errors, services and inputs, and add those of the replacement.
 *
 * Throws a `GraphError` if the loader does not load the resource, or if the new graph has issues.
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
  if (!isResource(resource)) {
    throw new Cause.IllegalArgumentError(`Loader.override needs the resource to replace, got ${valueText(resource)}`)
  }
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

/** A loader in which some targets are given, for all values of them. */
interface Variant {
  readonly compiled: Compiled
  /** The key of each target's value. */
  readonly keys: ReadonlyMap<string, string>
}

/** The number of sets of targets that a loader remembers. */
const mostVariants = 100

/** Compiled once for each set of targets, whatever their values. */
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
 * Gives a loader the values of some targets, by key, which then do not load.
 *
 * Resources that only they needed do not load either, and their inputs are not needed. It is cheap enough for each request: the
 * graph is compiled once for each set of keys. The types keep all errors, services and inputs.
 *
 * Throws a `GraphError` if a key is not a target of the loader.
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
 * The options of `Loader.merge`.
 *
 * - `rename`: other keys for targets of the second loader whose keys both have.
 * - The other options are those of `Loader.make`. The default of an option comes from the two loaders: the smaller `concurrency`
 *   and `timeout`, both names, and `policy`, `scheduling` and `onCompensationFailure` if both have the same.
 *
 * The merged loader does not have the hooks that `Loader.onExit` added to the two.
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

export type Flat<A> = { readonly all: { readonly [K in keyof A]: A[K] } }["all"]

const limitOf = ({ concurrency = "unbounded" }: Options): number =>
  concurrency === "unbounded" ? Infinity : concurrency

const undoLimitOf = ({ compensationConcurrency, concurrency }: Options): number =>
  limitOf({ concurrency: compensationConcurrency ?? concurrency ?? "unbounded" })

const timeoutOf = ({ timeout }: Options): Duration.Duration =>
  timeout === undefined ? Duration.infinity : Duration.fromInputUnsafe(timeout)

/** The options of the merged loader, and issues for options that differ. */
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
 * Merges two loaders: the result has the targets of both, and loads shared resources once.
 *
 * Throws a `GraphError` if the two have different targets of one key (see `rename`), if different resources share a name, or if
 * an option that differs between the two is not given.
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
