/** The identities of values. */
import { assert, describe, it } from "@effect/vitest"
import {
  BigDecimal,
  Cause,
  Chunk,
  Data,
  DateTime,
  Duration,
  Effect,
  Equal,
  Exit,
  Hash,
  HashMap,
  HashSet,
  Option,
  Redacted,
  Request,
  Result,
  Schema
} from "effect"
import fc from "fast-check"
import * as vm from "node:vm"
import { collectUntil } from "../collectUntil.ts"
import { identityOf, IdentityMap, sameIdentity, textOf } from "../../src/base/Identity.ts"
import { Token } from "../Token.ts"

const same = (a: unknown, b: unknown): boolean => {
  const [one, other] = [identityOf(a), identityOf(b)]
  // Equal identities have equal texts.
  const found = sameIdentity(one, other)
  if (found) assert.strictEqual(textOf(one), textOf(other))
  assert.strictEqual(sameIdentity(other, one), found, "it must not matter which is which")
  return found
}

class Point extends Data.Class<{ readonly x: unknown; readonly y?: unknown }> {}
class Spot extends Data.Class<{ readonly x: unknown; readonly y?: unknown }> {}
class User extends Schema.Class<User>("User")({ x: Schema.Unknown }) {}
class Failed extends Data.TaggedError("Failed")<{ readonly x: unknown }> {}
class GetUser extends Request.TaggedClass("GetUser")<{ readonly x: unknown }, string> {}
class GetOrg extends Request.Class<{ readonly x: unknown }, string> {}
class GetTeam extends Request.Class<{ readonly x: unknown }, string> {}
const getPage = Request.of<Request.Request<string> & { readonly x: unknown }>()

const hidden = (raw: string) => ({ reveal: () => raw })

/** Each makes a value that hides a text, and equals only itself. */
const opaque: Readonly<Record<string, (raw: string) => unknown>> = {
  "a class with a private field": (raw) => new Token(raw),
  "a class with a field": (raw) =>
    new (class Held {
      raw = raw
    })(),
  "a closure": hidden,
  "a function": (raw) => () => raw,
  "a getter of a prototype": (raw) =>
    Object.create({
      get raw() {
        return raw
      }
    }) as unknown,
  Headers: (authorization) => new Headers({ authorization }),
  FormData: (raw) => new FormData().set("raw", raw) ?? new FormData(),
  Intl: (raw) => new Intl.NumberFormat(raw.length > 3 ? "de" : "en"),
  "a proxy": (raw) => new Proxy({}, { get: () => raw }),
  "a proxy of an array": (raw) => new Proxy([], { get: (_, key) => (key === "length" ? 0 : raw) }),
  "a subclass of Map": (raw) =>
    new (class Bag extends Map {
      readonly #raw = raw
      reveal() {
        return this.#raw
      }
    })(),
  "a subclass of Array": (raw) =>
    new (class List extends Array {
      readonly #raw = raw
      reveal() {
        return this.#raw
      }
    })(),
  "a subclass of Date": (raw) =>
    new (class Day extends Date {
      readonly #raw = raw
      reveal() {
        return this.#raw
      }
    })(0),
  "an object with a getter that throws": (raw) => ({
    get raw(): string {
      throw new Error(raw)
    }
  }),
  "a Date with a property": (raw) => Object.assign(new Date(0), { raw }),
  "an error": (raw) => new Error(raw),
  "a boxed string": Object,
  "a symbol": Symbol,
  "a promise": (raw) => Promise.resolve(raw),
  "a weak map": (raw) => new WeakMap([[{}, raw]]),
  "shared memory": () => new SharedArrayBuffer(1),
  "an object of another realm": (raw) => vm.runInNewContext("({ raw })", { raw }) as unknown,
  "a map of another realm": () => vm.runInNewContext("new Map()") as unknown
}

