/**
 * Writes test/vectors/spake2plus-draft.json: the draft dialect of SPAKE2+ calculated straight down, with nothing of src.
 * Points and hash-to-curve by @noble/curves, hashes by node:crypto. With --print, to standard output instead.
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { p256, p256_hasher } from '@noble/curves/nist.js';

const DST = 'MASH-SPAKE2PLUS-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_';
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const G = p256.Point.BASE;
const M = p256_hasher.hashToCurve(Buffer.from('MASH SPAKE2+ M v1'), { DST });
const N = p256_hasher.hashToCurve(Buffer.from('MASH SPAKE2+ N v1'), { DST });

const cases = [
  { code: '20202021', x: counting(0x01), y: counting(0x21), context: counting(0x41) },
  { code: '73914826', x: digest('x'), y: digest('y'), context: digest('context') },
  { note: 'w0 has a leading zero byte, which stays', code: '00000079', x: counting(0x01), y: counting(0x21), context: counting(0x41) },
  {
    note: 'x = n−2, y = 2, X sent uncompressed',
    code: '05040302',
    x: hex32(ORDER - 2n),
    y: hex32(2n),
    context: '00'.repeat(32),
    sentX: 65,
  },
];

const document = {
  source: 'scripts/make-draft-vectors.mjs (protocol.md §2, commissioning-pase §2)',
  M: M.toHex(true),
  N: N.toHex(true),
  vectors: cases.map(calculate),
};
const text = `${JSON.stringify(document, null, 1)}\n`;
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(new URL('../test/vectors/spake2plus-draft.json', import.meta.url), text);

function calculate({ note, code, x, y, context, sentX: lengthOfX = 33 }) {
  const w0 = BigInt(`0x${hkdf(Buffer.from(code), 'MASH SPAKE2+ w0')}`) % ORDER;
  const w1 = BigInt(`0x${hkdf(Buffer.from(code), 'MASH SPAKE2+ w1')}`) % ORDER;
  const L = G.multiply(w1);
  const X = G.multiply(BigInt(`0x${x}`)).add(M.multiply(w0));
  const Y = G.multiply(BigInt(`0x${y}`)).add(N.multiply(w0));
  const Z = X.subtract(M.multiply(w0)).multiply(BigInt(`0x${y}`));
  const V = L.multiply(BigInt(`0x${y}`));
  if (!Z.equals(Y.subtract(N.multiply(w0)).multiply(BigInt(`0x${x}`)))) throw new Error('Z differs between the sides');
  if (!V.equals(Y.subtract(N.multiply(w0)).multiply(w1))) throw new Error('V differs between the sides');

  const points = [M, N, X, Y, Z, V].map((point) => point.toHex(false));
  const elements = [context, '', '', ...points, hex32(w0)];
  const TT = elements.map((element) => lengthOf(element) + element).join('');
  const K_shared = createHash('sha256').update(bytes(TT)).digest('hex');
  const K_main = hkdf(bytes(K_shared), 'MASH PASE Session Key');
  const K_confirm = hkdf(bytes(K_shared), 'MASH PASE Confirmation');
  const K_encrypt = hkdf(bytes(K_main), 'MASH PASE Encryption');
  const controllerToDevice = hkdf(bytes(K_encrypt), 'controller to device');
  const deviceToController = hkdf(bytes(K_encrypt), 'device to controller');
  const sentX = X.toHex(lengthOfX === 33);
  const sentY = Y.toHex(true);
  const verifier_device = mac(K_confirm, `${Buffer.from('device').toString('hex')}${sentY}${sentX}`);
  const verifier_controller = mac(K_confirm, `${Buffer.from('controller').toString('hex')}${sentX}${sentY}`);
  return {
    ...(note && { note }),
    code,
    x,
    y,
    context,
    w0: hex32(w0),
    w1: hex32(w1),
    L: L.toHex(false),
    X: sentX,
    Y: sentY,
    Z: Z.toHex(false),
    V: V.toHex(false),
    TT,
    K_shared,
    K_main,
    K_confirm,
    K_encrypt,
    controllerToDevice,
    deviceToController,
    verifier_device,
    verifier_controller,
  };
}

function hkdf(secret, info) {
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('hex');
}

function mac(key, message) {
  return createHmac('sha256', bytes(key)).update(bytes(message)).digest('hex');
}

function lengthOf(element) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(element.length / 2));
  return length.toString('hex');
}

function bytes(hex) {
  return Buffer.from(hex, 'hex');
}

function hex32(value) {
  return value.toString(16).padStart(64, '0');
}

function counting(first) {
  return Buffer.from(Array.from({ length: 32 }, (_, i) => first + i)).toString('hex');
}

function digest(name) {
  return createHash('sha256').update(`MASH draft vector ${name}`).digest('hex');
}
