/** Compiled programs against a naive model, which works out the same by recursion. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { pathTo } from "../../src/compile/Path.ts"
import { isBefore } from "../../src/compile/Layout.ts"
import { Pending } from "../../src/model/Absent.ts"
import { stepOf } from "../../src/model/Step.ts"
import { type Fake, graphs, mapped, nameOf, programOf, recovered } from "../run/FakeSteps.ts"

type Kind = "step" | "given" | "input" | "inline" | "map" | "errors" | "causes" | "ancestors"

const kinds: ReadonlyArray<Kind> = [
  "step",
  "step",
  "step",
  "given",
  "input",
  "inline",
  "map",
  "errors",
  "causes",
  "ancestors"
]

const toFake = (fake: Fake, kind: Kind): Fake => {
  const [parent] = fake.deps ?? []
  if (kind === "given" || kind === "input") return { given: { value: 1, isInput: kind === "input" } }
  if (kind === "inline") return { ...fake, toStep: (common) => stepOf(common, { settle: () => {} }) }
  if (kind === "step" || parent === undefined) return fake
  const deps = [parent]
  if (kind === "map") return { deps, lens: mapped((value) => value) }
  const recovers = kind === "causes" ? "causes" : "errors"
  return { deps, lens: recovered(() => 0, { recovers, ancestors: kind === "ancestors" }) }
}

/** Graphs of all kinds of steps but choices. All of their steps are compiled, whether or not a target needs them. */
const mixed = graphs(12).chain((graph) =>
  fc.array(fc.constantFrom(...kinds), { minLength: 12, maxLength: 12 }).map((chosen) => ({
    ...graph,
    fakes: graph.fakes.map((fake, n) => toFake(fake, chosen[n]!))
  }))
)

const property = (check: (model: ReturnType<typeof naive>, compiled: ReturnType<typeof programOf>) => void): void =>
  fc.assert(
    fc.property(mixed, ({ fakes, targets }) => check(naive(fakes, targets), programOf(fakes, targets))),
    { numRuns: 500 }
  )

/** What a program should say of its steps, by their numbers. */
const naive = (fakes: ReadonlyArray<Fake>, targets: ReadonlyArray<number>) => {
  const all = fakes.map((_, n) => n)
  const isGiven = (n: number): boolean => fakes[n]!.given !== undefined
  const waitsFor = (n: number): Array<number> => [...new Set([...(fakes[n]!.deps ?? []), ...(fakes[n]!.after ?? [])])]
  const users = (n: number): Array<number> => all.filter((by) => waitsFor(by).includes(n))
  const weight = (n: number): number => (isGiven(n) || fakes[n]!.lens !== undefined ? 0 : 1)
  const rank = (n: number): number => weight(n) + Math.max(0, ...users(n).map(rank))
  const level = (n: number): number => weight(n) + Math.max(0, ...waitsFor(n).map(level))
  const reaches = (n: number, passes: (by: number) => boolean, next: (by: number) => boolean): boolean =>
    targets.includes(n) || users(n).some((by) => passes(by) && next(by))
  /** A skip passes all but views that recover from those of what their resource depends on. */
  const skip = (n: number): boolean => reaches(n, (by) => fakes[by]!.lens?.ancestors !== true, skip)
  /** A failure skips what reads it, and passes views that do not recover. */
  const failure = (n: number): boolean =>
    targets.includes(n) ||
    users(n).some((by) => {
      const { lens } = fakes[by]!
      if (lens === undefined) return skip(by)
      return lens.recovers === undefined && failure(by)
    })
  const defect = (n: number): boolean =>
    targets.includes(n) ||
    users(n).some((by) => {
      const { lens } = fakes[by]!
      return lens === undefined || (lens.recovers !== "causes" && defect(by))
    })
  const urgency = all.toSorted((a, b) => rank(b) - rank(a) || a - b)
  return { all, fakes, targets, isGiven, waitsFor, users, weight, rank, level, skip, failure, defect, urgency }
}

