import { simEvse } from '../../boards/sim-evse.js';
import type { CborKey, CborValue } from '../../src/codec/cbor.js';
import type { BoardDefinition, ControlAbilities, ElectricalRatings } from '../../src/model/board.js';
import type { ProfileName } from '../../src/profile.js';
import { makeZone } from './controller.js';
import { DeviceWorld } from './device-world.js';
import { ZonePeer } from './zone-peer.js';

const READ = 1;
const WRITE = 2;
const SUBSCRIBE = 3;
export const INVOKE = 4;
export const ENERGY = 5;
/** ControlState. */
export const [A, C, L, F, O] = [0, 1, 2, 3, 4];

export type Fields = Readonly<Record<string, CborValue>>;

/** EnergyControl of endpoint 1, asked over TLS. */
export function map(...entries: readonly (readonly [CborKey, CborValue])[]): ReadonlyMap<CborKey, CborValue> {
  return new Map(entries);
}
export const command = (id: number, parameters: Fields = {}) => map([1, id], [2, map(...Object.entries(parameters))]);
export const invoke = (zone: ZonePeer, id: number, parameters: Fields = {}) => zone.ask(INVOKE, command(id, parameters), ENERGY, 1);
export const status = async (zone: ZonePeer, id: number, parameters: Fields = {}) => (await invoke(zone, id, parameters)).status;
export const write = async (zone: ZonePeer, ...values: readonly (readonly [number, CborValue])[]) =>
  (await zone.ask(WRITE, map(...values), ENERGY, 1)).status;
export async function read(zone: ZonePeer, ...ids: number[]): Promise<unknown[]> {
  const { payload } = await zone.ask(READ, ids, ENERGY, 1);
  return ids.map((id) => payload.get(id));
}
/** The priming report. */
export async function subscribe(zone: ZonePeer, ...ids: number[]): Promise<CborValue | undefined> {
  const { payload } = await zone.ask(SUBSCRIBE, map([1, ids]), ENERGY, 1);
  // Past minInterval: what comes is told at once.
  await zone.world.clock.advance(2000);
  return payload.get(2);
}

/** The simulated charger with other abilities. */
export function boardWith(
  control: (former: ControlAbilities) => Partial<ControlAbilities>,
  featureMap = 0,
  ratings: (former: ElectricalRatings) => ElectricalRatings = (former) => former,
): BoardDefinition {
  const endpoints = simEvse.endpoints.map((endpoint) =>
    endpoint.control === undefined || endpoint.electrical === undefined
      ? endpoint
      : {
          ...endpoint,
          featureMap: endpoint.featureMap | featureMap,
          control: { ...endpoint.control, ...control(endpoint.control) },
          electrical: ratings(endpoint.electrical),
        },
  );
  return { ...simEvse, endpoints };
}

/** A device with two zones connected. */
export async function pair(
  profile: ProfileName,
  board: BoardDefinition = simEvse,
  set: Readonly<Record<string, string>> = {},
): Promise<{ world: DeviceWorld; grid: ZonePeer; home: ZonePeer }> {
  // Nobody here answers pings.
  const world = await DeviceWorld.start({ profile, board, set: { ...set, 'session.liveness': 'tcp' } });
  const home = await ZonePeer.commission(world, profile, makeZone('Home', 3, 3, 'LOCAL'));
  await world.clock.advance(20_000);
  await world.press();
  return { world, home, grid: await ZonePeer.commission(world, profile, makeZone('Grid', 1, 1, 'GRID')) };
}

/** Their connections break. */
export async function lose(world: DeviceWorld, ...zones: readonly ZonePeer[]): Promise<void> {
  const before = world.device.status.zones.filter(({ connected }) => connected).length;
  for (const zone of zones) zone.peer.destroy();
  await world.until(() => world.device.status.zones.filter(({ connected }) => connected).length === before - zones.length, 'the loss');
}
