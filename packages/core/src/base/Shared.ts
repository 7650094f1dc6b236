/**
 * State that all copies of the library in one process share.
 *
 * A package manager can install the library twice, and a test runner can evaluate it again. Copies find services by the text
 * of their keys, so both use one limiter or cache. Counters and memories that are not services are found here.
 */

interface Copies {
  readonly values: Map<string, unknown>
  told: boolean
}

const key = Symbol.for("effect-loader/copies")

const copies: Copies = ((globalThis as unknown as Record<symbol, Copies | undefined>)[key] ??= {
  values: new Map(),
  told: false
})

/** Warns once per process that there is more than one copy. */
const tell = (): void => {
  if (copies.told) return
  copies.told = true
  console.warn(
    "effect-loader is loaded more than once in this process. Loads work, but each copy takes memory. Install one version of " +
      "it (`npm ls effect-loader` or `pnpm why effect-loader` shows who needs which), and let bundlers and test runners load it once."
  )
}

/** A value that all copies share, made by the first copy that needs it. A module asks for a name once. */
export const shared = <A>(name: string, make: () => A): A => {
  if (copies.values.has(name)) tell()
  else copies.values.set(name, make())
  return copies.values.get(name) as A
}

/** Counts from 1, over all copies. */
export const counter = (name: string): (() => number) => {
  const last = shared(name, () => ({ number: 0 }))
  return () => ++last.number
}
