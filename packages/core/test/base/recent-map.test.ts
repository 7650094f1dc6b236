import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RecentMap } from "../../src/base/RecentMap.ts"

describe("a map of recently used keys", () => {
  const step = fc.record({ what: fc.constantFrom("set", "get", "peek"), key: fc.nat(30), value: fc.nat(1000) })

  it("stays within its bound, forgets only keys that were not used recently, and never returns the value of another key", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 2, max: 20 }), (steps, most) => {
        const map = new RecentMap<number>(most)
        const values = new Map<string, number>()
        /** The keys, the most recently used first. */
        let used: ReadonlyArray<string> = []
        for (const { key: number, value, what } of steps) {
          const key = `${number}`
          if (what === "set") {
            map.set(key, value)
            values.set(key, value)
          }
          const found = what === "get" ? map.get(key) : map.peek(key)
          const isRecent = used.slice(0, Math.floor(most / 2)).includes(key)
          if (what === "set" || isRecent || found !== undefined) expect(found).toBe(values.get(key))
          if (what === "set" || (what === "get" && found !== undefined)) used = [key, ...used.filter((k) => k !== key)]
          expect(map.size).toBeLessThanOrEqual(most)
        }
      })
    )
  })
})
