/**
 * Explanations: how long a loader would take, predicted from its plan.
 *
 * @since 0.1.0
 */
export { type Expectations, type Explanation, toText } from "./observe/Explanation.ts"
