import net from 'node:net';
import type { CborKey, CborMap, CborValue } from '../../src/codec/cbor.js';
import { decodeMessage } from '../../src/discovery/message.js';
import { nameText } from '../../src/discovery/name.js';
import type { DnsRecord } from '../../src/discovery/records.js';
import { txtEntries } from '../../src/discovery/txt.js';
import type { PicsValue } from '../../src/pics/format.js';
import type { ProfileName } from '../../src/profile.js';
import { makeZone, StepController } from '../world/controller.js';
import { DeviceWorld, type WorldOptions } from '../world/device-world.js';
import { ZonePeer } from '../world/zone-peer.js';

/** What a probe has seen, by code. */
export type Seen = Readonly<Record<string, PicsValue>>;
export type Probe = (lab: Lab) => Promise<Seen>;

export const READ = 1;
export const WRITE = 2;
export const SUBSCRIBE = 3;
export const INVOKE = 4;
export const CONTROL = 5;

export const map = (...entries: readonly (readonly [CborKey, CborValue])[]): CborMap => new Map(entries);
export const flag = (value: boolean): number => Number(value);

/** A place for probes: whole devices of one profile, closed when the probe is done. */
export class Lab {
  readonly profile: ProfileName;
  readonly port: number;
  readonly board: string;
  readonly #set: Readonly<Record<string, string>>;
  readonly #worlds: DeviceWorld[] = [];

  private constructor(profile: ProfileName, port: number, board: string, set: Readonly<Record<string, string>>) {
    this.#set = set;
    this.board = board;
    this.profile = profile;
    this.port = port;
  }

  /** With a port of its own that nobody else has now. */
  static async open(profile: ProfileName, board = 'sim-evse', set: Readonly<Record<string, string>> = {}): Promise<Lab> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return new Lab(profile, port, board, set);
  }

  async device(options: WorldOptions = {}): Promise<DeviceWorld> {
    const world = await DeviceWorld.start({
      profile: this.profile,
      board: this.board,
      powerStage: true,
      ...options,
      set: { ...this.#set, ...options.set },
    });
    this.#worlds.push(world);
    return world;
  }

  /** A device with one zone, connected; nobody answers pings, so TCP alone watches. */
  async zone(options: WorldOptions = {}): Promise<ZonePeer> {
    const world = await this.device({ ...options, set: { 'session.liveness': 'tcp', ...options.set } });
    return ZonePeer.commission(world, 'draft', makeZone('Home', 3));
  }

  async close(): Promise<void> {
    for (const world of this.#worlds.splice(0)) {
      world.flash.powerUp();
      await world.close();
    }
  }
}

/** Seconds of virtual time until the condition holds, in whole seconds; the limit where it never does. */
export async function secondsUntil(world: DeviceWorld, condition: () => boolean, limit: number): Promise<number> {
  for (let second = 0; second < limit; second++) {
    if (condition()) return second;
    await world.clock.advance(1000);
  }
  return limit;
}

/** The same in steps of a millisecond. */
export async function millisecondsUntil(world: DeviceWorld, condition: () => boolean, limit: number): Promise<number> {
  for (let millisecond = 0; millisecond < limit; millisecond++) {
    if (condition()) return millisecond;
    await world.clock.advance(1);
  }
  return limit;
}

/** Moves virtual time to the next deadline of that name; false where there is none. */
export async function toDeadline(world: DeviceWorld, name: string): Promise<boolean> {
  const next = world.clock.pending().find((timer) => timer.name === name);
  if (next === undefined) return false;
  await world.clock.advance(next.at - world.clock.now());
  return true;
}

/** The largest of `low`…`high` that holds, where `low` holds and what holds has no gaps. */
export async function largest(low: number, high: number, holds: (value: number) => Promise<boolean>): Promise<number> {
  let good = low;
  let bad = high + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (await holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

export async function smallest(low: number, high: number, holds: (value: number) => Promise<boolean>): Promise<number> {
  return -(await largest(-high, -low, (value) => holds(-value)));
}

/** One whole commissioning by hand, its window opened by the button. */
export async function another(
  world: DeviceWorld,
  dialect: 'draft' | 'reference',
  type: number,
  ou?: 'GRID' | 'LOCAL',
): Promise<StepController> {
  await world.clock.advance(20_000);
  if (world.device.status.qr === undefined) await world.press();
  return new StepController(await world.connect(), dialect, makeZone(`Zone ${type}`, type, type, ou));
}

/** Everything the device has put into its packets. */
export function records(world: Pick<DeviceWorld, 'link'>): readonly DnsRecord[] {
  return world.link.packets.flatMap(({ packet }) => {
    const message = decodeMessage(packet);
    return [...message.answers, ...message.additionals];
  });
}

export function ofType<T extends DnsRecord['type']>(
  all: readonly DnsRecord[],
  type: T,
  name = '',
): readonly Extract<DnsRecord, { type: T }>[] {
  return all.filter((record): record is Extract<DnsRecord, { type: T }> => record.type === type && nameText(record.name).includes(name));
}

/** TXT keys told under a service type. */
export function txtKeys(world: DeviceWorld, type: string): ReadonlySet<string> {
  return new Set(
    ofType(records(world), 'TXT', type).flatMap(({ strings }) => [...txtEntries(strings).keys()].map((key) => key.toUpperCase())),
  );
}
