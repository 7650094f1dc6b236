/**
 * Resources: named declarations of what to load and what it depends on. A resource is a value; declaring runs nothing.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { dual } from "effect/Function"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { Failed, Pending } from "./Absent.ts"
import { hostOf, type Kind, withDefaults } from "./Kind.ts"
import {
  bare,
  baseOf,
  type Dependencies,
  type KeyOf,
  type Layer,
  type Lens,
  lensesOf,
  mapBase,
  type Node,
  type Source
} from "./Node.ts"
import { recovering } from "./Recovery.ts"
import type { ResourceError } from "./ResourceError.ts"
import { stepOf } from "./Step.ts"
import type { Undo } from "./Undo.ts"
import { checkFunctions, checkUndo } from "./UserEffect.ts"

const TypeId = "~effect-loader/Resource"

/** In types only, for {@link ByKey}. */
declare const aResource: unique symbol

/**
 * A named declaration: its dependencies, and how to load it.
 *
 * - `Name`: its name, unique in a loader; failures and reports use it.
 * - `A`: the value.
 * - `E`: the union of the {@link ResourceError}s of this resource and of everything it depends on.
 * - `R`: the services that all of them need.
 * - `In`: the object of inputs that all of them need.
 * - `U`: the services that its own load needs while it has no `key`. A cache may not share what they give: see `Policy.cache`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resource<
  out Name extends string,
  out A,
  out E = never,
  out R = never,
  in In = unknown,
  out U = R
> extends Pipeable {
  readonly [TypeId]: {
    readonly _A: () => A
    readonly _E: () => E
    readonly _R: () => R
    readonly _In: (_: In) => void
    readonly _U: () => U
  }
  readonly [aResource]: true
  readonly name: Name
}

/**
 * Any resource, whatever its types.
 *
 * @since 0.1.0
 * @category models
 */
// Read from an object: TypeScript would show an alias by its name, and `Any` does not show the expected type.
// oxlint-disable-next-line typescript/no-explicit-any -- the only bound that every resource meets
export type Any = { readonly resource: Resource<string, any, any, any, any, any> }["resource"]

/**
 * Resources by local key: what `deps` takes.
 *
 * @since 0.1.0
 * @category models
 */
export type Deps = { readonly [key: string]: Any }

/**
 * Requires resources by local key. TypeScript shows the texts for a list or an effect, a promise, and a single resource. Their
 * keys are symbols, which editors do not propose.
 *
 * @since 0.1.0
 * @category type-level
 */
export interface ByKey {
  readonly [Symbol.iterator]?: "give an object with the resources by local key, { user, org }, not a list or an effect"
  readonly [Symbol.toStringTag]?: "give an object with the resources by local key, { user, org }, not a promise"
  readonly [aResource]?: "give an object with the resource by local key, { user }, not the resource itself"
}

/**
 * The type of a resource's value.
 *
 * @since 0.1.0
 * @category type-level
 */
// oxlint-disable-next-line typescript/no-explicit-any -- positions that are not inferred
export type Success<T> = T extends Resource<any, infer A, any, any, any> ? A : never

/**
 * The type of a resource's errors: its own and its ancestors', one {@link ResourceError} each.
 *
 * @since 0.1.0
 * @category type-level
 */
// oxlint-disable-next-line typescript/no-explicit-any -- positions that are not inferred
export type Failure<T> = T extends Resource<any, any, infer E, any, any> ? E : never

/**
 * The services that a resource and its ancestors need.
 *
 * @since 0.1.0
 * @category type-level
 */
// oxlint-disable-next-line typescript/no-explicit-any -- positions that are not inferred
export type Services<T> = T extends Resource<any, any, any, infer R, any, any> ? R : never

/**
 * The object of inputs that a resource and its ancestors need.
 *
 * @since 0.1.0
 * @category type-level
 */
// oxlint-disable-next-line typescript/no-explicit-any -- positions that are not inferred
export type Input<T> = [T] extends [Resource<any, any, any, any, infer In>] ? In : never

