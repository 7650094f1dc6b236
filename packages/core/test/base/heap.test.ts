import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Heap, type Placed } from "../../src/base/Heap.ts"

interface Item extends Placed {
  order: number
}

describe("a heap", () => {
  it("has the lowest item first, whichever items enter, leave from any place, or change", () => {
    const step = fc.record({
      what: fc.constantFrom("add", "add", "remove", "change", "keep"),
      pick: fc.nat(1000),
      order: fc.nat(20)
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new Heap<Item>((a, b) => a.order < b.order)
        let inside: Array<Item> = []
        for (const { order, pick, what } of steps) {
          const picked = inside[pick % inside.length]
          if (what === "add") {
            const item = { place: -1, order }
            inside.push(item)
            heap.add(item)
          } else if (what === "keep") {
            const left = inside.filter((item) => item.order === order)
            heap.keep((item) => item.order !== order)
            inside = inside.filter((item) => item.order !== order)
            expect(left.every(({ place }) => place === -1)).toBe(true)
          } else if (picked !== undefined && what === "remove") {
            inside = inside.filter((item) => item !== picked)
            heap.remove(picked)
            expect(picked.place).toBe(-1)
          } else if (picked !== undefined) {
            picked.order = order
            heap.moved(picked)
          }
          expect(heap.size).toBe(inside.length)
          expect(heap.first?.order).toBe(inside.toSorted((a, b) => a.order - b.order)[0]?.order)
          expect(new Set(inside.map(({ place }) => place)).size).toBe(inside.length)
        }
      })
    )
  })
})
