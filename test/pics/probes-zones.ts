import type { CborValue } from '../../src/codec/cbor.js';
import { makeZone, mapOf } from '../world/controller.js';
import { ZonePeer } from '../world/zone-peer.js';
import { CONTROL, flag, INVOKE, type Lab, largest, map, READ, type Seen, secondsUntil, smallest, WRITE } from './lab.js';

/** ControlState. */
const FAILSAFE_STATE = 3;
const EFFECTIVE_LIMIT = 20;
const DURATION = 72;

const limit = (values: Record<string, CborValue>) => map([1, 1], [2, new Map<string, CborValue>(Object.entries(values))]);

/** Two zones, what each may do to the other, and what both want of the charger. */
export async function probeRanks(lab: Lab): Promise<Seen> {
  const home = await lab.zone({ set: { 'commissioning.errorDelay': '0' } });
  const { world } = home;
  await world.clock.advance(20_000);
  await world.press();
  const grid = await ZonePeer.commission(world, 'draft', makeZone('Grid', 1));
  const listed = await grid.ask(INVOKE, map([1, 17]));
  const [first] = listed.payload.get('zones') as readonly CborValue[];
  const keys = [...mapOf(first).keys()];
  const ask = (zone: ZonePeer, values: Record<string, CborValue>) => zone.ask(INVOKE, limit({ cause: 3, ...values }), CONTROL, 1);
  await ask(home, { consumptionLimit: 5_000_000 });
  await ask(grid, { consumptionLimit: 7_000_000 });
  const effective = (await home.ask(READ, [EFFECTIVE_LIMIT], CONTROL, 1)).payload.get(EFFECTIVE_LIMIT);
  const setpoint = (zone: ZonePeer, consumptionSetpoint: number) =>
    zone.ask(INVOKE, map([1, 5], [2, map(['consumptionSetpoint', consumptionSetpoint], ['cause', 1])]), CONTROL, 1);
  await setpoint(home, 3_000_000);
  await setpoint(grid, 4_000_000);
  const wanted = (await home.ask(READ, [40], CONTROL, 1)).payload.get(40);
  const older = grid.peer;
  await grid.connect();
  await older.end();
  const forced = await grid.ask(INVOKE, map([1, 16], [2, map(['zoneId', home.zoneId])]));
  const own = await grid.ask(INVOKE, map([1, 16], [2, map(['zoneId', grid.zoneId])]));
  return {
    'MASH.S.ZONE.REMOVE': flag(own.status === 0),
    'MASH.S.ZONE.LIST': flag(listed.status === 0),
    'MASH.S.ZONE.FORCED_REMOVAL': flag(forced.status === 0),
    'MASH.S.ZONE.CONNECT': flag(keys.includes('connected')),
    'MASH.S.ZONE.LAST_SEEN': flag(keys.includes('lastSeen')),
    'MASH.S.ZONE.B_RESTRICT': flag(effective === 5_000_000),
    'MASH.S.ZONE.B_PRIORITY': flag(wanted === 4_000_000),
    'MASH.S.ZONE.B_SESSION': flag(older.closed),
  };
}

