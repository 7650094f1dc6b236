/**
 * Light and heavy pages over the same three backends, in an open population: they come whether the last are done or not.
 *
 * Each kind brings half of the database's work. The load is what both bring by what the database can do.
 */
import { Flow, type Ticket } from "../../src/limiter/Ticket.ts"
import { Backend } from "./Backend.ts"
import type { Contender } from "./Contender.ts"
import { Gate } from "./Gate.ts"
import { percentile } from "./Percentile.ts"
import { Random } from "./Random.ts"
import { Simulation } from "./Simulation.ts"

type BackendName = "cache" | "database" | "service"

/** How many servers each has, and how much more each one too many slows them down. */
const backends: { readonly [Name in BackendName]: readonly [servers: number, contention: number] } = {
  cache: [64, 0.005],
  database: [16, 0.02],
  service: [48, 0.01]
}

interface Load {
  readonly backend: BackendName
  /** The mean of its work, in milliseconds. */
  readonly work: number
  readonly deps: ReadonlyArray<number>
}

interface Page {
  readonly loads: ReadonlyArray<Load>
  readonly dependents: ReadonlyArray<ReadonlyArray<number>>
  /** When it is no longer of use, in milliseconds. */
  readonly deadline: number
}

const page = (deadline: number, loads: ReadonlyArray<Load>): Page => ({
  loads,
  deadline,
  dependents: loads.map((_, i) => loads.flatMap(({ deps }, k) => (deps.includes(i) ? [k] : [])))
})

const light = page(150, [
  { backend: "cache", work: 1, deps: [] },
  { backend: "database", work: 8, deps: [] },
  { backend: "database", work: 8, deps: [1] },
  { backend: "service", work: 20, deps: [0] }
])

const parts = Array.from({ length: 60 }, (_, i): Load =>
  i % 3 === 2 ? { backend: "service", work: 20, deps: [0] } : { backend: "database", work: 8, deps: [0] }
)
const heavy = page(1500, [
  { backend: "database", work: 8, deps: [] },
  ...parts,
  { backend: "cache", work: 1, deps: parts.map((_, i) => i + 1) }
])

const databaseWork = ({ loads }: Page): number =>
  loads.reduce((sum, { backend, work }) => sum + (backend === "database" ? work : 0), 0)

export type Work = "exponential" | "heavyTailed" | "bimodal"

export interface Traffic {
  readonly name: string
  /** The offered work by the database's capacity. */
  readonly load: number
  readonly work: Work
  readonly pauses: boolean
  /** Whether runs say by when they are needed; those that are refused are gone. */
  readonly deadlines: boolean
}

/** Latencies of one kind of page, in milliseconds, and which share of all that came was there in time. */
export interface Figures {
  readonly p50: number
  readonly p99: number
  readonly inTime: number
}

export interface PagesResult {
  readonly light: Figures
  readonly heavy: Figures
  /** The database's work that was done by what was offered, or by what it could have done. */
  readonly goodput: number
  readonly refused: number
  readonly longestWait: number
  readonly idleWhileWaiting: number
  readonly trace: number
}

/** A page that somebody asked for. */
export interface Visit {
  readonly isLight: boolean
  readonly cameAt: number
  /** When it was done; `Infinity` as long as it is not. */
  doneAt: number
}

/** Pages that come before that are not counted: the limiters have yet to learn. */
const warmUp = 10_000

interface Counted {
  came: number
  inTime: number
  readonly latencies: Array<number>
}

const figures = ({ came, inTime, latencies }: Counted): Figures => ({
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  inTime: inTime / came
})