/**
 * The values of dependencies, by local key: what `load` gets.
 *
 * @since 0.1.0
 * @category type-level
 */
// Read from an object: TypeScript would show an alias by its name instead of the values.
export type Values<D extends Deps> = { readonly values: { readonly [K in keyof D]: Success<D[K]> } }["values"]

/**
 * The inputs that all of these resources need together.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Inputs<D> = { [K in keyof D]: (_: Input<D[K]>) => void }[keyof D] extends (_: infer In) => void
  ? In
  : unknown

/**
 * The inputs that every member of this union of resources needs.
 *
 * @since 0.1.0
 * @category type-level
 */
export type InputOf<T> = (T extends Any ? (_: Input<T>) => void : never) extends (_: infer In) => void ? In : unknown

/**
 * `E` as the failure of the resource `Name`: nothing, if it cannot fail.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Own<Name extends string, E> = [E] extends [never] ? never : ResourceError<Name, E>

/**
 * The own errors of the resource `Name`, out of the errors `E` of it and its ancestors.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OwnError<Name extends string, E> = [Extract<E, { readonly resource: Name }>] extends [never]
  ? never
  : Extract<E, { readonly resource: Name }> extends ResourceError<Name, infer X>
    ? X
    : never

/**
 * The errors `E` of the resource `Name` and its ancestors, with `PE` added to its own.
 *
 * @since 0.1.0
 * @category type-level
 */
export type AddError<Name extends string, E, PE> = [PE] extends [never]
  ? E
  : Exclude<E, { readonly resource: Name }> | ResourceError<Name, OwnError<Name, E> | PE>

export type WithoutOwn<Name extends string, E> = Exclude<E, { readonly resource: Name }>

const Proto = {
  [TypeId]: TypeId,
  pipe() {
    return pipeArguments(this, arguments)
  }
}

/** The value of a resource. The constructors state its types. */
const fromNode = (node: Node): never => Object.assign(Object.create(Proto), { name: node.name, node }) as never

/**
 * Whether a value is a resource.
 *
 * @since 0.1.0
 * @category guards
 */
export const isResource = (u: unknown): u is Any => typeof u === "object" && u !== null && TypeId in u

/** The declaration behind a resource. */
export const nodeOf = (self: Any): Node => (self as unknown as { readonly node: Node }).node

/** A resource of this source, with the layers that it was declared with. */
export const declare = (name: string, source: Source, layers?: ReadonlyArray<Layer>): never =>
  fromNode(bare(name, source, layers))

/** A source that loads by an effect. */
export interface LoadSource extends Source {
  readonly load: (deps: Dependencies) => unknown
}

/** A load without layers is called directly; otherwise the host that its layers bring runs it. */
export const loadKind: Kind = {
  name: "load",
  toStep: (base, common, { defaults }) => {
    const { load } = base.source as LoadSource
    const layers = withDefaults(base.layers, defaults)
    return (
      hostOf(layers)?.toStep(base, common, layers, load) ??
      stepOf(common, { load, begin: (run, index, deps) => run.attempt(index, load, deps) })
    )
  }
}

const nothing = (): Dependencies => ({})

const nothingAfter = (): ReadonlyArray<unknown> => []

/** The dependencies of a source that declares none. */
export const waitsForNothing: Pick<Source, "deps" | "after"> = { deps: nothing, after: nothingAfter }

const inputKind: Kind = {
  name: "input",
  isGiven: true,
  refuses: "an input is given, not loaded",
  toStep: (_base, common) => stepOf(common, { given: { isInput: true, key: undefined, value: Pending } })
}

interface ConstantSource extends Source {
  readonly value: unknown
}

const constantKind: Kind = {
  name: "constant",
  isGiven: true,
  refuses: "a constant is there from the start",
  toStep: ({ source }, common) =>
    stepOf(common, { given: { isInput: false, key: undefined, value: (source as ConstantSource).value } })
}

const structKind: Kind = {
  name: "struct",
  refuses: "a struct does no work of its own: pipe it onto the struct's members",
  toStep: (_base, common) => stepOf(common, { settle: (run, index) => run.succeed(index, run.depsOf(index)) })
}

