/** A hash of requests, for finding equal ones. Effect's own keeps each in a weak map, which costs more than the request. */
import { Hash, Request } from "effect"
import type { AnyRequest } from "./AnyResolver.ts"

const ofString = (text: string): number => {
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

const ofValue = (value: unknown): number => {
  if (typeof value === "string") return ofString(value)
  return typeof value === "number" ? Math.imul(value | 0, 0x9e3779b1) : Hash.hash(value)
}

/** Equal requests have the same one: of those with an equality of their own, their own. */
export const requestHash = (request: AnyRequest): number => {
  const fields = request as unknown as Record<PropertyKey, unknown>
  if (fields[Hash.symbol] !== (Request.RequestPrototype as unknown as typeof fields)[Hash.symbol]) {
    return Hash.hash(request)
  }
  let hash = 0
  for (const key of Object.keys(fields)) hash = (hash + ofValue(fields[key])) | 0
  return hash
}
