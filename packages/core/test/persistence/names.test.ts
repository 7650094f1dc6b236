/** The names of keys in a store, and the version of a schema. */
import { Schema } from "effect"
import fc from "fast-check"
import { createHash } from "node:crypto"
import { assert, describe, it } from "vitest"
import { isIn, type Range } from "../../src/cache/Key.ts"
import { sha256 } from "../../src/persistence/Sha256.ts"
import { StoreKeys } from "../../src/persistence/StoreKeys.ts"
import { versionOf } from "../../src/persistence/Version.ts"

const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))

/** Similar parts of keys, some of them difficult for a store. */
const part = fc.oneof(
  fc.constantFrom("", "a", "b", "#", "/", "key", "\ud800", "\udc00", "\0", "{", "}", "x".repeat(119), "x".repeat(400)),
  fc.constantFrom("#", "a").map((text) => `#${sha256(text)}`)
)
const key = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 20 }).map((parts) => parts.join(":")),
  fc.string({ maxLength: 300, unit: "binary" })
)
const range: fc.Arbitrary<Range> = fc.oneof(
  fc.constant<Range>({ _tag: "All" }),
  key.map((key): Range => ({ _tag: "Key", key })),
  key.map((prefix): Range => ({ _tag: "Under", prefix }))
)
const shards = fc.constantFrom(1, 2, 7)
const keysOf = (shards = 1) => new StoreKeys("app/Users", "1", shards)

const depthOf = (text: string): number => text.split(":").length

describe("a digest", () => {
  it("is the SHA-256 of a text's code units", () => {
    fc.assert(
      fc.property(fc.oneof(codeUnits, fc.string({ maxLength: 300 })), (text) => {
        const bytes = Buffer.from(text, "utf16le").swap16()
        assert.strictEqual(sha256(text), createHash("sha256").update(bytes).digest("hex"))
      })
    )
  })
})

describe("the names of a key", () => {
  it("differ from those of every other key", () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const same = keysOf().namesOf(one).value === keysOf().namesOf(other).value
        assert.strictEqual(same, one === other)
      })
    )
  })

  it("are few, and short enough for every store, for keys of any length and content", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 80 }),
        fc.constantFrom(":", "x", "é", "\ud800"),
        shards,
        (id, unit, shards) => {
          const store = new StoreKeys(id || "a", id || "1", shards)
          for (const length of [1, 100, 20_000]) {
            const { marks, value } = store.namesOf(unit.repeat(length))
            assert.isAtMost(marks.length, 18)
            for (const name of [value, ...marks]) assert.isAtMost(name.length, 191)
          }
        }
      ),
      { numRuns: 30 }
    )
  })

  it("are all in one slot of a cluster, and with one shard so are those of all keys", () => {
    const slotOf = (name: string): string | undefined => /^\{([^{}]+)\}/.exec(name)?.[1]
    fc.assert(
      fc.property(key, key, shards, (one, other, shards) => {
        const { marks, shard, value } = keysOf(shards).namesOf(one)
        const slots = new Set([value, ...marks].map(slotOf))
        assert.deepStrictEqual([...slots], [shards === 1 ? "app/Users" : `app/Users/${shard}`])
        if (shards === 1) assert.strictEqual(slotOf(keysOf().namesOf(other).value), slotOf(value))
      })
    )
  })

  it("have the marks of every range of the key, and of no other range up to 16 parts deep", () => {
    fc.assert(
      fc.property(key, range, shards, fc.nat(20), (key, given, shards, depth) => {
        const prefix = key
          .split(":")
          .slice(0, depth + 1)
          .join(":")
        const ranges: ReadonlyArray<Range> = [given, { _tag: "Key", key }, { _tag: "Under", prefix }]
        const marks = keysOf(shards).namesOf(key).marks
        for (const range of ranges) {
          const isMarked = keysOf(shards)
            .marksFor(range)
            .some((mark) => marks.includes(mark))
          const mayBeMarked = range._tag === "Under" && depthOf(range.prefix) > 16
          assert.isTrue(isIn(key, range) ? isMarked : mayBeMarked || !isMarked)
        }
      })
    )
  })
})

describe("the version of a schema", () => {
  class User extends Schema.Class<User>("User")({ id: Schema.Finite, joined: Schema.Date }) {}
  const schemas: ReadonlyArray<() => Schema.Codec<unknown, unknown>> = [
    () => Schema.String,
    () => Schema.Date,
    () => Schema.Finite,
    () => Schema.FiniteFromString,
    () => Schema.Unknown,
    () => Schema.Struct({ name: Schema.String }),
    () => Schema.Struct({ name: Schema.optionalKey(Schema.String) }),
    () => Schema.Struct({ first: Schema.String, last: Schema.String }),
    () => Schema.Literals(["a", "b"]),
    () => Schema.Literals(["a", "c"]),
    () => Schema.Literal(1n),
    () => Schema.Literal(2n),
    () => Schema.Array(Schema.String),
    () => Schema.ReadonlySet(Schema.String),
    () => Schema.Option(Schema.String),
    () => Schema.TemplateLiteral(["a", Schema.String]),
    () => Schema.TemplateLiteral(["b", Schema.String]),
    () => User,
    () => Schema.Struct({ id: Schema.Finite, joined: Schema.Date })
  ]

  it("is the same for an equal structure", () => {
    for (const schema of schemas) assert.strictEqual(versionOf(schema()), versionOf(schema()))
  })

  it("differs for another structure, even with the same stored form", () => {
    assert.strictEqual(new Set(schemas.map((schema) => versionOf(schema()))).size, schemas.length)
  })
})
