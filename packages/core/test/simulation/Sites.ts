/** Pages, and the backends that they are made from. */
import { Backend } from "./Backend.ts"
import type { Simulation } from "./Simulation.ts"

export interface Load {
  readonly backend: string
  /** By what name the limiter knows it. */
  readonly resource: string
  /** The mean of its work, in milliseconds. */
  readonly work: number
  readonly deps: ReadonlyArray<number>
}

export interface Page {
  readonly loads: ReadonlyArray<Load>
  readonly dependents: ReadonlyArray<ReadonlyArray<number>>
  /** When it is no longer of use, in milliseconds. */
  readonly deadline: number
}

export interface Site {
  readonly backends: {
    readonly [name: string]: { readonly servers: number; readonly make: (simulation: Simulation) => Backend }
  }
  readonly light: Page
  readonly heavy: Page
}

const page = (deadline: number, loads: ReadonlyArray<Load>): Page => ({
  loads,
  deadline,
  dependents: loads.map((_, i) => loads.flatMap(({ deps }, k) => (deps.includes(i) ? [k] : [])))
})

/** How many servers, and how much more each one too many slows them down. */
const sharing = (servers: number, contention: number): Site["backends"][string] => ({
  servers,
  make: (simulation) => new Backend(simulation, servers, contention)
})

/** What takes as long is one resource here, whichever page asks for it. */
const of = (backend: string, work: number, deps: ReadonlyArray<number>): Load => ({
  backend,
  resource: `${work}`,
  work,
  deps
})

const parts = Array.from({ length: 60 }, (_, i) => (i % 3 === 2 ? of("service", 20, [0]) : of("database", 8, [0])))

/** Three backends, of which the database has the least to spare. */
export const threeBackends: Site = {
  backends: { cache: sharing(64, 0.005), database: sharing(16, 0.02), service: sharing(48, 0.01) },
  light: page(150, [of("cache", 1, []), of("database", 8, []), of("database", 8, [1]), of("service", 20, [0])]),
  heavy: page(1500, [of("database", 8, []), ...parts, { ...of("cache", 1, []), deps: parts.map((_, i) => i + 1) }])
}

const query = (resource: string, deps: ReadonlyArray<number>): Load => ({
  backend: "database",
  resource,
  work: 30,
  deps
})

/** A database behind eight connections. Each query has a name, and that of the heavy page's list comes in crowds only. */
export const pooled: Site = {
  backends: { database: { servers: 8, make: (simulation) => new Backend(simulation, 8, 0, 8) } },
  light: page(600, [query("user", []), query("team", [0]), query("inbox", [1]), query("news", [2])]),
  heavy: page(6000, [
    query("project", []),
    query("list", [0]),
    ...Array.from({ length: 60 }, () => query("durations", [1]))
  ])
}
