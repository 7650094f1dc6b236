/** A store in memory that counts its calls, shows its content, and can fail in several ways. */
import { Duration, Effect, Layer } from "effect"
import { Persistence } from "effect/persistence"

type Behaviour =
  | "answers"
  | "fails"
  | "hangs"
  | "takes nothing"
  | "throws"
  | "gives no list"
  | "gives promises"
  | "gives nothing"

interface Held {
  readonly value: object
  readonly until: number
}

export class TestStore {
  behaviour: Behaviour = "answers"
  reads = 0
  writes = 0
  /** By store and name. */
  readonly held = new Map<string, Held>()

  readonly layer: Layer.Layer<Persistence.BackingPersistence> = Layer.succeed(
    Persistence.BackingPersistence,
    Persistence.BackingPersistence.of({ make: (id) => Effect.succeed(this.storeOf(id)) })
  )

  /** The names of the values that have not expired. */
  get names(): Effect.Effect<ReadonlyArray<string>> {
    return Effect.clockWith((clock) =>
      Effect.sync(() =>
        Array.from(this.held).flatMap(([name, { until }]) => (until > clock.currentTimeMillisUnsafe() ? [name] : []))
      )
    )
  }

  private storeOf(id: string): Persistence.BackingPersistenceStore {
    const at = (name: string) => `${id}:${name}`
    const look = (name: string, now: number) => {
      const held = this.held.get(at(name))
      return held !== undefined && held.until > now ? held.value : undefined
    }
    const guarded = <A>(answer: (now: number) => A): Effect.Effect<A, Persistence.PersistenceError> => {
      if (this.behaviour === "gives promises") return Promise.reject(new Error("rejected")) as never
      if (this.behaviour === "gives nothing") return undefined as never
      if (this.behaviour === "throws") throw new Error("thrown")
      return Effect.clockWith((clock) => {
        if (this.behaviour === "hangs") return Effect.never
        if (this.behaviour === "fails") {
          return Effect.fail(
            new Persistence.PersistenceError({ message: "Failed to get key secret:7", cause: new Error("refused") })
          )
        }
        return Effect.sync(() => answer(clock.currentTimeMillisUnsafe()))
      })
    }
    return {
      get: (name) => guarded((now) => look(name, now)),
      getMany: (names) => {
        this.reads++
        if (this.behaviour === "gives no list") return Effect.succeed(null as never)
        return guarded((now) => names.map((name) => look(name, now)) as never)
      },
      set: () => Effect.die("values are written many at once"),
      setMany: (entries) => {
        this.writes++
        if (this.behaviour === "takes nothing") return Effect.never
        return guarded((now) => {
          for (const [name, value, timeToLive] of entries) {
            this.held.set(at(name), { value: structuredClone(value), until: now + Duration.toMillis(timeToLive!) })
          }
        })
      },
      remove: (name) => guarded(() => void this.held.delete(at(name))),
      clear: Effect.die("a cache shares its store")
    }
  }
}
