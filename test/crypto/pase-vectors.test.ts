import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { p256_hasher } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { utf8Encode } from '../../src/codec/utf8.js';
import { draftSessionKeys, passwordScalars } from '../../src/crypto/kdf.js';
import { PASE_POINTS, type PaseDialect } from '../../src/crypto/pase-points.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { type PaseVerifier, prepareRegistration, prepareShare, verifierFromSetupCode } from '../../src/crypto/spake2plus.js';
import { startProver } from '../../src/crypto/spake2plus-prover.js';
import { draftTranscript, transcript } from '../../src/crypto/transcript.js';
import type { Crypto } from '../../src/platform.js';
import { Secret } from '../../src/secret.js';
import { ADAPTERS, node, readVectors, withBytes } from './adapters.js';

type Named = Readonly<Record<string, string>>;

const draft = readVectors<{ M: string; N: string; vectors: Named[] }>('spake2plus-draft.json');
const reference = readVectors<{ vectors: Named[] }>('spake2plus-reference.json');
const rfc9383 = readVectors<Named>('spake2plus-rfc9383.json');
const rfc9380 = readVectors<{ DST: string; vectors: { msg: string; x: string; y: string }[] }>('hash-to-curve-rfc9380.json');

const bytes = (vector: Named, name: string): Uint8Array => {
  const hex = vector[name];
  if (hex === undefined) throw new Error(`the vector has no ${name}`);
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
};
const codeOf = (vector: Named) => parseSetupCode(vector['code'] ?? '', { allowTrivial: true });
const padded = (scalar: Uint8Array) => toHex(scalar).padStart(64, '0');

/** The device's whole side with the vector's y. */
function device(crypto: Crypto, verifier: PaseVerifier, vector: Named, X: Uint8Array, context?: Uint8Array) {
  const share = prepareShare(withBytes(crypto, bytes(vector, 'y')), prepareRegistration(crypto, verifier));
  return { Y: share.accept(X), keys: share.finish(context) };
}

describe('M and N', () => {
  it.each(rfc9380.vectors)('RFC 9380 J.1.1: the oracle of the draft points hashes "$msg"', ({ msg, x, y }) => {
    expect(p256_hasher.hashToCurve(utf8Encode(msg), { DST: rfc9380.DST }).toHex(false)).toBe(`04${x}${y}`);
  });

  it.each(['M', 'N'] as const)('protocol.md §2.1: %s of the draft dialect is hashed to the curve', (name) => {
    const DST = 'MASH-SPAKE2PLUS-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_';
    const hashed = p256_hasher.hashToCurve(utf8Encode(`MASH SPAKE2+ ${name} v1`), { DST });
    expect(toHex(PASE_POINTS.draft[name])).toBe(hashed.toHex(false));
    expect(draft[name]).toBe(hashed.toHex(true));
  });

  it.each([
    ['draft', 'M', '038af3153464dc53a522fc0979cde2ec7d523c39b9edadd0ba44145b539a0ab1a5'],
    ['draft', 'N', '024fb869e67ed0666cb3527a7a7dc71118e8a637495606a9af101ccbf0be98899a'],
    ['reference', 'M', '02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f'],
    ['reference', 'N', '03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49'],
  ] as const)('%s %s is the document’s constant', (dialect: PaseDialect, name, compressed) => {
    expect(toHex(node.compressPoint(PASE_POINTS[dialect][name]))).toBe(compressed);
  });
});

