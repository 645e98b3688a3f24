import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { simulationOf } from '../../boards/simulations.js';
import { MockFlash } from '../../hal/mock/index.js';
import type { SetupCode } from '../crypto/setup-code.js';
import { describeDevice } from '../device/description.js';
import { StoreError } from '../errors.js';
import type { BoardDefinition } from '../model/board.js';
import { nodeCrypto } from '../node/crypto.js';
import { DEFAULT_SECTOR_COUNT, DEFAULT_SECTOR_SIZE, JOURNAL_FILE } from '../node/file-flash.js';
import { CIPHERS, GROUPS, LISTEN_ADDRESS, MUTUAL, TLS_VERSION } from '../node/listener.js';
import { nodeLog } from '../node/log.js';
import { DEBOUNCE } from '../node/settling.js';
import { devicePics } from '../pics/device-pics.js';
import { formatPics, formatPicsYaml } from '../pics/format.js';
import type { Clock, Multicast, StreamListener } from '../platform.js';
import type { Profile } from '../profile.js';
import { EARLIEST_TIME, FIRMWARE_VERSION } from '../version.js';
import { testControl } from './test-mode.js';

/** The options of `mash-device` that a PICS depends on. */
export interface PicsConfiguration {
  readonly board: BoardDefinition;
  readonly profile: Profile;
  readonly state: string;
  readonly port: number;
  readonly commissioningPort: number;
  readonly setupCode: SetupCode | undefined;
  readonly discriminator: number | undefined;
  readonly enableKey: string | undefined;
}

/** `mash-device [options] pics`: what this configuration is, without running it. */
export function picsCommand(
  choose: (work: () => Promise<void>) => void,
  print: (text: string) => void,
  warn: (text: string) => void,
  configuration: () => PicsConfiguration,
): Command {
  return new Command('pics')
    .description('print the PICS of this configuration; every other option is heeded')
    .addOption(new Option('--format <format>', 'its form').choices(['pics', 'yaml']).default('pics'))
    .action(({ format }: { readonly format: 'pics' | 'yaml' }) => {
      const chosen = configuration();
      choose(async () => print(await picsText(chosen, format, warn)));
    });
}

/** Still: nothing of a device that is only described may happen. */
const clock: Clock = { now: () => 0, wall: () => Date.now(), after: () => ({ cancel: () => undefined }) };
const listener: StreamListener = { listen: () => Promise.reject(new Error('not started')), prepare: () => undefined };
const multicast: Multicast = {
  start: () => Promise.reject(new Error('not started')),
  interfaces: () => [],
  send: () => undefined,
  close: () => Promise.resolve(),
};

async function picsText(chosen: PicsConfiguration, format: 'pics' | 'yaml', warn: (text: string) => void): Promise<string> {
  const { board, profile, port, commissioningPort, setupCode, discriminator } = chosen;
  const log = nodeLog({ level: 'error', format: 'pretty', write: (line) => warn(`${line}\n`) });
  const simulation = simulationOf(board, { now: clock.now, metersFrozen: true });
  const control = testControl(chosen.enableKey, log);
  const device = await describeDevice({
    profile,
    board,
    parts: simulation === undefined ? {} : { powerStages: simulation.stages },
    platform: { clock, crypto: nodeCrypto(), log, listener, multicast, medium: await journalCopy(chosen.state) },
    identity: { ...(setupCode === undefined ? {} : { setupCode }), ...(discriminator === undefined ? {} : { discriminator }) },
    firmware: FIRMWARE_VERSION,
    earliest: EARLIEST_TIME,
    port,
    commissioningPort,
    openWindow: false,
    ...(control === undefined ? {} : { testControl: control }),
  });
  const transport = {
    address: LISTEN_ADDRESS,
    port,
    version: TLS_VERSION,
    ciphers: CIPHERS,
    groups: GROUPS,
    mutual: MUTUAL,
    debounce: DEBOUNCE,
  };
  const document = devicePics({ profile, board, device, transport }, FIRMWARE_VERSION);
  return format === 'yaml' ? formatPicsYaml(document) : formatPics(document);
}

/** Zones and attestation are the state folder's; it is read, never written, and a device that runs on it goes on. */
async function journalCopy(folder: string): Promise<MockFlash> {
  const file = path.join(folder, JOURNAL_FILE);
  const size = { sectorSize: DEFAULT_SECTOR_SIZE, sectorCount: DEFAULT_SECTOR_COUNT };
  try {
    return new MockFlash({ ...size, image: Uint8Array.from(await readFile(file)) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new MockFlash(size);
    throw new StoreError('io', `${file}: ${(error as Error).message}`);
  }
}
