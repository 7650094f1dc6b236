/**
 * Pictures of lines over time, as SVG text: panels one below the other with one axis of time, made to be read on a light
 * and on a dark page. The same lines give the same bytes.
 */

/** A line, or one that is only hinted at, as what is known to be so. */
export interface Line {
  readonly name: string
  readonly look: "bad" | "middling" | "good" | "known"
  /** A value each step, from the beginning: nothing is drawn where it is not a number, and on top what is too high. */
  readonly values: ReadonlyArray<number>
}

export interface Panel {
  readonly title: string
  readonly ticks: ReadonlyArray<number>
  /** Whether a step up the axis multiplies; the lowest tick is the bottom. */
  readonly logarithmic?: boolean
  readonly unit?: string
  readonly lines: ReadonlyArray<Line>
}

export interface Picture {
  readonly title: string
  /** What is seen, for those who cannot see it. */
  readonly description: string
  /** From one value to the next, and from one tick to the next, in seconds. */
  readonly step: number
  readonly tickEvery: number
  readonly marks?: ReadonlyArray<{ readonly at: number; readonly text: string }>
  readonly panels: ReadonlyArray<Panel>
  readonly note?: string
}

const width = 760
const left = 86
const right = 20
const head = 62
const panelHeight = 136
const panelGap = 44
const foot = 46

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
  .page { fill: #ffffff }
  .title { font-size: 15px; font-weight: 600 }
  .name { font-weight: 600 }
  .faint { fill: #57606a }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .mark { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 2 3 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .bad { stroke: #c4450c }
  .middling { stroke: #8a63d2 }
  .good { stroke: #0b69b7; stroke-width: 2.5 }
  .known { stroke: #57606a; stroke-width: 1.5; stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .faint { fill: #9198a1 }
    .grid { stroke: #30363d }
    .mark { stroke: #6e7681 }
    .bad { stroke: #ff8f57 }
    .middling { stroke: #c8a6ff }
    .good { stroke: #63b3ff }
    .known { stroke: #9198a1 }
  }`

/** A tenth of a pixel is enough, and much shorter. */
const short = (value: number): string => String(Math.round(value * 10) / 10)

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const text = (x: number, y: number, content: string, more = ""): string =>
  `<text x="${short(x)}" y="${short(y)}"${more}>${escaped(content)}</text>`

const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line class="${kind}" x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}"/>`

/** Where a value is on a panel's axis: 0 at the bottom, 1 at the top. */
const heightOf = ({ logarithmic = false, ticks }: Panel, value: number): number => {
  const scale = logarithmic ? Math.log : (x: number) => x
  const [bottom, top] = [scale(ticks[0]!), scale(ticks.at(-1)!)]
  return Math.min(1, Math.max(0, (scale(value) - bottom) / (top - bottom)))
}

/** Lines break where there is no value. */
const path = (values: ReadonlyArray<number>, x: (i: number) => number, y: (value: number) => number): string => {
  let isOpen = false
  let d = ""
  values.forEach((value, i) => {
    if (!Number.isNaN(value)) d += `${isOpen ? "L" : "M"}${short(x(i))} ${short(y(value))}`
    isOpen = !Number.isNaN(value)
  })
  return d
}

const legend = (panels: ReadonlyArray<Panel>): ReadonlyArray<string> => {
  const lines = new Map(panels.flatMap(({ lines }) => lines.map((one) => [one.name, one.look] as const)))
  let x = left
  return Array.from(lines, ([name, look]) => {
    const at = x
    x += 50 + name.length * 6.6
    return `<path class="line ${look}" d="M${short(at)} 44h22"/>${text(at + 28, 48, name)}`
  })
}

export const draw = ({ description, marks = [], note = "", panels, step, tickEvery, title }: Picture): string => {
  const count = Math.max(...panels.flatMap(({ lines }) => lines.map(({ values }) => values.length)))
  const end = (count - 1) * step
  const xAt = (second: number): number => left + ((width - left - right) * second) / end
  const height = head + panels.length * (panelHeight + panelGap) - panelGap + foot
  const drawPanel = (panel: Panel, k: number): ReadonlyArray<string> => {
    const top = head + 22 + k * (panelHeight + panelGap) - 4
    const bottom = top + panelHeight - 14
    const y = (value: number): number => bottom - (bottom - top) * heightOf(panel, value)
    return [
      text(left, top - 8, panel.title, ' class="name"'),
      ...panel.ticks.flatMap((tick) => [
        line(left, y(tick), width - right, y(tick), "grid"),
        text(
          left - 8,
          y(tick) + 4,
          `${tick.toLocaleString("en")}${panel.unit ?? ""}`,
          ' class="faint" text-anchor="end"'
        )
      ]),
      ...marks.map(({ at }) => line(xAt(at), top, xAt(at), bottom, "mark")),
      ...(k === 0 ? marks.map(({ at, text: said }) => text(xAt(at) + 5, top - 8, said, ' class="faint"')) : []),
      ...panel.lines.map(
        ({ look, values }) => `<path class="line ${look}" d="${path(values, (i) => xAt(i * step), y)}"/>`
      )
    ]
  }
  const seconds = Array.from({ length: Math.floor(end / tickEvery) + 1 }, (_, k) => k * tickEvery)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escaped(title)}</title>`,
    `<desc id="d">${escaped(description)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text(left, 24, title, ' class="title"'),
    ...legend(panels),
    ...panels.flatMap(drawPanel),
    ...seconds.map((second) => text(xAt(second), height - 26, String(second), ' class="faint" text-anchor="middle"')),
    text(left, height - 8, note, ' class="faint"'),
    text(width - right, height - 8, "seconds", ' class="faint" text-anchor="end"'),
    "</svg>"
  ].join("\n")}\n`
}