/** The layers of `Saga.compensate` and `Saga.cleanup`, innermost first. Throws for any other value. */
export const undoLayers = (
  what: string,
  name: string,
  ...undo: ReadonlyArray<Undo<never, never, unknown> | undefined>
): ReadonlyArray<Layer> =>
  undo.flatMap((one) => {
    if (one === undefined) return []
    checkUndo(what, name, one)
    return one.layers as ReadonlyArray<Layer>
  })

/** A value, or a function that returns it, as a function. */
export const lazily = <A>(value: A | (() => A) | undefined, otherwise: A): (() => A) =>
  typeof value === "function" ? (value as () => A) : () => value ?? otherwise

/**
 * The services `R` of a load without a key. `K` is the type of the key, if there is one.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Unkeyed<K, R> = [K] extends [never] ? Exclude<R, Scope.Scope> : never

/**
 * Declares a resource that is loaded by an effect.
 *
 * - `deps`: its dependencies, by local key. `load` gets their values; it starts when all are loaded.
 * - `after`: resources that load first, but whose values it does not need.
 * - `key`: identifies its value in a cache (`Policy.cache`); equal keys mean the same value, whichever resource loads it.
 *   Without it, the `load` function and the values of `deps`, compared structurally, identify the value, and a cached `load`
 *   may need no services of its caller.
 * - `load`: makes the effect that loads the value, once per attempt. An exception is a defect that carries the resource's
 *   name.
 * - `undo`, `alsoUndo`: `Saga.compensate` undoes the load when the run fails later, `Saga.cleanup` follows an attempt that did
 *   not succeed. Both get the values of `deps`.
 *
 * `deps` and `after` may be functions, for declarations that come later in the file or from another file. Compiling a loader
 * calls them.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const orgId = Resource.input<string>()("orgId")
 * const org = Resource.make("org", {
 *   deps: { orgId },
 *   load: ({ orgId }) => Effect.succeed({ id: orgId, name: "Acme" })
 * })
 * const greeting = Resource.make("greeting", {
 *   deps: { org },
 *   load: ({ org }) => Effect.succeed(`Hello ${org.name}`)
 * })
 *
 * const page = Loader.make({ greeting })
 * console.log(Effect.runSync(Loader.load(page, { orgId: "acme" })).greeting) // Hello Acme
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  const Name extends string,
  A,
  E,
  R,
  const D extends ByKey & Deps = {},
  const After extends ReadonlyArray<Any> = [],
  R2 = never,
  R3 = never,
  K extends string = never
>(
  name: Name,
  options: {
    readonly deps?: D | (() => D)
    readonly after?: After | (() => After)
    readonly key?: (deps: Values<D>) => K
    readonly load: (deps: Values<D>) => Effect.Effect<A, E, R>
  },
  undo?: Undo<NoInfer<A>, Values<NoInfer<D>>, R2>,
  alsoUndo?: Undo<NoInfer<A>, Values<NoInfer<D>>, R3>
): Resource<
  Name,
  A,
  Own<Name, E> | Failure<D[keyof D] | After[number]>,
  R | NoInfer<R2> | NoInfer<R3> | Services<D[keyof D] | After[number]>,
  Inputs<D> & InputOf<After[number]>,
  Unkeyed<K, R>
> => {
  checkFunctions("Resource.make", name, options, ["load"], ["key"])
  return declare(
    name,
    {
      kind: loadKind,
      deps: lazily<Dependencies>(options.deps, {}),
      after: lazily<ReadonlyArray<unknown>>(options.after, []),
      key: options.key as KeyOf | undefined,
      load: options.load as (deps: Dependencies) => unknown
    } as LoadSource,
    undoLayers("Resource.make", name, undo, alsoUndo)
  )
}

/**
 * Declares a value that the caller gives at each run.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const userId = Resource.input<number>()("userId")
 * const page = Loader.make({ userId })
 *
 * console.log(Effect.runSync(Loader.load(page, { userId: 7 }))) // { userId: 7 }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const input: {
  <A>(): <const Name extends string>(name: Name) => Resource<Name, A, never, never, { readonly [K in Name]: A }>
  <_A>(name: "the type comes first, and the name after it: Resource.input<string>()(name)"): never
} = (): never => ((name: string) => declare(name, { kind: inputKind, ...waitsForNothing })) as never

/**
 * Declares a resource with a constant value.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const region = Resource.succeed("region", "eu-west-1")
 * console.log(Effect.runSync(Loader.load(Loader.make({ region })))) // { region: "eu-west-1" }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const succeed = <const Name extends string, A>(name: Name, value: A): Resource<Name, A> =>
  declare(name, { kind: constantKind, ...waitsForNothing, value } as ConstantSource)

/**
 * Combines several resources into one: its value is the object of their values, by local key.
 *
 * It does no work of its own, so it holds no slot and has no error of its own; policies belong on its members.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const first = Resource.succeed("first", "Ada")
 * const last = Resource.succeed("last", "Lovelace")
 * const name = Resource.struct("name", { first, last })
 *
 * console.log(Effect.runSync(Loader.load(Loader.make({ name }))).name) // { first: "Ada", last: "Lovelace" }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const struct = <const Name extends string, const D extends ByKey & Deps>(
  name: Name,
  members: D | (() => D)
): Resource<
  Name,
  { readonly [K in keyof D]: Success<D[K]> },
  Failure<D[keyof D]>,
  Services<D[keyof D]>,
  Inputs<D>,
  never
> => declare(name, { kind: structKind, deps: lazily<Dependencies>(members, {}), after: nothingAfter })

/** A view of a resource. Throws where `f` is no function. */
export const through = (self: Any, f: unknown, lens: Lens): never => {
  checkFunctions("Resource." + lens.label, self.name, { f }, ["f"])
  return fromNode({ _tag: "View", name: self.name, parent: nodeOf(self), lens })
}

