/**
 * Lint rules of this repository, for oxlint.
 *
 * `no-call-spread`: a list must not be spread into the arguments of a call. Each element takes a place on the stack, so
 * what works in tests is a `RangeError` beyond some 100,000 elements. Use a loop. The arguments that a function itself
 * was called with (`...args`) may be passed on, as they were on the stack already.
 */

/** The name of what is spread, through `x as T`, `(x)` and `x!`. */
const nameOf = (node) => {
  let inner = node
  while (inner.expression !== undefined && /^TS|^Parenthesized/.test(inner.type)) inner = inner.expression
  return inner.type === "Identifier" ? inner.name : undefined
}

const isFunction = ({ type }) => /Function/.test(type)

/** Whether this is the rest parameter of a function around. */
const isOwnArguments = (node, name) => {
  for (let at = node.parent; at !== null && at !== undefined; at = at.parent) {
    if (!isFunction(at)) continue
    const last = at.params.at(-1)
    if (last?.type === "RestElement" && last.argument.name === name) return true
  }
  return false
}

const noCallSpread = {
  create(context) {
    const check = (node) => {
      for (const argument of node.arguments) {
        if (argument.type !== "SpreadElement") continue
        const name = nameOf(argument.argument)
        if (name !== undefined && isOwnArguments(node, name)) continue
        context.report({
          node: argument,
          message: "A list that is spread into arguments overflows the stack where it is long: use a loop."
        })
      }
    }
    return { CallExpression: check, NewExpression: check }
  }
}

export default { meta: { name: "effect-loader" }, rules: { "no-call-spread": noCallSpread } }
