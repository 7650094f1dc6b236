/**
 * The identity of a value: a snapshot of the value as text. It decides whether two callers share an answer.
 *
 * Two values are the same if and only if they have the same prototype and, by this same rule, the same parts:
 *
 *  - primitives by `Object.is`, except that 0 equals -0; plain objects and arrays by all their own properties, in any order;
 *  - `Date`, `RegExp`, `Map`, `Set`, `URL`, `URLSearchParams`, `ArrayBuffer` and its views by their contents;
 *  - values of `Data`, `Schema.Class` and `Request` classes by their own fields;
 *  - `Option`, `Result`, `Exit`, `Cause`, `Chunk`, `HashMap`, `HashSet` and `Redacted` by their elements;
 *  - values with an `Equal` of their own, written by a user or for a leaf such as `Duration`, by that.
 *
 * Any other value equals only itself, because it can have hidden state: instances of other classes (also of classes that extend
 * one of the above, except `Data`, `Schema.Class` and `Request`), functions, proxies, objects with a getter that throws, and
 * objects of another realm. Effect's `Equal` compares the visible parts of such values, and Effect's containers use `Equal` for
 * their elements: so this module never applies it to a container.
 *
 * The cost is linear. A value that is deeper than 200, has more than 100,000 parts or contains itself is written as a graph:
 * one object that occurs twice then differs from two equal objects.
 */
import * as Data from "effect/Data"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Redacted from "effect/Redacted"
import * as Request from "effect/Request"
import { counter, shared } from "./Shared.ts"

/** A text; with the values that have an `Equal` of their own, in the order of the text, where there are any. */
export type Identity = string | WithEquals

export interface WithEquals {
  readonly text: string
  readonly equals: ReadonlyArray<Equal.Equal>
}

/** The text of an identity. Equal identities have equal texts. */
export const textOf = (identity: Identity): string => (typeof identity === "string" ? identity : identity.text)

export const sameIdentity = (a: Identity, b: Identity): boolean => {
  if (typeof a === "string" || typeof b === "string") return a === b
  return a.text === b.text && a.equals.every((one, k) => one === b.equals[k] || saysEqual(one, b.equals[k]!))
}

/** Whether two values are equal. An `Equal` that throws counts as `false`. */
const saysEqual = (one: Equal.Equal, other: Equal.Equal): boolean => {
  try {
    return one[Equal.symbol](other)
  } catch {
    return false
  }
}

const maxDepth = 200
const maxParts = 100_000

/** Takes a snapshot of a value. */
export const identityOf = (value: unknown): Identity => {
  const tree = new Tree()
  const text = tree.part(value)
  if (!tree.isTooLarge) return toIdentity(text, tree.equals)
  const graph = new Graph()
  return toIdentity(graph.whole(value as object), graph.equals)
}

const toIdentity = (text: string, equals: ReadonlyArray<Equal.Equal>): Identity =>
  equals.length === 0 ? text : { text, equals }

/** The numbers of values that equal only themselves. Values that are compared by their parts have none. */
const numbers = /* @__PURE__ */ shared("identities", () => new WeakMap<WeakKey, number>())
const nextNumber = /* @__PURE__ */ counter("identity")

const itself = (value: WeakKey): string => {
  let number = numbers.get(value)
  if (number === undefined) numbers.set(value, (number = nextNumber()))
  return `@${number};`
}

const ofString = (value: string): string => `s${value.length}:${value}`

/** Each text marks its own end, so that two sequences of texts are equal only if their values are. */
const ofPrimitive = (value: unknown): string | undefined => {
  switch (typeof value) {
    case "string":
      return ofString(value)
    case "number":
      return `n${value};`
    case "boolean":
      return value ? "t" : "f"
    case "undefined":
      return "u"
    case "bigint":
      return `i${value};`
    case "symbol": {
      const key = Symbol.keyFor(value)
      return key === undefined ? itself(value) : `y${key.length}:${key}`
    }
    case "function":
      return itself(value)
    case "object":
      return value === null ? "z" : undefined
  }
}

/** Writes an object and, through `writer`, its parts; `undefined` if the object does not have the expected shape. */
type WriteObject = (object: never, writer: Writer) => string | undefined

