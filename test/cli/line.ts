import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../../src/cli/controller-context.js';
import { type ControllerIo, main } from '../../src/cli/controller-main.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { nodeListener } from '../../src/node/listener.js';
import { ControllerWorld } from '../controller/world.js';
import { VirtualClock } from '../world/clock.js';
import { DISCRIMINATOR, SETUP_CODE, type WorldOptions } from '../world/device-world.js';
import { VirtualMulticast } from '../world/network.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A machine without network and devices. */
export const lonely = (): Machine => ({
  clock: new VirtualClock(),
  crypto: nodeCrypto(),
  transport: { connect: () => Promise.reject(new Error('no transport')) },
  multicast: () => new VirtualMulticast([]),
  listener: () => {
    throw new Error('no listener');
  },
});

/** Runs one command line to its end. */
export async function run(argv: readonly string[], machine: () => Machine, more: Partial<ControllerIo> = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const io: ControllerIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env: {},
    machine,
    onInterrupt: () => () => {},
    ...more,
  };
  return { code: await main(argv, io), out, err };
}

/** Command lines of controllers beside a whole device. */
export class Lines {
  readonly world: ControllerWorld;
  readonly #folder: string;

  private constructor(world: ControllerWorld, folder: string) {
    this.world = world;
    this.#folder = folder;
  }

  static async start(options: WorldOptions = {}): Promise<Lines> {
    return new Lines(await ControllerWorld.start(options), await fs.mkdtemp(join(tmpdir(), 'mash-lines-')));
  }

  machine = (): Machine => ({
    clock: this.world.device.clock,
    crypto: this.world.device.crypto,
    transport: this.world.transport,
    multicast: () => this.world.multicast(),
    listener: ({ ipv4, log }) => nodeListener({ clock: this.world.device.clock, log, ipv4 }),
  });

  /** Arguments that name a zone's folder. */
  zone(name: string): readonly string[] {
    return ['--zone', join(this.#folder, name)];
  }

  /** A command line of the zone `home`. */
  go(...argv: readonly string[]): Promise<Ran> {
    return this.as('home', ...argv);
  }

  as(zone: string, ...argv: readonly string[]): Promise<Ran> {
    return this.world.drive(run([...this.zone(zone), ...argv], this.machine));
  }

  /** The value that a command line prints with `--json`. */
  async json(...argv: readonly string[]): Promise<{ readonly code: number; readonly value: Record<string, unknown> }> {
    const { code, out } = await this.go(...argv, '--json');
    return { code, value: JSON.parse(out) as Record<string, unknown> };
  }

  /** Commissions the device into a zone of this type, the window opened where it is closed. */
  async join(kind: 'grid' | 'building' | 'home' | 'user'): Promise<void> {
    const { device } = this.world;
    if (device.device.status.windowUntil === undefined) {
      await device.clock.advance(10_000);
      await device.press();
    }
    const { code, err } = await this.as(kind, '--zone-type', kind, 'commission', `MASH:1:${DISCRIMINATOR}:${SETUP_CODE}`);
    if (code !== 0) throw new Error(err);
  }

  /** Waits until the device has seen the end of every connection. */
  away(): Promise<void> {
    const { device } = this.world;
    return device.until(() => device.device.status.zones.every(({ connected }) => !connected), 'no zone connected');
  }

  async close(): Promise<void> {
    await this.world.close();
    await fs.rm(this.#folder, { recursive: true, force: true });
  }
}
