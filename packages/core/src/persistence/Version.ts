/** The version of a schema. Values that another version stored are neither read nor overwritten. */
import * as Schema from "effect/Schema"
import { sha256 } from "./Sha256.ts"

/** Values that JSON cannot represent. */
const toJson = (_: string, value: unknown): unknown =>
  typeof value === "bigint" || typeof value === "symbol" || value instanceof RegExp ? String(value) : value

/**
 * A digest of what values are, and of what they are stored as. It tells schemas of another structure from each other, not
 * those that differ by a function.
 */
export const versionOf = <A>(schema: Schema.Codec<A, unknown>): string => {
  const values = Schema.toRepresentation(Schema.toType(schema))
  const stored = Schema.toRepresentation(Schema.toEncoded(Schema.toCodecJson(schema)))
  return sha256(JSON.stringify([values, stored], toJson)).slice(0, 12)
}
