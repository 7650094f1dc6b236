/** How changesets become lines of a CHANGELOG: as they are written, without the commits that wrote them. */

interface Changeset {
  readonly summary: string
}

interface Updated {
  readonly name: string
  readonly newVersion: string
}

const line = (text: string): string => {
  const [first, ...others] = text.trim().split("\n")
  return [`- ${first}`, ...others.map((other) => (other === "" ? "" : `  ${other}`))].join("\n")
}

export default {
  getReleaseLine: ({ summary }: Changeset): string => line(summary),
  getDependencyReleaseLine: (_: ReadonlyArray<Changeset>, updated: ReadonlyArray<Updated>): string =>
    updated.length === 0
      ? ""
      : line(`Needs ${updated.map(({ name, newVersion }) => `${name} ${newVersion}`).join(", ")}.`)
}