/** A view that changes the value by a function. */
export const mapping = (label: string, f: (value: unknown) => unknown): Lens => ({
  label,
  recovers: undefined,
  ancestors: false,
  onSuccess: f,
  onFailure: undefined,
  settle: (run, index, _step, parent) => {
    const value = run.valueOf(parent)
    if (value === Failed) return run.conclude(index, run.causeOf(parent)!)
    let mapped: unknown
    try {
      mapped = f(value)
    } catch (defect) {
      return run.fail(index, Cause.die(defect))
    }
    run.succeed(index, mapped)
  }
})

/**
 * Derives a value from a resource's value. The result has the same name and shares the load, so a graph can use both the
 * plain and the mapped resource.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const org = Resource.succeed("org", { id: "acme", seats: 12 })
 * const seats = org.pipe(Resource.map((org) => org.seats))
 *
 * console.log(Effect.runSync(Loader.load(Loader.make({ org, seats }))).seats) // 12
 * ```
 *
 * @since 0.1.0
 * @category mapping
 */
export const map: {
  <A, B>(
    f: (value: A) => B
  ): <N extends string, E, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, B, E, R, In, U>
  <N extends string, A, E, R, In, U, B>(
    self: Resource<N, A, E, R, In, U>,
    f: (value: A) => B
  ): Resource<N, B, E, R, In, U>
} = /* @__PURE__ */ dual(2, (self: Any, f: (value: unknown) => unknown) => through(self, f, mapping("map", f)))

const catch_: {
  <N extends string, A, E, R, In, U, A2, E2 = never, R2 = never>(
    f: (error: OwnError<N, E>) => Effect.Effect<A2, E2, R2>
  ): (self: Resource<N, A, E, R, In, U>) => Resource<N, A | A2, WithoutOwn<N, E> | Own<N, E2>, R | R2, In, U | R2>
  <N extends string, A, E, R, In, U, A2, E2 = never, R2 = never>(
    self: Resource<N, A, E, R, In, U>,
    f: (error: OwnError<N, E>) => Effect.Effect<A2, E2, R2>
  ): Resource<N, A | A2, WithoutOwn<N, E> | Own<N, E2>, R | R2, In, U | R2>
} = /* @__PURE__ */ dual(2, (self: Any, f: (error: unknown) => unknown) =>
  through(self, f, recovering("catch", { recovers: "errors", onFailure: f }))
)

