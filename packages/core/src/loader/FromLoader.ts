/** A loader as one resource of another. */
import { check } from "../attempt/Check.ts"
import { holding } from "../attempt/Holding.ts"
import { attempted, wrapped } from "../attempt/Layering.ts"
import type { Kind } from "../model/Kind.ts"
import { declare, lazily, type LoadSource } from "../model/Resource.ts"
import { loaders } from "../nested/ParentRun.ts"
import { foreseeing } from "../request/Foreseeing.ts"
import { undoing } from "../undo/Account.ts"
import type { Any, Failure, InputOf, Inputs, Own, Resource, Services, Unkeyed } from "../model/Resource.ts"
import type { Dependencies, KeyOf } from "../model/Node.ts"
import { type AnyLoader, isLoader, type Loader } from "./Compiled.ts"
import { type LoaderSource, once } from "./Compiling.ts"
import { compileInside } from "./CompilingInside.ts"
import { load } from "./Loader.ts"

/** The kind of nested loaders. The default policy of the outer loader does not apply to it. */
const loaderKind: Kind = {
  name: "loader",
  // What its resources lack is for the loader inside to say.
  check: (base) => check(base, []),
  toStep: ({ layers, source }, common) => {
    const { key, load } = source as LoadSource
    const around = { ...wrapped(layers, common.name), loading: loaders }
    // Its loader does the work, and takes the slots. What that does may be undone, whatever it is wrapped in.
    const loaded = { load, key, isLoader: true, holdsSlot: false, undoes: true }
    return attempted(common, around, loaded, [foreseeing, undoing, holding])
  }
}

/** A resource for each input of a loader. */
export type Mapped<In> = { readonly [K in keyof In]: Resource<string, In[K], any, any, any> } // oxlint-disable-line typescript/no-explicit-any

/** The options, whatever the inputs. */
interface Options {
  readonly inputs?: Readonly<Record<string, Any>>
  readonly after?: ReadonlyArray<Any> | (() => ReadonlyArray<Any>)
  readonly key?: unknown
}

/** Reads the nested loader once. */
const reading = (name: string, given: () => unknown): (() => AnyLoader) => {
  let isAsked = false
  const ask = (): AnyLoader => {
    if (isAsked)
      throw new TypeError(`Resource.fromLoader: the function given for "${name}" needs the loader that it gives`)
    isAsked = true
    try {
      const loader = given()
      if (isLoader(loader)) return loader
    } finally {
      isAsked = false
    }
    throw new TypeError(
      `Resource.fromLoader: what is given for "${name}" is no loader; if it is made later, compile what contains it later`
    )
  }
  return once(ask)
}

/**
 * Declares a resource that runs another loader; its value is the object of that loader's values.
 *
 * - `loader`: the nested loader, or a function that returns it, for a loader that is made later. Compiling an outer loader calls
 *   it once, and again after an exception.
 * - `inputs`: for each input of the loader, a resource of this graph.
 * - `after`, `key`: as in `make`.
 *
 * Names are scoped to their loader. Errors nest: `ResourceError<"page", ResourceError<"org", NotFound>>`; so do spans and
 * reports. The resource itself holds no slot: attempts inside take slots of both loaders, so that neither `concurrency` is
 * exceeded and nesting cannot deadlock. The default policy of the outer loader does not apply inside.
 *
 * Loaders that contain each other are a cycle: compiling one of them reports a `GraphError`.
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
export const fromLoader = <
  const Name extends string,
  A,
  E,
  R,
  In,
  T,
  const M extends Mapped<In> = {} & Mapped<In>,
  const After extends ReadonlyArray<Any> = [],
  K extends string = never
>(
  name: Name,
  loader: Loader<A, E, R, In, T> | (() => Loader<A, E, R, In, T>),
  ...[options]: unknown extends In
    ? [options?: { readonly after?: After | (() => After); readonly key?: () => K }]
    : [options: { readonly inputs: M; readonly after?: After | (() => After); readonly key?: (inputs: In) => K }]
): Resource<
  Name,
  A,
  Own<Name, E> | Failure<M[keyof M] | After[number]>,
  R | Services<M[keyof M] | After[number]>,
  Inputs<M> & InputOf<After[number]>,
  Unkeyed<K, R>
> => {
  const { after, inputs = {}, key }: Options = options ?? {}
  const given = reading(name, lazily<unknown>(loader, undefined))
  return declare(name, {
    kind: loaderKind,
    deps: () => inputs,
    after: lazily<ReadonlyArray<unknown>>(after, []),
    load: (values: Dependencies) => load(given() as Loader<unknown, unknown, unknown, Dependencies>, values),
    key: key as KeyOf | undefined,
    loader: given,
    compileInside
  } as LoaderSource)
}
