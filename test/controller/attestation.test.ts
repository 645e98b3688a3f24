import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '../../src/codec/hex.js';
import {
  type AttestationPolicy,
  type AttestationResult,
  applyPolicy,
  describeAttestation,
  judgeAttestation,
} from '../../src/controller/attestation.js';
import { readCertificates } from '../../src/controller/pem.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { type Attestation, NO_ATTESTATION } from '../../src/pki/attestation.js';
import { type MakerOptions, makeMaker, provision } from '../world/attestation.js';
import { WORLD_NOW } from '../world/certificates.js';
import { pem } from '../world/peer.js';
import { ControllerWorld } from './world.js';

const crypto = nodeCrypto();
const maker = makeMaker();
const time = { quality: 'synchronised', now: WORLD_NOW } as const;
const authorities = [maker.root.certificate];

const judged = (shown: Attestation, change: object = {}): AttestationResult =>
  judgeAttestation(crypto, shown, { authorities, time, vendorId: undefined, productId: undefined, ...change });

describe('what is known of the maker', () => {
  it('a chain that ends at a manufacturer CA is verified', () => {
    const result = judged(maker.attestation, { vendorId: 4660, productId: 1 });
    const fingerprint = toHex(crypto.sha256(maker.attestation.certificate));
    expect(result).toEqual({ status: 'verified', maker: 'Maker, SIM-1', fingerprint, problem: undefined });
    expect(describeAttestation(result)).toBe('Maker, SIM-1: chain verified (informational: the device proves no possession of its key)');
  });

  it('without manufacturer CA nothing is verified', () => {
    const result = judged(maker.attestation, { authorities: [] });
    expect(result).toMatchObject({ status: 'unverified', maker: 'Maker, SIM-1' });
    expect(describeAttestation(result)).toContain('not verified, no manufacturer CA was given');
  });

  it('a chain that does not hold, bytes that are no certificate and another product than the label says are invalid', () => {
    expect(judged(makeMaker().attestation)).toMatchObject({ status: 'invalid', maker: 'Maker, SIM-1' });
    expect(judged({ certificate: Uint8Array.of(0x30, 0), chain: [] })).toMatchObject({ status: 'invalid', maker: undefined });
    const other = judged(maker.attestation, { vendorId: 4661 });
    expect(other).toMatchObject({ status: 'invalid', problem: 'the attestation is for vendor 4660, not 4661' });
    expect(describeAttestation(other)).toContain('INVALID, the attestation is for vendor 4660');
  });

  it('nothing is nothing', () => {
    expect(judged(NO_ATTESTATION)).toMatchObject({ status: 'none' });
    expect(describeAttestation(judged(NO_ATTESTATION))).toBe('the device has no attestation');
  });
});

describe('policies', () => {
  const outcome = (policy: AttestationPolicy, status: AttestationResult['status']): string => {
    const problem = status === 'verified' ? undefined : 'why';
    try {
      return applyPolicy(policy, { status, maker: undefined, fingerprint: undefined, problem }) === undefined ? 'silent' : 'warning';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it.each<readonly [AttestationPolicy, readonly string[]]>([
    ['accept', ['silent', 'silent', 'warning', 'silent']],
    ['warn', ['warning', 'warning', 'warning', 'silent']],
    ['require', ['NOT_TRUSTED', 'NOT_TRUSTED', 'NOT_TRUSTED', 'silent']],
  ])('%s: none, unverified, invalid, verified', (policy, expected) => {
    expect((['none', 'unverified', 'invalid', 'verified'] as const).map((status) => outcome(policy, status))).toEqual(expected);
  });
});

describe('certificates of a file', () => {
  it('are PEM, one after the other, or one as DER', () => {
    const text = `Subject: whatever\n${pem(maker.root.der)}\n${pem(maker.between.der)}`;
    expect(readCertificates(crypto, Buffer.from(text)).map(({ raw }) => raw)).toEqual([maker.root.der, maker.between.der]);
    expect(readCertificates(crypto, maker.root.der)).toEqual([maker.root.certificate]);
    expect(() => readCertificates(crypto, Buffer.from('nothing'))).toThrow();
  });
});

describe('a commissioning with a policy', () => {
  let world: ControllerWorld;
  afterEach(() => world.close());

  async function commission(policy: AttestationPolicy, options: MakerOptions | undefined) {
    world = await ControllerWorld.start();
    const { attestation, root } = makeMaker(options);
    if (options !== undefined) await provision(world.device, attestation);
    return world.commission({ attestation: { policy, authorities: [root.certificate] } });
  }
  const warnings = () => world.device.log.lines.filter(({ level, message }) => level === 'warn' && message === 'attestation');

  it('tells of a verified chain in its steps and its result', async () => {
    expect((await commission('require', {})).attestation).toMatchObject({ status: 'verified', maker: 'Maker, SIM-1' });
    expect(world.steps.find(({ number }) => number === 7)).toMatchObject({ outcome: 'done', detail: expect.stringContaining('verified') });
    expect(warnings()).toEqual([]);
  });

  it('accept and warn go on with a chain that does not hold, and warn of it', async () => {
    const { attestation } = await commission('accept', { device: { corruptSignature: true } });
    expect(attestation).toMatchObject({ status: 'invalid' });
    expect(warnings()).toHaveLength(1);
  });

  it('require ends before a certificate is issued, and the device stays as it was', async () => {
    await expect(commission('require', undefined)).rejects.toMatchObject({
      code: 'NOT_TRUSTED',
      message: expect.stringContaining('no attestation'),
    });
    expect(world.told.at(-1)).toBe('7 failed');
    expect(world.device.device.status.zones).toEqual([]);
    expect(await world.parts.store.devices()).toEqual([]);
  });
});