/** Bounds of the duration, and one failsafe from its beginning over a restart to its end, another that a return ends. */
export async function probeFailsafe(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  const state = (): number | undefined => world.device.status.energy[0]?.controlState;
  const value = async (id: number) => (await zone.ask(READ, [id], CONTROL, 1)).payload.get(id);
  const write = async (id: number, to: CborValue) => (await zone.ask(WRITE, map([id, to]), CONTROL, 1)).status === 0;
  const initial = Number(await value(DURATION));
  const limits = [await value(70), await value(71)];
  const shortest = await smallest(0, 10_000, (seconds) => write(DURATION, seconds));
  const longest = await largest(10_000, 200_000, (seconds) => write(DURATION, seconds));
  const configurable = await write(70, 4_000_000);
  await write(DURATION, shortest);
  const lose = async (): Promise<void> => {
    zone.peer.destroy();
    await world.until(() => world.device.status.zones[0]?.connected === false, 'the loss');
  };
  await lose();
  const entered = state() === FAILSAFE_STATE;
  await world.clock.advance(100_000);
  await zone.connect();
  const returned = state() !== FAILSAFE_STATE;
  await lose();
  const begun = world.clock.now();
  await world.clock.advance(1_000_500);
  await world.close();
  world.flash.powerUp();
  await world.boot();
  const kept = state() === FAILSAFE_STATE;
  await secondsUntil(world, () => state() !== FAILSAFE_STATE, 3 * shortest);
  const lasted = (world.clock.now() - begun) / 1000;
  const off = (lasted - shortest) / shortest;
  return {
    'MASH.S.ZONE.FAILSAFE': flag(entered),
    'MASH.S.ZONE.FAILSAFE_DUR': flag(longest > shortest),
    'MASH.S.FAILSAFE': flag(entered),
    'MASH.S.FAILSAFE.DURATION_MIN': shortest,
    'MASH.S.FAILSAFE.DURATION_MAX': longest,
    'MASH.S.FAILSAFE.DURATION_DEFAULT': initial,
    'MASH.S.FAILSAFE.CONSUMPTION_LIMIT': flag(limits[0] !== undefined),
    'MASH.S.FAILSAFE.PRODUCTION_LIMIT': flag(limits[1] !== undefined),
    'MASH.S.FAILSAFE.LIMIT_CONFIGURABLE': flag(configurable),
    // A timer that began anew would last 1,000 s longer.
    'MASH.S.FAILSAFE.TIMER_PERSISTENT': flag(kept && lasted < shortest + 900),
    'MASH.S.FAILSAFE.TIMER_ACCURACY': `${Math.ceil(off * 100)}%`,
    'MASH.S.FAILSAFE.GRACE_PERIOD': flag(off > 0.05),
    'MASH.S.FAILSAFE.GRACE_DURATION': off > 0.05 ? lasted - shortest : 0,
    'MASH.S.FAILSAFE.RECONNECT_WINS': flag(returned),
  };
}

/** A limit with a duration: its longest, its end, and what a reconnection leaves of it. */
export async function probeDurations(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  const set = async (duration: number) =>
    (await zone.ask(INVOKE, limit({ consumptionLimit: 5_000_000, cause: 3, duration }), CONTROL, 1)).status === 0;
  const held = (): boolean => world.device.status.energy[0]?.effectiveConsumptionLimit !== null;
  const unlimited = (await zone.ask(READ, [EFFECTIVE_LIMIT], CONTROL, 1)).payload.get(EFFECTIVE_LIMIT) === null;
  const longest = await largest(1, 200_000, set);
  await set(600);
  const begun = world.clock.now();
  await world.clock.advance(590_000);
  const early = held();
  await secondsUntil(world, () => !held(), 1000);
  const lasted = (world.clock.now() - begun) / 1000;
  const cleared = !held();
  await set(600);
  zone.peer.destroy();
  await world.until(() => world.device.status.zones[0]?.connected === false, 'the loss');
  await zone.connect();
  const persisted = held();
  return {
    'MASH.S.E01.CTRL.B_LIMIT_DEFAULT': unlimited ? 'unlimited' : 'limited',
    'MASH.S.E01.CTRL.B_DURATION_EXPIRY': cleared ? 'clear' : 'notify',
    'MASH.S.DURATION': flag(early),
    'MASH.S.DURATION.MAX': longest,
    'MASH.S.DURATION.START_ON': lasted === 600 ? 'receipt' : 'another',
    'MASH.S.DURATION.EXPIRY_ACTION': cleared ? 'clear' : 'stay',
    'MASH.S.DURATION.PERSIST_RECONNECT': flag(persisted),
    'MASH.S.DURATION.ACCURACY': Math.abs(lasted - 600) <= 6 ? '1%' : `${lasted} s`,
  };
}
