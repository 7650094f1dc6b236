/** What choices want, release, skip and drop: with steps that are written by hand, against a naive model. */
import { Exit } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { matchKind } from "../../src/choice/Choices.ts"
import type { Base } from "../../src/model/Node.ts"
import { together } from "../../src/run/Hooks.ts"
import { type Fake, nameOf, programOf, runOf, textOf } from "../run/FakeSteps.ts"
import type { StepEnd } from "../../src/model/Extension.ts"

const match = (on: number, cases: Readonly<Record<string, number>>, otherwise?: number): Fake => ({
  deps: [on],
  cases: [
    ...Object.entries(cases).map(([value, step]) => ({ value, step })),
    ...(otherwise === undefined ? [] : [{ value: undefined, step: otherwise }])
  ],
  toStep: (common, compiling) => matchKind.toStep(common.node as Base, common, compiling)
})

/** A run by hand of a program with choices. Each step that is ready is ended at once, in the order of their turns. */
const runChoices = (
  fakes: ReadonlyArray<Fake>,
  targets: ReadonlyArray<number>,
  exitOf: (n: number) => Exit.Exit<unknown, unknown>,
  failFast = false
) => {
  const { at, program } = programOf(fakes, targets)
  const facts: Array<string> = []
  const { lines, ready, run, start } = runOf(program, { failFast })
  const [choosing] = program.extensions
  const settled = (index: number, end: StepEnd): void => void lines.push(`${textOf(end)} ${program.steps[index]!.name}`)
  const opened = choosing!.extension.open(run as never, choosing!.data as never, undefined as never)!
  const fact = (index: number, _item: unknown, { _tag }: { readonly _tag: string }): void =>
    void facts.push(`${_tag} ${program.steps[index]!.name}`)
  run.plug(together([opened, { settled, fact }]), undefined)
  start()
  const begun: Array<number> = []
  for (let index = ready.shift(); index !== undefined && run.stopped === undefined; index = ready.shift()) {
    const n = fakes.findIndex((_, n) => at(n) === index)
    begun.push(n)
    run.settle(index, exitOf(n))
  }
  return { at, begun, facts, lines, run, valueOf: (n: number) => run.value(at(n))?.value }
}

const gives = (values: Readonly<Record<number, unknown>>) => (n: number) =>
  n in values ? Exit.succeed(values[n]) : Exit.succeed(nameOf(n))

