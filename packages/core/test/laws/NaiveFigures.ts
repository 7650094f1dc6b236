/** What a report should say of a run, worked out from the model of that run the slow and obvious way. */
import type { Lived, Outcome, Scenario } from "./NaiveRun.ts"

export interface Figures {
  readonly took: number
  readonly running: number
  readonly slack: number
  readonly waited: { readonly dependency: number; readonly slot: number; readonly retry: number }
}

export interface RunFigures {
  readonly duration: number
  readonly work: number
  readonly longest: number
  readonly lowerBound: number
  readonly byTask: ReadonlyMap<number, Figures>
}

export const naiveFigures = (scenario: Scenario, { endedAt: duration, lives }: Outcome): RunFigures => {
  const { limit, tasks } = scenario
  const endOf = ({ endedAt = duration }: Lived): number => endedAt
  const basesOf = (i: number): ReadonlyArray<number> => tasks[i]!.uses.map(({ on }) => on)
  const usersOf = (i: number): ReadonlyArray<number> => Array.from(lives.keys()).filter((by) => basesOf(by).includes(i))

  const own = (i: number): Omit<Figures, "slack"> => {
    const { duration: length, pause } = tasks[i]!
    const life = lives.get(i)!
    const end = endOf(life)
    const until = (at: number): number => Math.min(at, end)
    // Nothing is ready before the last of what it uses is there, and what never came is waited for to the end.
    const ready = life.end._tag === "Skipped" && life.end.because.startsWith("run:") ? undefined : readyOf(i)
    const dependency = until(ready ?? readyOf(i))
    let running = 0
    let retry = 0
    let slot = 0
    let free = dependency
    for (const start of life.starts) {
      slot += start - free
      running += until(start + length) - start
      retry += until(start + length + pause) - until(start + length)
      free = until(start + length + pause)
    }
    // After the last attempt there is no pause, unless it was on its way to another.
    const lastEnd = life.starts.length === 0 ? dependency : until(life.starts.at(-1)! + length)
    const isOver = end === lastEnd
    if (life.starts.length > 0 && isOver) retry -= free - lastEnd
    else slot += end - free
    return { running, took: running + retry, waited: { dependency, slot, retry } }
  }
  const readyOf = (i: number): number =>
    Math.max(
      0,
      ...basesOf(i).map((on) => {
        const life = lives.get(on)!
        return life.end._tag === "Skipped" && life.endedAt === undefined ? duration : endOf(life)
      })
    )

  const figures = new Map(Array.from(lives.keys(), (i) => [i, own(i)] as const))
  const took = (i: number): number => figures.get(i)!.took
  const up = (i: number): number => took(i) + Math.max(0, ...basesOf(i).map(up))
  const down = (i: number): number => took(i) + Math.max(0, ...usersOf(i).map(down))
  const all = Array.from(lives.keys())
  const longest = Math.max(0, ...all.map(up))
  const work = all.reduce((sum, i) => sum + figures.get(i)!.running, 0)
  return {
    duration,
    work,
    longest,
    // The longest way may lead through what was skipped, for which nobody had to wait: no run beats its own bound.
    lowerBound: Math.min(duration, Math.max(longest, work / (limit ?? Infinity))),
    byTask: new Map(all.map((i) => [i, { ...figures.get(i)!, slack: longest - (up(i) + down(i) - took(i)) }]))
  }
}