export const pages = (
  traffic: Traffic,
  contender: Contender,
  seed: number,
  seconds: number,
  onVisit: (visit: Visit) => void = () => {}
): PagesResult => {
  const simulation = new Simulation()
  const random = new Random(seed)
  const end = seconds * 1000
  const model = Object.fromEntries(
    Object.entries(backends).map(([name, [servers, contention]]) => [
      name,
      {
        backend: new Backend(simulation, servers, contention),
        gate: new Gate(simulation, contender.limiter(servers))
      }
    ])
  ) as { readonly [Name in BackendName]: { readonly backend: Backend; readonly gate: Gate } }
  const { database } = model
  let offered = 0
  let done = 0
  let refused = 0

  /** The longest path from each load to the end of its page, by what the limiters have learned. */
  const remaining = ({ dependents, loads }: Page): ReadonlyArray<number> => {
    const longest: Array<number> = []
    for (let i = loads.length - 1; i >= 0; i--) {
      const { backend, work } = loads[i]!
      const after = dependents[i]!.reduce((most, k) => Math.max(most, longest[k]!), 0)
      longest[i] = after + model[backend].gate.admission.latencies.usual(`${work}`)
    }
    return longest
  }

  const run = (page: Page, counted: Counted): void => {
    const cameAt = simulation.now
    const visit: Visit = { isLight: page === light, cameAt, doneAt: Infinity }
    onVisit(visit)
    const isCounted = cameAt >= warmUp
    if (isCounted) counted.came++
    const flows = { cache: new Flow(), database: new Flow(), service: new Flow() }
    const left = page.loads.map(({ deps }) => deps.length)
    const work = page.loads.map((load) => random[traffic.work](load.work))
    const longest = remaining(page)
    let missing = page.loads.length
    let begun = false
    let over = false
    for (let i = 0; i < work.length; i++) if (page.loads[i]!.backend === "database") offered += work[i]!

    const finish = (): void => {
      visit.doneAt = simulation.now
      const latency = simulation.now - cameAt
      if (!isCounted) return
      counted.latencies.push(latency)
      if (latency <= page.deadline) counted.inTime++
    }
    const start = (i: number): void => {
      const { backend: name, work: mean } = page.loads[i]!
      const { backend, gate } = model[name]
      const deadline = traffic.deadlines ? cameAt + page.deadline : Infinity
      const request = { flow: flows[name], resource: `${mean}`, permits: 1, begun, deadline, remaining: longest[i]! }
      gate.offer(request, (ticket: Ticket) => {
        if (ticket.state === "Refused") {
          if (!over) refused++
          over = true
          return
        }
        begun = true
        backend.submit(work[i]!, () => {
          if (backend === database.backend) done += work[i]!
          gate.end(ticket, "Answered")
          settle(i)
        })
      })
    }
    const settle = (i: number): void => {
      missing--
      if (over) return
      if (missing === 0) return finish()
      if (contender.sequential) return start(i + 1)
      for (const k of page.dependents[i]!) if (--left[k]! === 0) start(k)
    }
    if (contender.sequential) return start(0)
    page.loads.forEach(({ deps }, i) => {
      if (deps.length === 0) start(i)
    })
  }

  const arrive = (page: Page, counted: Counted): void => {
    const perMilli = (traffic.load * backends.database[0]) / 2 / databaseWork(page)
    const next = (): void => {
      simulation.after(random.exponential(1 / perMilli), () => {
        run(page, counted)
        next()
      })
    }
    next()
  }

  const pause = (): void => {
    database.backend.setPaused(true)
    simulation.after(200, () => database.backend.setPaused(false))
    simulation.after(random.exponential(5000), pause)
  }

  const counts = { light: { came: 0, inTime: 0, latencies: [] }, heavy: { came: 0, inTime: 0, latencies: [] } }
  arrive(light, counts.light)
  arrive(heavy, counts.heavy)
  if (traffic.pauses) simulation.after(random.exponential(5000), pause)

  simulation.runUntil(warmUp)
  const before = { offered, done, capable: database.backend.couldHaveDone() }
  simulation.runUntil(end)
  const capable = database.backend.couldHaveDone() - before.capable
  const gates = Object.values(model).map(({ gate }) => gate)
  return {
    light: figures(counts.light),
    heavy: figures(counts.heavy),
    goodput: (done - before.done) / Math.min(offered - before.offered, capable),
    refused,
    longestWait: Math.max(...gates.map(({ longestWait }) => longestWait)),
    idleWhileWaiting: gates.reduce((sum, { idleWhileWaiting }) => sum + idleWhileWaiting, 0),
    trace: simulation.trace
  }
}

export const traffic = (load: number, changes: Partial<Traffic> = {}): Traffic => ({
  name: `load ${load}`,
  load,
  work: "exponential",
  pauses: false,
  deadlines: false,
  ...changes
})
