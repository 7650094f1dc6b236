/** Values without a schema, most of them errors, as JSON and back. Neither direction throws. */
import * as Duration from "effect/Duration"
import { isResourceError, ResourceError } from "../model/ResourceError.ts"

/** What JSON can hold. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Bounds of what is encoded: levels of nesting, entries of a container, characters of a string. */
const deepest = 8
const widest = 1000
const longest = 10_000

const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

const isRecord = (u: unknown): u is Record<string, unknown> => typeof u === "object" && u !== null && !Array.isArray(u)

/** The value of a property. A getter can throw. */
const read = (from: object, key: string): unknown => {
  try {
    return (from as Record<string, unknown>)[key]
  } catch {
    return "[threw]"
  }
}

const fieldsOf = (
  value: object,
  without: ReadonlyArray<string>,
  above: ReadonlyArray<object>
): { readonly [key: string]: Json } =>
  Object.fromEntries(
    Object.keys(value)
      .slice(0, widest)
      .flatMap((key) => {
        const field = key === "__proto__" || without.includes(key) ? undefined : read(value, key)
        return field === undefined ? [] : [[key, toJson(field, above)]]
      })
  )

const fromObject = (value: object, above: ReadonlyArray<object>): Json => {
  if (above.includes(value)) return "[circular]"
  if (above.length >= deepest) return "[...]"
  const inside = [...above, value]
  if (Array.isArray(value)) return value.slice(0, widest).map((item) => toJson(item, inside))
  if (value instanceof Error) return errorToJson(value, inside)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (value instanceof Map || value instanceof Set) return toJson(Array.from(value), above)
  return fieldsOf(value, [], inside)
}

const toJson = (value: unknown, above: ReadonlyArray<object>): Json => {
  switch (typeof value) {
    case "string":
      return cut(value)
    case "number":
      return Number.isFinite(value) ? value : String(value)
    case "boolean":
      return value
    case "object":
      return value === null ? null : fromObject(value, above)
    case "undefined":
      return null
    case "bigint":
      return `${value}n`
    default:
      return `[${typeof value}]`
  }
}

/** The property of an encoded error that holds its name, and by which decoding recognizes it. */
const errorKey = "~error"

const textOf = (error: Error, key: "name" | "message"): string => {
  const text = read(error, key)
  return typeof text === "string" ? cut(text) : ""
}

const errorToJson = (error: Error, above: ReadonlyArray<object>): Json => {
  if (isResourceError(error)) {
    const { attempts, elapsed, path, resource } = error
    const inner = toJson(error.error, above)
    return { [errorKey]: "ResourceError", resource, error: inner, attempts, path, elapsed: Duration.toMillis(elapsed) }
  }
  const cause = read(error, "cause")
  return {
    [errorKey]: textOf(error, "name"),
    message: textOf(error, "message"),
    fields: fieldsOf(error, ["name", "message", "stack", "cause"], above),
    ...(cause === undefined ? {} : { cause: toJson(cause, above) })
  }
}

/** Any value as JSON: unchanged where JSON can hold it, otherwise the parts that JSON can hold. */
export const encodeUnknown = (value: unknown): Json => {
  try {
    return toJson(value, [])
  } catch {
    // A proxy can throw at each access.
    return "[unreadable]"
  }
}

/** A decoded error: it has the name, the message and the fields of the original, but not its class. */
class Received extends Error {
  constructor(name: string, message: string, cause: { readonly cause: unknown } | undefined) {
    super(message, cause)
    Object.defineProperty(this, "name", { value: name, configurable: true, writable: true })
    this.stack = `${name}: ${message}`
  }
}

const isPath = (u: unknown): u is ReadonlyArray<string> =>
  Array.isArray(u) && u.every((name) => typeof name === "string")

const toResourceError = ({ attempts, elapsed, error, path, resource }: Record<string, unknown>): unknown =>
  typeof resource === "string" && typeof attempts === "number" && typeof elapsed === "number" && isPath(path)
    ? new ResourceError({ resource, error: decodeUnknown(error), attempts, path, elapsed: Duration.millis(elapsed) })
    : undefined

const toError = ({ [errorKey]: name, cause, fields, message }: Record<string, unknown>): unknown => {
  if (typeof name !== "string" || typeof message !== "string" || !isRecord(fields)) return undefined
  const error = new Received(name, message, cause === undefined ? undefined : { cause: decodeUnknown(cause) })
  return Object.assign(error, decodeUnknown(fields))
}

/** The value that {@link encodeUnknown} encoded, as far as JSON holds it. */
export const decodeUnknown = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.map(decodeUnknown)
  if (!isRecord(json)) return json
  if (errorKey in json) {
    const error = json[errorKey] === "ResourceError" ? toResourceError(json) : toError(json)
    if (error !== undefined) return error
  }
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) => (key === "__proto__" ? [] : [[key, decodeUnknown(value)]]))
  )
}
