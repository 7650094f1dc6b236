/** A store in the memory of this program that can be told to go wrong. */
import { Context, Effect, Layer } from "effect"
import { Persistence } from "effect/persistence"

type Behaviour = "answers" | "hangs" | "fails"

export const make = Effect.gen(function* () {
  const memory = Context.get(yield* Layer.build(Persistence.layerBackingMemory), Persistence.BackingPersistence)
  let behaviour: Behaviour = "answers"
  const guarded = <A>(self: Effect.Effect<A, Persistence.PersistenceError>) =>
    Effect.suspend(() => {
      if (behaviour === "hangs") return Effect.never
      if (behaviour === "fails")
        return Effect.fail(new Persistence.PersistenceError({ message: "it was told to fail" }))
      return self
    })
  const persistence = Persistence.BackingPersistence.of({
    make: (id) =>
      Effect.map(memory.make(id), (store) => ({
        get: (key) => guarded(store.get(key)),
        getMany: (keys) => guarded(store.getMany(keys)),
        set: (key, value, timeToLive) => guarded(store.set(key, value, timeToLive)),
        setMany: (entries) => guarded(store.setMany(entries)),
        remove: (key) => guarded(store.remove(key)),
        clear: guarded(store.clear)
      }))
  })
  return { persistence, behave: (next: Behaviour) => Effect.sync(() => void (behaviour = next)) }
})
