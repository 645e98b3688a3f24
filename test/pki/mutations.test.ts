import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../src/codec/bytes.js';
import { toHex } from '../../src/codec/hex.js';
import { portableCrypto } from '../../src/crypto/portable/crypto.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { type Certificate, isSignedBy, parseCertificate } from '../../src/pki/certificate.js';
import { CertificateError } from '../../src/pki/certificate-error.js';
import { createCsr, parseCsr } from '../../src/pki/csr.js';
import { readSigned, signed } from '../../src/pki/ecdsa.js';
import { KEY_USAGE } from '../../src/pki/oid.js';
import { checkControllerCertificate, checkDeviceCertificate, checkZoneCa } from '../../src/pki/verify.js';
import { issueController, issueDeviceCertificate, makeZoneCa, WORLD_NOW } from '../world/certificates.js';
import { SeededEntropy } from '../world/entropy.js';
import { readByNode, readByUs, x509 } from './oracles.js';
import { fixedScalar, REFERENCE } from './vectors.js';

const crypto = nodeCrypto();
/** Deterministic signatures, so that every run mutates the same bytes. */
const portable = portableCrypto(new SeededEntropy(31));
const caScalar = fixedScalar(1);
const ca = makeZoneCa({ crypto: portable, key: portable.importKey(caScalar) });
const leafKey = portable.importKey(fixedScalar(2));
const device = issueDeviceCertificate(ca, leafKey.publicKey, { uris: ['mash://device/1'] });
const controller = issueController(ca, { key: leafKey });
const time = { quality: 'synchronised', now: WORLD_NOW } as const;

/** Always a change: one to three edits, each a bit, a byte, a byte gone, a byte put in, a tail cut, a length-like byte stepped, a stretch repeated. */
function mutate(bytes: Uint8Array, random: SeededEntropy): Uint8Array {
  let mutated = bytes;
  for (let edits = 1 + random.below(3) * random.below(2); edits > 0; edits--) {
    const at = random.below(mutated.length);
    const byte = mutated[at] ?? 0;
    switch (random.below(8)) {
      case 0:
      case 1:
        mutated = spliced(mutated, at, 1, Uint8Array.of(byte ^ (1 << random.below(8))));
        break;
      case 2:
        mutated = spliced(mutated, at, 1, Uint8Array.of(random.below(256)));
        break;
      case 3:
        mutated = spliced(mutated, at, 1);
        break;
      case 4:
        mutated = spliced(mutated, at, 0, Uint8Array.of(random.below(256)));
        break;
      case 5:
        if (random.below(4) === 0) mutated = mutated.slice(0, at);
        break;
      case 6:
        mutated = spliced(mutated, at, 1, Uint8Array.of(byte + (random.below(2) === 0 ? 1 : 255)));
        break;
      default:
        mutated = spliced(mutated, at, 0, mutated.slice(at, at + random.below(12)));
    }
    if (mutated.length === 0) break;
  }
  return sameBytes(mutated, bytes) ? mutate(bytes, random) : mutated;
}

function spliced(bytes: Uint8Array, at: number, gone: number, put = new Uint8Array(0)): Uint8Array {
  const result = new Uint8Array(bytes.length - gone + put.length);
  result.set(bytes.subarray(0, at));
  result.set(put, at);
  result.set(bytes.subarray(at + gone), at + put.length);
  return result;
}

/** The certificate, or undefined where it is refused; any error but CertificateError fails the test. */
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** Names as node prints them: types beyond ours and values that cannot be printed plainly are left out of the comparison. */
function comparable(names: readonly (readonly string[])[]): string[] {
  return names.flatMap((attributes) => attributes.filter((attribute) => /^(CN|O|OU)=[^+\\\n]*$/.test(attribute)));
}

/**
 * OpenSSL ends its reading of the extensions at one under 2.5.29 that it knows, we do not (not critical: RFC 5280 §4.2) and the mutation
 * put there with a value of another type.
 */
function strange(certificate: Certificate): boolean {
  return /0603551d(?!0e|0f|11|13|23|25)/.test(toHex(certificate.tbs));
}

/** Fails unless node:crypto accepts what we accepted, and reads the same. */
function compareWithNode(bytes: Uint8Array, certificate: Certificate): void {
  const ours = readByUs(certificate);
  const node = readByNode(bytes);
  // node's `ca` is what OpenSSL makes of basicConstraints and keyUsage together.
  const maySign = ours.keyUsage === undefined || (ours.keyUsage & KEY_USAGE.keyCertSign) !== 0;
  if ((ours.ca && maySign) !== node.ca && !strange(certificate)) expect.fail(`ca: ${toHex(bytes)}`);
  const summary = (reading: typeof node): unknown => ({
    serial: reading.serial,
    notBefore: reading.notBefore,
    notAfter: reading.notAfter,
    spki: reading.spki,
    extKeyUsage: reading.extKeyUsage,
    issuer: comparable(reading.issuer),
    subject: comparable(reading.subject),
  });
  // A matcher only where there is something to show: this runs 30,000 times.
  if (JSON.stringify(summary(ours)) !== JSON.stringify(summary(node))) expect(summary(ours), toHex(bytes)).toEqual(summary(node));
}

