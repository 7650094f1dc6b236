/** A value that hides what it depends on. */
export class Token {
  readonly #raw: string
  constructor(raw: string) {
    this.#raw = raw
  }
  reveal(): string {
    return this.#raw
  }
}
