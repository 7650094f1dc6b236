/**
 * SHA-256, for the names of long keys in a store. With a weaker hash, a visitor could make two keys that share a value. The
 * algorithm is written out here because Web Crypto is missing in pages without TLS, and is asynchronous.
 */

const firstPrimes = (count: number): ReadonlyArray<number> => {
  const primes: Array<number> = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes
}

/** The first 32 bits of the fractional part. */
const fraction = (x: number): number => ((x - Math.floor(x)) * 2 ** 32) | 0

const primes = /* @__PURE__ */ firstPrimes(64)
const start = /* @__PURE__ */ primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
const constants = /* @__PURE__ */ primes.map((prime) => fraction(Math.cbrt(prime)))

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

/** The code units of a text as words of 32 bits, the bit after them, and their length in bits at the end of the last block. */
const toWords = (text: string): Int32Array => {
  const bits = text.length * 16
  const words = new Int32Array(16 * Math.ceil((bits + 65) / 512))
  for (let k = 0; k < text.length; k++) words[k >> 1]! |= text.charCodeAt(k) << (k % 2 === 0 ? 16 : 0)
  words[text.length >> 1]! |= text.length % 2 === 0 ? 0x80000000 : 0x8000
  words[words.length - 2] = Math.floor(bits / 2 ** 32)
  words[words.length - 1] = bits | 0
  return words
}

const addBlock = (state: Int32Array, words: Int32Array, from: number, w: Int32Array): void => {
  for (let k = 0; k < 16; k++) w[k] = words[from + k]!
  for (let k = 16; k < 64; k++) {
    const [early, late] = [w[k - 15]!, w[k - 2]!]
    const low = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
    const high = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
    w[k] = w[k - 16]! + low + w[k - 7]! + high
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let k = 0; k < 64; k++) {
    const one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[k]! + w[k]!) | 0
    const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, k) => (state[k]! += word))
}

/** The SHA-256 of a text's UTF-16 code units, most significant byte first, in hexadecimal digits. */
export const sha256 = (text: string): string => {
  const words = toWords(text)
  const state = Int32Array.from(start)
  const scratch = new Int32Array(64)
  for (let from = 0; from < words.length; from += 16) addBlock(state, words, from, scratch)
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
}
