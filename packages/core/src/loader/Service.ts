/** Loaders as services: a class to depend on, and the layers that provide it. */
import { loadKind, type LoadSource, waitsForNothing } from "../model/Resource.ts"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { noSubstitution, type Substitution, substituting } from "../compile/Substitution.ts"
import { bare, type Base, type Node } from "../model/Node.ts"
import {
  type ByKey,
  type Deps,
  type Failure,
  type Inputs,
  nodeOf,
  type OwnError,
  type Resource,
  type Services,
  type Success
} from "../model/Resource.ts"
import { capture } from "../base/Callers.ts"
import { type AnyLoader, type Declaration, fromCompiled, type Loader, type Options } from "./Compiled.ts"
import { compileDeclaration, once } from "./Compiling.ts"
import { type Args, load, type OptionsError, type OptionsServices, settle } from "./Loader.ts"
import type { PlainValue } from "./Override.ts"
import type { Report } from "../watch/Report.ts"

/**
 * The interface of a loader's service: see `Loader.load` and `Loader.settle`. Of all services that the resources need, the
 * caller only provides a `Scope`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceShape<A, E, R, In> {
  readonly load: (...inputs: Args<In>) => Effect.Effect<A, E, Extract<R, Scope.Scope>>
  readonly settle: (...inputs: Args<In>) => Effect.Effect<Report<A>, never, Extract<R, Scope.Scope>>
}

/**
 * A replacement of a target in a test: a value, an effect, or a function that returns one of these. A function is always called:
 * pass a value that is itself a function as `Effect.succeed(f)`.
 *
 * @since 0.1.0
 * @category models
 */
export type TestValue<T> =
  T extends Resource<infer N, infer A, infer E, infer _R, infer _In, infer _U>
    ? PlainValue<A> | Effect.Effect<A, OwnError<N, E>> | (() => PlainValue<A> | Effect.Effect<A, OwnError<N, E>>)
    : never

/**
 * The options that another layer of the same service may change: those that do not change its errors.
 *
 * @since 0.1.0
 * @category models
 */
export type ServiceOptions<O> = Pick<Options, "name" | "concurrency" | "scheduling"> &
  (O extends { readonly timeout: Duration.Input } ? { readonly timeout?: Duration.Input } : unknown)

/**
 * The class of a loader's service.
 *
 * - `load`, `settle`: load through the service. A caller needs only the service (and a `Scope`, if a resource does).
 * - `layer`: the service. It needs the services of all resources, once, when it is built.
 * - `layerWith`: the same with other options.
 * - `layerTest`: the service with values in place of targets. Any other resource that would load dies with its name.
 * - `loader`: the loader, for plans.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceClass<Self, Id extends string, A, E, R, In, T, O> extends Context.ServiceClass<
  Self,
  Id,
  ServiceShape<A, E, R, In>
> {
  readonly loader: Loader<A, E, R, In, T>
  readonly load: (...inputs: Args<In>) => Effect.Effect<A, E, Self | Extract<R, Scope.Scope>>
  readonly settle: (...inputs: Args<In>) => Effect.Effect<Report<A>, never, Self | Extract<R, Scope.Scope>>
  readonly layer: Layer.Layer<Self, never, Exclude<R, Scope.Scope>>
  readonly layerWith: (options: ServiceOptions<O>) => Layer.Layer<Self, never, Exclude<R, Scope.Scope>>
  readonly layerTest: (values: { readonly [K in keyof T]?: TestValue<T[K]> }) => Layer.Layer<Self>
}

type AnyShape = ServiceShape<unknown, unknown, unknown, unknown>

/** Runs with the captured services, which replace the caller's; entries that belong to the caller stay. */
const shapeOf = (loader: AnyLoader, captured: Context.Context<never>): AnyShape => {
  // The layer has captured the services of the resources, as the types of the class say.
  const within = <A>(self: Effect.Effect<A, unknown, unknown>): Effect.Effect<A> =>
    Effect.updateContext(self as Effect.Effect<A>, (callers) => Context.merge(callers, captured))
  return {
    load: (...inputs) => within(load(loader, ...(inputs as []))),
    settle: (...inputs) => within(settle(loader, ...(inputs as [])))
  }
}

const compiled = (declaration: Declaration): AnyLoader =>
  fromCompiled(Result.getOrThrow(compileDeclaration(declaration)), new Map())

const alone = (name: string, load: () => unknown): Node =>
  bare(name, { ...waitsForNothing, kind: loadKind, load } as LoadSource)

