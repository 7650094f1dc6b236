/** What Linux knows of processes. */
import { readdirSync, readFileSync } from "node:fs"

/** The state and the parent of a process, out of `pid (name) state parent ...`, where a name may contain anything. */
const lookAt = (pid: number | string): { readonly state: string; readonly parent: number } | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { state, parent: Number(parent) }
  } catch {
    return undefined // it has ended meanwhile
  }
}

/** Whether a process is there and has not ended; one that has, and of which nobody has asked, is a zombie. */
export const runs = (pid: number): boolean => !["Z", "X", undefined].includes(lookAt(pid)?.state)

export const isStopped = (pid: number): boolean => lookAt(pid)?.state === "T"

/**
 * The processes that a process has started and that still run. Elsewhere than on Linux none are known. A group would
 * not do: each process of PostgreSQL makes one of its own.
 */
export const childrenOf = (parent: number): ReadonlyArray<number> => {
  if (process.platform !== "linux") return []
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && lookAt(name)?.parent === parent)
    .map(Number)
}