/** Each puts a value into a container. */
const containers: Readonly<Record<string, (x: unknown) => unknown>> = {
  array: (x) => [x],
  record: (x) => ({ x }),
  "record without a prototype": (x) => Object.assign(Object.create(null) as object, { x }),
  "sparse array": (x) => [, x], // oxlint-disable-line no-sparse-arrays
  "array with a property": (x) => Object.assign([1], { x }),
  "record with a symbol": (x) => ({ [Symbol.for("x")]: x }),
  "record with a hidden property": (x) => Object.defineProperty({}, "x", { value: x }),
  "record with a getter": (x) => ({
    get x() {
      return x
    }
  }),
  Map: (x) => new Map([["x", x]]),
  "key of a Map": (x) => new Map([[x, "x"]]),
  Set: (x) => new Set([x]),
  Some: (x) => Option.some(x),
  "Result.succeed": (x) => Result.succeed(x),
  "Result.fail": (x) => Result.fail(x),
  "Exit.succeed": (x) => Exit.succeed(x),
  "Exit.fail": (x) => Exit.fail(x),
  "Exit.die": (x) => Exit.die(x),
  Cause: (x) => Cause.fail(x),
  Chunk: (x) => Chunk.make(x, 1),
  HashMap: (x) => HashMap.make(["x", x]),
  "key of a HashMap": (x) => HashMap.make([x, "x"]),
  HashSet: (x) => HashSet.make(x),
  Redacted: (x) => Redacted.make(x),
  "Data.Class": (x) => new Point({ x }),
  "Data.taggedEnum": (x) => Data.taggedEnum<{ readonly _tag: "A"; readonly x: unknown }>().A({ x }),
  "Data.TaggedError": (x) => new Failed({ x }),
  "Schema.Class": (x) => new User({ x }),
  "Request.TaggedClass": (x) => new GetUser({ x }),
  "Request.of": (x) => getPage({ x })
}

describe("a value with hidden state", () => {
  for (const [kind, make] of Object.entries(opaque)) {
    it(`equals only itself: ${kind}, alone and in every container`, () => {
      const [ada, eve] = [make("ada"), make("eve")]
      assert.isTrue(same(ada, ada))
      assert.isFalse(same(ada, eve))
      assert.isFalse(same(make("ada"), make("ada")))
      for (const [name, put] of Object.entries(containers)) {
        // Effect cannot hash all of these, so they cannot be keys.
        if (name.includes("Hash") && Exit.isFailure(Effect.runSyncExit(Effect.sync(() => put(ada))))) continue
        assert.isFalse(same(put(ada), put(eve)), name)
        assert.isFalse(same(put(put(ada)), put(put(eve))), name)
        if (kind === "a symbol" || typeof ada === "object") assert.isTrue(same(put(ada), put(ada)), name)
      }
    })
  }
})

describe("a container", () => {
  for (const [name, put] of Object.entries(containers)) {
    it(`equals another one of its kind with equal elements: ${name}`, () => {
      assert.isTrue(same(put({ a: [1, "x"] }), put({ a: [1, "x"] })))
      assert.isFalse(same(put({ a: [1, "x"] }), put({ a: [1, "y"] })))
      assert.isFalse(same(put(1), put("1")))
      for (const [other, putOther] of Object.entries(containers)) {
        const alike = [name, other].every((one) => one === name || one.startsWith("record")) && isPlain(name, other)
        if (other !== name && !alike) assert.isFalse(same(put(1), putOther(1)), other)
      }
    })
  }

  /** Whether both values are plain objects with one property of the same name. */
  const isPlain = (...names: ReadonlyArray<string>): boolean =>
    names.every((name) => name.startsWith("record") && name !== "record with a symbol")
})

const pairs = (
  make: (text: string) => unknown,
  ...texts: ReadonlyArray<string>
): ReadonlyArray<readonly [unknown, unknown]> => texts.map((text) => [make(text), make(text)])