describe("a program", () => {
  it("has what a step waits for before it, level by level", () =>
    property(({ all, level, waitsFor }, { at, program }) => {
      for (const n of all) for (const on of waitsFor(n)) expect(at(on)).toBeLessThan(at(n))
      const byIndex = all.toSorted((a, b) => at(a) - at(b))
      expect(byIndex).toEqual(all.toSorted((a, b) => level(a) - level(b) || a - b))
      expect(program.declared).toEqual(all.map(at))
    }))

  it("knows the dependents of each step, and how many steps each one waits for: nothing waits for what is given", () =>
    property(({ all, isGiven, users, waitsFor }, { at, program }) => {
      const { items, start } = program.dependents
      for (const n of all) {
        const dependents = Array.from(items.slice(start[at(n)]!, start[at(n) + 1]!))
        expect(dependents).toEqual(
          isGiven(n)
            ? []
            : users(n)
                .map(at)
                .toSorted((a, b) => a - b)
        )
        expect(program.missing[at(n)]).toBe(waitsFor(n).filter((on) => !isGiven(on)).length)
        expect(program.initial[at(n)]).toBe(isGiven(n) ? 1 : Pending)
      }
      expect(program.toSettle).toBe(all.filter((n) => !isGiven(n)).length)
    }))

  it("ranks each step by the longest path to the end; roots and batches have the most urgent first", () =>
    property(({ all, isGiven, level, rank, urgency, waitsFor, weight }, { at, program }) => {
      expect(all.map((n) => program.ranks[at(n)])).toEqual(all.map(rank))
      expect(urgency.map((n) => program.urgency[at(n)])).toEqual(urgency.map((_, place) => place))
      const isRoot = (n: number): boolean => !isGiven(n) && waitsFor(n).every(isGiven)
      expect(program.roots).toEqual(urgency.filter(isRoot).map(at))
      const levels = Array.from({ length: Math.max(...all.map(level)) }, (_, k) => k + 1)
      expect(program.batches).toEqual(
        levels.map((of) => urgency.filter((n) => weight(n) === 1 && level(n) === of).map(at))
      )
    }))

  it("knows which failures, skips and defects reach a target, whatever recovers on the way", () =>
    property(({ all, defect, failure, isGiven, skip, targets, users, fakes }, { at, program }) => {
      // What is given never fails.
      const own = all.filter((n) => !isGiven(n))
      const numbers = (has: (n: number) => boolean) => own.map((n) => (has(n) ? 1 : 0))
      const flags = (of: Uint8Array) => own.map((n) => of[at(n)])
      expect(flags(program.fatalSkip)).toEqual(numbers(skip))
      expect(flags(program.fatalFailure)).toEqual(numbers(failure))
      expect(flags(program.fatalDefect)).toEqual(numbers(defect))
      const isExposed = (n: number) => targets.includes(n) || users(n).some((by) => fakes[by]!.lens === undefined)
      expect(flags(program.exposed)).toEqual(numbers(isExposed))
    }))

  it("has what runs touch in arrays that say the same as its steps, with one array for equal keys", () =>
    property(({ all, fakes }, { at, program }) => {
      const { keys, kinds, sources } = program.hot
      const known = new Map<string, ReadonlyArray<string>>()
      for (const n of all) {
        const i = at(n)
        const { deps = [] } = fakes[n]!
        // A view reads its resource without a key.
        const named = fakes[n]!.lens === undefined ? deps.map(nameOf) : []
        expect(keys[i]).toEqual(named)
        expect(keys[i]).toBe(known.get(named.join()) ?? keys[i])
        known.set(named.join(), keys[i]!)
        expect(Array.from(sources.items.slice(sources.start[i]!, sources.start[i + 1]!))).toEqual(deps.map(at))
        expect(kinds[i] === 2).toBe(program.steps[i]!.begin === undefined)
      }
    }))

  it("finds a shortest path from a target to a step, and whether one step may have to wait for another", () =>
    property(({ all, fakes, targets, waitsFor }, { at, program }) => {
      /** The names on each path from a target: a view and its resource are one. */
      const pathsTo = (n: number): ReadonlyArray<ReadonlyArray<number>> => [
        ...(targets.includes(n) ? [[n]] : []),
        ...all.filter((by) => waitsFor(by).includes(n)).flatMap((by) => pathsTo(by).map((path) => [...path, n]))
      ]
      const baseOf = (n: number): number => (fakes[n]!.lens === undefined ? n : baseOf(fakes[n]!.deps![0]!))
      const isBelow = (n: number, base: number): boolean =>
        waitsFor(n).some((on) => (baseOf(on) === base && baseOf(n) !== base) || isBelow(on, base))
      for (const n of all) {
        const paths = pathsTo(n)
        if (paths.length > 0) {
          const found = pathTo(program, at(n))
          const shortest = Math.min(...paths.map(({ length }) => length))
          const names = paths
            .filter(({ length }) => length === shortest)
            .map((path) => path.map((i) => nameOf(baseOf(i))).filter((name, k, all) => name !== all[k - 1]))
          expect(names).toContainEqual(found)
        }
        for (const on of all.filter((on) => fakes[on]!.lens === undefined && baseOf(n) !== on)) {
          expect(isBefore(program.steps, nameOf(on), at(n))).toBe(isBelow(n, on))
        }
      }
    }))
})
