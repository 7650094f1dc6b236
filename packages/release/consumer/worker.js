/** The program as a worker of workerd, which calls `test`. */
import { everywhere } from "./everywhere.js"

export default {
  async test() {
    const text = await everywhere()
    if (!text.startsWith("ada of acme, Completed")) throw new Error(text)
  }
}