describe("two values", () => {
  it("of built-in kinds are equal if their contents are", () => {
    const all: ReadonlyArray<readonly [unknown, unknown]> = [
      ...pairs((text) => new Date(text), "2026-01-01", "not a date"),
      ...pairs((text) => new RegExp(text, "gi"), "a", "b"),
      ...pairs((text) => new URL(text), "https://a.example/?q=1", "https://b.example"),
      ...pairs((text) => new URLSearchParams(text), "status=open", "status=done"),
      ...pairs((text) => Buffer.from(text), "a", "b"),
      ...pairs((text) => new Uint8Array(Buffer.from(text)), "a", "b"),
      ...pairs((text) => new Int8Array(Buffer.from(text)), "a", "b"),
      ...pairs((text) => new Uint8Array(Buffer.from(text)).buffer, "a", "b"),
      ...pairs((text) => new DataView(new Uint8Array(Buffer.from(text)).buffer), "a", "b"),
      ...pairs((text) => new Float64Array([Number(text)]), "1.5", "NaN"),
      ...pairs((text) => new BigInt64Array([BigInt(text)]), "1", "2"),
      ...pairs((text) => Symbol.for(text), "a", "b"),
      ...pairs((text) => DateTime.makeUnsafe(text), "2026-01-01", "2026-01-02"),
      ...pairs((text) => DateTime.makeZonedUnsafe(text, { timeZone: "Europe/Berlin" }), "2026-01-01"),
      ...pairs((text) => DateTime.makeZonedUnsafe(text, { timeZone: "Europe/London" }), "2026-01-01"),
      ...pairs((text) => BigDecimal.fromStringUnsafe(text), "1.5", "2.50"),
      ...pairs((text) => Duration.millis(Number(text)), "1", "2"),
      ...pairs((text) => Redacted.make(text), "ada", "eve")
    ]
    for (const [i, [a]] of all.entries()) {
      for (const [k, [, b]] of all.entries()) assert.strictEqual(same(a, b), i === k, `${i} and ${k}`)
    }
    assert.isTrue(same(Duration.millis(1000), Duration.seconds(1)))
    assert.isTrue(same(BigDecimal.fromStringUnsafe("2.50"), BigDecimal.fromStringUnsafe("2.5")))
    assert.isTrue(same(Redacted.make("ada", { label: "token" }), Redacted.make("ada")))
    assert.isTrue(same([0, Number.NaN], [-0, Number.NaN]))
    assert.isTrue(same(new Float32Array([0, Number.NaN]), new Float32Array([-0, Number.NaN])))
  })

  it("of two classes differ, even with equal fields", () => {
    const all = [new Point({ x: 1 }), new Spot({ x: 1 }), new GetOrg({ x: 1 }), new GetTeam({ x: 1 }), { x: 1 }]
    for (const a of all) for (const b of all) assert.strictEqual(same(a, b), a === b)
  })

  it("differ by missing, sparse, added and hidden properties", () => {
    const sticky = /a/y
    sticky.lastIndex = 1
    const match = ["a"]
    const all: ReadonlyArray<readonly [unknown, unknown]> = [
      [{ a: undefined }, {}],
      [[undefined], [,]], // oxlint-disable-line no-sparse-arrays
      [[], [,]], // oxlint-disable-line no-sparse-arrays
      [[1, 2], { 0: 1, 1: 2, length: 2 }],
      [[, "x"], [{ 1: "x", length: 2 }]], // oxlint-disable-line no-sparse-arrays
      [Object.assign(["a"], { index: 1 }), match],
      [Object.assign([, 1], { x: 1 }), [undefined, 1]], // oxlint-disable-line no-sparse-arrays
      [Object.defineProperty({}, "a", { value: 1 }), {}],
      [sticky, /a/y],
      [
        { a: "b", c: "d" },
        { a: "bs1:c", d: "" }
      ],
      [["a", "b"], ["as1:b"]],
      [
        [["a"], "b"],
        ["a", ["b"]]
      ],
      [new Set([new Set(["a"]), "b"]), new Set([new Set(["b"]), "a"])],
      [new Map([["a", "b"]]), new Set(["a", "b"])],
      [[Point.prototype, {}], [new Point({ x: 1 })]],
      [null, undefined],
      ["null", null],
      [1n, 1],
      [Symbol.for("a"), "a"],
      [String.raw`a\n`, "a\n"]
    ]
    for (const [a, b] of all) {
      assert.isFalse(same(a, b))
      assert.isFalse(same([a], [b]))
    }
  })

  it("are equal in any order of the entries of a record, a map or a set", () => {
    const [one, other] = [new Token("a"), new Token("b")]
    assert.isTrue(same({ a: 1, b: 2, c: 3 }, { c: 3, a: 1, b: 2 }))
    assert.isTrue(same(new Set([1, "a", one, other]), new Set([other, "a", one, 1])))
    assert.isTrue(
      same(
        new Map<unknown, unknown>([
          [one, 1],
          ["a", [2]]
        ]),
        new Map<unknown, unknown>([
          ["a", [2]],
          [one, 1]
        ])
      )
    )
    const dates = [Duration.millis(1), Duration.millis(2), Duration.millis(3)]
    assert.isTrue(same(new Set(dates), new Set(dates.toReversed())))
    assert.isFalse(
      same(
        new Map([
          [one, 1],
          [other, 2]
        ]),
        new Map([
          [one, 2],
          [other, 1]
        ])
      )
    )
  })

  it("of one class are compared by the `Equal` that a user wrote", () => {
    class ById extends Data.Class<{ readonly id: number; readonly seen: number }> implements Equal.Equal {
      [Equal.symbol](that: unknown): boolean {
        return that instanceof ById && that.id === this.id
      }
      [Hash.symbol](): number {
        return 0
      }
    }
    class Other extends ById {}
    class Loose implements Equal.Equal {
      readonly #id: number
      constructor(id: number) {
        this.#id = id
      }
      [Equal.symbol](that: unknown): boolean {
        return that instanceof Loose && that.#id === this.#id
      }
      [Hash.symbol](): number {
        return this.#id
      }
    }
    const made = (id: number, seen: number) => [new ById({ id, seen }), { of: new Set([new ById({ id, seen })]) }]
    assert.isTrue(same(made(1, 2), made(1, 3)))
    assert.isFalse(same(made(1, 2), made(2, 2)))
    assert.isFalse(same(new ById({ id: 1, seen: 1 }), new Other({ id: 1, seen: 1 })))
    assert.isTrue(same([new Loose(1)], [new Loose(1)]))
    assert.isFalse(same([new Loose(1)], [new Loose(2)]))
    const known = new IdentityMap<{ readonly identity: ReturnType<typeof identityOf>; readonly id: number }>()
    for (const id of [1, 2, 3]) known.add({ identity: identityOf(new ById({ id, seen: 0 })), id })
    assert.strictEqual(known.get(identityOf(new ById({ id: 2, seen: 9 })))?.id, 2)
    known.delete(known.get(identityOf(new ById({ id: 2, seen: 9 })))!)
    assert.strictEqual(known.get(identityOf(new ById({ id: 2, seen: 9 }))), undefined)
    assert.deepStrictEqual(
      Array.from(known, ({ id }) => id),
      [1, 3]
    )
  })
})

