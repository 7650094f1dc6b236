/** Analyses of reports, against the figures of a model. */
import { Report } from "effect-loader"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { naiveFigures } from "../laws/NaiveFigures.ts"
import { naiveRun } from "../laws/NaiveRun.ts"
import { observe } from "../laws/observe.ts"
import { scenario } from "../laws/Scenario.ts"

describe("Report.analyze", () => {
  it("gives the durations, waits, critical path, slack and bound of the model", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const model = naiveRun(given)
        fc.pre(!model.ambiguous)
        const expected = naiveFigures(given, model)
        const { events } = await observe(given)
        const analysis = Report.analyze(Report.fromEvents(events)!)
        expect(analysis.duration).toBeCloseTo(expected.duration, 3)
        expect(analysis.work).toBeCloseTo(expected.work, 3)
        expect(analysis.criticalPathTook).toBeCloseTo(expected.longest, 3)
        expect(analysis.lowerBound).toBeCloseTo(expected.lowerBound, 3)
        for (const { resource, slack, took, waited } of analysis.resources) {
          const figures = expected.byTask.get(Number(resource))!
          expect(took, `${resource} took`).toBeCloseTo(figures.took, 3)
          expect(slack, `slack of ${resource}`).toBeCloseTo(figures.slack, 3)
          expect(waited.dependency, `${resource} waited for dependencies`).toBeCloseTo(figures.waited.dependency, 3)
          expect(waited.slot, `${resource} waited for a slot`).toBeCloseTo(figures.waited.slot, 3)
          expect(waited.retry, `${resource} waited to try again`).toBeCloseTo(figures.waited.retry, 3)
          expect(waited.batch + waited.thread).toBe(0)
        }
      }),
      { numRuns: 2000 }
    )
  )

  it("accounts for every moment of every resource and of the run", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { events } = await observe(given)
        const report = Report.fromEvents(events)!
        for (const { endedAt, phases } of report.resources) {
          phases.forEach(({ from }, k) => expect(from).toBe(k === 0 ? report.startedAt : phases[k - 1]!.to))
          if (phases.length > 0) expect(phases.at(-1)!.to).toBe(endedAt)
        }
        const { gap, heldUp, lastChain, lowerBound, duration } = Report.analyze(report)
        const phases = lastChain.flatMap((link) => link.phases)
        const onTheWay = phases.reduce((sum, { from, to }) => sum + to - from, 0)
        expect(onTheWay).toBeLessThanOrEqual(duration + 0.001)
        expect(gap).toBeGreaterThanOrEqual(0)
        expect(lowerBound + gap).toBeCloseTo(duration, 3)
        expect(heldUp.slot + heldUp.batch + heldUp.thread).toBeLessThanOrEqual(duration + 0.001)
      }),
      { numRuns: 500 }
    )
  )

  it("names, for a resource that a failure skipped, a dependency that had ended", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { events } = await observe(given)
        const report = Report.fromEvents(events)!
        for (const { outcome, phases } of report.resources) {
          if (outcome._tag !== "Skipped" || outcome.because._tag !== "DependencyFailed") continue
          const wait = phases.findLast(({ _tag }) => _tag === "Dependency")
          if (wait?._tag !== "Dependency") continue
          expect(Report.get(report, wait.resource!)!.endedAt).toBeLessThanOrEqual(wait.to)
        }
      }),
      { numRuns: 500 }
    )
  )
})
