/** Virtual time: what happens when, one event after the other, the same way each time. */
import { Heap, type Placed } from "../../src/base/Heap.ts"

export interface Timer extends Placed {
  at: number
  order: number
  readonly run: () => void
}

export class Simulation {
  /** Milliseconds since the beginning. */
  now = 0
  /** A hash of the times of all that has happened: two runs with equal traces did the same. */
  trace = 0
  private readonly timers = new Heap<Timer>((a, b) => (a.at === b.at ? a.order < b.order : a.at < b.at))
  private asked = 0

  at(time: number, run: () => void): Timer {
    const timer: Timer = { at: time, order: this.asked++, run, place: -1 }
    this.timers.add(timer)
    return timer
  }

  after(millis: number, run: () => void): Timer {
    return this.at(this.now + millis, run)
  }

  cancel(timer: Timer): void {
    if (timer.place >= 0) this.timers.remove(timer)
  }

  /** Has a timer, which may have fired already, fire at another time. */
  move(timer: Timer, time: number): void {
    timer.at = time
    timer.order = this.asked++
    if (timer.place >= 0) this.timers.moved(timer)
    else this.timers.add(timer)
  }

  runUntil(end: number): void {
    for (let timer = this.timers.first; timer !== undefined && timer.at <= end; timer = this.timers.first) {
      this.timers.remove(timer)
      this.now = timer.at
      this.trace = Math.imul(this.trace ^ Math.round(timer.at * 1024), 16777619) >>> 0
      timer.run()
    }
    this.now = end
  }
}
