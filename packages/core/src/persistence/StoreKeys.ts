/**
 * The names of values and of invalidation marks in a store.
 *
 * All names of a shard have one hash tag, the part in braces: a Redis cluster keeps them on one node, where one command can read
 * several of them. All versions of a value share their marks: an invalidation by one version counts for the others.
 *
 * Every name is at most 191 characters long, the shortest limit among Effect's stores. The names of one key together cost as
 * much as the key is long, so no visitor can make them expensive by the parts of a key that come from a request.
 */
import type { Range } from "../cache/Key.ts"
import { sha256 } from "./Sha256.ts"

/** The names of a key. */
export interface KeyNames {
  readonly shard: number
  /** The key itself, or its digest. */
  readonly id: string
  readonly value: string
  /** All marks that can invalidate the key. */
  readonly marks: ReadonlyArray<string>
}

const separator = ":"
const longestText = 120
/** The number of prefixes with marks of their own. Deeper ones are invalidated with their deepest such prefix. */
const deepest = 16

/** Text that every store keeps unchanged: without control characters and lone surrogates. */
const sound = /^[^#\p{Cc}\p{Cs}][^\p{Cc}\p{Cs}]*$/u

const idOf = (text: string): string => (text.length <= longestText && sound.test(text) ? text : `#${sha256(text)}`)

/**
 * The ids of a key's prefixes, from the shortest, and of the key itself. The id of a long prefix is made from the id of the
 * prefix before it, so that all of them together cost as much as one.
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

/** A text if it is short and has only these characters, otherwise its digest. */
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

  /** The marks that invalidate a range: for a key the one in its shard, for other ranges one in each shard. */
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