export {
  /**
   * Recovers from a resource's own typed error, including those of the policies piped before.
   *
   * It does not recover from an ancestor's error (catch it there, or see {@link option}), a defect or an interruption. If the
   * handler ran, the resource's outcome is `Degraded`. The error of the handler becomes the resource's error.
   *
   * @example
   * ```ts
   * import { Effect } from "effect"
   * import { Loader, Resource } from "effect-loader"
   *
   * const fromPrimary: Effect.Effect<string, "down"> = Effect.fail("down")
   * const user = Resource.make("user", { load: () => fromPrimary }).pipe(
   *   Resource.catch(() => Effect.succeed("from the replica"))
   * )
   * console.log(Effect.runSync(Loader.load(Loader.make({ user }))).user) // from the replica
   * ```
   *
   * @since 0.1.0
   * @category error handling
   */
  catch_ as catch
}

/**
 * Recovers from a resource's own typed error or its own defect.
 *
 * The handler gets the cause, with the resource's unwrapped error. Use it for third-party clients that throw. Most defects
 * are mistakes in the program, so {@link catch} does not recover from them. It does not recover from an ancestor's failure or
 * defect, nor from an interruption. The outcome is `Degraded`.
 *
 * @example
 * ```ts
 * import { Cause, Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const avatar = Resource.make("avatar", {
 *   load: () => Effect.sync((): string => JSON.parse("<html>"))
 * }).pipe(Resource.catchCause((cause) => Effect.succeed(Cause.hasDies(cause) ? "not even JSON" : "no avatar")))
 *
 * console.log(Effect.runSync(Loader.load(Loader.make({ avatar }))).avatar) // not even JSON
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const catchCause: {
  <N extends string, A, E, R, In, U, A2, E2 = never, R2 = never>(
    f: (cause: Cause.Cause<OwnError<N, E>>) => Effect.Effect<A2, E2, R2>
  ): (self: Resource<N, A, E, R, In, U>) => Resource<N, A | A2, WithoutOwn<N, E> | Own<N, E2>, R | R2, In, U | R2>
  <N extends string, A, E, R, In, U, A2, E2 = never, R2 = never>(
    self: Resource<N, A, E, R, In, U>,
    f: (cause: Cause.Cause<OwnError<N, E>>) => Effect.Effect<A2, E2, R2>
  ): Resource<N, A | A2, WithoutOwn<N, E> | Own<N, E2>, R | R2, In, U | R2>
} = /* @__PURE__ */ dual(2, (self: Any, f: (cause: never) => unknown) =>
  through(
    self,
    f,
    recovering("catchCause", {
      recovers: "causes",
      onFailure: f as (cause: unknown) => unknown
    })
  )
)

/**
 * Replaces a resource's own typed error by a value.
 *
 * It recovers from the same errors as {@link catch}. The outcome is then `Degraded`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const find: Effect.Effect<{ readonly name: string }, "NotFound"> = Effect.fail("NotFound")
 * const user = Resource.make("user", { load: () => find }).pipe(
 *   Resource.orElseSucceed(() => ({ name: "anonymous" }))
 * )
 * console.log(Effect.runSync(Loader.load(Loader.make({ user }))).user.name) // anonymous
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const orElseSucceed: {
  <N extends string, A, E, R, In, U, A2>(
    f: (error: OwnError<N, E>) => A2
  ): (self: Resource<N, A, E, R, In, U>) => Resource<N, A | A2, WithoutOwn<N, E>, R, In, U>
  <N extends string, A, E, R, In, U, A2>(
    self: Resource<N, A, E, R, In, U>,
    f: (error: OwnError<N, E>) => A2
  ): Resource<N, A | A2, WithoutOwn<N, E>, R, In, U>
} = /* @__PURE__ */ dual(2, (self: Any, f: (error: unknown) => unknown) =>
  through(
    self,
    f,
    recovering("orElseSucceed", {
      recovers: "errors",
      onFailure: (error) => Exit.succeed(f(error))
    })
  )
)

