/** Names that programs would trip over. */
export const hostileNames: ReadonlyArray<string> = [
  "new\nline",
  "\u001b[31mred\u001b[0m",
  "tab\tand \"quotes\" and 'quotes'",
  "</script><script>alert(1)</script>",
  "a & b < c > d; e # f %% g",
  "`back` ticks` `",
  "[square] {curly} (round) |pipe| \\back\\slash",
  "subgraph",
  "end",
  "right\u202eto left",
  "日本語のリソース",
  "family 👨‍👩‍👧‍👦 and e\u0301",
  "x".repeat(10_000)
]
