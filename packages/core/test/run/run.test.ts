/** What follows in a run from the end of each step: with steps that are written by hand, and nothing that runs them. */
import { Cause, Effect, Exit } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ResourceError } from "../../src/model/ResourceError.ts"
import { stepOf } from "../../src/model/Step.ts"
import { giveInputs } from "../../src/run/Execution.ts"
import { type Fake, graphs, mapped, nameOf, programOf, recovered, runOf } from "./FakeSteps.ts"

const fakeEffect: Fake = {}

/** A step without an effect, which gives a value at once. */
const inline = (deps: ReadonlyArray<number>): Fake => ({
  deps,
  toStep: (common) => stepOf(common, { settle: (run, index) => run.succeed(index, run.depsOf(index)) })
})

const errorsOf = (cause: Cause.Cause<unknown> | undefined) =>
  cause?.reasons.filter(Cause.isFailReason).map(({ error }) => error as ResourceError<string, unknown>)

describe("a run", () => {
  it("tells of each step when the last that it waits for has succeeded, and of none twice", () =>
    fc.assert(
      fc.property(graphs(12), fc.infiniteStream(fc.nat()), ({ fakes, targets }, picks) => {
        const { at, program } = programOf(fakes, targets)
        const { ready, run, start } = runOf(program)
        start()
        const done = new Set<number>()
        const pending = new Set(fakes.keys())
        const waitsFor = (n: number) => [...(fakes[n]!.deps ?? []), ...(fakes[n]!.after ?? [])]
        while (pending.size > 0) {
          const expected = [...pending].filter((n) => waitsFor(n).every((on) => done.has(on)))
          expect(ready.toSorted((a, b) => a - b)).toEqual(expected.map(at).toSorted((a, b) => a - b))
          const [index] = ready.splice(picks.next().value! % ready.length, 1)
          const n = fakes.findIndex((_, n) => at(n) === index)
          expect(run.depsOf(index!)).toEqual(
            Object.fromEntries((fakes[n]!.deps ?? []).map((d) => [nameOf(d), `v${d}`]))
          )
          run.begin(index!)
          run.settle(index!, Exit.succeed(`v${n}`))
          done.add(n)
          pending.delete(n)
        }
        expect(run.remaining).toBe(0)
        expect(run.result()).toEqual(Object.fromEntries(targets.map((n) => [nameOf(n), `v${n}`])))
      })
    ))

  it("skips what depends on a step that failed, however far, and names that step; all the rest goes on", () =>
    fc.assert(
      fc.property(graphs(12), fc.infiniteStream(fc.nat(3)), ({ fakes, targets }, picks) => {
        const { at, program } = programOf(fakes, targets)
        const { lines, ready, run, start } = runOf(program)
        start()
        const failed = new Set<number>()
        for (let index = ready.shift(); index !== undefined; index = ready.shift()) {
          const fails = picks.next().value === 0
          if (fails) failed.add(index)
          run.settle(index, fails ? Exit.fail("no") : Exit.succeed(1))
        }
        expect(run.remaining).toBe(0)
        expect(run.stopped).toBeUndefined()
        const waitsFor = (n: number) => [...(fakes[n]!.deps ?? []), ...(fakes[n]!.after ?? [])]
        const roots = (n: number): ReadonlyArray<number> =>
          waitsFor(n).flatMap((on) => (failed.has(at(on)) ? [on] : roots(on)))
        for (const n of fakes.keys()) {
          const because = roots(n).map((root) => `Skipped by ${nameOf(root)} ${nameOf(n)}`)
          const ends = lines.filter((line) => line.endsWith(` ${nameOf(n)}`) && !line.startsWith("ready"))
          expect(ends).toHaveLength(1)
          if (because.length > 0) expect(because).toContain(ends[0])
          else expect(ends[0]).toBe(`${failed.has(at(n)) ? "Failed" : "Succeeded"} ${nameOf(n)}`)
        }
      })
    ))

  it("names a failure by its step and the path from a target, and annotates defects", () => {
    const { at, program } = programOf([{}, { deps: [0] }, { deps: [1] }], [2])
    const { run, start } = runOf(program)
    start()
    run.settle(at(0), Exit.fail("no"))
    expect(errorsOf(run.causeOf(at(0)))).toMatchObject([
      { resource: "s0", error: "no", attempts: 1, path: ["s2", "s1", "s0"] }
    ])
  })

  it("that is fail-fast stops at a failure that reaches a target: nothing is told to be ready after that", () => {
    const { at, program } = programOf([{}, {}, { deps: [1] }], [0, 2])
    const { lines, run, start } = runOf(program, { failFast: true })
    start()
    run.settle(at(0), Exit.fail("no"))
    run.settle(at(1), Exit.succeed(1))
    expect(lines).toEqual(["ready s1", "ready s0", "Failed s0", "stop", "Succeeded s1"])
    expect(run.stopped).toEqual({ _tag: "Failed", resource: "s0" })
  })

  it("has failed with all that failed until it ended, in the order of time, but not with what was interrupted", () => {
    const { at, program } = programOf([{}, {}, {}], [0, 1, 2])
    const { run, start } = runOf(program, { failFast: true })
    start()
    run.settle(at(1), Exit.fail("first"))
    run.settle(at(0), Exit.interrupt(1))
    run.settle(at(2), Exit.die("second"))
    expect(run.failures.map((cause) => cause.reasons.map(({ _tag }) => _tag))).toEqual([["Fail"], ["Die"]])
  })

  it("does not stop for a failure that a view recovers from, but for a defect that it does not", () => {
    const fakes = [fakeEffect, { deps: [0], lens: recovered(() => Effect.succeed("spare")) }]
    const once = (exit: Exit.Exit<unknown, unknown>) => {
      const { at, program } = programOf(fakes, [1])
      const { run, start } = runOf(program, { failFast: true })
      start()
      run.settle(at(0), exit)
      return { stopped: run.stopped?._tag, value: run.value(at(1))?.value }
    }
    expect(once(Exit.fail("no"))).toEqual({ stopped: undefined, value: "spare" })
    expect(once(Exit.die("a bug"))).toEqual({ stopped: "Failed", value: undefined })
    expect(once(Exit.interrupt(1))).toEqual({ stopped: "Failed", value: undefined })
  })

  it("stops once, tells its hooks before and after the gate, and then the interpreter", () => {
    const { program } = programOf([{}], [0])
    const order: Array<string> = []
    const { lines, run, start } = runOf(program, {
      hooks: { stopping: () => void order.push("stopping"), stopped: () => void order.push(`stopped`) }
    })
    start()
    run.stop({ _tag: "Interrupted" })
    run.stop({ _tag: "Failed", resource: "s0" })
    expect(order).toEqual(["stopping", "stopped"])
    expect(lines).toEqual(["ready s0", "stop"])
    expect(run.stopped).toEqual({ _tag: "Interrupted" })
  })

  it("knows at its time limit what was done, in flight and not started", () => {
    const fakes = [{}, {}, { deps: [0, 1] }, { given: { value: 1 } }]
    const { at, program } = programOf(fakes, [2, 3])
    const { run, start } = runOf(program)
    start()
    run.settle(at(0), Exit.succeed(1))
    run.begin(at(1))
    run.timeOut("limit" as never)
    const progress = { done: ["s0"], inFlight: ["s1"], notStarted: ["s2"] }
    expect(run.stopped).toEqual({ _tag: "TimedOut", limit: "limit", progress })
  })

  describe("recovers by a view", () => {
    const once = (f: (failure: unknown) => unknown, failFast = false) => {
      const facts: Array<unknown> = []
      const { at, program } = programOf([{}, { deps: [0], lens: recovered(f) }, { deps: [1] }], [2])
      const all = runOf(program, { failFast, hooks: { fact: (index, _item, fact) => void facts.push([index, fact]) } })
      all.start()
      all.run.settle(at(0), Exit.fail("no"))
      return { ...all, at, facts }
    }

    it("at once where it gives an exit, and says so", () => {
      const { at, facts, lines, run } = once((failure) => Effect.succeed(`after ${String(failure)}`))
      expect(run.valueOf(at(1))).toBe("after no")
      expect(facts).toEqual([[at(1), { _tag: "Degraded", fallback: "catch", error: "no" }]])
      expect(lines).toEqual(["ready s0", "Failed s0", "Succeeded s0", "ready s2"])
    })

    it("by an effect whose turn comes like that of a step, and degrades when that has succeeded", () => {
      const { at, facts, ready, run } = once(() => Effect.andThen(Effect.yieldNow, Effect.succeed(1)))
      expect(ready.splice(0)).toEqual([at(0), at(1)])
      expect(Effect.isEffect(run.begin(at(1)))).toBe(true)
      expect(facts).toEqual([[at(1), { _tag: "FallbackStarted", fallback: "catch", error: "no" }]])
      run.settle(at(1), Exit.succeed("spare"))
      expect(facts.at(-1)).toEqual([at(1), { _tag: "Degraded", fallback: "catch", error: "no" }])
      expect(ready).toEqual([at(2)])
    })

    it("and fails where what it gives fails, by its own error", () => {
      const { at, lines, run } = once(() => Effect.fail("neither"), true)
      expect(errorsOf(run.causeOf(at(1)))).toMatchObject([{ resource: "s0", error: "neither" }])
      expect(lines).toEqual(["ready s0", "Failed s0", "Failed s0", "stop"])
    })

    it("of a step that was skipped, only where it recovers for what that depends on, too", () => {
      const value = (ancestors: boolean) => {
        const lens = recovered(() => Effect.succeed("spare"), { ancestors })
        const { at, program } = programOf([{}, { deps: [0] }, { deps: [1], lens }], [2])
        const { run, start } = runOf(program)
        start()
        run.settle(at(0), Exit.fail("no"))
        return run.value(at(2))?.value
      }
      expect(value(true)).toBe("spare")
      expect(value(false)).toBeUndefined()
    })
  })

  it("ends a step in a cause that is concluded as it is: a view of it sees that cause", () => {
    const { at, program } = programOf([{}, { deps: [0], lens: mapped(() => 1) }, { deps: [1] }], [2])
    const { lines, run, start } = runOf(program)
    start()
    const cause = Cause.fail("named already")
    run.conclude(at(0), cause)
    run.settle(at(0), Exit.void)
    expect(run.causeOf(at(0))).toBe(cause)
    expect(run.causeOf(at(1))).toBe(cause)
    expect(lines).toContain("Skipped by s0 s2")
  })

  it("starts what waited for one more when that is satisfied, and not before", () => {
    const { at, program } = programOf([{}, { deps: [0] }], [1])
    const { ready, run, start } = runOf(program)
    run.missing[at(1)]!++
    start()
    run.settle(at(0), Exit.succeed(1))
    expect(ready).toEqual([at(0)])
    run.satisfy(at(1))
    expect(ready).toEqual([at(0), at(1)])
  })

  it("skips for choices: what is pending alone, and by the step that failed", () => {
    const { at, program } = programOf([{}, {}, { deps: [1] }, { deps: [2] }], [0, 3])
    const { lines, run, start } = runOf(program)
    start()
    run.settle(at(0), Exit.fail("no"))
    run.skip(at(2), at(0))
    run.skip(at(2), at(0))
    expect(lines.slice(-2)).toEqual(["Skipped by s0 s2", "Skipped by s0 s3"])
    run.drop(at(1), { _tag: "NotChosen", resource: "s9" })
    expect([lines.at(-1), run.remaining]).toEqual(["NotChosen s1", 0])
  })

  it("settles a chain of 100,000 steps without effects on a bounded stack, and skips one as long", () => {
    const length = 100_000
    const chain = Array.from({ length }, (_, n) => (n === 0 ? {} : inline([n - 1])))
    const { at, program } = programOf(chain, [length - 1])
    for (const exit of [Exit.succeed(1), Exit.fail("no")]) {
      const { run, start } = runOf(program)
      start()
      run.settle(at(0), exit)
      expect(run.remaining).toBe(0)
      expect(run.value(at(length - 1)) !== undefined).toBe(Exit.isSuccess(exit))
    }
  })

  it("puts inputs in their places, and names those that are missing, inherited names of objects among them", () => {
    const { at, program } = programOf([{ given: { value: undefined, isInput: true } }, { deps: [0] }], [1])
    const { run } = runOf(program)
    expect(giveInputs(run, { s0: null }, new Map())).toBeUndefined()
    expect(run.depsOf(at(1))).toEqual({ s0: null })
    for (const given of [undefined, null, "s0", {}, Object.create({ s1: 1 })]) {
      expect(giveInputs(runOf(program).run, given, new Map())).toMatchObject({ loader: "fake", missing: ["s0"] })
    }
  })

  it("gives back a slot when its step settles, and offers it only when the dependents stand in line", () => {
    const { at, program } = programOf([{}, { deps: [0] }], [1])
    const order: Array<string> = []
    const gate = { release: () => order.push("release"), stop: () => {} }
    const { lines, run, start } = runOf(program, { gate: gate as never })
    start()
    run.takeTurn({ index: at(0), limit: undefined, answer: undefined })
    run.settle(at(0), Exit.succeed(1))
    run.settle(at(1), Exit.succeed(1))
    expect(order).toEqual(["release"])
    expect(lines).toEqual(["ready s0", "Succeeded s0", "ready s1", "slots", "Succeeded s1"])
  })
})