/** The load of a value that a test gives. */
const standIn = (name: string, given: unknown): Node =>
  alone(name, () => {
    const value: unknown = typeof given === "function" ? (given as () => unknown)() : given
    return Effect.isEffect(value) ? value : Effect.succeed(value)
  })

const notGiven = (id: string, { name, source }: Base): Node | undefined =>
  source.kind.refuses === undefined
    ? alone(name, () => Effect.die(new Error(`resource "${name}" is not given to the test layer of "${id}"`)))
    : undefined

const testSubstitution = (id: string, targets: Deps, values: Readonly<Record<string, unknown>>): Substitution =>
  substituting({
    byName: new Map(),
    byNode: new Map(
      Object.keys(values).flatMap((key) => {
        const resource = targets[key]
        return resource === undefined ? [] : [[nodeOf(resource), standIn(resource.name, values[key])]]
      })
    ),
    otherwise: (base) => notGiven(id, base)
  })

/**
 * Makes the class of a service that loads these targets.
 *
 * - `id`: the key of the service, and the name of the loader unless `options` has one.
 * - `targets`, `options`: as in `Loader.make`. They are compiled at the first use; a graph with issues is a defect then, with the
 *   `GraphError` that `Loader.make` would throw.
 *
 * The layer captures the services of the resources when it is built; they replace the caller's. The caller keeps what belongs to
 * a call: its `Scope`, its span, and Effect's references, such as the clock and the log level.
 *
 * @example
 * ```ts
 * import { Context, Effect, Layer } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * class Users extends Context.Service<Users, { readonly find: (id: number) => Effect.Effect<string> }>()("app/Users") {}
 *
 * const userId = Resource.input<number>()("userId")
 * const user = Resource.make("user", { deps: { userId }, load: ({ userId }) => Users.use((users) => users.find(userId)) })
 *
 * class Page extends Loader.Service<Page>()("app/Page", { user }, { concurrency: 8 }) {}
 *
 * const UsersLive = Layer.succeed(Users, { find: (id) => Effect.succeed(`user ${id}`) })
 * const PageLive = Page.layer.pipe(Layer.provide(UsersLive)) // Layer<Page>
 *
 * const program = Page.load({ userId: 7 }) // Effect<{ readonly user: string }, never, Page>
 * console.log(Effect.runSync(program.pipe(Effect.provide(PageLive)))) // { user: "user 7" }
 *
 * const InTests = Page.layerTest({ user: "ada" })
 * console.log(Effect.runSync(program.pipe(Effect.provide(InTests)))) // { user: "ada" }
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service: {
  <Self>(): <const Id extends string, const T extends ByKey & Deps, const O extends Options>(
    id: Id,
    targets: T,
    options?: O
  ) => ServiceClass<
    Self,
    Id,
    { readonly [K in keyof T]: Success<T[K]> },
    Failure<T[keyof T]> | OptionsError<O>,
    Services<T[keyof T]> | OptionsServices<O>,
    Inputs<T>,
    T,
    O
  >
  <_Self>(
    id: "call it first: class Page extends Loader.Service<Page>()(id, { user }) {}",
    ...targets: ReadonlyArray<unknown>
  ): new () => object
} = <Self>(): never =>
  ((id: string, targets: Deps, options?: Options) => {
    const tag = Context.Service<Self, AnyShape>()(id)
    const declaration: Declaration = {
      targets,
      options: { name: id, ...options },
      substitution: noSubstitution
    }
    const loader = once((): AnyLoader => compiled(declaration))
    const layerOf = (make: () => AnyLoader) =>
      Layer.effect(
        tag,
        Effect.map(Effect.context<never>(), (context) => shapeOf(make(), capture(context)))
      )
    const statics = {
      load: (...inputs: []) => Effect.flatMap(Effect.service(tag), (self) => self.load(...inputs)),
      settle: (...inputs: []) => Effect.flatMap(Effect.service(tag), (self) => self.settle(...inputs)),
      layer: layerOf(loader),
      layerWith: (changed: Options) =>
        layerOf(() => compiled({ ...declaration, options: { ...declaration.options, ...changed } })),
      layerTest: (values: Readonly<Record<string, unknown>>) =>
        layerOf(() => compiled({ ...declaration, substitution: testSubstitution(id, targets, values) }))
    }
    return Object.defineProperty(Object.assign(tag, statics), "loader", { get: loader })
  }) as never
