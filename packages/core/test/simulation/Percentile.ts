/** The value that so large a part of all is not above. */
export const percentile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}
