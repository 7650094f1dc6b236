/** The pictures of the guide, from simulations. */
import { defaultFifo, theDefault, unbounded } from "./Contender.ts"
import { type Answer, changing, overload } from "./Overload.ts"
import { pages, traffic, type Visit } from "./Pages.ts"
import { percentile } from "./Percentile.ts"
import { draw } from "./Plot.ts"

const seed = 1000

/** One list for each stretch of so many seconds. */
const stretches = <A extends { readonly at: number }>(
  all: ReadonlyArray<A>,
  step: number,
  end: number
): ReadonlyArray<ReadonlyArray<A>> => {
  const found = Array.from({ length: end / step }, (): Array<A> => [])
  for (const one of all) found[Math.floor(one.at / 1000 / step)]?.push(one)
  return found
}

const capacityAt = (second: number): number => changing.capacity.findLast(([from]) => from <= second)![1]

/** How the limit follows a backend that gets slower for a minute, beside no limit at all. */
const limitFollows = (): string => {
  const step = 2
  const end = changing.phases.at(-1)!
  const answersOf = (contender: typeof theDefault) => {
    const answers: Array<Answer> = []
    overload(changing, contender, seed, (answer) => answers.push(answer))
    return stretches(answers, step, end)
  }
  const [with_, without] = [answersOf(theDefault), answersOf(unbounded)]
  const latencies = (all: ReadonlyArray<ReadonlyArray<Answer>>) =>
    all.map((answers) =>
      percentile(
        answers.map(({ took }) => took),
        0.5
      )
    )
  const goodput = (all: ReadonlyArray<ReadonlyArray<Answer>>) =>
    all.map((answers, i) => {
      const done = answers.reduce((sum, { work }) => sum + work, 0)
      return (100 * done) / (step * 1000 * capacityAt(i * step))
    })
  const [adapts, none] = ["a limit that adapts", "no limit"]
  return draw({
    title: "200 clients ask one database without pause",
    description:
      "The limit follows the number of servers, 16, then 8, then 16. With it goodput stays between 85 and 100 %, and " +
      "answers take 130 ms, or 270 with half of the servers. Without it goodput is 20 %, and answers take 400 ms, then 850.",
    step,
    tickEvery: 30,
    marks: [
      { at: 60, text: "half of the servers fail" },
      { at: 120, text: "they are back" }
    ],
    panels: [
      {
        title: "Permits in use at most",
        ticks: [0, 8, 16, 24],
        lines: [
          { name: "servers", look: "known", values: with_.map((_, i) => capacityAt(i * step)) },
          { name: adapts, look: "good", values: with_.map((answers) => answers.at(-1)?.limit ?? Number.NaN) }
        ]
      },
      {
        title: "Median time from asking to the answer, the wait for a permit included",
        ticks: [0, 250, 500, 750, 1000],
        unit: " ms",
        lines: [
          { name: none, look: "bad", values: latencies(without) },
          { name: adapts, look: "good", values: latencies(with_) }
        ]
      },
      {
        title: "Goodput: work done, by what the servers could do",
        ticks: [0, 25, 50, 75, 100],
        unit: " %",
        lines: [
          { name: none, look: "bad", values: goodput(without) },
          { name: adapts, look: "good", values: goodput(with_) }
        ]
      }
    ]
  })
}

/** What light and heavy pages take, by when they were asked for, at 90 % of what the database can do. */
const lightBesideHeavy = (): string => {
  const step = 2
  const end = 60
  const patience = 30
  const visitsOf = (contender: typeof theDefault) => {
    const visits: Array<Visit> = []
    pages(traffic(0.9), contender, seed, end + patience, (visit) => visits.push(visit))
    const seen = visits.map(({ cameAt, doneAt, isLight }) => ({
      at: cameAt,
      isLight,
      took: doneAt - cameAt
    }))
    const slowest = (isLight: boolean) =>
      stretches(
        seen.filter((visit) => visit.isLight === isLight),
        step,
        end
      ).map((visits) =>
        percentile(
          visits.map(({ took }) => took),
          0.95
        )
      )
    return { light: slowest(true), heavy: slowest(false) }
  }
  const kinds = [
    { name: "no limit", look: "bad", ...visitsOf(unbounded) },
    { name: "a limit that adapts, first come first served", look: "middling", ...visitsOf(defaultFifo) },
    { name: "the same, shared fairly", look: "good", ...visitsOf(theDefault) }
  ] as const
  const panel = (title: string, part: "light" | "heavy") => ({
    title,
    ticks: [10, 100, 1000, 10_000, 30_000],
    logarithmic: true,
    unit: " ms",
    lines: kinds.map((kind) => ({ name: kind.name, look: kind.look, values: kind[part] }))
  })
  return draw({
    title: "Light and heavy pages at 90 % of what the database can do",
    description:
      "With no limit no page is there within 30 seconds. With a limit that adapts and first come first served light pages " +
      "wait as long as heavy ones, up to 600 ms. Shared fairly, light pages take 70 ms whatever the heavy ones do, and " +
      "heavy ones up to two seconds.",
    step,
    tickEvery: 10,
    note: "On the top line: not there after 30 seconds.",
    panels: [
      panel("Light pages, 4 loads: time within which 95 of 100 were there", "light"),
      panel("Heavy pages, 62 loads: time within which 95 of 100 were there", "heavy")
    ]
  })
}

export const pictures: Readonly<Record<string, () => string>> = {
  "limit-follows.svg": limitFollows,
  "light-beside-heavy.svg": lightBesideHeavy
}
