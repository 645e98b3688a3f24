import { boards } from '../../boards/index.js';
import { CHARGER_RATING, SimulatedChargerStage } from '../../boards/sim/charger-stage.js';
import { MockButton, MockDisplay, MockFlash, MockRelayDriver } from '../../hal/mock/index.js';
import { Bench } from '../../src/conformance/bench.js';
import type { ConformanceCase, Outcome } from '../../src/conformance/case.js';
import { CASES } from '../../src/conformance/cases/index.js';
import { Claims } from '../../src/conformance/claims.js';
import { runCases } from '../../src/conformance/run.js';
import { nodeTransport } from '../../src/controller/tls-client.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import type { Platform } from '../../src/device/options.js';
import { MashDevice } from '../../src/device.js';
import type { DialectName } from '../../src/dialect/messages.js';
import type { BoardDefinition } from '../../src/model/board.js';
import { nodeClock } from '../../src/node/clock.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeListener } from '../../src/node/listener.js';
import { makeProfile, type ProfileName } from '../../src/profile.js';
import { parseEnableKey } from '../../src/test-control/enable-key.js';
import { TestControl } from '../../src/test-control/test-control.js';
import { MemoryLog } from '../world/log.js';
import { VirtualLink, VirtualMulticast } from '../world/network.js';
import { freePorts } from '../world/program.js';

export const ENABLE_KEY = '0123456789abcdef0123456789abcdef';
const CODE = parseSetupCode('20220211');
const DISCRIMINATOR = 1234;

/** How the device under test differs from ours. */
export interface Mutation {
  /** Around the machine under it. */
  readonly platform?: (platform: Platform) => Platform;
  /** Values of its profile that its PICS knows nothing of. */
  readonly set?: Readonly<Record<string, string>>;
  /** Listens in front of this port; resolves with its own port and what closes it. */
  readonly front?: (port: number) => Promise<{ readonly port: number; readonly close: () => void }>;
}

export interface LabOptions {
  readonly profile: ProfileName;
  readonly dialects: readonly DialectName[];
  /** Default: all. */
  readonly cases?: readonly ConformanceCase[];
  /** Seconds that a case may wait. */
  readonly patience: number;
  /** Numbers that differ from ours in device and PICS alike. */
  readonly numbers?: { readonly set: Readonly<Record<string, string>>; readonly pics: Readonly<Record<string, number>> };
  readonly mutation?: Mutation;
  readonly onOutcome?: (outcome: Outcome) => void;
  /** What the runner takes for the device's; default: what it is. */
  readonly enableKey?: string;
  /** The device has no TestControl. */
  readonly production?: boolean;
  readonly windowAtStart?: 'open' | 'closed';
}

/** Values shortened so that what waits for them can be waited for; the PICS says the same. */
const SHORT: Readonly<Record<string, string>> = { 'commissioning.firstMessage': '2000', 'commissioning.csrRequest': '2000' };
const SHORT_PICS: Readonly<Record<string, number>> = { 'MASH.S.COMM.PASE_WAIT_X': 2, 'MASH.S.COMM.CSR_TIMEOUT': 2 };

/** A device from source in real time: real TLS on loopback, real cryptography, a virtual link for multicast; the runner beside it, which knows its address alone. */
export async function runLab({
  profile,
  dialects,
  cases = CASES,
  patience,
  numbers,
  mutation = {},
  onOutcome,
  enableKey = ENABLE_KEY,
  production = false,
  windowAtStart = 'open',
}: LabOptions): Promise<readonly Outcome[]> {
  const clock = nodeClock();
  const link = new VirtualLink(clock);
  const log = new MemoryLog();
  const crypto = nodeCrypto();
  const medium = new MockFlash({ sectorSize: 65_536, sectorCount: 2 });
  const [port = 0, commissioningPort = 0] = await freePorts(2);
  const values = makeProfile(profile, { ...SHORT, ...numbers?.set, ...mutation.set });

  const start = async (): Promise<MashDevice> => {
    const plain: Platform = {
      clock,
      crypto,
      log,
      listener: nodeListener({ clock, log, ipv4: false }),
      multicast: new VirtualMulticast([{ name: 'eth0', link, addresses: ['fe80::1/64', 'fd77::1/64'] }]),
      medium,
    };
    const device = new MashDevice({
      profile: values,
      board: { ...(boards.get('sim-evse') as BoardDefinition), windowAtStart },
      parts: {
        button: new MockButton(() => clock.now()),
        display: new MockDisplay(),
        relay: new MockRelayDriver(),
        powerStages: new Map([[1, new SimulatedChargerStage(CHARGER_RATING, () => clock.now())]]),
      },
      platform: mutation.platform?.(plain) ?? plain,
      identity: { setupCode: CODE, discriminator: DISCRIMINATOR },
      firmware: '0.1.0',
      earliest: Math.floor(clock.wall() / 1000) - 1000,
      port,
      commissioningPort,
      openWindow: false,
      ...(production ? {} : { testControl: new TestControl({ enableKey: parseEnableKey(ENABLE_KEY, 'enableKey'), crypto, log }) }),
    });
    await device.start();
    return device;
  };

  let device = await start();
  const front = await mutation.front?.(port);
  const bench = new Bench({
    target: { host: '::1', port: front?.port ?? port },
    commissioningPort: profile === 'draft' ? commissioningPort : undefined,
    code: CODE,
    pics: new Claims(profile, undefined, { ...SHORT_PICS, ...numbers?.pics }),
    enableKey,
    crypto,
    clock,
    transport: nodeTransport(clock),
    multicast: new VirtualMulticast([{ name: 'eth0', link, addresses: ['fe80::2/64', 'fd77::2/64'] }]),
    restart: async () => {
      await device.close();
      medium.powerUp();
      device = await start();
    },
  });
  await bench.start();
  try {
    return await runCases({ bench, cases, dialects, patience, comeback: 0, ...(onOutcome === undefined ? {} : { onOutcome }) });
  } finally {
    await bench.close();
    await device.close();
    front?.close();
  }
}

/** `TC-ZONE-3 (draft): …` of each that failed. */
export function failures(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.filter(({ verdict }) => verdict === 'fail').map(({ id, dialect, reason }) => `${id} (${dialect ?? 'any'}): ${reason}`);
}
