/** Loaders whose loads are all changed. Policies and views around the loads stay as they are. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Substitution, substituting } from "../compile/Substitution.ts"
import {
  type AnyEffect,
  type AroundRequests,
  type Base,
  type Dependencies,
  mapBase,
  type Node,
  type Source
} from "../model/Node.ts"
import type { LoadSource } from "../model/Resource.ts"
import type { ListSource } from "../list/Lists.ts"
import type { RequestSource } from "../request/FromRequest.ts"
import { type AnyLoader, compiledOf, fromCompiled, valuesOf } from "../loader/Compiled.ts"
import { compileDeclaration } from "../loader/Compiling.ts"

/** Changes the load of a resource. `self` is the effect of the load, which is made when it runs. */
export type Change = (name: string, self: AnyEffect) => AnyEffect

const effectOf = (name: string, value: unknown): AnyEffect =>
  Effect.isEffect(value) ? (value as AnyEffect) : Effect.die(new TypeError(`the load of "${name}" gave no Effect`))

const changeLoad =
  (name: string, load: (deps: Dependencies) => unknown, change: Change) =>
  (deps: Dependencies): AnyEffect =>
    change(
      name,
      Effect.suspend(() => effectOf(name, load(deps)))
    )

const changeAsking =
  (name: string, { asking = (self) => self }: AroundRequests, change: Change): NonNullable<AroundRequests["asking"]> =>
  (self) =>
    change(name, asking(self))

const changeSource = (name: string, source: Source, change: Change): Source => {
  const { asking, items, load, resolver } = source as Partial<ListSource & RequestSource>
  if (resolver !== undefined) {
    return { ...source, asking: changeAsking(name, { ...(asking && { asking }) }, change) } as Source
  }
  if (items !== undefined) {
    const changed: ListSource["load"] = (item, deps, index) =>
      changeLoad(name, () => load!(item, deps, index), change)(deps)
    return { ...source, load: changed } as Source
  }
  const one = (source as Partial<LoadSource>).load
  return one === undefined ? source : ({ ...source, load: changeLoad(name, one, change) } as Source)
}

const changeBase = (base: Base, change: Change): Base => ({
  ...base,
  source: changeSource(base.name, base.source, change)
})

const changeAll = ({ byName, byNode, otherwise }: Substitution, change: Change): Substitution => {
  // One changed base for each base, even if several paths lead to it.
  const known = new Map<Base, Base>()
  const changed = (base: Base): Base => {
    let found = known.get(base)
    if (found === undefined) known.set(base, (found = changeBase(base, change)))
    return found
  }
  const each = <K>(nodes: ReadonlyMap<K, Node>): ReadonlyMap<K, Node> =>
    new Map(Array.from(nodes, ([key, node]) => [key, mapBase(node, changed)]))
  return substituting({
    byName: each(byName),
    byNode: each(byNode),
    otherwise: (base) => mapBase(otherwise?.(base) ?? base, changed)
  })
}

/** The same loader with changed loads. */
export const changeLoads = <L extends AnyLoader>(self: L, change: Change): L => {
  const { declaration } = compiledOf(self)
  const substitution = changeAll(declaration.substitution, change)
  const compiled = Result.getOrThrow(compileDeclaration({ ...declaration, substitution }))
  return fromCompiled(compiled, valuesOf(self))
}
