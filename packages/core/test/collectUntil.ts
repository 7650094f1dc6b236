/** Collects garbage until it has had an effect, for tests of what is not kept. */
import * as v8 from "node:v8"
import * as vm from "node:vm"

export const collectUntil = async (isDone: () => boolean): Promise<void> => {
  v8.setFlagsFromString("--expose-gc")
  const collect = vm.runInNewContext("gc") as () => void
  for (let k = 0; k < 200 && !isDone(); k++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
