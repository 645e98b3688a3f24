import { describe, expect, it } from 'vitest';
import { describeAttestation } from '../../src/controller/attestation.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { makeZoneCa } from '../world/certificates.js';

const crypto = nodeCrypto();

describe('describeAttestation', () => {
  it('names the maker and says that nothing was verified', () => {
    const { der } = makeZoneCa({ zoneName: 'Home' });
    expect(describeAttestation(crypto, der)).toBe('MASH Zone, MASH Zone CA - Home (not verified: informational)');
  });

  it('does not end a commissioning for a certificate that cannot be read', () => {
    expect(describeAttestation(crypto, undefined)).toBe('the device has no attestation');
    expect(describeAttestation(crypto, Uint8Array.of(0x30, 0))).toMatch(/^unreadable: /);
  });
});
