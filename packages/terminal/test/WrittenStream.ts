import type { TerminalOptions } from "@effect-loader/terminal"
import { EventEmitter } from "node:events"

/** A stream that remembers what was written to it. */
export class WrittenStream extends EventEmitter {
  text = ""
  readonly isTTY: boolean
  readonly columns: number
  readonly rows = 20

  constructor(isTTY: boolean, columns = 60) {
    super()
    this.isTTY = isTTY
    this.columns = columns
  }

  write(chunk: string): boolean {
    this.text += chunk
    return true
  }

  get options(): TerminalOptions {
    return { stream: this, color: false }
  }
}
