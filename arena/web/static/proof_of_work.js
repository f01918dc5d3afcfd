// A worker: finds the number whose SHA-256, behind the salt, is the target. WebCrypto is no help here: it takes a promise
// for each hash, which is slower than these lines, and browsers offer it over https only.
const CONSTANTS = new Int32Array(64), START = new Int32Array(8), words = new Int32Array(64), block = new Uint8Array(64);
const REPORT = 20_000; // hashes between two reports of progress

function prepare() {
  const isPrime = (n) => { for (let d = 2; d * d <= n; d += 1) if (n % d === 0) return false; return true; };
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  for (let n = 2, found = 0; found < 64; n += 1) {
    if (!isPrime(n)) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    CONSTANTS[found] = fraction(Math.cbrt(n));
    found += 1;
  }
}

/** Hashes the one block in `block` into the 8 words of `state`. */
function compress(state) {
  for (let i = 0; i < 16; i += 1) words[i] = (block[4 * i] << 24) | (block[4 * i + 1] << 16) | (block[4 * i + 2] << 8) | block[4 * i + 3];
  for (let i = 16; i < 64; i += 1) {
    const x = words[i - 15], y = words[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
  }
  let a = START[0], b = START[1], c = START[2], d = START[3], e = START[4], f = START[5], g = START[6], h = START[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + CONSTANTS[i] + words[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  state[0] = a; state[1] = b; state[2] = c; state[3] = d; state[4] = e; state[5] = f; state[6] = g; state[7] = h;
  for (let i = 0; i < 8; i += 1) state[i] += START[i];
}

/** Puts a text of at most 55 ASCII characters at a place of `block`, which it then ends, padded. */
function write(text, place) {
  const end = place + text.length;
  for (let i = 0; i < text.length; i += 1) block[place + i] = text.charCodeAt(i);
  block[end] = 0x80;
  block[62] = end >>> 5;
  block[63] = (end << 3) & 0xff;
}

function solve({ salt, target, most }) {
  const wanted = Int32Array.from({ length: 8 }, (_, i) => Number.parseInt(target.slice(8 * i, 8 * i + 8), 16) | 0);
  const state = new Int32Array(8);
  block.fill(0);
  write(salt, 0);
  for (let number = 0; number < most; number += 1) {
    write(String(number), salt.length);
    compress(state);
    if (state[0] === wanted[0] && state.every((word, i) => word === wanted[i])) return number;
    if (number % REPORT === 0) postMessage({ tried: number });
  }
  return null;
}

prepare();
onmessage = ({ data }) => postMessage({ number: solve(data) });
