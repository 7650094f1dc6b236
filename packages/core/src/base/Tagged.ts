/** Whether a value is an error of this library: by its tag and a field of it, since another copy may have made it. */
export const isTagged = (value: unknown, tag: string, field: string): boolean =>
  typeof value === "object" && value !== null && (value as { readonly _tag?: unknown })._tag === tag && field in value
