/** Slots for attempts that need permits of limiters, too: with limiters that answer when the test says so. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Asker, LimiterAnswer, LimiterLine } from "../../src/model/Extension.ts"
import type { Limited } from "../../src/model/Step.ts"
import { LimitedSlots } from "../../src/permits/LimitedSlots.ts"
import type { PermitLine } from "../../src/permits/PermitLine.ts"
import type { Waiter } from "../../src/run/Slots.ts"

const steps = 6

/** A limiter of so many permits, one for each attempt. It is asked for one attempt at a time. */
class FakeLine implements LimiterLine {
  free: number
  /** For which attempt it is asked; it refuses the next one where that is set. */
  asked: Asker | undefined = undefined
  refuses = false
  readonly reason = { _tag: "Permit", limiter: "backend", limit: 1 } as const

  constructor(free: number) {
    this.free = free
  }

  answers(asker: Asker): boolean {
    this.asked = asker
    return this.refuses || this.free > 0
  }

  take(): LimiterAnswer {
    this.asked = undefined
    if (this.refuses) {
      this.refuses = false
      return { permits: undefined, refusal: "refused" }
    }
    this.free--
    return { permits: this, refusal: undefined }
  }

  withdraw(): void {
    this.asked = undefined
  }
}

const limitedBy = (limiter: number): Limited => ({ limiter, label: "limit" }) as Limited

const make = (
  limit: number,
  permits: ReadonlyArray<number>,
  urgency = Int32Array.from({ length: steps }, (_, i) => i)
) => {
  const lines = permits.map((free) => new FakeLine(free))
  const limiters = { lines: lines as unknown as ReadonlyArray<PermitLine>, remaining: () => 0, onAnswer: () => {} }
  return { lines, limiters, slots: new LimitedSlots(limit, urgency, {}, limiters) }
}

describe("the slots of a run with limiters", () => {
  it("go to the most urgent wait whose limiter answers, and never to more than slots and permits allow", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.tuple(fc.nat(2), fc.nat(2)),
        fc.array(
          fc.record({
            what: fc.constantFrom("ask", "ask", "take", "take", "end", "leave", "refuse"),
            pick: fc.nat(1000),
            limiter: fc.constantFrom(undefined, 0, 1)
          }),
          { maxLength: 80 }
        ),
        (limit, permits, happens) => {
          const { lines, slots } = make(limit, permits)
          let waits: Array<{ readonly waiter: Waiter; readonly order: number; readonly limiter: number | undefined }> =
            []
          const running: Array<FakeLine | undefined> = []
          let asked = 0
          for (const { limiter, pick, what } of happens) {
            if (what === "ask") {
              const waiter = slots.request(pick % steps, limiter === undefined ? undefined : limitedBy(limiter))
              waits.push({ waiter, order: asked++, limiter })
            } else if (what === "leave" && waits.length > 0) {
              waits.splice(pick % waits.length, 1)[0]!.waiter.waits = false
            } else if (what === "refuse") lines[pick % 2]!.refuses = true
            else if (what === "end" && running.length > 0) {
              const [line] = running.splice(pick % running.length, 1)
              if (line !== undefined) line.free++
              slots.release()
            } else if (what === "take") {
              const hasSlot = running.length < limit
              const able = waits
                .toSorted((a, b) => a.waiter.index - b.waiter.index || a.order - b.order)
                // Each limiter is asked for the most urgent of its attempts alone.
                .filter((wait, k, all) => all.findIndex(({ limiter }) => limiter === wait.limiter) === k)
                .find(({ limiter }) => limiter === undefined || lines[limiter]!.refuses || lines[limiter]!.free > 0)
              const refused = able?.limiter !== undefined && lines[able.limiter]!.refuses
              const turn = slots.take()
              expect(turn).toBe(hasSlot ? able?.waiter : undefined)
              if (turn === undefined) continue
              waits = waits.filter(({ waiter }) => waiter !== turn)
              expect(turn.answer?.refusal).toBe(refused ? "refused" : undefined)
              if (!refused) running.push(able!.limiter === undefined ? undefined : lines[able!.limiter])
            }
            expect(slots.waitsForOthers).toBe(waits.length > 0)
          }
        }
      ),
      { numRuns: 500 }
    ))

  it("ask no limiter, and keep no answer, while there is no slot", () => {
    const { lines, slots } = make(1, [0])
    const [line] = lines as [FakeLine]
    const first = slots.request(0, limitedBy(0))
    expect(slots.take()).toBeUndefined()
    expect(line.asked).toBe(first)
    expect(slots.reasonOf(first)).toEqual(line.reason)
    const second = slots.request(1)
    expect(slots.take()).toBe(second)
    expect(slots.take()).toBeUndefined()
    expect(line.asked).toBeUndefined()
    expect(slots.reasonOf(first)).toEqual({ _tag: "Slot", concurrency: 1 })
  })

  it("leave the limiters when the run stops", () => {
    const { lines, slots } = make(1, [0])
    slots.request(0, limitedBy(0))
    slots.take()
    slots.stop()
    expect(lines[0]!.asked).toBeUndefined()
    expect(slots.take()).toBeUndefined()
  })

  it("tell of an answer of a limiter", () => {
    const { limiters, slots } = make(1, [0])
    let told = 0
    slots.onGranted = () => told++
    limiters.onAnswer()
    expect(told).toBe(1)
  })
})