describe("a choice", () => {
  it("loads what it chooses and nothing of the rest, and has the value of that", () => {
    const fakes = [{}, {}, {}, { deps: [1] }, { deps: [2] }, match(0, { a: 3, b: 4 })]
    const { begun, facts, lines, valueOf } = runChoices(fakes, [5], gives({ 0: "a" }))
    expect(begun).toEqual([0, 1, 3])
    expect(valueOf(5)).toBe("s3")
    expect(facts).toEqual(["Chosen s5", "Wanted s3", "Wanted s1"])
    expect(lines.filter((line) => line.startsWith("NotChosen")).toSorted()).toEqual(["NotChosen s2", "NotChosen s4"])
  })

  it("chooses by strings, numbers and booleans, else the case for all others, without which it fails", () => {
    const chosen = (value: unknown, otherwise?: number) => {
      const { run, at, valueOf } = runChoices(
        [{}, {}, {}, match(0, { 1: 1, true: 2 }, otherwise)],
        [3],
        gives({ 0: value })
      )
      return run.causeOf(at(3)) === undefined ? valueOf(3) : "MatchError"
    }
    expect([1, "1", true, "true"].map((value) => chosen(value))).toEqual(["s1", "s1", "s2", "s2"])
    expect([2, null, {}].map((value) => chosen(value))).toEqual(["MatchError", "MatchError", "MatchError"])
    expect([2, null, {}].map((value) => chosen(value, 1))).toEqual(["s1", "s1", "s1"])
  })

  it("drops all that it may choose where it matches nothing", () => {
    const { begun, run } = runChoices([{}, {}, { deps: [1] }, match(0, { a: 2 })], [3], gives({ 0: "z" }))
    expect(begun).toEqual([0])
    expect(run.remaining).toBe(0)
  })

  it("is skipped with what it chose, by the step that failed", () => {
    const fakes = [{}, {}, { deps: [1] }, match(0, { a: 2 })]
    const { lines, run } = runChoices(fakes, [3], (n) => (n === 1 ? Exit.fail("no") : Exit.succeed("a")))
    expect(lines.slice(-3)).toEqual(["Failed s1", "Skipped by s1 s2", "Skipped by s1 s3"])
    expect(run.remaining).toBe(0)
  })

  it("is skipped with what decides, and what only it could want is then never loaded", () => {
    const { begun, lines, run } = runChoices([{}, {}, match(0, { a: 1 })], [2], () => Exit.fail("no"))
    expect(begun).toEqual([0])
    expect(lines.slice(-3).toSorted()).toEqual(["Failed s0", "NotChosen s1", "Skipped by s0 s2"])
    expect(run.remaining).toBe(0)
  })

  it("stops a load when what it chose fails, but not for what it did not choose", () => {
    // The last target needs a step that only the other case has in common with it.
    const fakes = [{}, {}, {}, match(0, { a: 1, b: 2 })]
    const failing = (n: number) => (value: string) => (m: number) =>
      m === 0 ? Exit.succeed(value) : m === n ? Exit.fail("no") : Exit.succeed(1)
    expect(runChoices(fakes, [3], failing(1)("a"), true).run.stopped).toEqual({ _tag: "Failed", resource: "s1" })
    expect(runChoices(fakes, [3], failing(1)("b"), true).run.stopped).toBeUndefined()
  })

  it("wants, in generated graphs of choices, exactly what its targets come to by the values that were given", () => {
    const spec = fc.integer({ min: 2, max: 12 }).chain((size) =>
      fc.record({
        nodes: fc.tuple(
          ...Array.from({ length: size }, (_, n) =>
            n < 2
              ? fc.constant({ isMatch: false, deps: [], on: 0, a: 0, b: 0 })
              : fc.record({
                  isMatch: fc.boolean(),
                  deps: fc.uniqueArray(fc.nat({ max: n - 1 }), { maxLength: 2 }),
                  on: fc.nat({ max: n - 1 }),
                  a: fc.nat({ max: n - 1 }),
                  b: fc.nat({ max: n - 1 })
                })
          )
        ),
        says: fc.array(fc.constantFrom("a", "b"), { minLength: size, maxLength: size }),
        fails: fc.array(fc.constantFrom(false, false, false, true), { minLength: size, maxLength: size }),
        targets: fc.uniqueArray(fc.nat({ max: size - 1 }), { minLength: 1, maxLength: 2 })
      })
    )
    fc.assert(
      fc.property(spec, ({ fails, nodes, says, targets }) => {
        const fakes = nodes.map(({ a, b, deps, isMatch, on }) => (isMatch ? match(on, { a, b }) : { deps }))
        fc.pre(fakes.some(({ cases }) => cases !== undefined))
        type Fate = { readonly value: string } | "failed"
        const fateOf = (n: number): Fate => {
          const { a, b, deps, isMatch, on } = nodes[n]!
          if (isMatch) {
            const decides = fateOf(on)
            return decides === "failed" ? decides : fateOf(decides.value === "a" ? a : b)
          }
          return fails[n]! || deps.some((on) => fateOf(on) === "failed") ? "failed" : { value: says[n]! }
        }
        const wanted = new Set<number>()
        const want = (n: number): void => {
          if (wanted.has(n)) return
          wanted.add(n)
          const { a, b, deps, isMatch, on } = nodes[n]!
          for (const needed of isMatch ? [on] : deps) want(needed)
          const decides = isMatch ? fateOf(on) : "failed"
          if (decides !== "failed") want(decides.value === "a" ? a : b)
        }
        for (const n of targets) want(n)
        // All steps are compiled, and those that no target could need would be needless roots: they are targets, too.
        const mayNeed = new Set<number>()
        const need = (n: number): void => {
          if (mayNeed.has(n)) return
          mayNeed.add(n)
          const { a, b, deps, isMatch, on } = nodes[n]!
          for (const needed of isMatch ? [on, a, b] : deps) need(needed)
        }
        for (const n of targets) need(n)
        for (const n of nodes.keys()) if (!mayNeed.has(n)) want(n)
        const all = [...targets, ...[...nodes.keys()].filter((n) => !mayNeed.has(n))]
        const { begun, run, valueOf } = runChoices(fakes, all, (n) =>
          fails[n] ? Exit.fail("no") : Exit.succeed(says[n])
        )
        expect(run.remaining).toBe(0)
        const mayBegin = [...wanted].filter(
          (n) => !nodes[n]!.isMatch && nodes[n]!.deps.every((on) => fateOf(on) !== "failed")
        )
        expect(begun.toSorted((a, b) => a - b)).toEqual(mayBegin.toSorted((a, b) => a - b))
        for (const n of wanted) {
          const fate = fateOf(n)
          expect(valueOf(n)).toBe(fate === "failed" ? undefined : fate.value)
        }
      }),
      { numRuns: 1000 }
    )
  })
})
