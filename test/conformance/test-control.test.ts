import { afterEach, describe, expect, it } from 'vitest';
import { type CborMap, type CborValue, WideInteger } from '../../src/codec/cbor.js';
import { Global } from '../../src/model/model.js';
import { StepController } from '../world/controller.js';
import type { DeviceWorld, WorldOptions } from '../world/device-world.js';
import { INVOKE, ENABLE_KEY as KEY, opcode, READ, ReferenceWorld, SUBSCRIBE, Trigger, zoneOf } from '../world/reference-world.js';
import { ZonePeer } from '../world/zone-peer.js';

const [TEST_CONTROL, ENERGY_CONTROL, STATUS, MEASUREMENT, SIGNALS] = [0x0a, 5, 2, 4, 8];
const { ENTER, EXIT, FACTORY_RESET, RESET } = Trigger;

let reference: ReferenceWorld;
let world: DeviceWorld;
afterEach(() => world.close());

const take = (started: ReferenceWorld): void => {
  reference = started;
  world = started.device;
};
const begin = async (options: WorldOptions = {}): Promise<void> => take(await ReferenceWorld.start({ powerStage: true, ...options }));
const commission = (type: 'GRID' | 'LOCAL' | 'TEST'): Promise<ZonePeer> => ZonePeer.commission(world, 'reference', zoneOf(type));
const cool = (): Promise<void> => reference.cool();
const pumped = <T>(answer: Promise<T>): Promise<T> => reference.pumped(answer);
const command = (peer: ZonePeer, id: number, values: Record<string, CborValue> = {}) => reference.command(peer, id, values);
const trigger = (peer: ZonePeer, eventTrigger: number) => reference.trigger(peer, eventTrigger);
const state = async (peer: ZonePeer): Promise<CborMap> => (await command(peer, 3)).payload;
async function setLimit(peer: ZonePeer, consumptionLimit: number): Promise<CborMap> {
  const given = new Map<string, CborValue>([
    ['consumptionLimit', consumptionLimit],
    ['cause', 3],
  ]);
  return (
    await peer.ask(
      INVOKE,
      new Map<number, CborValue>([
        [1, 1],
        [2, given],
      ]),
      ENERGY_CONTROL,
      1,
    )
  ).payload;
}
async function read(peer: ZonePeer, feature: number, id: number): Promise<CborValue | undefined> {
  return (await peer.ask(READ, [id], feature, 1)).payload.get(id);
}

describe('TEST zones', () => {
  it('are refused without an enable key, and TestControl is not there', async () => {
    take(await ReferenceWorld.plain());
    const steps = new StepController(await world.connect(), 'reference', zoneOf('TEST'));
    await expect(pumped(steps.run())).rejects.toThrow(/instead of a frame|closed|end/);
    await cool();
    const local = await commission('LOCAL');
    expect((await local.ask(READ, undefined, TEST_CONTROL)).status).toBe(2);
  });

  it('with one: feature 0x0A on endpoint 0, listed, enabled', async () => {
    await begin();
    const test = await commission('TEST');
    const { payload } = await test.ask(READ, undefined, TEST_CONTROL);
    expect([payload.get(1), payload.get(Global.COMMANDS)]).toEqual([true, [1, 2, 3]]);
    const endpoints = (await test.ask(READ, [20])).payload.get(20) as readonly CborMap[];
    expect(endpoints.find((endpoint) => endpoint.get(1) === 0)?.get(4)).toEqual([1, TEST_CONTROL]);
  });

  it('GRID, LOCAL and TEST fit together; a second connected TEST zone does not, one that is away makes room', async () => {
    await begin();
    const first = await commission('TEST');
    for (const type of ['GRID', 'LOCAL'] as const) {
      await cool();
      await trigger(first, ENTER);
      await commission(type);
    }
    expect(world.device.status.zones.map(({ type }) => type)).toEqual([0, 1, 3]);
    await cool();
    await trigger(first, ENTER);
    const full = new StepController(await world.connect(), 'reference', zoneOf('TEST', 'Other'));
    expect(await pumped(full.run())).toMatchObject({ type: 'error', code: 5 });
  });

  it('a TEST zone that is away makes room for the next one', async () => {
    await begin();
    const first = await commission('TEST');
    await cool();
    first.peer.destroy();
    await world.until(() => world.device.status.zones.every(({ connected }) => !connected), 'disconnected');
    await world.clock.advance(3500);
    const next = await ZonePeer.commission(world, 'reference', zoneOf('TEST', 'Next'));
    expect(world.device.status.zones.map(({ id }) => id)).toEqual([next.zoneId]);
  });

  it('count nowhere: their limit shows in their own my* alone, and control state stays', async () => {
    await begin();
    const test = await commission('TEST');
    expect((await setLimit(test, 5_000_000)).get('applied')).toBe(true);
    expect([await read(test, ENERGY_CONTROL, 21), await read(test, ENERGY_CONTROL, 20), await read(test, ENERGY_CONTROL, 2)]).toEqual([
      5_000_000,
      null,
      0,
    ]);
  });
});

