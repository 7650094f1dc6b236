/** The slots of a run, which a run inside one of its steps needs for its attempts as well. */
import type { OuterSlots } from "../model/Extension.ts"

/** What a run offers to a run inside one of its steps. */
export interface ParentSlots {
  readonly limit: number
  /** Asks for a slot; `resume` is called when there is one. */
  readonly request: (resume: () => void) => { waits: boolean }
  /** Gives a slot back, and says whose further out is to be given back, too. Nobody is told yet. */
  readonly release: () => OuterSlots | undefined
  /** Says that somebody may be able to take a slot. */
  readonly offer: () => void
}

/** What a run has of the slots around it: those that were granted and are not used yet, and the one it has asked for. */
export class OwnShare implements OuterSlots {
  readonly limit: number
  private readonly slots: ParentSlots
  private readonly onGranted: () => void
  private granted = 0
  private asked: { waits: boolean } | undefined = undefined
  /** Whether a slot was given back, and nobody around has been told. */
  private hasNews = false

  constructor(slots: ParentSlots, onGranted: () => void) {
    this.slots = slots
    this.limit = slots.limit
    this.onGranted = onGranted
  }

  /** Whether there is a slot to use. Where there is none, one is asked for. */
  isThere(): boolean {
    if (this.granted === 0 && this.asked === undefined) {
      this.asked = this.slots.request(() => this.grant())
      this.hasNews = true
    }
    if (this.granted === 0) this.offer()
    return this.granted > 0
  }

  /** Uses a slot that is there. */
  take(): void {
    this.granted--
  }

  releaseOne(): OuterSlots | undefined {
    this.hasNews = true
    return this.slots.release()
  }

  offer(): void {
    if (!this.hasNews) return
    this.hasNews = false
    this.slots.offer()
  }

  /** Gives back what nobody here waits for. */
  giveBack(): void {
    this.withdraw()
    this.offer()
  }

  /** As `giveBack`, but nobody is told yet. */
  withdraw(): void {
    if (this.asked !== undefined) this.asked.waits = false
    this.asked = undefined
    for (; this.granted > 0; this.granted--) {
      for (let outer = this.releaseOne(); outer !== undefined;) outer = outer.releaseOne()
    }
  }

  private grant(): void {
    this.asked = undefined
    this.granted++
    this.onGranted()
  }
}
