import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/node/crypto.js';
import { type Attestation, attestedProduct, checkAttestation, contradiction, parseAttestation } from '../../src/pki/attestation.js';
import type { CertificateReason } from '../../src/pki/certificate-error.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import type { TimeReading } from '../../src/pki/trusted-time.js';
import { type MakerOptions, makeMaker } from '../world/attestation.js';
import { DAY, issueController, type TestZoneCa, WORLD_NOW, YEAR } from '../world/certificates.js';

const crypto = nodeCrypto();
const time: TimeReading = { quality: 'synchronised', now: WORLD_NOW };
const maker = makeMaker();

const check = (attestation: Attestation, roots: readonly TestZoneCa[] = [maker.root], at = time) =>
  checkAttestation(
    crypto,
    parseAttestation(crypto, attestation),
    roots.map(({ certificate }) => certificate),
    at,
  );

describe('an attestation chain', () => {
  it('ends at a manufacturer CA, which may be root or below it, and may be sent along', () => {
    const { attestation, root, between } = maker;
    expect(check(attestation)).toBe(root.certificate);
    expect(check(attestation, [makeMaker().root, root])).toBe(root.certificate);
    expect(check(attestation, [between])).toBe(between.certificate);
    expect(check({ ...attestation, chain: [between.der, root.der] })).toBe(root.certificate);
    expect(check({ ...attestation, chain: [] }, [between])).toBe(between.certificate);
  });

  it('does not end at nobody, at a stranger, or at a stranger of the same name', () => {
    expect(() => check(maker.attestation, [])).toThrow(expect.objectContaining({ reason: 'unknown-issuer' }));
    expect(() => check(maker.attestation, [makeMaker({ root: { subjectKeyId: null } }).root])).toThrow();
    expect(() => check({ ...maker.attestation, chain: [] })).toThrow(expect.objectContaining({ reason: 'unknown-issuer' }));
  });

  it.each<readonly [string, MakerOptions, CertificateReason]>([
    ['a device that is a CA', { device: { ca: true } }, 'is-a-ca'],
    ['a device that may not sign', { device: { keyUsage: KEY_USAGE.keyCertSign } }, 'key-usage'],
    ['a device without keyUsage', { device: { keyUsage: null } }, 'key-usage'],
    ['a device with a bad signature', { device: { corruptSignature: true } }, 'bad-signature'],
    ['a device of another authority key', { device: { authorityKeyId: new Uint8Array(20) } }, 'authority-key'],
    ['an expired device', { device: { notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - DAY } }, 'expired'],
    ['a CA that is none', { between: { ca: false } }, 'not-a-ca'],
    ['a CA without keyCertSign', { between: { keyUsage: KEY_USAGE.digitalSignature } }, 'key-usage'],
    ['a CA that is not valid yet', { between: { notBefore: WORLD_NOW + DAY, notAfter: WORLD_NOW + YEAR } }, 'not-yet-valid'],
    ['a root that allows no CA below it', { root: { pathLength: 0 } }, 'not-a-ca'],
    ['a root that is expired', { root: { notBefore: WORLD_NOW - YEAR, notAfter: WORLD_NOW - DAY } }, 'expired'],
  ])('is refused for %s', (_what, options, reason) => {
    const { attestation, root } = makeMaker(options);
    expect(() => check(attestation, [root])).toThrow(expect.objectContaining({ name: 'CertificateError', reason }));
  });

  it('has at most four certificates above the device, each of them readable', () => {
    const { certificate } = maker.attestation;
    const chain = [maker.between.der, maker.root.der, maker.root.der, maker.root.der];
    expect(parseAttestation(crypto, { certificate, chain })).toHaveLength(5);
    expect(() => parseAttestation(crypto, { certificate, chain: [...chain, maker.root.der] })).toThrow('5 certificates');
    expect(() => parseAttestation(crypto, { certificate, chain: [new Uint8Array(3)] })).toThrow();
  });
});

describe('the product of a subject', () => {
  const product = (...units: readonly string[]) =>
    attestedProduct(
      issueController(maker.root, {
        subject: [
          [{ type: OID.organization, value: 'Maker' }],
          units.map((value) => ({ type: OID.organizationalUnit, value })),
          [{ type: OID.commonName, value: 'SIM-1' }],
        ],
      }).certificate,
    );

  it('is read from its OUs', () => {
    expect(product('V4660', 'P1')).toEqual({ maker: 'Maker, SIM-1', vendorId: 4660, productId: 1 });
    for (const odd of ['V', 'V01', 'V-1', 'V1.5', 'V65536', 'Vendor', 'v1']) expect(product(odd).vendorId, odd).toBeUndefined();
  });

  it('contradicts another vendor or product, and nothing that is not known', () => {
    const said = product('V4660', 'P1');
    expect(contradiction(said, 4660, 1)).toBeUndefined();
    expect(contradiction(said, undefined, undefined)).toBeUndefined();
    expect(contradiction(product('x'), 1, 1)).toBeUndefined();
    expect(contradiction(said, 1, 1)).toBe('the attestation is for vendor 4660, not 1');
    expect(contradiction(said, 4660, 2)).toBe('the attestation is for product 1, not 2');
  });
});
