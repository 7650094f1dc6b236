/** The running attempts and fallback handlers after each event. */
import { attemptKey, isResourceEnded, type ResourceEvent, type RunEvent } from "../watch/RunEvent.ts"

/** The key of a fallback handler, among the keys of attempts. */
const fallback = "fallback"

interface RunningResource {
  readonly resource: string
  readonly attempts: Set<string>
}

const note = ({ attempts }: RunningResource, event: ResourceEvent): void => {
  switch (event._tag) {
    case "AttemptStarted":
      return void attempts.add(attemptKey(event))
    case "AttemptSucceeded":
    case "AttemptFailed":
    case "AttemptInterrupted":
    // A resource that waits before a fallback has ended its last attempt, and no other event says so.
    case "ResourceQueued":
      return void attempts.delete(attemptKey(event))
    case "FallbackStarted":
      attempts.clear()
      return void attempts.add(fallback)
    default:
      if (isResourceEnded(event)) attempts.clear()
  }
}

/** The running resources after each event of a resource, once for each of their attempts. Each run counts separately. */
export const running = (events: ReadonlyArray<RunEvent>): ReadonlyArray<ReadonlyArray<string>> => {
  const known = new Map<string, RunningResource>()
  return events.flatMap((event) => {
    if (!("resource" in event)) return []
    const key = `${event.run} ${event.resource}`
    let doing = known.get(key)
    if (doing === undefined) known.set(key, (doing = { resource: event.resource, attempts: new Set() }))
    note(doing, event)
    return [Array.from(known.values()).flatMap(({ attempts, resource }) => Array.from(attempts, () => resource))]
  })
}