describe('the draft vector file', () => {
  it('is what scripts/make-draft-vectors.mjs calculates', () => {
    const script = fileURLToPath(new URL('../../scripts/make-draft-vectors.mjs', import.meta.url));
    const file = readFileSync(new URL('../vectors/spake2plus-draft.json', import.meta.url), 'utf8');
    expect(execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' })).toBe(file);
  });

  it('has the cases that matter: a w0 with a leading zero byte, an X in 65 bytes', () => {
    expect(draft.vectors.some((vector) => vector['w0']?.startsWith('00'))).toBe(true);
    expect(draft.vectors.some((vector) => vector['X']?.length === 130)).toBe(true);
  });
});

describe.each(ADAPTERS)('PASE vectors over $name', ({ crypto }) => {
  it('RFC 9383 appendix C: P-256, SHA-256, HKDF, HMAC', () => {
    const { M, N } = PASE_POINTS.reference;
    const [w0, w1, x, y] = ['w0', 'w1', 'x', 'y'].map((name) => bytes(rfc9383, name)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const add = (a: Uint8Array, b: Uint8Array) => crypto.addPoints(a, b) as Uint8Array;
    const mask = (point: Uint8Array) => crypto.multiply(point, w0);
    const L = crypto.multiplyBase(w1);
    const X = add(crypto.multiplyBase(x), mask(M));
    const Y = add(crypto.multiplyBase(y), mask(N));
    expect([L, X, Y].map(toHex)).toEqual([rfc9383['L'], rfc9383['shareP'], rfc9383['shareV']]);
    const Z = crypto.multiply(add(X, crypto.negatePoint(mask(M))), y);
    const V = crypto.multiply(L, y);
    expect([Z, V].map(toHex)).toEqual([rfc9383['Z'], rfc9383['V']]);
    const unmasked = add(Y, crypto.negatePoint(mask(N)));
    expect([crypto.multiply(unmasked, x), crypto.multiply(unmasked, w1)]).toEqual([Z, V]);

    const identities = ['context', 'idProver', 'idVerifier'].map((name) => utf8Encode(rfc9383[name] ?? ''));
    const [context, idProver, idVerifier] = identities as [Uint8Array, Uint8Array, Uint8Array];
    const tt = transcript({ context, idProver, idVerifier }, { M, N }, { X, Y, Z, V, w0 });
    expect(toHex(tt)).toBe(rfc9383['TT']);
    const main = crypto.sha256(tt);
    expect(toHex(main)).toBe(rfc9383['K_main']);
    const none = new Uint8Array(0);
    const confirm = crypto.hkdfSha256(main, none, utf8Encode('ConfirmationKeys'), 64);
    expect(toHex(confirm)).toBe(`${rfc9383['K_confirmP']}${rfc9383['K_confirmV']}`);
    expect(toHex(crypto.hkdfSha256(main, none, utf8Encode('SharedKey'), 32))).toBe(rfc9383['K_shared']);
    expect(toHex(crypto.hmacSha256(confirm.slice(0, 32), Y))).toBe(rfc9383['HMAC_confirmP']);
    expect(toHex(crypto.hmacSha256(confirm.slice(32), X))).toBe(rfc9383['HMAC_confirmV']);
  });

  it.each(draft.vectors)('draft dialect, code $code', (vector) => {
    const code = codeOf(vector);
    const { w0, w1 } = passwordScalars(crypto, 'draft', code);
    expect([w0, w1].map((secret) => toHex(secret.expose()))).toEqual([vector['w0'], vector['w1']]);
    const verifier = verifierFromSetupCode(crypto, 'draft', code);
    expect(toHex(verifier.L.expose())).toBe(vector['L']);

    const [X, Y, context] = [bytes(vector, 'X'), bytes(vector, 'Y'), bytes(vector, 'context')];
    const { Y: sent, keys } = device(crypto, verifier, vector, X, context);
    expect(toHex(sent)).toBe(vector['Y']);
    expect(toHex(keys.confirmDevice)).toBe(vector['verifier_device']);
    expect(keys.checkController(bytes(vector, 'verifier_controller'))).toBe(true);
    expect(keys.zoneId).toBeUndefined();

    const prover = startProver(withBytes(crypto, bytes(vector, 'x')), 'draft', code);
    expect(prover.X).toEqual(crypto.compressPoint(crypto.decodePoint(X)));
    const proved = prover.finish(Y, context);
    // Our controller sends 33 bytes, so that the MACs are the vector's where its X has 33.
    expect(toHex(proved.confirmController) === vector['verifier_controller']).toBe(X.length === 33);
    expect(proved.checkDevice(bytes(vector, 'verifier_device'))).toBe(X.length === 33);
  });

  it.each(draft.vectors)('draft dialect, transcript and session keys of code $code', (vector) => {
    const [context, w0, Z, V] = ['context', 'w0', 'Z', 'V'].map((name) => bytes(vector, name)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const [X, Y] = [crypto.decodePoint(bytes(vector, 'X')), crypto.decodePoint(bytes(vector, 'Y'))];
    const tt = draftTranscript(context, { X, Y, Z, V, w0 });
    expect(toHex(tt)).toBe(vector['TT']);
    const shared = crypto.sha256(tt);
    expect(toHex(shared)).toBe(vector['K_shared']);
    const keys = draftSessionKeys(crypto, new Secret(shared));
    expect(Object.values(keys).map((key: Secret) => toHex(key.expose()))).toEqual([
      vector['K_main'],
      vector['K_encrypt'],
      vector['controllerToDevice'],
      vector['deviceToController'],
    ]);
  });

  it.each(reference.vectors)('reference dialect, code $code', (vector) => {
    const code = codeOf(vector);
    const { w0, w1 } = passwordScalars(crypto, 'reference', code);
    expect([w0, w1].map((secret) => toHex(secret.expose()))).toEqual([padded(bytes(vector, 'w0')), padded(bytes(vector, 'w1'))]);
    const verifier = verifierFromSetupCode(crypto, 'reference', code);
    expect(toHex(crypto.compressPoint(verifier.L.expose()))).toBe(vector['L']);

    const { Y, keys } = device(crypto, verifier, vector, bytes(vector, 'pA'));
    expect(toHex(Y)).toBe(vector['pB']);
    expect(toHex(keys.confirmDevice)).toBe(vector['MACs']);
    expect(keys.checkController(bytes(vector, 'MACc'))).toBe(true);
    expect(keys.zoneId).toBe(vector['zoneId']);

    const prover = startProver(withBytes(crypto, bytes(vector, 'x')), 'reference', code);
    expect(toHex(prover.X)).toBe(vector['pA']);
    const proved = prover.finish(bytes(vector, 'pB'));
    expect(toHex(proved.confirmController)).toBe(vector['MACc']);
    expect(proved.checkDevice(bytes(vector, 'MACs'))).toBe(true);
    expect(proved.zoneId).toBe(vector['zoneId']);
  });
});
