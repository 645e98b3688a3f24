import type { CborMap, CborValue } from '../../src/codec/cbor.js';
import { makeZone, type TestZone } from './controller.js';
import { DeviceWorld, type WorldOptions } from './device-world.js';
import { ZonePeer } from './zone-peer.js';

export const ENABLE_KEY = '0123456789abcdef0123456789abcdef';
export type ReferenceType = 'GRID' | 'LOCAL' | 'TEST';
export const [READ, WRITE, SUBSCRIBE, INVOKE] = [1, 2, 3, 4] as const;
export const Feature = { DEVICE_INFO: 1, STATUS: 2, ELECTRICAL: 3, MEASUREMENT: 4, ENERGY_CONTROL: 5, TEST_CONTROL: 0x0a } as const;

/** A trigger of TestControl (reference-behaviour §3.2). */
export const opcode = (domain: number, low: number, form = 0): number => domain * 2 ** 48 + form * 2 ** 32 + (low >>> 0);
export const Trigger = { ENTER: opcode(1, 1), EXIT: opcode(1, 2), FACTORY_RESET: opcode(1, 3), RESET: opcode(1, 4) } as const;

/** `{key: value, …}` with integer keys. */
export const map = (...entries: readonly (readonly [number, CborValue])[]): CborMap => new Map(entries);

export function zoneOf(type: ReferenceType, name = `${type} zone`): TestZone {
  return makeZone(name, type === 'GRID' ? 1 : 3, undefined, type);
}

/** A device of profile `reference`; with the enable key unless `enableKey` says otherwise. */
export class ReferenceWorld {
  readonly device: DeviceWorld;

  private constructor(device: DeviceWorld) {
    this.device = device;
  }

  static async start(options: WorldOptions = {}): Promise<ReferenceWorld> {
    return new ReferenceWorld(await DeviceWorld.start({ profile: 'reference', enableKey: ENABLE_KEY, ...options }));
  }

  /** As it leaves the factory: without TestControl. */
  static async plain(options: Omit<WorldOptions, 'enableKey'> = {}): Promise<ReferenceWorld> {
    return new ReferenceWorld(await DeviceWorld.start({ profile: 'reference', ...options }));
  }

  get windowOpen(): boolean {
    return this.device.device.status.windowUntil !== undefined;
  }

  get zoneIds(): readonly string[] {
    return this.device.device.status.zones.map(({ id }) => id);
  }

  /** Lets virtual time pass, 10 ms at a time, until the work is done; the milliseconds that it took. */
  async timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
    const { clock } = this.device;
    const begun = clock.now();
    let done = false;
    const settled = (): void => {
      done = true;
    };
    work.then(settled, settled);
    for (let i = 0; !done && i < 20_000; i++) {
      // What a socket brings comes first, so that no time passes while something can go on without it.
      for (let turn = 0; !done && turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (!done) await clock.advance(10);
    }
    return [await work, clock.now() - begun];
  }

  async pumped<T>(work: Promise<T>): Promise<T> {
    return (await this.timed(work))[0];
  }

  /** The cool-down of 500 ms between two commissioning connections. */
  async cool(): Promise<void> {
    await this.device.clock.advance(600);
  }

  /** Commissions a zone, the button pressed where the window is closed, and connects it. */
  async join(type: ReferenceType, zone = zoneOf(type)): Promise<ZonePeer> {
    await this.cool();
    if (!this.windowOpen) await this.device.press();
    return ZonePeer.commission(this.device, 'reference', zone);
  }

  /** A command of TestControl. */
  command(peer: ZonePeer, id: number, values: Record<string, CborValue> = {}): Promise<{ status: CborValue; payload: CborMap }> {
    const parameters = new Map<string, CborValue>(Object.entries({ enableKey: ENABLE_KEY, ...values }));
    return this.pumped(peer.ask(INVOKE, map([1, id], [2, parameters]), Feature.TEST_CONTROL));
  }

  trigger(peer: ZonePeer, eventTrigger: number): Promise<{ status: CborValue; payload: CborMap }> {
    return this.command(peer, 1, { eventTrigger });
  }

  /** The map of getTestState. */
  async state(peer: ZonePeer): Promise<Record<string, CborValue>> {
    return Object.fromEntries((await this.command(peer, 3)).payload) as Record<string, CborValue>;
  }

  /** A command with text keys. */
  invoke(peer: ZonePeer, command: number, values: Record<string, CborValue>, feature: number, endpoint = 1) {
    return peer.ask(INVOKE, map([1, command], [2, new Map(Object.entries(values))]), feature, endpoint);
  }

  async read(peer: ZonePeer, feature: number, id: number, endpoint = 1): Promise<CborValue | undefined> {
    return (await peer.ask(READ, [id], feature, endpoint)).payload.get(id);
  }

  close(): Promise<void> {
    return this.device.close();
  }
}