abstract class Writer {
  readonly equals: Array<Equal.Equal> = []

  part(value: unknown): string {
    return ofPrimitive(value) ?? this.object(value as object)
  }

  protected abstract object(value: object): string

  protected write(value: object): string {
    const before = this.equals.length
    try {
      const text = isProxy(value) ? undefined : writeOf(value)(value as never, this)
      if (text !== undefined) return text
    } catch {
      // A getter throws, or a built-in method meets an object that only looks like its own kind.
    }
    this.equals.length = before
    return itself(value)
  }

  /** The own properties of an object, in any order. */
  fields(object: object, without?: string): string {
    // Two calls are faster than one of `Reflect.ownKeys`.
    const { heads, names } = shapeOf(object, Object.getOwnPropertyNames(object))
    const symbols = Object.getOwnPropertySymbols(object)
    let text = "{"
    for (let k = 0; k < names.length; k++) {
      const name = names[k]!
      if (name !== without) text += heads[k]! + this.part(object[name as never])
    }
    if (symbols.length > 0)
      text += this.unordered(symbols, (key) => ofPrimitive(key)! + this.part(object[key as never]))
    return `${text}}`
  }

  list(values: Iterable<unknown>): string {
    let text = "["
    for (const value of values) text += this.part(value)
    return `${text}]`
  }

  /** Elements in the order of their texts. */
  unordered<A>(values: Iterable<A>, write: (value: A) => string): string {
    const before = this.equals.length
    const elements: Array<WithEquals> = []
    for (const value of values) {
      const from = this.equals.length
      elements.push({ text: write(value), equals: this.equals.slice(from) })
    }
    if (elements.length > 1) elements.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)))
    this.equals.length = before
    let all = "("
    for (const { equals, text } of elements) {
      all += text
      for (const one of equals) this.equals.push(one)
    }
    return `${all})`
  }
}

/** The names of an object's fields: in their own order, sorted, and as the texts before the values. */
interface Shape {
  readonly given: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  readonly heads: ReadonlyArray<string>
}

/** The last shape of each class: most objects of a class have the same. */
const shapes = new WeakMap<object, Shape>()

const isShape = ({ given }: Shape, names: ReadonlyArray<string>): boolean => {
  if (given.length !== names.length) return false
  for (let k = 0; k < names.length; k++) if (given[k] !== names[k]) return false
  return true
}

const shapeOf = (object: object, given: ReadonlyArray<string>): Shape => {
  const prototype = (Object.getPrototypeOf(object) as object | null) ?? Object.prototype
  const known = shapes.get(prototype)
  if (known !== undefined && isShape(known, given)) return known
  const names = given.toSorted()
  const shape = { given, names, heads: names.map(ofString) }
  shapes.set(prototype, shape)
  return shape
}

/** Writes each part inside the value that contains it, as often as it occurs. */
class Tree extends Writer {
  isTooLarge = false
  private depth = 0
  private parts = 0

  override part(value: unknown): string {
    if (++this.parts > maxParts) this.isTooLarge = true
    return this.isTooLarge ? "" : super.part(value)
  }

  protected object(value: object): string {
    if (this.depth === maxDepth) this.isTooLarge = true
    if (this.isTooLarge) return ""
    this.depth++
    const text = this.write(value)
    this.depth--
    return text
  }
}

/** Writes the objects one after the other, each once. Inside other objects, its number stands for it. */
class Graph extends Writer {
  private readonly found = new Map<object, number>()

  whole(value: object): string {
    let text = this.object(value)
    // Writing an object can add further ones at the end of the map.
    for (const object of this.found.keys()) text += this.write(object)
    return text
  }

  protected object(value: object): string {
    let number = this.found.get(value)
    if (number === undefined) this.found.set(value, (number = this.found.size))
    return `^${number};`
  }
}

/** Whether a value is a proxy, on platforms that can tell. */
const isProxy: (value: object) => boolean = /* @__PURE__ */ (() => {
  interface Platform {
    readonly process?: { readonly getBuiltinModule?: (id: string) => typeof import("node:util") | undefined }
  }
  return (globalThis as Platform).process?.getBuiltinModule?.("node:util")?.types.isProxy ?? (() => false)
})()

