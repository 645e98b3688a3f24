import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../src/codec/bytes.js';
import { toHex } from '../../src/codec/hex.js';
import { createCsr, parseCsr } from '../../src/pki/csr.js';
import { der, derInteger, derSequence } from '../../src/pki/der-writer.js';
import { readSigned, signed } from '../../src/pki/ecdsa.js';
import { deviceIdOfKey } from '../../src/pki/identities.js';
import { writeName } from '../../src/pki/name.js';
import { encodeSpki } from '../../src/pki/spki.js';
import { hasOpenssl, nameTexts, openssl, opensslNote, x509 } from './oracles.js';
import { fixedScalar, REFERENCE, seededCrypto } from './vectors.js';

const crypto = seededCrypto(21);
const key = crypto.importKey(fixedScalar(1));
const first = createCsr(crypto, { key, vendorId: 4660, productId: 1 });
const renewal = createCsr(crypto, { key, vendorId: 4660, productId: 1, commonName: 'a66a8e4255cc3c8e' });
const ALL = { first, renewal, 'first of mash-go': REFERENCE.firstCsr, 'renewal of mash-go': REFERENCE.renewalCsr };
const OUS = ['OU=P1', 'OU=V4660'];

describe('the CSR of a device (protocol.md §3)', () => {
  it.each([
    ['the first, without common name', first, [['O=MASH Device'], OUS]],
    ['a renewal, with the device id', renewal, [['O=MASH Device'], OUS, ['CN=a66a8e4255cc3c8e']]],
    ['the first of mash-go', REFERENCE.firstCsr, [['O=MASH Device'], OUS]],
    ['the renewal of mash-go', REFERENCE.renewalCsr, [['O=MASH Device'], OUS, ['CN=a66a8e4255cc3c8e']]],
  ])('%s', (_what, bytes, subject) => {
    expect(nameTexts(parseCsr(crypto, bytes).subject)).toEqual(subject);
  });

  it.each([
    ['first', first, REFERENCE.firstCsr],
    ['renewal', renewal, REFERENCE.renewalCsr],
  ])('%s: but for key and signature, the bytes are those of mash-go', (_what, ours, theirs) => {
    const mask = (bytes: Uint8Array): string =>
      toHex(readSigned(bytes, 'CSR').body).replace(toHex(parseCsr(crypto, bytes).publicKey), 'key');
    expect(mask(ours)).toBe(mask(theirs));
  });

  it('the key of the first CSR of mash-go is the one whose id its certificate carries', () => {
    expect(deviceIdOfKey(crypto, parseCsr(crypto, REFERENCE.firstCsr).publicKey)).toBe('A66A8E4255CC3C8E');
  });

  it.each(Object.entries(ALL))('%s: as @peculiar/x509 reads and verifies it', async (_what, bytes) => {
    const theirs = new x509.Pkcs10CertificateRequest(bytes);
    const ours = parseCsr(crypto, bytes);
    expect(await theirs.verify()).toBe(true);
    expect(toHex(encodeSpki(ours.publicKey))).toBe(Buffer.from(theirs.publicKey.rawData).toString('hex'));
    expect(nameTexts(ours.subject)).toEqual(
      theirs.subjectName
        .toJSON()
        .map((part) => Object.entries(part).flatMap(([type, values]) => values.map((value) => `${type}=${value}`))),
    );
    expect(theirs.attributes).toHaveLength(0);
  });

  it.runIf(hasOpenssl).each(Object.entries(ALL))(`%s: as openssl reads and verifies it${opensslNote}`, (_what, bytes) => {
    const text = openssl(bytes, 'req', '-inform', 'DER', '-noout', '-verify', '-subject', '-pubkey', '-nameopt', 'sname,sep_comma_plus');
    const ours = parseCsr(crypto, bytes);
    const subject = nameTexts(ours.subject).map((part) => part.join('+'));
    expect(text).toContain(`subject=${subject.join(',')}\n`);
    const spki = /BEGIN PUBLIC KEY-----([^-]*)-----END/.exec(text)?.[1]?.replaceAll('\n', '');
    expect(spki).toBe(Buffer.from(encodeSpki(ours.publicKey)).toString('base64'));
  });
});

describe('a CSR that is refused', () => {
  const other = crypto.importKey(fixedScalar(2));
  const attributes = der(0xa0);
  const name = writeName([]);
  const version = derInteger(Uint8Array.of(0));
  const make = (...body: readonly Uint8Array[]): Uint8Array => signed(crypto, key, derSequence(...body));
  const spki = encodeSpki(key.publicKey);
  const last = first.slice();
  last[last.length - 1] = (last.at(-1) ?? 0) ^ 1;

  it.each([
    ['signed by another key', signed(crypto, other, derSequence(version, name, spki, attributes)), 'bad-signature'],
    ['signature spoilt', last, 'bad-signature'],
    ['version 2', make(derInteger(Uint8Array.of(1)), name, spki, attributes), 'unsupported'],
    ['no attributes field', make(version, name, spki), 'malformed'],
    ['something after the attributes', make(version, name, spki, attributes, name), 'malformed'],
    ['another curve', make(version, name, derSequence(spki.subarray(2, 23), spki.subarray(23, 50)), attributes), 'unsupported'],
    [
      'a point off the curve',
      make(version, name, encodeSpki(Uint8Array.from(key.publicKey, (byte, i) => (i === 64 ? byte ^ 1 : byte))), attributes),
      'malformed',
    ],
    ['longer than 8 KiB', make(version, name, spki, der(0xa0, new Uint8Array(8192))), 'malformed'],
    ['empty', new Uint8Array(0), 'malformed'],
  ])('%s', (_what, bytes, reason) => {
    expect(() => parseCsr(crypto, bytes)).toThrow(expect.objectContaining({ name: 'CertificateError', reason }));
  });

  it('attributes are skipped, whatever they are', () => {
    expect(sameBytes(parseCsr(crypto, make(version, name, spki, der(0xa0, derSequence(name)))).publicKey, key.publicKey)).toBe(true);
  });
});
