/** Texts for errors of any type: why something failed, in words. */
import * as Cause from "effect/Cause"

const longestFields = 200
const longestText = 2000
/** Bounds of what is shown: levels of causes and fields, entries of one container, and values in all. */
const deepest = 5
const widest = 100
const mostValues = 1000
const mostErrors = 3

const shorten = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest)}...` : text

type Fields = Readonly<Record<string, unknown>>

/** A trimmed string: some messages begin with blank lines, and some outputs show only the first line. */
const textIn = (value: unknown): string | undefined =>
  typeof value === "string" ? value.trim() || undefined : undefined

/** Whether a value is an error. Errors of other realms are not instances of this realm's `Error`. */
const isError = (value: object): value is Error =>
  value instanceof Error || (typeof (value as Fields)["stack"] === "string" && "message" in value)

/** The tag of an error, its name, or the name of its class. `Error` and `Object` do not count, as they say nothing. */
const nameOf = (error: Fields): string | undefined => {
  const { _tag, constructor, name } = error
  const named = [textIn(_tag), textIn(name), textIn((constructor as { readonly name?: unknown } | undefined)?.name)]
  return named.find((found) => found !== undefined && found !== "Error" && found !== "Object")
}

/** The fields of an error besides its name, its message and its causes. */
const fieldsOf = ({
  _tag,
  cause: _cause,
  errors: _errors,
  message: _message,
  name: _name,
  ...fields
}: Fields): Fields => fields

/** The part of a value that is shown. Untagged errors can carry whole requests with secrets, so only some fields are shown. */
const shownOf = (value: object): object => {
  if (!isError(value)) return value
  const fields = value as unknown as Fields
  if (fields["_tag"] !== undefined) return { ...fields, message: textIn(value.message) }
  return { name: nameOf(fields) ?? value.name, message: value.message, code: fields["code"], cause: value.cause }
}

/**
 * A value as plain data for JSON. It never throws and always ends: it cuts circles, and shows containers to a depth of 5 and a
 * width of 100, and 1,000 values in all. Of an error that has neither a tag nor a `toJSON`, only name, message, code and
 * cause are shown.
 */
export const toPlain = (given: unknown): unknown => {
  let values = 0
  const plain = (value: unknown, above: ReadonlyArray<unknown>): unknown => {
    if (typeof value === "bigint") return `${value}n`
    if (typeof value === "number" && !Number.isFinite(value)) return String(value)
    if (typeof value === "symbol") return String(value)
    if (typeof value === "function") return `[function ${value.name}]`
    if (typeof value !== "object" || value === null) return value
    if (above.includes(value)) return "[circular]"
    if (above.length > deepest || ++values > mostValues) return "[...]"
    const inside = [...above, value]
    const list = (parts: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
      const shown = parts.slice(0, widest).map((part) => plain(part, inside))
      return parts.length > widest ? [...shown, `... ${parts.length - widest} more`] : shown
    }
    try {
      if (Array.isArray(value)) return list(value)
      if (value instanceof Map || value instanceof Set) return list([...value])
      const { toJSON } = value as { readonly toJSON?: unknown }
      if (typeof toJSON === "function") return plain(toJSON.call(value), inside)
      const shown: Record<string, unknown> = {}
      for (const [key, part] of Object.entries(shownOf(value)).slice(0, widest)) {
        if (part !== undefined) shown[key] = plain(part, inside)
      }
      return shown
    } catch {
      return "[cannot be read]"
    }
  }
  return plain(given, [])
}

const jsonOf = (value: unknown): string => shorten(JSON.stringify(toPlain(value)) ?? String(value), longestFields)

/** An error without its causes: its name and message, or its fields where it has no message. */
const headOf = (error: object): string => {
  const fields = error as Fields
  const name = nameOf(fields) ?? (isError(error) ? "Error" : undefined)
  const { _tag, code } = fields
  const message = textIn(fields["message"])
  if (message !== undefined && name !== undefined) return `${name}: ${message}`
  if (_tag !== undefined) {
    const others = fieldsOf(fields)
    return Object.keys(others).length === 0 ? name! : `${name} ${jsonOf(others)}`
  }
  if (isError(error)) return typeof code === "string" || typeof code === "number" ? `${name} (${code})` : name!
  return name === undefined || Array.isArray(error) ? jsonOf(error) : `${name} ${jsonOf(error)}`
}

const tell = (error: unknown, above: ReadonlyArray<unknown>): string => {
  if (typeof error === "string") return textIn(error) ?? JSON.stringify(error)
  if (typeof error !== "object" || error === null) return shorten(String(toPlain(error)), longestFields)
  if (above.includes(error) || above.length > deepest) return "..."
  const inside = [...above, error]
  const { cause, errors } = error as Fields
  let told = headOf(error)
  if (Array.isArray(errors) && errors.length > 0 && isError(error)) {
    const first = errors.slice(0, mostErrors).map((one) => tell(one, inside))
    if (errors.length > mostErrors) first.push(`and ${errors.length - mostErrors} more`)
    told += `: ${first.join("; ")}`
  }
  if (cause === undefined || cause === null || inside.includes(cause)) return told
  const why = tell(cause, inside)
  // The message may contain the message of the cause.
  return told.includes(textIn((cause as Fields)["message"]) ?? why) ? told : `${told} (cause: ${why})`
}

/**
 * Any error value in a few words: its name and message, or its tag, code and fields, followed by the errors that it
 * lists and by its causes. It never throws and always ends.
 */
export const describe = (error: unknown): string => {
  try {
    return shorten(tell(error, []), longestText)
  } catch {
    return "an error that cannot be read"
  }
}

/** Why an effect ended: its first failure or defect, in words. */
export const describeCause = (cause: Cause.Cause<unknown>): string => {
  const reason = cause.reasons.find((reason) => !Cause.isInterruptReason(reason))
  if (reason === undefined) return "interrupted"
  return describe(Cause.isFailReason(reason) ? reason.error : (reason as Cause.Die).defect)
}