const plain: WriteObject = (object, writer) => writer.fields(object)

/** Whether an object has only the own properties that each object of its kind has. */
const isBare = (object: object, properties = 0): boolean => Reflect.ownKeys(object).length === properties

/** The own keys of an array: the indices, then `length`. Sparse arrays, and those with further keys, are written by their keys. */
const array: WriteObject = (object: ReadonlyArray<unknown>, writer) => {
  const keys = Reflect.ownKeys(object)
  const isDense = keys.length === object.length + 1 && keys[object.length] === "length"
  return isDense ? writer.list(object) : `A${writer.fields(object)}`
}

/** The class of an object, by its prototype. */
const classOf = (object: object): string => itself((Object.getPrototypeOf(object) as object | null) ?? Object.prototype)

const bytesOf = (bytes: Uint8Array): string => {
  let text = `${bytes.length}:`
  for (let from = 0; from < bytes.length; from += 8192) {
    text += String.fromCharCode.apply(undefined, bytes.subarray(from, from + 8192) as unknown as Array<number>)
  }
  return text
}

const bytes: WriteObject = (view: ArrayBufferView) =>
  `b${classOf(view)}${bytesOf(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))}`

/** Floating-point numbers are not compared by their bytes: there are two zeros and several encodings of NaN. */
const floats: WriteObject = (view: Float64Array, writer) => `e${classOf(view)}${writer.list(view)}`

const entries = (object: Iterable<readonly [unknown, unknown]>, writer: Writer): string =>
  writer.unordered(object, ([key, value]) => writer.part(key) + writer.part(value))

const elements = (object: Iterable<unknown>, writer: Writer): string =>
  writer.unordered(object, (value) => writer.part(value))

/** The contents of the built-in kinds. An instance with properties of its own is not covered. */
const builtIn = (): ReadonlyArray<readonly [string, WriteObject]> => [
  ["Date", (date: Date) => (isBare(date) ? `d${date.getTime()};` : undefined)],
  [
    "RegExp",
    (regExp: RegExp) =>
      isBare(regExp, 1) ? `x${ofString(regExp.source)}${ofString(regExp.flags)}${regExp.lastIndex};` : undefined
  ],
  ["Map", (map: Map<unknown, unknown>, writer) => (isBare(map) ? `M${entries(map, writer)}` : undefined)],
  ["Set", (set: Set<unknown>, writer) => (isBare(set) ? `S${elements(set, writer)}` : undefined)],
  ["URL", (url: URL) => (isBare(url) ? `l${ofString(url.href)}` : undefined)],
  ["URLSearchParams", (params: URLSearchParams) => (isBare(params) ? `q${ofString(params.toString())}` : undefined)],
  ["ArrayBuffer", (buffer: ArrayBuffer) => (isBare(buffer) ? `a${bytesOf(new Uint8Array(buffer))}` : undefined)],
  ["DataView", (view: DataView, writer) => (isBare(view) ? bytes(view as never, writer) : undefined)],
  ...["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64"].map(
    (kind) => [`${kind}Array`, bytes] as const
  ),
  // In Node.js, I/O returns this subclass of `Uint8Array`.
  ["Buffer", bytes],
  ...["Float16", "Float32", "Float64"].map((kind) => [`${kind}Array`, floats] as const)
]

/** How objects of a prototype are written. */
let writes: WeakMap<object, WriteObject> | undefined = undefined

const makeWrites = (): WeakMap<object, WriteObject> => {
  const known = new WeakMap<object, WriteObject>([[Array.prototype, array]])
  for (const [name, write] of builtIn()) {
    const constructor = (globalThis as unknown as Record<string, { readonly prototype: object } | undefined>)[name]
    if (constructor !== undefined) known.set(constructor.prototype, write)
  }
  return known
}

const writeOf = (object: object): WriteObject => {
  const prototype = Object.getPrototypeOf(object) as object | null
  if (prototype === Object.prototype || prototype === null) return ofPlain(object)
  writes ??= makeWrites()
  let write = writes.get(prototype)
  if (write === undefined) writes.set(prototype, (write = ofClass(object, prototype)))
  return write
}

/** A plain object can have an `Equal` of its own, too. */
const ofPlain = (object: object): WriteObject => (Equal.isEqual(object) ? equals : plain)

