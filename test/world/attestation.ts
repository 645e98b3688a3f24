import { attestationRecord } from '../../src/device/attestation.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import type { Attestation } from '../../src/pki/attestation.js';
import { KEY_USAGE, OID } from '../../src/pki/oid.js';
import { Journal } from '../../src/store/journal.js';
import { setRecord } from '../../src/store/records.js';
import { type CertificateOptions, issueController, issueDeviceCertificate, makeZoneCa, type TestZoneCa } from './certificates.js';
import type { DeviceWorld } from './device-world.js';
import { MemoryLog } from './log.js';

const crypto = nodeCrypto();

export interface MakerOptions {
  readonly root?: CertificateOptions;
  readonly between?: CertificateOptions;
  readonly device?: CertificateOptions;
}

/** A manufacturer: root, one CA below it, and a device of the simulated board. */
export interface Maker {
  readonly root: TestZoneCa;
  readonly between: TestZoneCa;
  readonly attestation: Attestation;
}

export function makeMaker(options: MakerOptions = {}): Maker {
  const name = (text: string) => [[{ type: OID.organization, value: 'Maker' }], [{ type: OID.commonName, value: text }]];
  const root = makeZoneCa({ subject: name('Maker Root'), pathLength: 1, ...options.root });
  const issued = issueController(root, {
    subject: name('Maker CA'),
    ca: true,
    pathLength: 0,
    keyUsage: KEY_USAGE.keyCertSign,
    extKeyUsage: null,
    ...options.between,
  });
  const between = { ...root, ...issued };
  const device = issueDeviceCertificate(between, crypto.generateKey().publicKey, {
    subject: [
      [{ type: OID.organization, value: 'Maker' }],
      [
        { type: OID.organizationalUnit, value: 'V4660' },
        { type: OID.organizationalUnit, value: 'P1' },
      ],
      [{ type: OID.commonName, value: 'SIM-1' }],
    ],
    keyUsage: KEY_USAGE.digitalSignature,
    extKeyUsage: null,
    ...options.device,
  });
  return { root, between, attestation: { certificate: device.der, chain: [between.der] } };
}

/** Stops the device, writes into its flash as the factory does, and starts it again. */
export async function provision(world: DeviceWorld, attestation: Attestation): Promise<void> {
  await reopen(world, (journal) => journal.commit([setRecord(attestationRecord, attestation)]));
}

/** Stops the device, lets `work` have its journal, and starts it again. */
export async function reopen(world: DeviceWorld, work: (journal: Journal) => Promise<void>): Promise<void> {
  await world.close();
  world.flash.powerUp();
  const journal = await Journal.open(world.flash, new MemoryLog());
  await work(journal);
  await journal.close();
  world.flash.powerUp();
  await world.boot();
}