describe('who may trigger', () => {
  it('TC-TESTCTRL-ZONE-001: GRID and LOCAL get NOT_AUTHORIZED with any key; a wrong key of a TEST zone is INVALID_COMMAND', async () => {
    await begin();
    const test = await commission('TEST');
    for (const type of ['GRID', 'LOCAL'] as const) {
      await cool();
      await trigger(test, ENTER);
      const other = await commission(type);
      for (const [id, values] of [
        [1, { eventTrigger: RESET }],
        [2, { durationSeconds: 10 }],
        [3, {}],
      ] as const)
        for (const enableKey of [KEY, 'bogus']) expect((await command(other, id, { ...values, enableKey })).status).toBe(8);
    }
    expect((await command(test, 1, { eventTrigger: RESET, enableKey: 'bogus' })).status).toBe(4);
  });
});

describe('triggers on the device', () => {
  it('reference-behaviour §3.1: an opcode of all 64 bits is one that is not known, after zone and key; a negative one has the wrong shape', async () => {
    await begin();
    const test = await commission('TEST');
    await cool();
    await trigger(test, ENTER);
    const grid = await commission('GRID');
    const fire = async (peer: ZonePeer, eventTrigger: CborValue, enableKey = KEY) => {
      const { status, payload } = await command(peer, 1, { eventTrigger, enableKey });
      return [status, payload.get(1)];
    };
    for (const wide of [new WideInteger(false, 2 ** 21, 0), new WideInteger(false, 2 ** 32 - 1, 2 ** 32 - 1)]) {
      expect(await fire(grid, wide)).toEqual([8, expect.any(String)]);
      expect(await fire(test, wide, 'bogus')).toEqual([4, 'invalid enable key']);
      expect(await fire(test, wide)).toEqual([4, 'unknown event trigger']);
    }
    expect((await fire(test, new WideInteger(true, 2 ** 21, 0)))[0]).toBe(5);
    expect((await fire(test, -1))[0]).toBe(5);
  });

  it('features.md §5: what rests is what zones see; the contactor follows the power, and energy is counted', async () => {
    await begin();
    const grid = await commission('GRID');
    await world.clock.advance(10_000);
    expect(world.device.status).toMatchObject({ relayClosed: true, power: 11_040_000 });
    await world.press();
    const test = await commission('TEST');
    await world.clock.advance(3_600_000);
    expect((await setLimit(grid, 0)).get('applied')).toBe(true);
    expect(world.device.status).toMatchObject({ relayClosed: false, power: 0 });
    await world.clock.advance(120_000);
    expect(await read(test, MEASUREMENT, 1)).toBe(11_040_000);
    const shown = Number(await read(test, MEASUREMENT, 30));
    const counted = world.stage?.read().energyConsumed ?? 0;
    expect(counted - shown).toBeGreaterThan(11_000_000);
    await world.close();
    world.flash.powerUp();
    await world.boot();
    await world.clock.advance(1000);
    await grid.connect();
    expect(await read(grid, MEASUREMENT, 30)).toBe(counted);
  });

  it('set an attribute, tell subscribers, and leave physics alone', async () => {
    await begin();
    const test = await commission('TEST');
    await test.ask(
      SUBSCRIBE,
      new Map<number, CborValue>([
        [1, [1]],
        [2, 1000],
        [3, 60_000],
      ]),
      MEASUREMENT,
      1,
    );
    await trigger(test, opcode(4, 2));
    await world.clock.advance(1100);
    expect(await test.notification()).toEqual([1, { 1: 1_000_000 }]);
    await world.clock.advance(20_000);
    expect(await read(test, MEASUREMENT, 1)).toBe(1_000_000);
    await trigger(test, opcode(2, 1));
    expect([await read(test, STATUS, 1), await read(test, STATUS, 3)]).toEqual([7, 1]);
  });

  it('ControlState holds until the next limit command', async () => {
    await begin();
    const test = await commission('TEST');
    await trigger(test, opcode(5, 4));
    expect(await read(test, ENERGY_CONTROL, 2)).toBe(3);
    await setLimit(test, 5_000_000);
    expect(await read(test, ENERGY_CONTROL, 2)).toBe(0);
  });

  it('Enter and Exit move the window; setCommissioningWindowDuration begins an open one anew', async () => {
    await begin();
    const test = await commission('TEST');
    const open = async (): Promise<CborValue | undefined> => (await state(test)).get('commissioning_open');
    await trigger(test, EXIT);
    expect(await open()).toBe(false);
    await command(test, 2, { durationSeconds: 20 });
    await trigger(test, ENTER);
    await world.clock.advance(15_000);
    expect(await open()).toBe(true);
    await command(test, 2, { durationSeconds: 20 });
    await world.clock.advance(15_000);
    expect(await open()).toBe(true);
    await world.clock.advance(6000);
    expect(await open()).toBe(false);
  });

  it('AdjustClock moves the time at which client certificates are judged, until the next PASE', async () => {
    await begin();
    const test = await commission('TEST');
    await trigger(test, opcode(1, 400 * 86_400, 1));
    expect((await state(test)).get('clock_offset_s')).toBe(400 * 86_400);
    const again = await world.connect({ alpn: ['mash/1'], serverName: test.deviceId, certificate: test.zone.controller });
    expect(await again.next()).toBeUndefined();
    await trigger(test, opcode(1, 0, 1));
    await test.connect();
  });

  it('FactoryReset answers, then removes every zone, the own one too', async () => {
    await begin();
    const test = await commission('TEST');
    expect((await trigger(test, FACTORY_RESET)).status).toBe(0);
    await world.until(() => world.device.status.zones.length === 0, 'no zones');
  });
});