describe("the identity of a value", () => {
  it("equals only itself where the `Equal` that a user wrote throws", () => {
    class Throws implements Equal.Equal {
      [Equal.symbol](): boolean {
        throw new Error("not comparable")
      }
      [Hash.symbol](): number {
        return 1
      }
    }
    const one = new Throws()
    assert.isTrue(same([one], [one]))
    assert.isFalse(same([one], [new Throws()]))
  })

  it("is a snapshot: a later change makes another identity", () => {
    const bytes = new Uint8Array([1])
    const values: ReadonlyArray<readonly [unknown, () => void]> = [
      ((page: { of: Array<number> }) => [page, () => page.of.push(2)] as const)({ of: [1] }),
      ((map: Map<string, number>) => [{ map }, () => map.set("a", 2)] as const)(new Map([["a", 1]])),
      ((date: Date) => [[date], () => date.setTime(1)] as const)(new Date(0)),
      ((url: URL) => [url, () => url.searchParams.set("q", "1")] as const)(new URL("https://a.example")),
      [bytes, () => bytes.fill(2)],
      ((point: { x: unknown }) => [point, () => (point.x = 2)] as const)(new Point({ x: 1 }) as { x: unknown })
    ]
    for (const [value, change] of values) {
      const [before, copy] = [identityOf(value), identityOf(value)]
      change()
      assert.isFalse(sameIdentity(before, identityOf(value)))
      assert.isTrue(sameIdentity(before, copy))
    }
  })

  it("does not depend on frozen objects", () => {
    assert.isTrue(same(Object.freeze({ a: Object.freeze([1]) }), { a: [1] }))
  })

  it("is found for values that contain themselves, and for parts that occur many times", () => {
    const cyclic = (end: string) => {
      const made: { self?: unknown; list: Array<unknown>; end: string } = { list: [], end }
      made.self = made
      for (let k = 0; k < 20; k++) made.list.push(made, made.list, new Set([made]))
      return made
    }
    assert.isTrue(same(cyclic("a"), cyclic("a")))
    assert.isFalse(same(cyclic("a"), cyclic("b")))
    const doubled = (leaf: unknown) =>
      Array.from({ length: 60 }).reduce<unknown>((inner) => ({ a: inner, b: inner }), leaf)
    assert.isTrue(same(doubled("a"), doubled("a")))
    assert.isFalse(same(doubled("a"), doubled("b")))
    const [once, shared] = [{ a: { x: 1 }, b: { x: 1 } }, { x: 1 }]
    assert.isTrue(same(once, { a: shared, b: shared }))
  })

  it("is found for values that are 20,000 deep or have 150,000 parts", () => {
    const deep = (leaf: unknown) => Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner, { a: 1 }], leaf)
    assert.isTrue(same(deep("a"), deep("a")))
    assert.isFalse(same(deep("a"), deep("b")))
    const wide = (last: number) => [...Array.from({ length: 150_000 }, (_, k) => k), last]
    assert.isTrue(same(wide(1), wide(1)))
    assert.isFalse(same(wide(1), wide(2)))
    const far = (value: number) => {
      const sparse: Array<number> = []
      sparse[4_000_000_000] = value
      return sparse
    }
    assert.isTrue(same(far(1), far(1)))
    assert.isFalse(same(far(1), far(2)))
    const long = "x".repeat(1_000_000)
    assert.isFalse(same({ a: `${long}a` }, { a: `${long}b` }))
  })

  it("does not keep the value", async () => {
    const gone = { count: 0 }
    const registry = new FinalizationRegistry(() => gone.count++)
    const kept = [0, 1].map((k) => {
      const token = new Token("ada")
      registry.register(token, k)
      return identityOf({ token, k })
    })
    await collectUntil(() => gone.count === 2)
    assert.deepStrictEqual([gone.count, new Set(kept.map(textOf)).size], [2, 2])
  })
})

