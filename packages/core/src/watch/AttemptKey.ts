/** Tells the attempts of one resource apart, those of the items of a list too. */
export const attemptKey = ({
  attempt,
  item
}: {
  readonly attempt: number
  readonly item?: number | undefined
}): string => `${item} ${attempt}`
