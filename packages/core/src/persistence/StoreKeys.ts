/**
 * What a value, and a mark that says what is forgotten, are stored under.
 *
 * All names of a shard have one hash tag, the part in braces: a Redis cluster keeps them in one place, where it can be asked for
 * several at once. Marks are shared by all versions of a value: what one version forgets, the others do.
 *
 * Every name is at most 191 characters long, the shortest limit among Effect's stores, and the names of one key cost as much as
 * it is long: no visitor makes them costly with what a key takes from them.
 */
import type { Range } from "../cache/Key.ts"
import { sha256 } from "./Sha256.ts"

/** What a key is stored under. */
export interface KeyNames {
  readonly shard: number
  /** What stands for the key: itself, or its digest. */
  readonly id: string
  readonly value: string
  /** All marks that can have the key forgotten. */
  readonly marks: ReadonlyArray<string>
}

const separator = ":"
const longestText = 120
/** Deeper prefixes are forgotten with what is above them. */
const deepest = 16

/** Text that every store keeps as it is: no control characters, and no halves of characters. */
const sound = /^[^#\p{Cc}\p{Cs}][^\p{Cc}\p{Cs}]*$/u

const idOf = (text: string): string => (text.length <= longestText && sound.test(text) ? text : `#${sha256(text)}`)

/**
 * What stands for the prefixes of a key, from the shortest, and for the key itself. What stands for a long one is made of what
 * stands for the one before, so that all together cost as much as one.
 */
const idsOf = (key: string): { readonly prefixes: ReadonlyArray<string>; readonly id: string } => {
  const prefixes: Array<string> = []
  let id: string | undefined = undefined
  let from = 0
  while (from <= key.length) {
    const next = prefixes.length < deepest ? key.indexOf(separator, from) : -1
    const part = key.slice(from, next < 0 ? key.length : next)
    id = idOf(id === undefined ? part : `${id}${separator}${part}`)
    if (prefixes.length < deepest) prefixes.push(id)
    from = next < 0 ? Infinity : next + 1
  }
  return { prefixes, id: id! }
}

const shardOf = (id: string, shards: number): number => {
  if (shards === 1) return 0
  let hash = 0x811c9dc5
  for (let k = 0; k < id.length; k++) hash = Math.imul(hash ^ id.charCodeAt(k), 0x01000193)
  return (hash >>> 0) % shards
}

/** Text that is short and made of these characters, or its digest. */
const short = (text: string, characters: RegExp, longest: number): string =>
  text.length <= longest && characters.test(text) ? text : `#${sha256(text).slice(0, longest - 1)}`

export class StoreKeys {
  private readonly prefix: string
  private readonly version: string
  private readonly shards: number

  constructor(storeId: string, version: string, shards: number) {
    this.prefix = short(storeId, /^[\w./-]+$/, 33)
    this.version = short(version, /^[\w.-]+$/, 17)
    this.shards = shards
  }

  namesOf(key: string): KeyNames {
    const { id, prefixes } = idsOf(key)
    const shard = shardOf(id, this.shards)
    const tag = this.tagOf(shard)
    return {
      shard,
      id,
      value: `${tag}value/${this.version}/${id}`,
      marks: [`${tag}forgotten`, `${tag}forgotten/key/${id}`, ...prefixes.map((id) => `${tag}forgotten/under/${id}`)]
    }
  }

  /** The marks that have a range forgotten: that of a key where the key is, all others in each shard. */
  marksFor(range: Range): ReadonlyArray<string> {
    if (range._tag === "Key") return [this.namesOf(range.key).marks[1]!]
    const tags = Array.from({ length: this.shards }, (_, shard) => this.tagOf(shard))
    if (range._tag === "All") return tags.map((tag) => `${tag}forgotten`)
    const id = idsOf(range.prefix).prefixes.at(-1)!
    return tags.map((tag) => `${tag}forgotten/under/${id}`)
  }

  private tagOf(shard: number): string {
    return this.shards === 1 ? `{${this.prefix}}` : `{${this.prefix}/${shard}}`
  }
}