// The naive model: it compares two values part by part, without texts.

const pool = [new Token("a"), new Token("b"), () => 1, Symbol("c"), new Headers()]

type Container = readonly [kind: string, parts: ReadonlyArray<unknown>]

const model = new WeakMap<object, Container>()

const made = (kind: string, parts: ReadonlyArray<unknown>, value: object): object => {
  model.set(value, [kind, parts])
  return value
}

const sameByModel = (a: unknown, b: unknown): boolean => {
  if (typeof a === "number" && typeof b === "number") return a === b || (Number.isNaN(a) && Number.isNaN(b))
  const [one, other] = [a, b].map((value) =>
    typeof value === "object" && value !== null ? model.get(value) : undefined
  )
  if (one === undefined || other === undefined) return Object.is(a, b)
  if (one[0] !== other[0] || one[1].length !== other[1].length) return false
  if (!one[0].startsWith("unordered")) return one[1].every((part, k) => sameByModel(part, other[1][k]))
  const left = [...other[1]]
  return one[1].every((part) => {
    const found = left.findIndex((that) => sameByModel(part, that))
    if (found >= 0) left.splice(found, 1)
    return found >= 0
  })
}

const { value: anyValue } = fc.letrec<{ readonly value: unknown; readonly parts: ReadonlyArray<unknown> }>((tie) => ({
  parts: fc.array(tie("value"), { maxLength: 3 }),
  value: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.constantFrom<unknown>(
      0,
      -0,
      1,
      Number.NaN,
      "",
      "a",
      "1",
      "n1;",
      true,
      false,
      null,
      undefined,
      1n,
      Symbol.for("a"),
      ...pool
    ),
    tie("parts").map((parts) => made("array", parts, [...parts])),
    tie("parts").map((parts) => made("chunk", parts, Chunk.fromIterable(parts))),
    tie("parts").map((parts) => made("record", parts, { b: parts[0], a: parts[1], c: parts[2], length: parts.length })),
    tie("parts").map((parts) => made("point", [parts[0], parts[1]], new Point({ x: parts[0], y: parts[1] }))),
    tie("value").map((x) => made("get", [x], new GetOrg({ x }))),
    tie("value").map((x) => made("other get", [x], new GetTeam({ x }))),
    tie("value").map((x) => made("user", [x], new User({ x }))),
    tie("value").map((x) => made("some", [x], Option.some(x))),
    tie("value").map((x) => made("success", [x], Result.succeed(x))),
    tie("value").map((x) => made("exit", [x], Exit.succeed(x))),
    tie("value").map((x) => made("redacted", [x], Redacted.make(x))),
    tie("parts").map((parts) => {
      const set = new Set(parts)
      return made("unordered set", [...set], set)
    }),
    tie("parts").map((parts) => {
      const map = new Map(parts.map((part, k) => [part, parts[k + 1]]))
      return made(
        "unordered map",
        Array.from(map, (entry) => made("entry", entry, [...entry])),
        map
      )
    }),
    fc.constantFrom(0, 1).map((time) => made("date", [time], new Date(time))),
    fc.constantFrom("a=1", "a=2").map((text) => made("search", [text], new URLSearchParams(text)))
  )
}))

describe("generated values", () => {
  it("are equal exactly by the rule, alone and in every container", () => {
    let equal = 0
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 20, maxLength: 30 }), (values) => {
        for (const a of values) {
          assert.isTrue(same(a, a))
          for (const b of values) {
            const expected = sameByModel(a, b)
            if (expected && a !== b && typeof a === "object") equal++
            assert.strictEqual(same(a, b), expected)
            assert.strictEqual(same({ x: [a] }, { x: [b] }), expected)
          }
        }
      }),
      { numRuns: 100 }
    )
    assert.isAbove(equal, 50, "too few were the same to mean anything")
  })

  it("equal their copies", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withNullPrototype: true,
          withTypedArray: true,
          withSparseArray: true
        }),
        (value) => {
          assert.isTrue(same(value, structuredClone(value)))
        }
      ),
      { numRuns: 500 }
    )
  })
})
