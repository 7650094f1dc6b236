/** The slots of a run, against a naive model: a list of waits, of which the most urgent has its turn. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { OuterSlots } from "../../src/model/Extension.ts"
import { Slots, type Waiter } from "../../src/run/Slots.ts"

const steps = 6

/** What happens to slots, step by step. */
const happenings = fc.array(
  fc.record({
    what: fc.constantFrom("ask", "ask", "take", "take", "release", "leave", "grant"),
    pick: fc.nat(1000),
    isInside: fc.boolean()
  }),
  { maxLength: 80 }
)

const urgencies = fc
  .shuffledSubarray(
    Array.from({ length: steps }, (_, i) => i),
    { minLength: steps }
  )
  .map((order) => Int32Array.from(order))

/** The slots around, of which each is given when the test says so. */
class Outer implements OuterSlots {
  readonly limit = 4
  there = 0
  asked = 0
  readonly told: Array<string> = []
  private readonly onGranted: () => void

  constructor(onGranted: () => void) {
    this.onGranted = onGranted
  }

  readonly isThere = (): boolean => {
    if (this.there === 0) this.asked = 1
    return this.there > 0
  }
  readonly take = (): void => void this.there--
  readonly releaseOne = (): undefined => void this.told.push("release")
  readonly offer = (): void => void this.told.push("offer")
  readonly giveBack = (): void => {
    this.told.push("giveBack")
    this.there = this.asked = 0
  }
  readonly withdraw = (): void => {
    this.told.push("withdraw")
    this.there = this.asked = 0
  }

  grant(): void {
    if (this.asked === 0) return
    this.asked = 0
    this.there++
    this.onGranted()
  }
}

interface Wait {
  readonly waiter: Waiter
  readonly order: number
}

describe("the slots of a run", () => {
  it.each(["alone", "inside another run"])(
    "%s go to the most urgent step, of one step to the wait that asked first, and never to more than the limit",
    (where) =>
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 3 }), urgencies, happenings, (limit, urgency, happens) => {
          let outer: Outer | undefined
          const parts = { outer: (onGranted: () => void) => (outer = new Outer(onGranted)) }
          const slots = new Slots(limit, urgency, where === "alone" ? {} : parts)
          let waits: Array<Wait> = []
          let taken = 0
          let asked = 0
          for (const { pick, what } of happens) {
            const before = waits.toSorted(
              (a, b) => urgency[a.waiter.index]! - urgency[b.waiter.index]! || a.order - b.order
            )
            if (what === "ask") waits.push({ waiter: slots.request(pick % steps), order: asked++ })
            else if (what === "grant") outer?.grant()
            else if (what === "release" && taken > 0) {
              slots.release()
              taken--
            } else if (what === "leave" && waits.length > 0) {
              const [{ waiter }] = waits.splice(pick % waits.length, 1) as [Wait]
              waiter.waits = false
            } else if (what === "take") {
              const isFree = taken < limit && (outer === undefined || outer.there > 0)
              const turn = slots.take()
              expect(turn).toBe(isFree ? before[0]?.waiter : undefined)
              if (turn === undefined) continue
              expect(turn.waits).toBe(false)
              waits = waits.filter(({ waiter }) => waiter !== turn)
              taken++
            }
            expect(slots.waitsForOthers).toBe(outer !== undefined && waits.length > 0)
          }
        }),
        { numRuns: 500 }
      )
  )

  it("can be had up to the smaller of the limit and that of the slots around", () => {
    const parts = { outer: (onGranted: () => void) => new Outer(onGranted) }
    expect(new Slots(2, new Int32Array(1), parts).limit).toBe(2)
    expect(new Slots(9, new Int32Array(1), parts).limit).toBe(4)
    expect(new Slots(Infinity, new Int32Array(1)).areEndless).toBe(true)
    expect(new Slots(Infinity, new Int32Array(1), parts).areEndless).toBe(false)
    const slots = new Slots(2, new Int32Array(1), parts)
    expect(slots.reasonOf(slots.request(0))).toEqual({ _tag: "Slot", concurrency: 2 })
  })

  it("of a run that has stopped go to the waits of runs inside alone", () => {
    const slots = new Slots(1, new Int32Array(2))
    slots.request(0)
    const inside = slots.requestInside(1, () => {})
    slots.stop()
    expect(slots.take()).toBe(inside)
    slots.release()
    expect(slots.take()).toBeUndefined()
  })

  it("give what was taken around back when nothing waits, and with an offer only while the run goes on", () => {
    const outers: Array<Outer> = []
    const make = () =>
      new Slots(2, new Int32Array(1), { outer: (onGranted) => (outers[outers.length] = new Outer(onGranted)) })
    const running = make()
    expect(running.take()).toBeUndefined()
    running.close()
    const stopped = make()
    stopped.stop()
    expect(stopped.take()).toBeUndefined()
    expect(outers.map(({ told }) => told)).toEqual([
      ["giveBack", "giveBack"],
      ["withdraw", "withdraw"]
    ])
  })

  it("tell when a slot around has come", () => {
    let told = 0
    let outer: Outer | undefined
    const slots = new Slots(1, new Int32Array(1), { outer: (onGranted) => (outer = new Outer(onGranted)) })
    slots.onGranted = () => told++
    const waiter = slots.request(0)
    expect(slots.take()).toBeUndefined()
    outer!.grant()
    expect([told, slots.take()]).toEqual([1, waiter])
    slots.release()
    expect(outer!.told).toEqual(["release"])
  })
})
