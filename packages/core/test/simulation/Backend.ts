/**
 * A model of a backend: processor sharing among `capacity` servers, with contention past that, so that too many at once
 * are slower together than enough of them. Where it has a pool of connections, those who find none wait for one in the
 * order of their coming. Work is in milliseconds of one server.
 */
import { Heap, type Placed } from "../../src/base/Heap.ts"
import type { Simulation, Timer } from "./Simulation.ts"

interface Job extends Placed {
  /** The served time at which it is done. */
  readonly until: number
  readonly order: number
  readonly done: () => void
}

interface Waiter {
  readonly work: number
  readonly done: () => void
}

export class Backend {
  /** Work that could have been done so far, at full capacity, without pauses. */
  private capable = 0
  private capacity: number
  private readonly contention: number
  private readonly connections: number
  private readonly waiting: Array<Waiter> = []
  private readonly simulation: Simulation
  private readonly jobs = new Heap<Job>((a, b) => (a.until === b.until ? a.order < b.order : a.until < b.until))
  private readonly timer: Timer
  /** How much service each job in flight has had since the beginning. */
  private served = 0
  private at = 0
  private submitted = 0
  private paused = false

  constructor(simulation: Simulation, capacity: number, contention: number, connections = Infinity) {
    this.simulation = simulation
    this.capacity = capacity
    this.contention = contention
    this.connections = connections
    this.timer = simulation.at(Infinity, () => this.finish())
  }

  submit(work: number, done: () => void): void {
    if (this.jobs.size < this.connections) this.serve({ work, done })
    else this.waiting.push({ work, done })
  }

  setCapacity(capacity: number): void {
    this.advance()
    this.capacity = capacity
    this.schedule()
  }

  /** Stops the world, or lets it go on. */
  setPaused(paused: boolean): void {
    this.advance()
    this.paused = paused
    this.schedule()
  }

  /** How much work it could have done until now. */
  couldHaveDone(): number {
    this.advance()
    return this.capable
  }

  /** How fast each job in flight is served. */
  private rate(): number {
    const inFlight = this.jobs.size
    if (this.paused || inFlight === 0) return 0
    const share = Math.min(inFlight, this.capacity) / inFlight
    return share / (1 + this.contention * Math.max(0, inFlight - this.capacity))
  }

  private serve({ done, work }: Waiter): void {
    this.advance()
    this.jobs.add({ until: this.served + work, order: this.submitted++, done, place: -1 })
    this.schedule()
  }

  private advance(): void {
    const passed = this.simulation.now - this.at
    this.served += passed * this.rate()
    this.capable += this.paused ? 0 : passed * this.capacity
    this.at = this.simulation.now
  }

  private schedule(): void {
    const { first } = this.jobs
    const rate = this.rate()
    const at = first === undefined || rate === 0 ? Infinity : this.at + Math.max(0, first.until - this.served) / rate
    this.simulation.move(this.timer, at)
  }

  private finish(): void {
    this.advance()
    const job = this.jobs.first!
    this.served = Math.max(this.served, job.until)
    this.jobs.remove(job)
    this.schedule()
    const next = this.waiting.shift()
    if (next !== undefined) this.serve(next)
    job.done()
  }
}
