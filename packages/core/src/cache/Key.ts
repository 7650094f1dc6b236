/** Keys, which identify cached values. */
import { type Identity, IdentityMap, identityOf } from "../base/Identity.ts"

/**
 * Identifies the value of a resource that has no key: by the function that loads it, and by its dependencies.
 *
 * - `resource`: its name. Invalidation of that name forgets the values that resources of that name have read.
 * - `of`: its dependencies.
 * - `load`: the function. Its values are forgotten when it is garbage-collected.
 * - `identity`: a snapshot of the dependencies, taken by the read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Structure {
  readonly resource: string
  readonly of: unknown
  readonly load: object
  readonly identity: Identity
}

/** The function that makes a value, and the other functions that change its result. */
interface Makers {
  readonly load: object
  readonly others: ReadonlyArray<unknown>
}

/** Identifies a value whose declaration gives no key: its makers and its dependencies. */
export interface Origin extends Makers {
  readonly resource: string
  readonly of: unknown
}

/**
 * The key of a resource, or the structure that identifies its value where it has none.
 *
 * @since 0.1.0
 * @category models
 */
export type Key = string | Structure

/** The key of a declaration, or the structure that identifies its value where it has none. */
export const keyOf = (origin: string | Origin): Key => {
  if (typeof origin === "string") return origin
  const { load, of, others, resource } = origin
  return { resource, of, load, identity: identityOf(others.length === 0 ? of : [others, of]) }
}

/** Separates the parts of a key that form prefixes. */
const separator = ":"

/** The keys to forget. */
export type Range =
  | { readonly _tag: "Key"; readonly key: string }
  | { readonly _tag: "Under"; readonly prefix: string }
  | { readonly _tag: "All" }

/** A stored structure, without its function and dependencies, so that they can be garbage-collected. */
interface StructureKey {
  readonly identity: Identity
  /** The structures of the same function. */
  readonly among: IdentityMap<StructureKey>
  /** The names of the resources that have read it. */
  readonly resources: Set<string>
}

/** Whether a key is in a range. A structure lies under the names of its resources. */
export const isIn = (key: string | StructureKey, range: Range): boolean => {
  if (range._tag === "All") return true
  if (typeof key !== "string") return range._tag === "Under" && key.resources.has(range.prefix)
  if (range._tag === "Key") return key === range.key
  return key === range.prefix || key.startsWith(range.prefix + separator)
}

/** Values by key, the least recently set or touched one first. */
export class KeyMap<V> {
  private readonly values = new Map<string | StructureKey, V>()
  private readonly structures = new WeakMap<object, IdentityMap<StructureKey>>()
  private collected: FinalizationRegistry<IdentityMap<StructureKey>> | undefined = undefined
  /** The position of the current round of `visit`; `undefined` between rounds, since a map keeps old tables for iterators. */
  private hand: MapIterator<[string | StructureKey, V]> | undefined = undefined
  private readonly onDeleted: (value: V) => void

  /** `onDeleted` is called with each value that is removed, for any reason. */
  constructor(onDeleted: (value: V) => void = () => {}) {
    this.onDeleted = onDeleted
  }

  get size(): number {
    return this.values.size
  }

  get(key: Key): V | undefined {
    const kept = this.find(key)
    return kept === undefined ? undefined : this.values.get(kept)
  }

  /** Sets the value of a key, and makes it the last. */
  set(key: Key, value: V): void {
    const kept = this.find(key) ?? this.keep(key as Structure)
    this.values.delete(kept)
    this.values.set(kept, value)
  }

  /** Changes the value of a present key, without moving it. */
  replace(key: Key, value: V): void {
    const kept = this.find(key)
    if (kept !== undefined && this.values.has(kept)) this.values.set(kept, value)
  }

  delete(key: Key): void {
    const kept = this.find(key)
    if (kept !== undefined) this.remove(kept)
  }

  deleteFirst(): void {
    for (const kept of this.values.keys()) return this.remove(kept)
  }

  /** Deletes the values in a range, and returns them. */
  deleteIn(range: Range): ReadonlyArray<V> {
    const deleted: Array<V> = []
    for (const [kept, value] of this.values) {
      if (!isIn(kept, range)) continue
      deleted.push(value)
      this.remove(kept)
    }
    return deleted
  }

  /** Continues a round through the values by at most `most`, and deletes those that do not stay. Returns whether it ended. */
  visit(most: number, stays: (value: V) => boolean): boolean {
    const hand = (this.hand ??= this.values.entries())
    for (let visited = 0; visited < most; visited++) {
      const next = hand.next()
      if (next.done === true) {
        this.hand = undefined
        return true
      }
      const [kept, value] = next.value
      if (!stays(value)) this.remove(kept)
    }
    return false
  }

  private remove(kept: string | StructureKey): void {
    const value = this.values.get(kept)
    if (this.values.delete(kept)) this.onDeleted(value!)
    if (typeof kept !== "string") kept.among.delete(kept)
  }

  private find(key: Key): string | StructureKey | undefined {
    if (typeof key === "string") return key
    const kept = this.structures.get(key.load)?.get(key.identity)
    kept?.resources.add(key.resource)
    return kept
  }

  private keep({ identity, load, resource }: Structure): StructureKey {
    const among = this.structures.get(load) ?? this.ofLoad(load)
    const kept = { identity, among, resources: new Set([resource]) }
    among.add(kept)
    return kept
  }

  /** The structures of a function. When it is garbage-collected, no read can ask for them any more. */
  private ofLoad(load: object): IdentityMap<StructureKey> {
    const made = new IdentityMap<StructureKey>()
    this.structures.set(load, made)
    this.collected ??= new FinalizationRegistry((gone) => {
      for (const kept of Array.from(gone)) this.remove(kept)
    })
    this.collected.register(load, made)
    return made
  }
}
