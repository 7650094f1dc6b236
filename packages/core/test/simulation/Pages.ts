/**
 * Light and heavy pages over the same backends, in an open population: they come whether the last are done or not.
 *
 * Each kind brings half of the database's work. The load is what both bring by what the database can do.
 */
import { Flow, type Ticket } from "../../src/limiter/Ticket.ts"
import type { Contender } from "./Contender.ts"
import { Gate } from "./Gate.ts"
import { percentile } from "./Percentile.ts"
import { Random } from "./Random.ts"
import { Simulation } from "./Simulation.ts"
import { type Page, type Site, threeBackends } from "./Sites.ts"

const databaseWork = ({ loads }: Page): number =>
  loads.reduce((sum, { backend, work }) => sum + (backend === "database" ? work : 0), 0)

export type Work = "constant" | "exponential" | "heavyTailed" | "bimodal"

export interface Traffic {
  readonly name: string
  /** The offered work by the database's capacity. */
  readonly load: number
  readonly site: Site
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
  /** The database's limit, second by second. */
  readonly limits: ReadonlyArray<number>
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
  const { site } = traffic
  const places = new Map(
    Object.entries(site.backends).map(([name, { make, servers }]) => [
      name,
      { backend: make(simulation), gate: new Gate(simulation, contender.limiter(servers)) }
    ])
  )
  const placeOf = (name: string) => places.get(name)!
  const database = placeOf("database")
  let offered = 0
  let done = 0
  let refused = 0

  /** The longest path from each load to the end of its page, by what the limiters have learned. */
  const remaining = ({ dependents, loads }: Page): ReadonlyArray<number> => {
    const longest: Array<number> = []
    for (let i = loads.length - 1; i >= 0; i--) {
      const { backend, resource } = loads[i]!
      const after = dependents[i]!.reduce((most, k) => Math.max(most, longest[k]!), 0)
      longest[i] = after + placeOf(backend).gate.admission.latencies.usual(resource)
    }
    return longest
  }

  const run = (page: Page, counted: Counted): void => {
    const cameAt = simulation.now
    const visit: Visit = { isLight: page === site.light, cameAt, doneAt: Infinity }
    onVisit(visit)
    const isCounted = cameAt >= warmUp
    if (isCounted) counted.came++
    const flows = new Map(Array.from(places.keys(), (name) => [name, new Flow()]))
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
      const { backend: name, resource } = page.loads[i]!
      const { backend, gate } = placeOf(name)
      const deadline = traffic.deadlines ? cameAt + page.deadline : Infinity
      const request = { flow: flows.get(name)!, resource, permits: 1, begun, deadline, remaining: longest[i]! }
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
    const perMilli = (traffic.load * site.backends["database"]!.servers) / 2 / databaseWork(page)
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
  arrive(site.light, counts.light)
  arrive(site.heavy, counts.heavy)
  if (traffic.pauses) simulation.after(random.exponential(5000), pause)

  const limits: Array<number> = []
  const advance = (to: number): void => {
    while (simulation.now < to) {
      simulation.runUntil(Math.min(to, simulation.now + 1000))
      limits.push(database.gate.admission.limit)
    }
  }
  advance(warmUp)
  const before = { offered, done, capable: database.backend.couldHaveDone() }
  advance(end)
  const capable = database.backend.couldHaveDone() - before.capable
  const gates = Array.from(places.values(), ({ gate }) => gate)
  return {
    light: figures(counts.light),
    heavy: figures(counts.heavy),
    goodput: (done - before.done) / Math.min(offered - before.offered, capable),
    refused,
    limits,
    longestWait: Math.max(...gates.map(({ longestWait }) => longestWait)),
    idleWhileWaiting: gates.reduce((sum, { idleWhileWaiting }) => sum + idleWhileWaiting, 0),
    trace: simulation.trace
  }
}

export const traffic = (load: number, changes: Partial<Traffic> = {}): Traffic => ({
  name: `load ${load}`,
  load,
  site: threeBackends,
  work: "exponential",
  pauses: false,
  deadlines: false,
  ...changes
})