const unknown: WriteObject = () => undefined

const equals: WriteObject = (object: Equal.Equal, writer) => {
  writer.equals.push(object)
  return `=${classOf(object)}${object[Hash.symbol]()};`
}

/** The class of an object, and its own fields. */
const fieldsOfClass: WriteObject = (object: object, writer) => `c${classOf(object)}${writer.fields(object)}`

/** The stack of an error does not count: it says where the error was made. */
const fieldsOfError: WriteObject = (object: object, writer) => `c${classOf(object)}${writer.fields(object, "stack")}`

const redacted: WriteObject = (object: Redacted.Redacted<unknown>, writer) =>
  `r${writer.part(Redacted.value(object))}${writer.fields(object, "label")}`

/** The containers of Effect, by the names of their brands. */
const containers: Readonly<Record<string, WriteObject>> = {
  Option: fieldsOfClass,
  Result: fieldsOfClass,
  Exit: fieldsOfClass,
  Cause: fieldsOfClass,
  "Cause/Reason": fieldsOfClass,
  Redacted: redacted,
  Chunk: (chunk: Iterable<unknown>, writer) => `C${writer.list(chunk)}`,
  HashMap: (map: Iterable<readonly [unknown, unknown]>, writer) => `H${entries(map, writer)}`,
  HashSet: (set: Iterable<unknown>, writer) => `K${elements(set, writer)}`
}

/** Kinds of values of Effect that cannot contain a value of a user. */
const leaves = ["Duration", "DateTime", "DateTime/TimeZone", "BigDecimal", "Cron", "SemVer"]

const isOfEffect = (name: string, object: object): boolean => `~effect/${name}` in object

/** Whether an object itself has the brand of a kind of Effect. */
const isNamed = (object: object): boolean =>
  Reflect.ownKeys(object).some(
    (key) => typeof key === "string" && key.startsWith("~effect/") && key !== Equal.symbol && key !== Hash.symbol
  )

/** An object and its prototypes. */
function* chainOf(object: object): Iterable<object> {
  for (let one: object | null = object; one !== null; one = Object.getPrototypeOf(one) as object | null) yield one
}

/** Whether an object's `Equal` belongs to a class of Effect, whose `Equal` compares the fields of users, too. */
const isEqualOfEffect = (object: object): boolean => {
  for (const one of chainOf(object)) if (Object.hasOwn(one, Equal.symbol)) return isNamed(one)
  return false
}

const extendsClass = (prototype: object, of: { readonly prototype: object }): boolean =>
  Object.prototype.isPrototypeOf.call(of.prototype, prototype)

const ofClass = (object: object, prototype: object): WriteObject => {
  const isError = extendsClass(prototype, Data.Error)
  if (isError || extendsClass(prototype, Data.Class) || Request.isRequest(object)) {
    if (Equal.isEqual(object) && !isEqualOfEffect(object)) return equals
    return isError ? fieldsOfError : fieldsOfClass
  }
  for (const [name, write] of Object.entries(containers)) if (isOfEffect(name, object)) return write
  if (!Equal.isEqual(object)) return unknown
  const isOfUser = !Array.from(chainOf(object)).some(isNamed)
  return isOfUser || leaves.some((name) => isOfEffect(name, object)) ? equals : unknown
}

/** Values by identity. */
export class IdentityMap<V extends { readonly identity: Identity }> implements Iterable<V> {
  private readonly byText = new Map<string, ReadonlyArray<V>>()

  get(identity: Identity): V | undefined {
    return this.byText.get(textOf(identity))?.find((one) => sameIdentity(one.identity, identity))
  }

  /** Adds a value whose identity is new. */
  add(value: V): void {
    const text = textOf(value.identity)
    this.byText.set(text, [...(this.byText.get(text) ?? []), value])
  }

  delete(value: V): void {
    const text = textOf(value.identity)
    const left = (this.byText.get(text) ?? []).filter((one) => one !== value)
    if (left.length > 0) this.byText.set(text, left)
    else this.byText.delete(text)
  }

  *[Symbol.iterator](): Iterator<V> {
    for (const values of this.byText.values()) yield* values
  }
}