/** The option to recover from failures of ancestors as well. */
export interface Ancestors {
  readonly ancestors: true
}

const toOption = (self: Any, ancestors: boolean): never => {
  const toNone = () => Exit.succeed(Option.none())
  const label = ancestors ? "option(ancestors)" : "option"
  return through(
    self,
    toNone,
    recovering(label, { recovers: "errors", ancestors, onSuccess: Option.some, onFailure: toNone })
  )
}

/**
 * Makes a resource optional: `Some` of its value, `None` if it failed with its own typed error.
 *
 * A dependent that can work without the resource depends on the option; other dependents depend on the resource itself. With
 * `{ ancestors: true }` typed failures of ancestors also give `None`, for example for an optional section of a page. It does
 * not recover from defects and interruptions.
 *
 * @example
 * ```ts
 * import { Effect, Option } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const account = Resource.make("account", { load: () => Effect.fail("down") })
 * const invoices = Resource.make("invoices", { deps: { account }, load: () => Effect.succeed(["2026-10"]) })
 *
 * const page = Loader.make({ invoices: invoices.pipe(Resource.option({ ancestors: true })) })
 * console.log(Option.isNone(Effect.runSync(Loader.load(page)).invoices)) // true
 * ```
 *
 * @since 0.1.0
 * @category error handling
 */
export const option: <Self extends Any | Ancestors, Options extends Ancestors | undefined = undefined>(
  selfOrOptions: Self,
  options?: Options
) => [Self] extends [Resource<infer N, infer A, infer E, infer R, infer In, infer U>]
  ? Resource<N, Option.Option<A>, [Options] extends [Ancestors] ? never : WithoutOwn<N, E>, R, In, U>
  : <N extends string, A, E, R, In, U>(
      self: Resource<N, A, E, R, In, U>
    ) => Resource<N, Option.Option<A>, never, R, In, U> = /* @__PURE__ */ dual(
  (args) => isResource(args[0]),
  (self: Any, options?: Ancestors): never => toOption(self, options?.ancestors === true)
)

/**
 * Adds data to a resource. The data appears in plans, for tools that draw or check them. Later values win, by key.
 *
 * Annotate where you declare: the annotated and the plain resource have the same name, and no loader accepts both.
 *
 * @example
 * ```ts
 * import { Loader, Plan, Resource } from "effect-loader"
 *
 * const org = Resource.succeed("org", "acme").pipe(Resource.annotate({ team: "accounts" }))
 * console.log(Plan.get(Loader.plan(Loader.make({ org })), "org")?.annotations) // { team: "accounts" }
 * ```
 *
 * @since 0.1.0
 * @category annotations
 */
export const annotate: {
  (
    annotations: Readonly<Record<string, unknown>>
  ): <N extends string, A, E, R, In, U>(self: Resource<N, A, E, R, In, U>) => Resource<N, A, E, R, In, U>
  <N extends string, A, E, R, In, U>(
    self: Resource<N, A, E, R, In, U>,
    annotations: Readonly<Record<string, unknown>>
  ): Resource<N, A, E, R, In, U>
} = /* @__PURE__ */ dual(2, (self: Any, annotations: Readonly<Record<string, unknown>>): never =>
  fromNode(mapBase(nodeOf(self), (base) => ({ ...base, annotations: { ...base.annotations, ...annotations } })))
)

/** The same declaration inside further layers. */
export const withLayers = (self: Any, layers: ReadonlyArray<Layer>): Any => {
  if (layers.length === 0) return self
  const node = nodeOf(self)
  const base = baseOf(node)
  return fromNode({ ...base, layers: [...base.layers, ...lensesOf(node).map(hostOf(layers)!.layerOf), ...layers] })
}
