/** Which requests of a run are still to come, for batches that are held: with steps that are written by hand. */
import fc from "fast-check"
import * as Duration from "effect/Duration"
import { describe, expect, it } from "vitest"
import { Hold } from "../../src/batching/Hold.ts"
import { Foresight } from "../../src/request/Foresight.ts"
import { type Fake, graphs, programOf } from "../run/FakeSteps.ts"

const hold = new Hold(Duration.seconds(1))
const other = new Hold(Duration.seconds(1))

/** A run whose steps settle when the test says so; `asking` are those that ask, and which batches they may join. */
const foresee = (
  fakes: ReadonlyArray<Fake>,
  asking: ReadonlyMap<number, ReadonlyArray<Hold>>,
  around?: { readonly foresight: Foresight; readonly index: number; readonly item: number | undefined }
) => {
  const { at, program } = programOf(fakes, [fakes.length - 1])
  const settled = new Set<number>()
  const unwanted = new Set<number>()
  const progress = {
    isSettled: (index: number) => settled.has(index),
    isUnwanted: (index: number) => unwanted.has(index)
  }
  const foreseen = Array.from(asking, ([n, holds]) => ({ index: at(n), holds, choosers: [] }))
  const foresight = new Foresight(program, foreseen, progress, around)
  return { at, foresight, settle: (n: number) => settled.add(at(n)) }
}

describe("the foresight of a run", () => {
  it("has a request to come from each step that asks, until that has come to it or has settled", () => {
    const { at, foresight, settle } = foresee(
      [{}, {}],
      new Map([
        [0, [hold]],
        [1, [hold]]
      ])
    )
    const isFree = () => foresight.lookFor(hold).free
    expect([isFree(), foresight.lookFor(other).free]).toEqual([true, false])
    foresight.hasCome(at(0), undefined)
    expect(isFree()).toBe(true)
    settle(1)
    expect(isFree()).toBe(false)
  })

  it("does not wait with a request for what depends on it, but says behind which other batch that is", () => {
    const { at, foresight } = foresee(
      [{}, { deps: [0] }],
      new Map([
        [0, [other]],
        [1, [hold]]
      ])
    )
    const place = foresight.placeOf(at(0))
    foresight.hasCome(at(0), undefined)
    expect(foresight.lookFor(hold)).toEqual({ free: true, behind: new Set() })
    place.enter(other)
    expect(foresight.lookFor(hold)).toEqual({ free: false, behind: new Set([other]) })
    place.enter(hold)
    expect(foresight.lookFor(hold)).toEqual({ free: false, behind: new Set() })
    place.leave(hold)
    place.leave(other)
    expect(foresight.lookFor(hold)).toEqual({ free: true, behind: new Set() })
  })

  it("in generated graphs says that a request is free where no step that it waits for, however far, is held", () =>
    fc.assert(
      fc.property(
        graphs(10),
        fc.array(fc.constantFrom("asks", "held", "settled", "none"), { minLength: 10 }),
        (graph, does) => {
          const { fakes } = graph
          const numbers = [...fakes.keys()]
          const asking = numbers.filter((n) => does[n] === "asks" || does[n] === "held")
          const { at, foresight, settle } = foresee(fakes, new Map(asking.map((n) => [n, [hold]])))
          // What has settled has nothing before it that has not.
          const waitsFor = (n: number) => [...(fakes[n]!.deps ?? []), ...(fakes[n]!.after ?? [])]
          const isSettled = (n: number): boolean => does[n] === "settled" && waitsFor(n).every(isSettled)
          for (const n of numbers.filter(isSettled)) settle(n)
          for (const n of numbers.filter((n) => does[n] === "held")) {
            foresight.hasCome(at(n), undefined)
            foresight.placeOf(at(n)).enter(hold)
          }
          const isBehind = (n: number): boolean =>
            !isSettled(n) && waitsFor(n).some((on) => does[on] === "held" || isBehind(on))
          const free = numbers.filter((n) => does[n] === "asks" && !isBehind(n))
          expect(foresight.lookFor(hold)).toEqual({ free: free.length > 0, behind: new Set() })
        }
      ),
      { numRuns: 500 }
    ))

  it("has requests to come from a list while an item that runs has not asked, or another one may begin", () => {
    const { at, foresight } = foresee([{}], new Map([[0, [hold]]]))
    const list = at(0)
    const isFree = () => foresight.lookFor(hold).free
    foresight.listBegins(list, 3, 2)
    const seen = [isFree()]
    foresight.itemBegins(list, 0)
    foresight.itemBegins(list, 1)
    foresight.hasCome(list, 0)
    seen.push(isFree())
    // Both items that may run at once have asked.
    foresight.hasCome(list, 1)
    seen.push(isFree())
    foresight.itemEnds(list, 0)
    seen.push(isFree())
    foresight.itemBegins(list, 2)
    foresight.itemEnds(list, 2)
    seen.push(isFree())
    expect(seen).toEqual([true, true, false, true, false])
  })

  it("looks into a run inside from its beginning to its end, and counts what is held there as of the step around", () => {
    const outer = foresee(
      [{}, { deps: [0] }],
      new Map([
        [0, [hold]],
        [1, [hold]]
      ])
    )
    const around = { foresight: outer.foresight, index: outer.at(0), item: undefined }
    const inner = foresee([{}], new Map([[0, [hold]]]), around)
    inner.foresight.begin()
    expect(outer.foresight.lookFor(hold).free).toBe(true)
    inner.foresight.hasCome(inner.at(0), undefined)
    const place = inner.foresight.placeOf(inner.at(0))
    expect(place.horizon).toBe(outer.foresight)
    place.enter(hold)
    expect(outer.foresight.lookFor(hold).free).toBe(false)
    place.leave(hold)
    inner.foresight.end()
    expect(outer.foresight.lookFor(hold).free).toBe(true)
  })

  it("wakes what is held when something is no longer to come", () => {
    const { at, foresight } = foresee(
      [{}, {}],
      new Map([
        [0, [hold]],
        [1, [hold]]
      ])
    )
    const told: Array<unknown> = []
    const held = { tell: () => told.push("told") } as unknown as Hold
    const place = foresight.placeOf(at(0))
    place.enter(held)
    foresight.hasCome(at(1), undefined)
    foresight.changed()
    place.leave(held)
    foresight.changed()
    expect(told).toEqual(["told", "told"])
  })
})
