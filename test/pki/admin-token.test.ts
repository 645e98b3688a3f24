import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../src/codec/bytes.js';
import { type CborKey, type CborValue, decodeCbor, encodeCbor } from '../../src/codec/cbor.js';
import { fromHex, toHex } from '../../src/codec/hex.js';
import { portableCrypto } from '../../src/crypto/portable/crypto.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import {
  AdminPermission,
  AdminTokenError,
  type AdminTokenFields,
  type AdminTokenReason,
  decodeAdminToken,
  signAdminToken,
  verifyAdminToken,
} from '../../src/pki/admin-token.js';
import type { TimeReading } from '../../src/pki/trusted-time.js';
import { DAY, makeZoneCa, WORLD_NOW } from '../world/certificates.js';
import { SeededEntropy } from '../world/entropy.js';

const crypto = nodeCrypto();
const ca = makeZoneCa();
const time: TimeReading = { quality: 'synchronised', now: WORLD_NOW };
const fields: AdminTokenFields = {
  id: new Uint8Array(32).fill(7),
  issuedAt: WORLD_NOW - DAY,
  expiresAt: WORLD_NOW + DAY,
  caFingerprint: crypto.sha256(ca.der),
  permissions: AdminPermission.COMMISSION,
};
const token = signAdminToken(crypto, ca.key, fields);

function reasonOf(bytes: Uint8Array, at: TimeReading = time, authority = ca.certificate): AdminTokenReason | 'holds' {
  try {
    verifyAdminToken(crypto, bytes, { ca: authority, time: at });
    return 'holds';
  } catch (error) {
    if (!(error instanceof AdminTokenError)) throw error;
    return error.reason;
  }
}

const made = (change: Partial<AdminTokenFields>): Uint8Array => signAdminToken(crypto, ca.key, { ...fields, ...change });
const mapOf = (bytes: Uint8Array): Map<CborKey, CborValue> => new Map(decodeCbor(bytes) as ReadonlyMap<CborKey, CborValue>);

describe('an admin token (commissioning-pase §8.2)', () => {
  it('is the map of keys 1 to 6, signed over the deterministic encoding of keys 1 to 5', () => {
    const id = '07'.repeat(32);
    const number = (value: number): string => `1a${value.toString(16).padStart(8, '0')}`;
    const inner = `015820${id}02${number(fields.issuedAt)}03${number(fields.expiresAt)}045820${toHex(fields.caFingerprint)}0501`;
    expect(toHex(token).startsWith(`a6${inner}065840`)).toBe(true);
    expect(crypto.verify(ca.key.publicKey, fromHex(`a5${inner}`), token.subarray(-64))).toBe(true);
    expect(decodeAdminToken(token)).toEqual({ ...fields, signature: token.slice(-64) });
  });

  it('is verified alike by both adapters', () => {
    const portable = portableCrypto(new SeededEntropy(1));
    expect(verifyAdminToken(portable, token, { ca: ca.certificate, time })).toEqual(decodeAdminToken(token));
  });

  it.each<readonly [string, Partial<AdminTokenFields>]>([
    ['a short id', { id: new Uint8Array(31) }],
    ['a long fingerprint', { caFingerprint: new Uint8Array(33) }],
    ['a fraction of a second', { issuedAt: 1.5 }],
    ['an end before its beginning', { expiresAt: fields.issuedAt - 1 }],
    ['permissions of nine bits', { permissions: 256 }],
  ])('is not made with %s', (_what, change) => {
    expect(() => made(change)).toThrow(RangeError);
  });

  it.each<readonly [string, CborKey, CborValue | undefined]>([
    ['no id', 1, undefined],
    ['an id of 31 bytes', 1, new Uint8Array(31)],
    ['a text as time', 2, 'now'],
    ['a negative time', 2, -1],
    ['an end before its beginning', 3, fields.issuedAt - 1],
    ['a fingerprint of 20 bytes', 4, new Uint8Array(20)],
    ['permissions of nine bits', 5, 256],
    ['a DER signature', 6, new Uint8Array(70)],
    ['a seventh key', 7, 1],
    ['a text key', 'x', 1],
  ])('with %s is malformed', (_what, key, value) => {
    const map = mapOf(token);
    if (value === undefined) map.delete(key);
    else map.set(key, value);
    expect(reasonOf(encodeCbor(map))).toBe('malformed');
  });

  it.each([
    ['nothing', ''],
    ['no map', '01'],
    ['bytes behind it', `${toHex(token)}00`],
    ['a key twice', `a7${toHex(token).slice(2)}0501`],
    ['257 bytes', '00'.repeat(257)],
  ])('that is %s is malformed', (_what, hex) => {
    expect(reasonOf(fromHex(hex))).toBe('malformed');
  });
});

