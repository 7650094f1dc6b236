/** A backend that goes down and comes back. */
import { assert, describe, it } from "vitest"
import { assertEndedWell, assertInOrder, assertReadable, ended, launch, hangs } from "./kit/program.ts"

describe("the outage", () => {
  it(
    "loads every page while the backend is down, asks it little then, and as always when it is back",
    { timeout: hangs },
    async () => {
      const ran = await ended(launch("outage/main.ts"))
      assertEndedWell(ran)
      const { out } = ran
      const titles = ["All is well", "It gets uneven", "It is gone", "It is back, and overloaded", "It has recovered"]
      assertReadable(out)
      assertInOrder(out, [
        "latency and faults injected",
        "What is around each part",
        ...titles,
        "The budget of retries and hedges"
      ])
      const sections = titles.map((title) =>
        out.slice(out.indexOf(`\n${title}`), out.indexOf("breaker ", out.indexOf(`\n${title}`)))
      )
      const number = (section: string, pattern: RegExp): number => Number(pattern.exec(section)?.[1] ?? Number.NaN)
      for (const section of sections) assert.strictEqual(number(section, /(\d+) loaded of 20/), 20)
      const [, , gone = "", refusing = ""] = sections
      for (const section of [gone, refusing]) {
        assert.isBelow(number(section, /(\d+) reached the backend/), 30)
        assert.isAbove(number(section, /refused +(\d+)/), 20)
      }
      assert.isAbove(
        number(sections.at(-1)!, /(\d+) reached the backend/),
        number(refusing, /(\d+) reached the backend/)
      )
    }
  )
})
