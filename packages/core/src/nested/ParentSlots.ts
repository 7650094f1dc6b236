/** The slots of a parent run, which its nested runs need for their attempts as well. */
import type { OuterSlots } from "../model/Extension.ts"

/** The slots that a run offers to a nested run. */
export interface ParentSlots {
  readonly limit: number
  /** Requests a slot; calls `resume` when it is granted. */
  readonly request: (resume: () => void) => { waits: boolean }
  /** Releases a slot, without `offer`. Returns the slots of the next run further out, of which one is to be released as well. */
  readonly release: () => OuterSlots | undefined
  /** Tells the parent run that an attempt may be able to take a slot. */
  readonly offer: () => void
}

/** The share of a nested run in the slots of its parent: those granted and not used yet, and the one requested. */
export class OwnShare implements OuterSlots {
  readonly limit: number
  private readonly slots: ParentSlots
  private readonly onGranted: () => void
  private granted = 0
  private asked: { waits: boolean } | undefined = undefined
  /** Whether a slot was released that the parent was not told of yet. */
  private hasNews = false

  constructor(slots: ParentSlots, onGranted: () => void) {
    this.slots = slots
    this.limit = slots.limit
    this.onGranted = onGranted
  }

  /** Whether a slot is granted. If not, this requests one. */
  isThere(): boolean {
    if (this.granted === 0 && this.asked === undefined) {
      this.asked = this.slots.request(() => this.grant())
      this.hasNews = true
    }
    if (this.granted === 0) this.offer()
    return this.granted > 0
  }

  /** Uses a granted slot. */
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

  /** Releases granted slots for which no attempt of this run waits. */
  giveBack(): void {
    this.withdraw()
    this.offer()
  }

  /** As `giveBack`, without `offer`. */
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
