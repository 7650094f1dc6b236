/** What is known of where text goes: how wide it is, whether it has colours, and whether it can be written over. */
import cliTruncate from "cli-truncate"
import * as process from "node:process"
import stringWidth from "string-width"
import { styleText } from "node:util"
import type { Paint, Pen } from "effect-loader/internal"

/**
 * A stream as Node.js has them, as far as a view needs it: a program without the types of Node.js can name it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stream {
  write(text: string): unknown
  on(event: "error", listener: () => void): unknown
  off(event: "error", listener: () => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/**
 * Where to write, and what to know better than it does.
 *
 * - `stream`: default `process.stdout`.
 * - `columns`: how wide lines may be. Default: what the stream says, and 80 where it is no terminal.
 * - `color`: whether to use colours. Default: what the stream can do, and what `NO_COLOR` and `FORCE_COLOR` say.
 *
 * @since 0.1.0
 * @category models
 */
export interface TerminalOptions {
  readonly stream?: Stream
  readonly columns?: number
  readonly color?: boolean
}

export const streamOf = ({ stream = process.stdout }: TerminalOptions): Stream => stream

/** A terminal that was never told its size says 0. */
export const columnsOf = (options: TerminalOptions): number => options.columns ?? (streamOf(options).columns || 80)

/** Whether what was written can be written over: on a terminal that knows its size. */
export const isLive = (options: TerminalOptions): boolean => {
  const { columns, isTTY } = streamOf(options)
  return isTTY === true && columns !== 0
}

const styles: Record<Paint, Parameters<typeof styleText>[0]> = {
  title: "bold",
  good: "green",
  warn: "yellow",
  bad: "red",
  wait: "cyan",
  quiet: "dim"
}

/** Whether the stream takes colours: asked of Node, which knows terminals and the environment. */
const hasColor = (options: TerminalOptions): boolean =>
  options.color ?? styleText("red", "x", { stream: streamOf(options) as unknown as NodeJS.WritableStream }) !== "x"

/** A pen that knows how wide characters are, and which colours the stream has. */
export const terminalPen = (options: TerminalOptions): Pen => {
  const color = hasColor(options)
  return {
    width: (text) => stringWidth(text),
    fit: (text, columns) => (columns < 1 ? "" : cliTruncate(text, columns)),
    paint: (paint, text) => (color ? styleText(styles[paint], text, { validateStream: false }) : text)
  }
}
