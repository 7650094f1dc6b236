/** What tells one cached value from another. */
import { type Identity, IdentityMap, identityOf } from "../base/Identity.ts"

/**
 * What a resource without a key of its own is known by: the function that loads it, and what it depends on.
 *
 * - `resource`: its name. What is forgotten under that name is what resources of that name have read.
 * - `of`: what it depends on.
 * - `load`: the function. What is known of it is forgotten when it is garbage.
 * - `identity`: what it depends on, as it was when it was asked for.
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

/** What makes a value: a function, and what else decides what comes of it. */
interface Makers {
  readonly load: object
  readonly others: ReadonlyArray<unknown>
}

/** What tells a value from others where its declaration gives no key: what makes it, and what it is made of. */
export interface Origin extends Makers {
  readonly resource: string
  readonly of: unknown
}

/**
 * The key that a resource gives, or what stands in its place.
 *
 * @since 0.1.0
 * @category models
 */
export type Key = string | Structure

/** The key of what is made like this, or the key that its declaration gives. */
export const keyOf = (origin: string | Origin): Key => {
  if (typeof origin === "string") return origin
  const { load, of, others, resource } = origin
  return { resource, of, load, identity: identityOf(others.length === 0 ? of : [others, of]) }
}

/** Stands between the parts of a key that prefixes are made of. */
const separator = ":"

/** What is to be forgotten. */
export type Range =
  | { readonly _tag: "Key"; readonly key: string }
  | { readonly _tag: "Under"; readonly prefix: string }
  | { readonly _tag: "All" }

/** A structure as it is kept: without its function and what it depends on, which it would keep from being garbage. */
interface Kept {
  readonly identity: Identity
  /** The structures of the same function. */
  readonly among: IdentityMap<Kept>
  /** The names of the resources that have asked for it. */
  readonly resources: Set<string>
}

/** Whether a key is in a range. What has no key of its own lies under the names of its resources. */
export const isIn = (key: string | Kept, range: Range): boolean => {
  if (range._tag === "All") return true
  if (typeof key !== "string") return range._tag === "Under" && key.resources.has(range.prefix)
  if (range._tag === "Key") return key === range.key
  return key === range.prefix || key.startsWith(range.prefix + separator)
}

/** Values by key, from the one that was set or touched longest ago. */
export class KeyMap<V> {
  private readonly values = new Map<string | Kept, V>()
  private readonly structures = new WeakMap<object, IdentityMap<Kept>>()
  private collected: FinalizationRegistry<IdentityMap<Kept>> | undefined = undefined
  /** Where the present round of `visit` is. Between rounds there is none, as a map keeps its old tables for iterators. */
  private hand: MapIterator<[string | Kept, V]> | undefined = undefined
  private readonly onDeleted: (value: V) => void

  /** `onDeleted` is called with each value that leaves, for whatever reason. */
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

  /** Changes the value of a key that is there, and leaves it where it is. */
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

  /** Deletes what is in a range, and gives it. */
  deleteIn(range: Range): ReadonlyArray<V> {
    const deleted: Array<V> = []
    for (const [kept, value] of this.values) {
      if (!isIn(kept, range)) continue
      deleted.push(value)
      this.remove(kept)
    }
    return deleted
  }

  /** Goes on with a round through the values, by so many at most, and deletes those that do not stay. Says whether it ended. */
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

  private remove(kept: string | Kept): void {
    const value = this.values.get(kept)
    if (this.values.delete(kept)) this.onDeleted(value!)
    if (typeof kept !== "string") kept.among.delete(kept)
  }

  private find(key: Key): string | Kept | undefined {
    if (typeof key === "string") return key
    const kept = this.structures.get(key.load)?.get(key.identity)
    kept?.resources.add(key.resource)
    return kept
  }

  private keep({ identity, load, resource }: Structure): Kept {
    const among = this.structures.get(load) ?? this.ofLoad(load)
    const kept = { identity, among, resources: new Set([resource]) }
    among.add(kept)
    return kept
  }

  /** The structures of a function. When that is garbage, nothing can ask for them any more. */
  private ofLoad(load: object): IdentityMap<Kept> {
    const made = new IdentityMap<Kept>()
    this.structures.set(load, made)
    this.collected ??= new FinalizationRegistry((gone) => {
      for (const kept of Array.from(gone)) this.remove(kept)
    })
    this.collected.register(load, made)
    return made
  }
}
