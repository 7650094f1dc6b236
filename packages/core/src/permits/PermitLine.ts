/** What a run has asked of one limiter: at most one request at a time, for the most urgent of those who wait for it. */
import type * as Clock from "effect/Clock"
import type { Held } from "../base/Held.ts"
import type { LimiterAnswer, Asker, LimiterLine } from "../model/Extension.ts"
import { HeldPermits } from "../limiter/HeldPermits.ts"
import type { Permits } from "../limiter/Permits.ts"
import type { PermitSource } from "../limiter/HeldPermits.ts"
import { sourceIn } from "../limiter/HeldPermits.ts"
import type { Flow, Ticket } from "../limiter/Ticket.ts"

/** What is asked for: so many permits, for what latencies are kept of. */
export interface PermitDemand {
  readonly permits: number
  readonly resource: string
}

/** What has been asked. */
interface PendingPermits {
  readonly asker: Asker
  readonly source: PermitSource
  readonly ticket: Ticket
}

export interface PermitLineSetup {
  readonly permits: Permits
  readonly flow: Flow
  /** The permits that are held around the run. */
  readonly held: Held
  readonly clock: Clock.Clock
  /** When the run is too late, by the limiter's clock. */
  readonly deadline: number
  /** Whether the run has done something already. */
  readonly hasBegun: () => boolean
  /** Told when the limiter has answered. */
  readonly onAnswer: () => void
}

export class PermitLine implements LimiterLine<Asker> {
  private readonly setup: PermitLineSetup
  private asked: PendingPermits | undefined = undefined

  constructor(setup: PermitLineSetup) {
    this.setup = setup
  }

  /** Whether the limiter has an answer for this one, who is asked for if that was not so yet. */
  answers(asker: Asker): boolean {
    if (this.asked?.asker !== asker || this.asked.ticket.state === "Done") this.ask(asker)
    return this.asked!.ticket.state !== "Waiting"
  }

  /** The answer: permits, or that there will be none. */
  take(): LimiterAnswer {
    const { source, ticket } = this.asked!
    this.asked = undefined
    const { clock, held, permits } = this.setup
    return ticket.state === "Refused"
      ? { permits: undefined, refusal: permits.refusal(ticket, clock) }
      : { permits: new HeldPermits(permits, held, source, ticket), refusal: undefined }
  }

  /** What somebody in this line waits for. */
  get reason(): { readonly _tag: "Permit" | "FairShare"; readonly limiter: string; readonly limit: number } {
    const { flow, permits } = this.setup
    const _tag = this.asked?.source.isShared(flow) === true ? "FairShare" : "Permit"
    return { _tag, limiter: permits.name, limit: permits.limit }
  }

  /** Nobody waits, or could use what might come. */
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
