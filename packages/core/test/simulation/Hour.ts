import { theDefault } from "./Contender.ts"
import { overload, steady } from "./Overload.ts"

/** Goodput in each quarter of an hour of steady overload. */
export const hour = (seed: number): ReadonlyArray<number> =>
  overload({ ...steady, phases: [0, 900, 1800, 2700, 3600] }, theDefault, seed).byPhase