describe('verification (commissioning-pase §8.4)', () => {
  it('tells the failures apart', () => {
    expect(reasonOf(token)).toBe('holds');
    expect(reasonOf(signAdminToken(crypto, crypto.generateKey(), fields))).toBe('signature');
    expect(reasonOf(made({ expiresAt: WORLD_NOW }))).toBe('expired');
    expect(reasonOf(made({ permissions: AdminPermission.REMOVE | AdminPermission.VIEW }))).toBe('permissions');
    expect(reasonOf(made({ caFingerprint: new Uint8Array(32) }))).toBe('fingerprint');
  });

  it('a Zone CA of the same key in another DER is another fingerprint', () => {
    const twin = makeZoneCa({ key: ca.key });
    expect(reasonOf(token, time, twin.certificate)).toBe('fingerprint');
    expect(reasonOf(token, time, makeZoneCa().certificate)).toBe('signature');
  });

  it('goes through the checks in their order', () => {
    const all = { expiresAt: WORLD_NOW - 1, permissions: 0, caFingerprint: new Uint8Array(32) };
    expect(reasonOf(signAdminToken(crypto, crypto.generateKey(), { ...fields, ...all }))).toBe('signature');
    expect(reasonOf(made(all))).toBe('expired');
    expect(reasonOf(made({ ...all, expiresAt: WORLD_NOW + 1 }))).toBe('permissions');
  });

  it('expires to the second where the time is known, and by a floor; a clock never set accepts', () => {
    const at = (quality: TimeReading['quality'], now: number) => reasonOf(token, { quality, now });
    expect(at('synchronised', fields.expiresAt - 1)).toBe('holds');
    expect(at('synchronised', fields.expiresAt)).toBe('expired');
    expect(at('floor', fields.expiresAt)).toBe('expired');
    expect(at('unset', fields.expiresAt)).toBe('holds');
  });

  it('does not look at issued_at, nor at reserved permissions', () => {
    expect(reasonOf(made({ issuedAt: WORLD_NOW + DAY / 2 }))).toBe('holds');
    expect(reasonOf(made({ permissions: 0xf8 | AdminPermission.COMMISSION }))).toBe('holds');
  });

  it('takes another encoding of the same fields, as on the rest of the wire (protocol.md §1)', () => {
    const reversed = [...mapOf(token)].reverse();
    const hex = `a6${reversed.map((entry) => toHex(encodeCbor(new Map([entry]))).slice(2)).join('')}`;
    expect(hex).not.toBe(toHex(token));
    expect(reasonOf(fromHex(hex))).toBe('holds');
  });

  it('10,000 mutated tokens: none with another content holds, and nothing else is thrown', () => {
    const random = new SeededEntropy(8);
    // Deterministic signatures, so that every run mutates the same bytes.
    const portable = portableCrypto(random);
    const own = makeZoneCa({ crypto: portable, key: portable.importKey(new Uint8Array(32).fill(5)) });
    const steady = signAdminToken(portable, own.key, { ...fields, caFingerprint: new Uint8Array(32).fill(4) });
    const content = toHex(steady);
    const tally = { malformed: 0, signature: 0, others: 0 };
    for (let i = 0; i < 10_000; i++) {
      const bytes = [...steady];
      for (let edits = 1 + random.below(3); edits > 0; edits--) {
        const at = random.below(bytes.length);
        if (random.below(4) === 0) bytes.splice(at, random.below(3), ...random.bytes(random.below(3)));
        else bytes[at] = random.below(2) === 0 ? random.below(256) : (bytes[at] ?? 0) ^ (1 << random.below(8));
      }
      const mutated = Uint8Array.from(bytes);
      if (sameBytes(mutated, steady)) continue;
      const reason = reasonOf(mutated, time, own.certificate);
      if (reason === 'malformed' || reason === 'signature') tally[reason] += 1;
      else {
        const { signature, ...rest } = decodeAdminToken(mutated);
        const { signature: before, ...expected } = decodeAdminToken(steady);
        expect({ ...rest, signature: toHex(signature) }, `${content} as ${toHex(mutated)}`).toEqual({
          ...expected,
          signature: toHex(before),
        });
        tally.others += 1;
      }
    }
    expect(tally.malformed).toBeGreaterThan(1000);
    expect(tally.signature).toBeGreaterThan(1000);
    expect(tally.others).toBeLessThan(10);
  });
});