describe('100,000 mutations', () => {
  const certificates = {
    'our Zone CA': ca.der,
    'our device': device.der,
    'our controller': controller.der,
    'Zone CA of mash-go': REFERENCE.zoneCa,
    'device of mash-go': REFERENCE.device,
  };
  const EACH = 14_000;

  it.each(Object.entries(certificates))('%s: refused with CertificateError, or read as node:crypto reads it', (_what, base) => {
    const random = new SeededEntropy(base.length);
    const authority = parseCertificate(crypto, base === REFERENCE.zoneCa || base === REFERENCE.device ? REFERENCE.zoneCa : ca.der);
    let accepted = 0;
    for (let i = 0; i < EACH; i++) {
      const bytes = mutate(base, random);
      const certificate = attempt(() => parseCertificate(crypto, bytes));
      if (certificate === undefined) continue;
      accepted++;
      compareWithNode(bytes, certificate);
      // Nothing but the very bytes that were signed verifies: no second encoding passes.
      if (isSignedBy(crypto, certificate, authority)) expect.fail(toHex(bytes));
    }
    // Some get through, or nothing was compared; most do not.
    expect(accepted).toBeGreaterThan(EACH / 20);
    expect(accepted).toBeLessThan(EACH / 2);
  });

  it.each([
    ['ours', createCsr(portable, { key: leafKey, vendorId: 1, productId: 2 })],
    ['that of mash-go', REFERENCE.renewalCsr],
  ])('CSR, %s: refused with CertificateError', (_what, base) => {
    const random = new SeededEntropy(base.length);
    expect(attempt(() => parseCsr(crypto, base))).toBeDefined();
    for (let i = 0; i < 10_000; i++) {
      const bytes = mutate(base, random);
      if (attempt(() => parseCsr(crypto, bytes)) !== undefined) expect.fail(toHex(bytes));
    }
  });

  it('signed again after the mutation: what our checks accept, node:crypto accepts and reads the same', () => {
    const random = new SeededEntropy(77);
    const signer = crypto.importKey(caScalar);
    const authority = new X509Certificate(ca.der);
    const zones = [{ zoneId: ca.zoneId, ca: ca.certificate }];
    const accepted = { zoneCa: 0, device: 0, controller: 0 };
    for (let i = 0; i < 9_000; i++) {
      const kind = (['zoneCa', 'device', 'controller'] as const)[i % 3] ?? 'device';
      const base = { zoneCa: ca.der, device: device.der, controller: controller.der }[kind];
      const bytes = signed(crypto, signer, mutate(readSigned(base, 'certificate').body, random));
      const certificate = attempt(() => {
        const parsed = parseCertificate(crypto, bytes);
        if (kind === 'zoneCa') checkZoneCa(crypto, parsed, time);
        else if (kind === 'controller') checkControllerCertificate(crypto, { certificate: parsed, zones, time });
        else checkDeviceCertificate(crypto, { certificate: parsed, ca: ca.certificate, expectedPublicKey: leafKey.publicKey, time });
        return parsed;
      });
      if (certificate === undefined) continue;
      accepted[kind]++;
      compareWithNode(bytes, certificate);
      const node = new X509Certificate(bytes);
      expect(node.verify(authority.publicKey)).toBe(true);
      expect(Date.parse(node.validFrom) / 1000 - 300).toBeLessThanOrEqual(WORLD_NOW);
      expect(Date.parse(node.validTo) / 1000 + 300).toBeGreaterThanOrEqual(WORLD_NOW);
      if (strange(certificate)) continue;
      expect(node.checkIssued(authority), toHex(bytes)).toBe(true);
      expect(node.ca).toBe(kind === 'zoneCa');
    }
    for (const count of Object.values(accepted)) expect(count).toBeGreaterThan(30);
  });

  it('CSR signed again after the mutation: read as @peculiar/x509 reads it', async () => {
    const random = new SeededEntropy(78);
    const signer = crypto.importKey(fixedScalar(2));
    const base = readSigned(REFERENCE.renewalCsr, 'CSR').body;
    const own = Buffer.from(toHex(base).replace(toHex(parseCsr(crypto, REFERENCE.renewalCsr).publicKey), toHex(signer.publicKey)), 'hex');
    let accepted = 0;
    for (let i = 0; i < 1_000; i++) {
      const bytes = signed(crypto, signer, mutate(own, random));
      const csr = attempt(() => parseCsr(crypto, bytes));
      if (csr === undefined) continue;
      accepted++;
      const theirs = new x509.Pkcs10CertificateRequest(bytes);
      expect(Buffer.from(theirs.publicKey.rawData).subarray(-65).equals(csr.publicKey)).toBe(true);
      expect(Buffer.from(theirs.subjectName.toArrayBuffer()).equals(csr.subject.raw)).toBe(true);
      expect(await theirs.verify()).toBe(true);
    }
    expect(accepted).toBeGreaterThan(50);
  });

  it('noise of every length up to 300 bytes, and inputs above 8 KiB', () => {
    const random = new SeededEntropy(79);
    for (let length = 0; length < 300; length++) {
      const noise = random.bytes(length);
      if (length > 4) noise.set([0x30, 0x82, (length - 4) >> 8, (length - 4) & 0xff]);
      expect(attempt(() => parseCertificate(crypto, noise))).toBeUndefined();
      expect(attempt(() => parseCsr(crypto, noise))).toBeUndefined();
    }
    const long = new Uint8Array(8193);
    long.set(ca.der);
    expect(() => parseCertificate(crypto, long)).toThrow('longer than 8192 bytes');
  });
});
