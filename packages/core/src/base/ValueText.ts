/** The kind of an unexpected value, in words. */

const longestText = 40

/** The brands of values of effect and of this library, and the words for them. */
const brands: ReadonlyArray<readonly [key: PropertyKey, kind: string]> = [
  ["~effect-loader/Resource", "resource"],
  ["~effect-loader/Loader", "loader"],
  ["~effect-loader/Policy", "policy"],
  ["~effect/Option", "Option"],
  ["~effect/Result", "Result"],
  ["~effect/Layer", "Layer"],
  ["~effect/Stream", "Stream"],
  ["~effect/Effect", "Effect"],
  [Symbol.for("effect/Effect"), "Effect of another major version of effect"]
]

const kindOfObject = (value: object): string => {
  const brand = brands.find(([key]) => key in value)
  if (brand !== undefined) return brand[1]
  // "Promise", "AsyncGenerator", "GeneratorFunction", "Map Iterator"...
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (typeof value === "function") {
    return tag === "Function"
      ? "function"
      : tag
          .replace(/Function$/, " function")
          .toLowerCase()
          .replace("asyncg", "async g")
  }
  if (tag !== "Object") return tag
  if ("then" in value && typeof value.then === "function") return "thenable"
  if (Symbol.asyncIterator in value) return "async iterable"
  const { name } = value.constructor as { readonly name?: unknown } & Function
  return typeof name === "string" && name !== "" && name !== "Object" ? name : "object"
}

/** The kind of a value. For an object that is its class, or its name in effect or this library. */
export const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (typeof value !== "object" && typeof value !== "function") return typeof value
  try {
    return kindOfObject(value)
  } catch {
    // Proxies and getters can throw.
    return "object"
  }
}

/** A value in words: short plain values as they are, others by their kind. */
export const valueText = (value: unknown): string => {
  if (typeof value === "string")
    return `the string ${JSON.stringify(value.length > longestText ? `${value.slice(0, longestText)}...` : value)}`
  if (typeof value === "number") return `the number ${value}`
  if (typeof value === "boolean" || value === undefined || value === null) return String(value)
  const kind = kindOf(value)
  return `${/^[aeiou]/i.test(kind) ? "an" : "a"} ${kind}`
}
