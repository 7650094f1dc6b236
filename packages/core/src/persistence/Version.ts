/** The version of a schema. Values of another version are neither read nor overwritten. */
import * as Schema from "effect/Schema"
import { sha256 } from "./Sha256.ts"

/** Values that JSON cannot represent. */
const toJson = (_: string, value: unknown): unknown =>
  typeof value === "bigint" || typeof value === "symbol" || value instanceof RegExp ? String(value) : value

/**
 * A digest of the structure of values and of their stored form. Schemas of different structure have different digests; schemas
 * that differ only in a function have the same.
 */
export const versionOf = <A>(schema: Schema.Codec<A, unknown>): string => {
  const values = Schema.toRepresentation(Schema.toType(schema))
  const stored = Schema.toRepresentation(Schema.toEncoded(Schema.toCodecJson(schema)))
  return sha256(JSON.stringify([values, stored], toJson)).slice(0, 12)
}
