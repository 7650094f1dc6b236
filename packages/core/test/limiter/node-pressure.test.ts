import { describe, expect, it } from "vitest"
import { NodePressure } from "../../src/limiter/NodePressure.ts"

/** The factor after a report each second. */
const report = (node: NodePressure, lag: number, seconds: number, from = 0): number => {
  for (let i = 1; i <= seconds; i++) node.report(lag, from + 1000 * i)
  return node.factor
}

describe("node pressure", () => {
  it("tolerates a lag of 50 ms", () => {
    const node = new NodePressure()
    expect([report(node, 50, 100), node.lagging]).toEqual([1, false])
  })

  it("lowers the limit by 5 % a second, down to a tenth, and raises it as slowly, up to the whole", () => {
    const node = new NodePressure()
    expect(report(node, 51, 10)).toBeCloseTo(0.95 ** 10)
    expect(node.lagging).toBe(true)
    expect(report(node, 51, 100, 10_000)).toBe(0.1)
    expect(report(node, 0, 10, 110_000)).toBeCloseTo(0.1 * 1.05 ** 10)
    expect([report(node, 0, 100, 120_000), node.lagging]).toEqual([1, false])
  })

  it("counts no more than a second between two reports", () => {
    const node = new NodePressure()
    node.report(100, 1000)
    node.report(100, 3_600_000)
    expect(node.factor).toBeCloseTo(0.95 ** 2)
  })
})
