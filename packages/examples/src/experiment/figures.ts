/** What the answers of a trial come to. */
import type { Page } from "./arrivals.ts"
import type { Answer } from "./trial.ts"

const percentile = (numbers: ReadonlyArray<number>, share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(share * numbers.length))] ?? NaN

/** How long a page took, in milliseconds, for so many of those who asked for it. */
export const took = (answers: ReadonlyArray<Answer>, page: Page, share: number): number =>
  percentile(
    answers.filter((answer) => answer.page === page).map(({ answered, asked }) => answered - asked),
    share
  )

const queries: { readonly [P in Page]: number } = { light: 3, heavy: 62 }

/** How many queries there were per second until the last page was answered. */
export const throughput = (answers: ReadonlyArray<Answer>): number =>
  answers.reduce((sum, { page }) => sum + queries[page], 0) /
  (answers.reduce((last, { answered }) => Math.max(last, answered), 0) / 1000)

/** How often each page has to be asked for so that so many queries per second come of each. */
export const ratesFor = (perSecond: number): { readonly [P in Page]: number } => ({
  light: perSecond / queries.light,
  heavy: perSecond / queries.heavy
})
