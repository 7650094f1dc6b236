/**
 * Warns about a service that should be shared, but is built again and again, such as a limiter whose layer each handler
 * provides: each instance then has a limit of its own, and nothing else shows the mistake.
 *
 * It counts the instances that live at the same time. Tests that build one after the other cause no warning,
 * nor does a restart, nor one instance for each of a few shards.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Both of these cause a warning: instances alive at one time, and instances built while another one was alive. */
const tooMany = 10
const tooOften = 100

class Instances {
  private alive = 0
  private besideOthers = 0
  private hasWarned = false
  private readonly name: string

  constructor(name: string) {
    this.name = name
  }

  begin(): Effect.Effect<void> {
    if (this.alive++ > 0) this.besideOthers++
    const isTooMany = this.alive >= tooMany || this.besideOthers >= tooOften
    if (this.hasWarned || !isTooMany) return Effect.void
    this.hasWarned = true
    const found =
      this.alive >= tooMany
        ? `${this.alive} of it live at the same time`
        : `it was built ${this.besideOthers} times while another one of it lived`
    return Effect.logWarning(
      `${this.name}: ${found}, and they share nothing. Provide its layer once, at the top of the program, ` +
        "not in each handler or run. If there are to be many, give the layer `many: true`."
    )
  }

  end(): void {
    this.alive--
  }
}

/** The key of a service. */
interface Tag {
  readonly key: string
}

const known = new WeakMap<Tag, Instances>()

const instancesOf = (tag: Tag, kind: string): Instances => {
  let instances = known.get(tag)
  if (instances === undefined) known.set(tag, (instances = new Instances(`${kind} "${tag.key}"`)))
  return instances
}

/**
 * Counts an instance of a service as alive until the scope is closed. `kind`: its word in the warning, such as "limiter".
 * `many`: whether any number is intended.
 */
export const countInstance = (
  tag: Tag,
  kind: string,
  many: boolean | undefined
): Effect.Effect<void, never, Scope.Scope> => {
  if (many === true) return Effect.void
  const instances = instancesOf(tag, kind)
  return Effect.acquireRelease(
    Effect.suspend(() => instances.begin()),
    () => Effect.sync(() => instances.end())
  )
}
