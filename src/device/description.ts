import type { Attestation } from '../pki/attestation.js';
import { Journal } from '../store/journal.js';
import { readAttestation } from './attestation.js';
import { loadIdentity } from './identity.js';
import type { DeviceOptions } from './options.js';
import { DevicePanel } from './panel.js';
import { type DeviceAnatomy, DeviceRuntime } from './runtime.js';

export interface DeviceDescription extends DeviceAnatomy {
  readonly attestation: Attestation;
}

/**
 * What `MashDevice` would run with these options, built as it builds it and never started: no port, no packet, no part is touched. The medium is
 * written to as at a first start, so it is to be a copy. Rejects with StoreError or ConfigError.
 */
export async function describeDevice(options: DeviceOptions): Promise<DeviceDescription> {
  const { platform, board, identity } = options;
  const journal = await Journal.open(platform.medium, platform.log);
  const known = await loadIdentity(journal, platform.crypto, board, identity, platform.log);
  const panel = new DevicePanel(board, options.parts, platform.log);
  const { anatomy } = new DeviceRuntime(options, panel, journal, known, () => undefined);
  return { ...anatomy, attestation: readAttestation(journal, platform.log) };
}
