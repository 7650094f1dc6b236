/** The requests of a run to one limiter: one at a time, for the most urgent attempt that waits for it. */
import type * as Clock from "effect/Clock"
import type { Held } from "../base/Held.ts"
import type { LimiterAnswer, Asker, LimiterLine } from "../model/Extension.ts"
import { HeldPermits, type PermitSource, sourceIn } from "../limiter/HeldPermits.ts"
import type { Permits } from "../limiter/Permits.ts"
import type { Flow, Ticket } from "../limiter/Ticket.ts"

/** A number of permits for a resource, by whose name the limiter learns latencies. */
export interface PermitDemand {
  readonly permits: number
  readonly resource: string
}

/** A sent request. */
interface PendingPermits {
  readonly asker: Asker
  readonly source: PermitSource
  readonly ticket: Ticket
}

export interface PermitLineSetup {
  readonly permits: Permits
  readonly flow: Flow
  /** The permits that the caller of the run holds. */
  readonly held: Held
  readonly clock: Clock.Clock
  /** The deadline of the run, by the limiter's clock. */
  readonly deadline: number
  /** Whether an attempt of the run has begun. */
  readonly hasBegun: () => boolean
  /** Called when the limiter has answered. */
  readonly onAnswer: () => void
}

export class PermitLine implements LimiterLine {
  private readonly setup: PermitLineSetup
  private asked: PendingPermits | undefined = undefined

  constructor(setup: PermitLineSetup) {
    this.setup = setup
  }

  /** Whether the limiter has an answer for this attempt. Sends the request if it was not sent yet. */
  answers(asker: Asker): boolean {
    if (this.asked?.asker !== asker || this.asked.ticket.state === "Done") this.ask(asker)
    return this.asked!.ticket.state !== "Waiting"
  }

  /** Takes the answer: permits or a refusal. */
  take(): LimiterAnswer {
    const { source, ticket } = this.asked!
    this.asked = undefined
    const { clock, held, permits } = this.setup
    return ticket.state === "Refused"
      ? { permits: undefined, refusal: permits.refusal(ticket, clock) }
      : { permits: new HeldPermits(permits, held, source, ticket), refusal: undefined }
  }

  /** The limit for which attempts in this line wait. */
  get reason(): { readonly _tag: "Permit" | "FairShare"; readonly limiter: string; readonly limit: number } {
    const { flow, permits } = this.setup
    const _tag = this.asked?.source.isShared(flow) === true ? "FairShare" : "Permit"
    return { _tag, limiter: permits.name, limit: permits.limit }
  }

  /** Withdraws the request: no attempt waits, or none could use the permits. */
  withdraw(): void {
    const { asked } = this
    this.asked = undefined
    if (asked !== undefined) asked.source.leave(asked.ticket, this.setup.clock)
  }

  private ask(asker: Asker): void {
    const { clock, deadline, flow, hasBegun, held, onAnswer, permits } = this.setup
    this.withdraw()
    const source = sourceIn(held, permits)
    const { permits: count, resource } = asker.limit!
    const request = { flow, resource, permits: count, begun: hasBegun(), deadline, remaining: asker.remaining }
    this.asked = { asker, source, ticket: source.ask(request, clock, onAnswer) }
  }
}