describe('features.md §5: while physics rests', () => {
  it('Status follows the process all the same, over what a reset has set too', async () => {
    await begin();
    const test = await commission('TEST');
    const power = await read(test, MEASUREMENT, 1);
    expect(await read(test, STATUS, 1)).toBe(4);
    for (let round = 0; round < 2; round++) {
      expect((await reference.invoke(test, 9, {}, ENERGY_CONTROL)).payload.get('success')).toBe(true);
      expect([await read(test, STATUS, 1), await read(test, ENERGY_CONTROL, 80)]).toEqual([5, 4]);
      await reference.invoke(test, 10, {}, ENERGY_CONTROL);
      expect(await read(test, STATUS, 1)).toBe(4);
      await trigger(test, RESET);
      expect(await read(test, STATUS, 1)).toBe(2);
    }
    expect([power, await read(test, MEASUREMENT, 1)]).toEqual([11_040_000, 0]);
  });
});

describe('ResetTestState', () => {
  it('brings back what tests have moved; the TEST session survives, its subscriptions do not', async () => {
    await begin();
    const test = await commission('TEST');
    await cool();
    await trigger(test, ENTER);
    const grid = await commission('GRID');
    await setLimit(grid, 4_000_000);
    expect(await read(test, ENERGY_CONTROL, 20)).toBe(4_000_000);
    await test.ask(SUBSCRIBE, new Map<number, CborValue>([[1, [1]]]), MEASUREMENT, 1);
    await trigger(test, opcode(2, 1));
    await trigger(test, opcode(1, 77, 1));
    await command(test, 2, { durationSeconds: 30 });
    expect((await trigger(test, RESET)).status).toBe(0);
    const after = await state(test);
    expect(Object.fromEntries(after)).toMatchObject({
      zone_count: 2,
      clock_offset_s: 0,
      commissioning_open: true,
      auto_reentry: false,
      pase_failed_attempts: 0,
      status_operating_state: 2,
      ec_control_state: 0,
      ec_process_state: 0,
      charging_state: 0,
      measurement_power: 0,
    });
    expect((after.get('zones') as readonly CborMap[]).map((zone) => zone.get('subscriptions'))).toEqual([0, 0]);
    expect([await read(grid, ENERGY_CONTROL, 20), await read(grid, ENERGY_CONTROL, 21)]).toEqual([null, null]);
    // The window is that of the profile again: 900 s.
    await world.clock.advance(899_000);
    expect((await state(test)).get('commissioning_open')).toBe(true);
    await world.clock.advance(2000);
    expect((await state(test)).get('commissioning_open')).toBe(false);
  });

  it('removes zones that are away, and closes pre-operational connections', async () => {
    await begin();
    const test = await commission('TEST');
    await cool();
    await trigger(test, ENTER);
    const local = await commission('LOCAL');
    local.peer.destroy();
    await world.until(() => world.device.status.zones.some(({ connected }) => !connected), 'LOCAL is away');
    await cool();
    await trigger(test, ENTER);
    const idle = await world.connect();
    await trigger(test, RESET);
    expect(world.device.status.zones.map(({ id }) => id)).toEqual([test.zoneId]);
    expect(await idle.next()).toBeUndefined();
  });

  it('features.md §5: leaves Signals, and a constraint that they show goes on binding', async () => {
    await begin();
    const test = await commission('TEST');
    await cool();
    await trigger(test, ENTER);
    const grid = await commission('GRID');
    const slot = new Map([
      ['duration', 600],
      ['consumptionMax', 5_000_000],
    ]);
    await setLimit(grid, 4_000_000);
    expect((await reference.invoke(grid, 2, { source: 0, startTime: 0, slots: [slot] }, SIGNALS)).status).toBe(0);
    await trigger(test, RESET);
    expect([await read(grid, SIGNALS, 20), await read(grid, ENERGY_CONTROL, 20)]).toEqual([[slot], 5_000_000]);
    expect((await reference.invoke(grid, 4, {}, SIGNALS)).payload.get('cleared')).toBe(1);
    expect(await read(grid, ENERGY_CONTROL, 20)).toBeNull();
  });

  it('a thousand times leaves the device as it was', async () => {
    await begin();
    const test = await commission('TEST');
    await trigger(test, RESET);
    const shown = async (): Promise<unknown> => Object.fromEntries(await state(test));
    const before = await shown();
    const keys = world.clock.pending().length;
    const records = Buffer.from(world.flash.image());
    for (let i = 0; i < 1000; i++) await trigger(test, RESET);
    expect(await shown()).toEqual(before);
    await world.clock.advance(5000);
    expect(world.clock.pending().length).toBeLessThanOrEqual(keys);
    expect(records.equals(world.flash.image())).toBe(true);
  });
});

describe('the window opens by itself in test mode', () => {
  it('when a new zone has come back, while a slot is free', async () => {
    await begin();
    const test = await commission('TEST');
    await world.until(() => world.device.status.qr !== undefined, 'open again');
    expect((await state(test)).get('auto_reentry')).toBe(true);
  });

  it('when all zones are away, not before 3 s after an explicit exit', async () => {
    await begin();
    const test = await commission('TEST');
    await world.clock.advance(10_000);
    await trigger(test, EXIT);
    test.peer.destroy();
    await world.until(() => world.device.status.zones.every(({ connected }) => !connected), 'away');
    await world.clock.advance(2900);
    expect(world.device.status.qr).toBeUndefined();
    await world.clock.advance(200);
    expect(world.device.status.qr).toBeDefined();
  });
});
