/** A loader as one resource of another. */
import { declare, lazily } from "../model/Resource.ts"
import type { Any, Failure, Inputs, Own, Resource, Services } from "../model/Resource.ts"
import type { Dependencies, KeyOf } from "../model/Node.ts"
import { type AnyLoader, isLoader, type Loader } from "./Compiled.ts"
import { load } from "./Loader.ts"

/** A resource for each input of a loader. */
type Mapped<In> = { readonly [K in keyof In]: Resource<string, In[K], any, any, any> } // oxlint-disable-line typescript/no-explicit-any

const readLoader = (name: string, given: () => unknown): AnyLoader => {
  const loader = given()
  if (isLoader(loader)) return loader
  throw new TypeError(`Resource.fromLoader: what is given for "${name}" is no loader`)
}

/**
 * Declares a resource that runs another loader; its value is the object of that loader's values.
 *
 * - `loader`: the loader, or a function that gives it, for one that is made later.
 * - `inputs`: for each input of the loader, a resource of this graph that gives it.
 * - `key`: what tells its value from others in a cache, as in `make`.
 *
 * The names of the two graphs have nothing to do with each other. Errors nest: `ResourceError<"page", ResourceError<"org",
 * NotFound>>`; so do spans and reports. It holds no slot itself: the attempts inside take those of both loaders, so that
 * neither `concurrency` is exceeded and no nesting can deadlock. A default policy of the loader around does not reach
 * inside.
 *
 * Loaders that contain each other are a cycle, and a `GraphError` when one of them is compiled.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Loader, Resource } from "effect-loader"
 *
 * const userId = Resource.input<number>()("userId")
 * const name = Resource.make("name", { deps: { userId }, load: ({ userId }) => Effect.succeed(`user ${userId}`) })
 * const profile = Loader.make({ name }, { name: "profile" })
 *
 * const session = Resource.make("session", { load: () => Effect.succeed(7) })
 * const viewer = Resource.fromLoader("viewer", profile, { inputs: { userId: session } })
 *
 * console.log(Effect.runSync(Loader.load(Loader.make({ viewer }))).viewer.name) // user 7
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromLoader = <const Name extends string, A, E, R, In, T, const M extends Mapped<In> = {} & Mapped<In>>(
  name: Name,
  loader: Loader<A, E, R, In, T> | (() => Loader<A, E, R, In, T>),
  ...options: unknown extends In ? [] : [{ readonly inputs: M; readonly key?: (inputs: In) => string }]
): Resource<Name, A, Own<Name, E> | Failure<M[keyof M]>, R | Services<M[keyof M]>, Inputs<M>> => {
  const deps: Readonly<Record<string, Any>> = options[0]?.inputs ?? {}
  const given = (): AnyLoader => readLoader(name, lazily<unknown>(loader, undefined))
  return declare(name, {
    _tag: "Loader",
    deps: () => deps,
    load: (values: Dependencies) => load(given(), ...([values] as unknown as [])),
    key: options[0]?.key as KeyOf | undefined,
    loader: given
  })
}
