/** Placeholders for the value of a step that has none. */
export const Pending = /* @__PURE__ */ Symbol.for("effect-loader/Pending")
export const Running = /* @__PURE__ */ Symbol.for("effect-loader/Running")
export const Failed = /* @__PURE__ */ Symbol.for("effect-loader/Failed")
export const Skipped = /* @__PURE__ */ Symbol.for("effect-loader/Skipped")
export const NotChosen = /* @__PURE__ */ Symbol.for("effect-loader/NotChosen")

export const isThere = (value: unknown): boolean =>
  value !== Pending && value !== Running && value !== Failed && value !== Skipped && value !== NotChosen
