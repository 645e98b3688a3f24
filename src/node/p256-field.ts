/**
 * What node:crypto cannot do on P-256: a sum of two points, and y of a product whose x it gave.
 *
 * BigInt arithmetic is not constant-time, and w0·M and w0·N are secrets that live long. Each function therefore moves its points
 * to an isomorphic curve first, (x, y) → (x·z², y·z³) with a fresh random z: all that follows, the inversion included, works on
 * values that are new at every call.
 */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const P_BYTES = writePoint(P, 0n).subarray(1, 33);

/** Coordinates (x, y) in [0, p). */
interface Affine {
  readonly x: bigint;
  readonly y: bigint;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/** 1/value mod p, `value` in [1, p). Extended Euclid. */
function invert(value: bigint): bigint {
  let [r, nextR] = [P, value];
  let [t, nextT] = [0n, 1n];
  while (nextR !== 0n) {
    const quotient = r / nextR;
    [r, nextR] = [nextR, r - quotient * nextR];
    [t, nextT] = [nextT, t - quotient * nextT];
  }
  return mod(t);
}

/** 32 bytes big-endian, from `at`. */
function readInteger(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 32);
  return (view.getBigUint64(0) << 192n) | (view.getBigUint64(8) << 128n) | (view.getBigUint64(16) << 64n) | view.getBigUint64(24);
}

function writePoint(x: bigint, y: bigint): Uint8Array {
  const point = new Uint8Array(65);
  point[0] = 4;
  const view = new DataView(point.buffer);
  for (let limb = 0; limb < 4; limb++) {
    const shift = BigInt(64 * (3 - limb));
    view.setBigUint64(1 + 8 * limb, BigInt.asUintN(64, x >> shift));
    view.setBigUint64(33 + 8 * limb, BigInt.asUintN(64, y >> shift));
  }
  return point;
}

function readPoint(point: Uint8Array): Affine {
  return { x: readInteger(point, 1), y: readInteger(point, 33) };
}

/** z in [1, p) from 32 random bytes. */
function blinding(random: Uint8Array): bigint {
  return 1n + (readInteger(random, 0) % (P - 1n));
}

/** a + b of two valid uncompressed points; undefined for the identity. `random`: 32 fresh bytes. */
export function addAffine(a: Uint8Array, b: Uint8Array, random: Uint8Array): Uint8Array | undefined {
  const p = readPoint(a);
  const q = readPoint(b);
  const double = p.x === q.x;
  if (double && p.y !== q.y) return undefined;
  const z = blinding(random);
  const z2 = (z * z) % P;
  const z3 = (z2 * z) % P;
  const x1 = (p.x * z2) % P;
  const y1 = (p.y * z3) % P;
  const x2 = (q.x * z2) % P;
  const y2 = (q.y * z3) % P;
  // On the isomorphic curve a = −3·z⁴; the slope is rise / run.
  const rise = double ? 3n * (x1 * x1 - z2 * z2) : y2 - y1;
  const run = double ? 2n * y1 : x2 - x1;
  const inverse = invert(mod(run * z));
  const slope = mod(rise * ((inverse * z) % P));
  const x3 = mod(slope * slope - x1 - x2);
  const y3 = mod(slope * (x1 - x3) - y1);
  const perZ = mod(inverse * run);
  const perZ2 = (perZ * perZ) % P;
  return writePoint((x3 * perZ2) % P, (y3 * ((perZ2 * perZ) % P)) % P);
}

/**
 * Q = k·P for k in [1, n−2], from P (65 bytes), x(Q) and x(Q+P) (32 bytes each), without a square root (performance.md, "Crypto"):
 * the sum's formula gives (yQ − yP)² = (x(Q+P) + xP + xQ)·(xQ − xP)², and yQ² comes from the curve. `random`: 32 fresh bytes.
 */
export function recoverProduct(point: Uint8Array, productX: Uint8Array, sumX: Uint8Array, random: Uint8Array): Uint8Array {
  const { x, y } = readPoint(point);
  const q = readInteger(productX, 0);
  const z = blinding(random);
  const z2 = (z * z) % P;
  const z3 = (z2 * z) % P;
  const z4 = (z2 * z2) % P;
  const z6 = (z3 * z3) % P;
  const xp = (x * z2) % P;
  const yp = (y * z3) % P;
  const xq = (q * z2) % P;
  const xr = (readInteger(sumX, 0) * z2) % P;
  const run = xq - xp;
  const squareQ = ((xq * xq) % P) * xq - 3n * z4 * xq + B * z6;
  const numerator = mod(squareQ + yp * yp - ((run * run) % P) * (xr + xp + xq));
  // yQ = (yQ·z³) / z³, both divisions in one: 2·(yP·z³)·z³.
  return writePoint(q, (numerator * invert((2n * yp * z3) % P)) % P);
}

/** −point, byte by byte: p − y without BigInt. */
export function negateAffine(point: Uint8Array): Uint8Array {
  const negated = point.slice();
  let borrow = 0;
  for (let i = 31; i >= 0; i--) {
    const digit = (P_BYTES[i] as number) - (point[33 + i] as number) - borrow;
    negated[33 + i] = digit & 0xff;
    borrow = (digit >> 8) & 1;
  }
  return negated;
}
