import type { CborValue } from '../../src/codec/cbor.js';
import { idleReading, Measurement } from '../../src/features/measurement.js';
import { makeZone } from '../world/controller.js';
import type { DeviceWorld } from '../world/device-world.js';
import { ENABLE_KEY } from '../world/reference-world.js';
import { ZonePeer } from '../world/zone-peer.js';
import { CONTROL, flag, INVOKE, type Lab, map, READ, type Seen } from './lab.js';

const [STATUS, MEASUREMENT] = [2, 4];
const [STANDBY, RUNNING, PAUSED, FAULT] = [2, 4, 5, 7];
const PROCESS_STATE = 80;
const [AVAILABLE, PROCESS_RUNNING, PROCESS_PAUSED] = [1, 3, 4];
const [SET_LIMIT, PAUSE, STOP, SCHEDULE] = [1, 9, 11, 12];
/** More than any board's minRunDuration, ms. */
const LONG_ENOUGH = 700_000;

const read = async (zone: ZonePeer, feature: number, id: number): Promise<CborValue | undefined> =>
  (await zone.ask(READ, [id], feature, 1)).payload.get(id);
const command = (zone: ZonePeer, id: number, values: Record<string, CborValue> = {}) =>
  zone.ask(INVOKE, map([1, id], [2, new Map(Object.entries(values))]), CONTROL, 1);
const setFault = (world: DeviceWorld, fault: boolean): void => {
  world.stage?.simulate((charger) => {
    charger.fault = fault;
  });
  world.pump?.simulate((pump) => {
    pump.fault = fault;
  });
};

/** A heat pump offers its process when the house has had its heat. */
async function untilOffered(zone: ZonePeer): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    const state = await read(zone, CONTROL, PROCESS_STATE);
    if (state === AVAILABLE || state === PROCESS_RUNNING) return;
    await zone.world.clock.advance(30_000);
  }
}

/** What Status shows of a process that is paused and stopped, and of a fault. */
export async function probeStatus(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  const state = () => read(zone, STATUS, 1);
  const code = () => read(zone, STATUS, 3);
  await untilOffered(zone);
  await command(zone, SCHEDULE);
  let running: readonly unknown[] = [];
  let paused: unknown;
  // Pause waits for the compressor's minimum run.
  for (let i = 0; i < 30 && paused !== PAUSED; i++) {
    await world.clock.advance(50_000);
    if ((await state()) === RUNNING) running = [RUNNING, await code()];
    if (running.length > 0) await command(zone, PAUSE);
    paused = await state();
  }
  await command(zone, SET_LIMIT, { consumptionLimit: 0, cause: 3 });
  await world.clock.advance(LONG_ENOUGH);
  await command(zone, STOP);
  await world.clock.advance(2000);
  const standby = [await state(), await code()];
  setFault(world, true);
  await world.clock.advance(2000);
  const broken = [await state(), await code()];
  setFault(world, false);
  await world.clock.advance(2000);
  const mended = [await state(), await code()];
  const shown = broken[0] === FAULT && typeof broken[1] === 'number';
  return {
    'MASH.S.E01.STAT.C01': flag(shown),
    'MASH.S.E01.STAT.C02': flag(mended[0] !== FAULT && mended[1] === null),
    // From PAUSED no arrow of the reference leads to STANDBY.
    'MASH.S.E01.STAT.B_TRANSITIONS': flag(!(paused === PAUSED && standby[0] === STANDBY)),
    'MASH.S.E01.STAT.B_HELPERS': flag(running[0] === RUNNING && standby[0] === STANDBY && broken[0] === FAULT),
    'MASH.S.E01.STAT.B_FAULT_CODE': flag(shown && running[1] === null && standby[1] === null),
  };
}

/** An hour of charging or heating, a restart in it. */
export async function probeMeasurement(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  await world.clock.advance(LONG_ENOUGH);
  const power = Number(await read(zone, MEASUREMENT, 1));
  const energies = [Number(await read(zone, MEASUREMENT, 30))];
  for (let restart = 0; restart < 2; restart++) {
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await zone.connect();
    energies.push(Number(await read(zone, MEASUREMENT, 30)));
    await world.clock.advance(LONG_ENOUGH);
    energies.push(Number(await read(zone, MEASUREMENT, 30)));
  }
  const consumes = (energies.at(-1) ?? 0) > (energies[0] ?? 0);
  // No simulated board stops measuring: the feature itself is asked.
  const blind = new Measurement([1, 30], idleReading(3, 230, 50));
  blind.update(undefined);
  return {
    'MASH.S.E01.MEAS.B_SIGN': flag(consumes && power > 0),
    'MASH.S.E01.MEAS.B_DIRECTION': flag(consumes && power > 0),
    'MASH.S.E01.MEAS.B_NULLABLE': flag(blind.read(1) === null && blind.read(30) === null),
    'MASH.S.E01.MEAS.B_CUMULATIVE': flag(consumes && energies.every((energy, i) => energy >= (energies[i - 1] ?? 0))),
  };
}

/** A process that is paused ten seconds before the failsafe is over, by a TEST zone, whose connection counts nowhere. */
export async function probeAutoResume(lab: Lab): Promise<Seen> {
  const home = await lab.zone({ enableKey: ENABLE_KEY });
  const { world } = home;
  await world.clock.advance(20_000);
  await untilOffered(home);
  if (world.device.status.qr === undefined) await world.press();
  const observer = await ZonePeer.commission(world, 'reference', makeZone('Observer', 3, undefined, 'TEST'));
  home.peer.destroy();
  await world.until(() => world.device.status.energy[0]?.failsafeUntil !== undefined, 'the failsafe');
  const end = world.device.status.energy[0]?.failsafeUntil ?? 0;
  await world.clock.advance(end - LONG_ENOUGH - 10_000 - world.clock.now());
  await command(observer, SCHEDULE);
  await world.clock.advance(end - 10_000 - world.clock.now());
  await command(observer, PAUSE);
  const before = await read(observer, CONTROL, PROCESS_STATE);
  if (before !== PROCESS_PAUSED) throw new Error(`process state ${String(before)} after Pause`);
  await world.clock.advance(20_000);
  const over = world.device.status.energy[0]?.failsafeUntil === undefined;
  const resumed = (await read(observer, CONTROL, PROCESS_STATE)) !== PROCESS_PAUSED;
  return { 'MASH.S.E01.CTRL.B_PAUSED_AUTO_RESUME': over ? flag(resumed) : 'no end' };
}

/** A test build: the feature, its attribute and its commands on endpoint 0. */
export async function probeTestControl(lab: Lab): Promise<Seen> {
  const world = await lab.device({ enableKey: ENABLE_KEY });
  const observer = await ZonePeer.commission(world, 'reference', makeZone('Observer', 3, undefined, 'TEST'));
  const ask = (id: number) =>
    observer.ask(INVOKE, map([1, id], [2, map(['enableKey', ENABLE_KEY], ['eventTrigger', 0], ['durationSeconds', 60])]), 0x0a);
  const enabled = await observer.ask(READ, [1], 0x0a);
  const [trigger, window, state] = [await ask(1), await ask(2), await ask(3)];
  return {
    'MASH.S.E00.TEST': flag(enabled.status === 0),
    'MASH.S.E00.TEST.A01': flag(enabled.payload.get(1) === true),
    'MASH.S.E00.TEST.C01.Rsp': flag(trigger.payload.get(1) === 'unknown event trigger'),
    'MASH.S.E00.TEST.C02.Rsp': flag(window.payload.get('success') === true),
    'MASH.S.E00.TEST.C03.Rsp': flag(state.payload.has('zone_count')),
  };
}
