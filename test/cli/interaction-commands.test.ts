import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Lines, lonely, run } from './line.js';

const alone = (...argv: string[]) => run(['--zone', '/nowhere', ...argv], lonely);

describe('usage errors: exit code 2, before anything is touched', () => {
  it.each([
    [['invoke'], /missing required argument/],
    [['invoke', 'device'], /path: 'device' is no path, and none follows/],
    [['invoke', '1/EnergyContrl/setLimit'], /feature: 'EnergyContrl' .*closest name is 'EnergyControl'/],
    [['invoke', 'EnergyControl'], /path: the command is missing: EnergyControl\/setLimit/],
    [['invoke', 'EnergyControl/setLimits'], /command: 'setLimits' .*closest name is 'setLimit'/],
    [['invoke', 'EnergyControl/setLimit', 'consumptionLimit'], /parameter: 'consumptionLimit' is not key=value/],
    [
      ['invoke', 'EnergyControl/setLimit', 'consumptionLimits=1'],
      /parameter: there is no 'consumptionLimits'; the closest is 'consumptionLimit'/,
    ],
    [['invoke', 'EnergyControl/setLimit', 'consumptionLimit=1'], /cause: is missing: cause=GRID_EMERGENCY\|/],
    [['invoke', 'EnergyControl/setLimit', 'cause=1', 'cause=2'], /cause: is given twice/],
    [['invoke', 'EnergyControl/setLimit', 'cause=LOCAL'], /cause: there is no 'LOCAL'; the closest is/],
    [['invoke', 'EnergyControl/setLimit', 'cause=null'], /cause: there is no 'null'/],
    [['invoke', 'EnergyControl/setLimit', 'cause=0', 'consumptionLimit=4kW'], /consumptionLimit: '4kW' is not a whole number of mW/],
    [['invoke', 'EnergyControl/setCurrentLimits', 'phases=A', 'direction=0', 'cause=0'], /phases: 'A' is not JSON/],
    [
      ['invoke', 'EnergyControl/setCurrentLimits', 'phases={"D":1}', 'direction=0', 'cause=0'],
      /phases: there is no 'D'; the closest is 'A'/,
    ],
    [['invoke', 'EnergyControl/setCurrentLimits', 'phases={"A":1.5}', 'direction=0', 'cause=0'], /phases.A: 1.5 is not a whole number/],
    [['invoke', 'EnergyControl/setCurrentLimits', 'phases=[1]', 'direction=0', 'cause=0'], /phases: an object is due/],
    [['invoke', 'Signals/sendPriceSignal', 'source=GRID', 'startTime=0', 'slots={}'], /slots: an array is due/],
    [
      ['invoke', 'Signals/sendPriceSignal', 'source=GRID', 'startTime=0', 'slots=[{"prise":1}]'],
      /slots\[0\]: there is no 'prise'; the closest is 'price'/,
    ],
    [['write', 'DeviceInfo/label'], /write: one value is due behind the path/],
    [['write', 'DeviceInfo/label', 'a', 'b'], /write: one value is due behind the path/],
    [['write', 'DeviceInfo/lable', 'a'], /attribute: 'lable' .*closest name is 'label'/],
    [['write', 'EnergyControl/acceptsLimits', 'yes'], /acceptsLimits: 'yes' is neither true nor false/],
    [['write', 'EnergyControl/failsafeDuration', 'null'], /failsafeDuration: 'null' is not a whole number/],
  ])('%j', async (argv, message) => {
    expect(await alone(...argv)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  });

  it('without a zone: exit code 3', async () => {
    for (const argv of [['invoke', 'EnergyControl/stop'], ['write', 'DeviceInfo/label', 'x'], ['zones-of'], ['remove-zone']])
      expect((await alone(...argv)).code).toBe(3);
  });
});

describe('with a device', () => {
  let lines: Lines;
  beforeEach(async () => {
    lines = await Lines.start();
    await lines.join('home');
  });
  afterEach(() => lines.close());

  it('invoke: names and numbers, typed parameters, maps in JSON', async () => {
    const named = await lines.go('invoke', '1/EnergyControl/setLimit', 'consumptionLimit=4200000', 'cause=local_optimization');
    expect(named).toMatchObject({ code: 0, out: expect.stringContaining('effectiveConsumptionLimit  4.2 kW') });
    const numbers = await lines.json('invoke', '1/5/1', 'consumptionLimit=null', 'cause=3');
    expect(numbers).toMatchObject({ code: 0, value: { feature: 'EnergyControl', command: 'setLimit', result: { applied: true } } });
    const phases = ['phases={"A":10000,"1":12000}', 'direction=CONSUMPTION', 'cause=3'];
    expect(await lines.go('invoke', 'EnergyControl/setCurrentLimits', ...phases)).toMatchObject({ code: 0 });
    expect((await lines.go('read', 'EnergyControl/effectiveCurrentLimitsConsumption')).out).toBe(
      'effectiveCurrentLimitsConsumption  A 10 A, B 12 A\n',
    );
    expect(await lines.json('read', 'EnergyControl/30')).toMatchObject({
      value: { endpoint: 1, values: { effectiveCurrentLimitsConsumption: { 0: 10_000, 1: 12_000 } } },
    });
  });

  it.each([
    [['invoke', '9/EnergyControl/stop'], 'UNKNOWN_ENDPOINT'],
    [['invoke', '0/EnergyControl/stop'], 'UNKNOWN_FEATURE'],
    [['invoke', 'Tariff/setTariff', 'tariffId=1', 'currency=EUR'], 'UNKNOWN_FEATURE'],
    [['invoke', 'EnergyControl/99'], 'UNKNOWN_COMMAND'],
    [['invoke', 'EnergyControl/setLimit', 'cause=9'], 'INVALID_PARAMETER'],
    [['invoke', 'EnergyControl/scheduleProcess'], 'UNSUPPORTED'],
    [['invoke', 'EnergyControl/setLimit', 'cause=3', 'consumptionLimit=-1'], 'INVALID_VALUE'],
    [['invoke', 'EnergyControl/setLimit', 'cause=3', 'consumptionLimit=1', 'duration=86401'], 'CONSTRAINT'],
    [['write', 'EnergyControl/controlState', 'LIMITED'], 'READ_ONLY'],
    [['write', '1/EnergyControl/4711', '1'], 'UNKNOWN_ATTRIBUTE'],
    [['write', 'EnergyControl/failsafeDuration', '1'], 'CONSTRAINT'],
    [['write', 'DeviceInfo/label', 'x'.repeat(65)], 'CONSTRAINT'],
  ])('%j is refused with the name %s: exit code 1', async (argv, status) => {
    expect(await lines.json(...argv)).toMatchObject({ code: 1, value: { error: { code: 'REFUSED', status } } });
  });

  it('write: what the device reads back', async () => {
    expect(await lines.go('write', 'DeviceInfo/label', 'Garage, left')).toMatchObject({ code: 0, out: 'label  Garage, left\n' });
    expect(await lines.json('write', '0/1/31', 'null')).toMatchObject({ value: { endpoint: 0, values: { label: null } } });
    const [device] = JSON.parse((await lines.go('devices', '--json')).out);
    const written = await lines.go('write', device.id, 'EnergyControl/failsafeConsumptionLimit', '4140000');
    expect(written).toMatchObject({ code: 0, out: 'failsafeConsumptionLimit  4.14 kW\n' });
  });

  it('zones-of lists the zones; remove-zone takes the device out of ours', async () => {
    await lines.join('grid');
    const listed = await lines.as('home', 'zones-of');
    expect(listed.out).toMatch(/^ZONE +TYPE +PRIORITY +CONNECTED\n/);
    expect(listed.out).toMatch(/^[\dA-F]{16} \(this\) +HOME_MANAGER +3 +yes$/m);
    expect(listed.out).toMatch(/^[\dA-F]{16} +GRID_OPERATOR +1 +no$/m);
    const [grid] = JSON.parse((await lines.as('grid', 'zones', '--json')).out);
    expect(await lines.as('home', 'remove-zone', grid.id)).toMatchObject({ code: 1, err: expect.stringContaining('CONSTRAINT') });
    expect(await lines.as('home', 'remove-zone', 'x')).toMatchObject({ code: 3, err: expect.stringContaining("no device 'x'") });
    expect(await lines.as('grid', 'remove-zone', '--json')).toMatchObject({ code: 0, out: expect.stringContaining('"removed":true') });
    expect(await lines.as('grid', 'devices', '--json')).toMatchObject({ code: 0, out: '[]\n' });
    const [device] = JSON.parse((await lines.as('home', 'devices', '--json')).out);
    expect(await lines.as('home', 'remove-zone', device.id, 'home')).toMatchObject({
      code: 2,
      err: expect.stringContaining('zone id of 16'),
    });
    expect(await lines.as('home', 'remove-zone', device.id, grid.id)).toMatchObject({
      code: 1,
      err: expect.stringContaining('UNKNOWN_COMMAND'),
    });
    expect(await lines.as('home', 'remove-zone', device.id)).toMatchObject({ code: 0, out: `${device.id} is in this zone no more\n` });
  });
});

describe('forced removal', () => {
  it('a higher zone removes a lower one: its folder keeps the device, which does not know it any more', async () => {
    const lines = await Lines.start({ set: { 'zones.forcedRemoval': 'on' } });
    try {
      await lines.join('home');
      await lines.join('grid');
      const [home] = JSON.parse((await lines.as('home', 'zones', '--json')).out);
      expect(await lines.as('grid', 'remove-zone', home.id)).toMatchObject({
        code: 0,
        out: expect.stringContaining(`zone ${home.id} no more`),
      });
      expect((await lines.as('grid', 'ping')).code).toBe(0);
      expect((await lines.as('home', 'ping')).code).not.toBe(0);
    } finally {
      await lines.close();
    }
  });
});
