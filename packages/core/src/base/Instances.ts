/**
 * Warns of a service that is to be shared, but is built again and again, such as a limiter whose layer is provided in each
 * handler: each of them has a limit of its own, and nothing else tells.
 *
 * What is counted is how many live at the same time. Tests that build one each, one after the other, are no reason to warn,
 * nor is a restart, nor one for each of a few shards.
 */
import { Effect, type Scope } from "effect"

/** So many that live at the same time are too many, and so many that were built while another one lived. */
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
 * Counts an instance of a service as alive until the scope is closed. `kind`: what it is to people, such as "limiter".
 * `many`: whether there may be as many as there are.
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
