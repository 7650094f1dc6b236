/** What tells one cached value from another. */

/**
 * What a resource without a key of its own is known by: its name, and what it depends on, compared structurally.
 *
 * @since 0.1.0
 * @category models
 */
export interface Structure {
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

/** Stands between the parts of a key that prefixes are made of. */
const separator = ":"

/** Whether a key is `prefix`, or lies under it. What has no key of its own lies under its resource's name. */
const isUnder = (key: Key, prefix: string): boolean =>
  typeof key === "string" ? key === prefix || key.startsWith(prefix + separator) : key.resource === prefix

/** What is to be forgotten. */
export type Range =
  | { readonly _tag: "Key"; readonly key: string }
  | { readonly _tag: "Under"; readonly prefix: string }
  | { readonly _tag: "All" }

export const isIn = (key: Key, range: Range): boolean => {
  if (range._tag === "All") return true
  return range._tag === "Key" ? key === range.key : isUnder(key, range.prefix)
}
