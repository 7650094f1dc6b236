/**
 * Drives a limiter's transitions in virtual time, as the Effect shell does in real time. It decides nothing itself.
 */
import type { Admission, AttemptOutcome } from "../../src/limiter/Admission.ts"
import type { Request, Ticket } from "../../src/limiter/Ticket.ts"
import type { Simulation, Timer } from "./Simulation.ts"

export class Gate {
  readonly admission: Admission
  /** The longest that anybody waited for what it got. */
  longestWait = 0
  /** How often somebody was left waiting though there was room. */
  idleWhileWaiting = 0
  private readonly simulation: Simulation
  private readonly alarm: Timer
  private readonly waiting = new Map<Ticket, (ticket: Ticket) => void>()

  constructor(simulation: Simulation, admission: Admission) {
    this.simulation = simulation
    this.admission = admission
    this.alarm = simulation.at(Infinity, () => this.drain())
  }

  /** `decided` is told when the ticket has its permits or is refused. */
  offer(request: Request, decided: (ticket: Ticket) => void): void {
    const ticket = this.admission.offer(request, this.simulation.now)
    if (ticket.state === "Waiting") this.waiting.set(ticket, decided)
    else decided(ticket)
    this.drain()
  }

  end(ticket: Ticket, outcome: AttemptOutcome): void {
    this.admission.end(ticket, outcome, this.simulation.now)
    this.drain()
  }

  private drain(): void {
    const { now } = this.simulation
    for (let ticket = this.admission.next(now); ticket !== undefined; ticket = this.admission.next(now)) {
      const decided = this.waiting.get(ticket)!
      this.waiting.delete(ticket)
      if (ticket.state === "Held") this.longestWait = Math.max(this.longestWait, now - ticket.askedAt)
      decided(ticket)
    }
    const { inFlight, limit, waiting } = this.admission
    if (waiting > 0 && inFlight < limit) this.idleWhileWaiting++
    if (this.alarm.at !== this.admission.wakeAt) this.simulation.move(this.alarm, this.admission.wakeAt)
  }
}
