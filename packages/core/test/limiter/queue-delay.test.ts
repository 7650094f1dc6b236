import { describe, expect, it } from "vitest"
import { QueueDelay } from "../../src/limiter/QueueDelay.ts"

/** When it refuses, asked each millisecond, with waits as given. */
const refusals = (delay: QueueDelay, waited: (now: number) => number, until: number): ReadonlyArray<number> =>
  Array.from({ length: until }, (_, now) => now).filter((now) => delay.refuses(waited(now), now))

describe("queue delay", () => {
  it("refuses after a whole interval of long waits, then sooner and sooner", () => {
    const at = refusals(new QueueDelay({ target: 5, interval: 100 }), () => 20, 500)
    expect(at).toEqual([100, 200, 271, 329, 379, 424, 464])
  })

  it("one short wait is enough to start over", () => {
    const at = refusals(new QueueDelay({ target: 5, interval: 100 }), (now) => (now === 90 ? 1 : 20), 200)
    expect(at).toEqual([191])
  })
})
