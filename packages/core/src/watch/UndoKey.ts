/** Tells what is undone for one resource apart: its own doing, that of its items, that of loaders inside. */
export const undoKey = ({
  cleanup,
  inside = [],
  item
}: {
  readonly item?: number
  readonly inside?: ReadonlyArray<string>
  readonly cleanup: boolean
}): string => JSON.stringify([cleanup, item, ...inside])
