import { describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { CHARGING_SESSION } from '../../src/features/charging-session-table.js';
import { ENERGY_CONTROL } from '../../src/features/energy-control-table.js';
import { MEASUREMENT } from '../../src/features/measurement-table.js';
import { STATUS } from '../../src/features/status-table.js';
import type { Caller, CommandOutcome, FeatureInstance } from '../../src/model/feature.js';
import { DeviceModel } from '../../src/model/model.js';
import type { FeatureSchema } from '../../src/model/schema.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { parseEnableKey } from '../../src/test-control/enable-key.js';
import type { TestHost, TestZone } from '../../src/test-control/host.js';
import { TestCommand } from '../../src/test-control/table.js';
import { TestControl } from '../../src/test-control/test-control.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const KEY = '0123456789abcdef0123456789ABCDEF';
const TEST: Caller = { id: 'test', type: 0, priority: 4 };
const NOW = 1_790_000_000;
const ZONES: readonly TestZone[] = [
  { id: 'test', type: 0, connected: true, subscriptions: 2, failsafe: 'idle' },
  { id: 'grid', type: 1, connected: true, subscriptions: 0, failsafe: 'idle' },
  { id: 'local', type: 3, connected: false, subscriptions: 0, failsafe: 'running' },
];

class Plain implements FeatureInstance {
  readonly commands = [1];
  readonly schema: FeatureSchema;
  readonly attributes: readonly number[];
  report: ((ids: readonly number[]) => void) | undefined;
  constructor(schema: FeatureSchema, attributes: readonly number[]) {
    this.schema = schema;
    this.attributes = attributes;
  }
  attach(report: (ids: readonly number[]) => void): void {
    this.report = report;
  }
  read(id: number): CborValue {
    return 90 + id;
  }
  write(): void {
    // Nothing is kept: what is read stays.
  }
  invoke(): CommandOutcome {
    return { values: new Map([['applied', true]]) };
  }
}

function world() {
  const calls: string[] = [];
  const clock = new VirtualClock();
  const call = (name: string) => (): void => void calls.push(name);
  let preOperational = 2;
  let duration: number | undefined;
  let clockOffset = 0;
  const host: TestHost = {
    zones: ZONES,
    windowOpen: true,
    openWindow: call('openWindow'),
    closeWindow: call('closeWindow'),
    setWindowDuration: (given) => {
      duration = given;
      calls.push(`window ${given}`);
    },
    get clockOffset() {
      return clockOffset;
    },
    set clockOffset(seconds) {
      clockOffset = seconds;
      calls.push(`clock ${seconds}`);
    },
    failedAttempts: 3,
    resetPace: call('resetPace'),
    resetCommissioning: call('resetCommissioning'),
    resetEnergy: call('resetEnergy'),
    removeZone: async (id) => void calls.push(`remove ${id}`),
    closePreOperational: () => {
      calls.push('closePreOperational');
      return preOperational;
    },
    get preOperational() {
      return preOperational;
    },
    dropSubscriptions: call('dropSubscriptions'),
    restartPairing: call('restartPairing'),
    pairing: true,
    slotFree: true,
    reference: false,
    clock,
    now: () => NOW,
  };
  const log = new MemoryLog();
  const control = new TestControl({ enableKey: parseEnableKey(KEY, 'key'), crypto: nodeCrypto(), log });
  const inner = {
    status: new Plain(STATUS, [1, 2, 3, 4]),
    meter: new Plain(MEASUREMENT, [1, 2]),
    energy: new Plain(ENERGY_CONTROL, [2, 20, 80]),
    session: new Plain(CHARGING_SESSION, [1, 3, 4, 10, 30]),
    other: new Plain(STATUS, [1, 2, 3, 4]),
  };
  const wrapped = [inner.status, inner.meter, inner.energy, inner.session].map((one) => control.wrap(one));
  const endpoints = [
    { id: 0, type: 0, featureMap: 0, features: [control] },
    { id: 1, type: 5, featureMap: 0, features: wrapped },
    { id: 2, type: 5, featureMap: 0, features: [control.wrap(inner.other)] },
  ];
  const model = new DeviceModel(endpoints);
  const told: string[] = [];
  model.onChange((feature, ids) => told.push(`${feature.endpoint}/${feature.schema.name} ${ids.join(',')}`));
  control.bind(host);
  const value = (endpoint: number, feature: number, id: number): CborValue | undefined =>
    model.endpoint(endpoint)?.feature(feature)?.read(id, TEST);
  const invoke = (command: number, parameters: Record<string, CborValue>, caller = TEST): Promise<CommandOutcome | undefined> =>
    control.invoke(command, new Map(Object.entries(parameters)), caller);
  const trigger = (eventTrigger: number): Promise<CommandOutcome | undefined> => invoke(1, { enableKey: KEY, eventTrigger });
  const energy = wrapped[2] as FeatureInstance;
  return {
    clock,
    calls,
    control,
    energy,
    inner,
    told,
    value,
    invoke,
    trigger,
    log,
    duration: () => duration,
    idle: () => (preOperational = 0),
  };
}

const opcode = (domain: number, form: number, low: number): number => domain * 2 ** 48 + form * 2 ** 32 + (low >>> 0);

describe('TestControl: who may', () => {
  it.each([1, 2, 3, 4])(
    'TC-TESTCTRL-ZONE-001: a zone of type %i gets NOT_AUTHORIZED for every command, before the key is looked at',
    async (type) => {
      const { invoke, calls } = world();
      const caller = { id: 'other', type, priority: 1 };
      for (const command of Object.values(TestCommand))
        for (const enableKey of [KEY, 'bogus']) {
          const given = { enableKey, eventTrigger: opcode(1, 0, 4), durationSeconds: 10 };
          await expect(invoke(command, given, caller)).rejects.toMatchObject({ status: 8 });
        }
      expect(calls).toEqual([]);
    },
  );

  it.each(['', 'bogus', KEY.toLowerCase(), `${KEY} `])('another key (%j) is INVALID_COMMAND for every command', async (enableKey) => {
    const { invoke, calls } = world();
    for (const command of Object.values(TestCommand)) {
      const refused = invoke(command, { enableKey, eventTrigger: opcode(1, 0, 4), durationSeconds: 10 });
      await expect(refused).rejects.toMatchObject({ status: 4, message: 'invalid enable key' });
    }
    expect(calls).toEqual([]);
  });

  it.each([
    ['', 'an enable key has 32 hexadecimal digits'],
    ['0123', 'an enable key has 32 hexadecimal digits'],
    [`${KEY}0`, 'an enable key has 32 hexadecimal digits'],
    ['g'.repeat(32), 'an enable key has 32 hexadecimal digits'],
    ['0'.repeat(32), 'an enable key of zeros enables nothing'],
  ])('the key %j enables nothing', (text, message) => {
    expect(() => parseEnableKey(text, '--enable-key')).toThrow(`--enable-key: ${message}`);
  });

  it('says that triggers are enabled, and each of them loudly in the log', async () => {
    const { control, trigger, log } = world();
    expect(control.read()).toBe(true);
    await trigger(opcode(2, 0, 1));
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'test trigger', fields: { trigger: '0x0002000000000001' } }]);
  });
});

describe('TestControl: triggers that set attributes', () => {
  const rows: readonly (readonly [string, number, number, Readonly<Record<number, CborValue>>])[] = [
    ['Fault', opcode(2, 0, 1), STATUS.id, { 1: 7, 3: 1, 4: 'Test trigger fault' }],
    ['ClearFault', opcode(2, 0, 2), STATUS.id, { 1: 4, 3: null, 4: null }],
    ['Standby', opcode(2, 0, 3), STATUS.id, { 1: 2 }],
    ['Running', opcode(2, 0, 4), STATUS.id, { 1: 4 }],
    ['SetPower100', opcode(4, 0, 1), MEASUREMENT.id, { 1: 100_000 }],
    ['SetPower1000', opcode(4, 0, 2), MEASUREMENT.id, { 1: 1_000_000 }],
    ['SetPowerZero', opcode(4, 0, 3), MEASUREMENT.id, { 1: 0 }],
    ['SetPowerCustom', opcode(4, 1, 7_400_000), MEASUREMENT.id, { 1: 7_400_000 }],
    ['SetPowerCustom, negative', opcode(4, 1, -5), MEASUREMENT.id, { 1: -5 }],
    ...[0, 1, 2, 3, 4].map((state) => [`ControlState ${state}`, opcode(5, 0, state + 1), ENERGY_CONTROL.id, { 2: state }] as const),
    ...[0, 1, 2, 3, 4, 5, 6].map(
      (state) => [`ProcessState ${state}`, opcode(5, 0, 0x10 + state), ENERGY_CONTROL.id, { 80: state }] as const,
    ),
    ['EVPlugIn', opcode(6, 0, 1), CHARGING_SESSION.id, { 1: 1, 3: NOW }],
    ['EVUnplug', opcode(6, 0, 2), CHARGING_SESSION.id, { 1: 0, 4: NOW }],
    ['EVRequestCharge', opcode(6, 0, 3), CHARGING_SESSION.id, { 1: 2 }],
  ];

  it.each(rows)('%s sets just what it names, of the first endpoint, and subscribers are told', async (_name, trigger, feature, values) => {
    const { value, told, trigger: fire, inner } = world();
    expect(await fire(trigger)).toBeUndefined();
    const instance = Object.values(inner).find(({ schema }) => schema.id === feature) as Plain;
    for (const id of instance.attributes) expect([id, value(1, feature, id)]).toEqual([id, id in values ? values[id] : 90 + id]);
    expect(value(2, STATUS.id, 1)).toBe(91);
    expect(told).toEqual([`1/${instance.schema.name} ${Object.keys(values).join(',')}`]);
  });

  it.each([
    ['SetSoC50', opcode(4, 0, 0x10)],
    ['SetSoC100', opcode(4, 0, 0x11)],
  ])('%s is refused where no endpoint lists the attribute', async (_name, trigger) => {
    const { trigger: fire, told } = world();
    await expect(fire(trigger)).rejects.toMatchObject({ status: 4 });
    expect(told).toEqual([]);
  });

  it.each([
    ['0', 0],
    ['an unknown opcode', opcode(2, 0, 5)],
    ['an unknown domain', opcode(3, 0, 1)],
    ['an unknown form', opcode(2, 2, 1)],
    ['a value where there is none', opcode(5, 1, 1)],
  ])('%s is no trigger', async (_name, trigger) => {
    await expect(world().trigger(trigger)).rejects.toMatchObject({ status: 4, message: 'unknown event trigger' });
  });
});

describe('TestControl: how long a forced value holds', () => {
  const energy = (control: ReturnType<typeof world>): FeatureInstance => control.energy;
  it.each<[string, (device: ReturnType<typeof world>) => unknown]>([
    ['command', (device) => energy(device).invoke?.(1, new Map([['cause', 3]]), TEST)],
    ['write', (device) => energy(device).write?.(new Map([[21, 5]]), TEST)],
    ['change', (device) => device.inner.energy.report?.([20])],
  ])('of EnergyControl: until its next %s', async (_what, end) => {
    const device = world();
    await device.trigger(opcode(5, 0, 4));
    expect(device.value(1, ENERGY_CONTROL.id, 2)).toBe(3);
    await end(device);
    expect(device.value(1, ENERGY_CONTROL.id, 2)).toBe(92);
    expect(device.told.slice(0, 2)).toEqual(['1/EnergyControl 2', '1/EnergyControl 2']);
  });

  it('SetLimit is refused while OVERRIDE is forced, but for causes 0 and 2, as the reference judges it', async () => {
    const device = world();
    await device.trigger(opcode(5, 0, 5));
    const refused = await energy(device).invoke?.(1, new Map([['cause', 3]]), TEST);
    expect(refused?.values).toEqual(
      new Map<string, unknown>([
        ['applied', false],
        ['controlState', 4],
        ['rejectReason', 3],
      ]),
    );
    expect(device.value(1, ENERGY_CONTROL.id, 2)).toBe(4);
    const protective = await energy(device).invoke?.(1, new Map([['cause', 0]]), TEST);
    expect(protective?.values).toEqual(new Map([['applied', true]]));
    expect(device.value(1, ENERGY_CONTROL.id, 2)).toBe(92);
  });

  it('features.md §5: of Status: until the process changes it, the fault of a trigger with it', async () => {
    const { trigger, value, inner } = world();
    await trigger(opcode(2, 0, 1));
    expect([1, 3].map((id) => value(1, STATUS.id, id))).toEqual([7, 1]);
    inner.status.report?.([1]);
    expect([1, 3].map((id) => value(1, STATUS.id, id))).toEqual([91, 93]);
  });

  it('of the others: until it is set again', async () => {
    const { trigger, value, inner } = world();
    await trigger(opcode(4, 0, 1));
    inner.meter.report?.([1]);
    expect(value(1, MEASUREMENT.id, 1)).toBe(100_000);
    await trigger(opcode(4, 0, 3));
    expect(value(1, MEASUREMENT.id, 1)).toBe(0);
  });
});

describe('TestControl: the device', () => {
  it('EnterCommissioningMode and ExitCommissioningMode forget failed attempts and move the window', async () => {
    const { trigger, calls } = world();
    await trigger(opcode(1, 0, 1));
    await trigger(opcode(1, 0, 2));
    expect(calls).toEqual(['resetPace', 'openWindow', 'resetPace', 'closeWindow']);
  });

  it('AdjustClock takes a signed number of seconds', async () => {
    const { trigger, calls } = world();
    for (const seconds of [400, -400, 0]) await trigger(opcode(1, 1, seconds));
    expect(calls).toEqual(['clock 400', 'clock -400', 'clock 0']);
  });

  it('FactoryReset removes every zone, after the response', async () => {
    const { trigger, calls } = world();
    const outcome = await trigger(opcode(1, 0, 3));
    expect(calls).toEqual([]);
    outcome?.afterResponse?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual(['remove test', 'remove grid', 'remove local']);
  });

  it('setCommissioningWindowDuration keeps within 3…10 800 s', async () => {
    const { invoke, calls } = world();
    for (const durationSeconds of [0, 3, 60, 10_800, 4_000_000_000]) await invoke(2, { enableKey: KEY, durationSeconds });
    expect(calls).toEqual(['window 3000', 'window 3000', 'window 60000', 'window 10800000', 'window 10800000']);
  });

  it('ResetTestState does all of it, in its order, and keeps TEST zones and connected ones', async () => {
    const { trigger, calls, value, idle } = world();
    idle();
    await trigger(opcode(2, 0, 1));
    await trigger(opcode(1, 1, 77));
    calls.length = 0;
    await trigger(opcode(1, 0, 4));
    expect(calls).toEqual([
      'remove local',
      'resetEnergy',
      'clock 0',
      'closeWindow',
      'window undefined',
      'resetCommissioning',
      'openWindow',
      'closePreOperational',
      'dropSubscriptions',
      'restartPairing',
    ]);
    for (const endpoint of [1, 2]) expect([1, 3, 4].map((id) => value(endpoint, STATUS.id, id))).toEqual([2, null, null]);
    expect([value(1, MEASUREMENT.id, 1), value(1, CHARGING_SESSION.id, 1)]).toEqual([0, 0]);
    expect([value(1, ENERGY_CONTROL.id, 2), value(1, ENERGY_CONTROL.id, 80)]).toEqual([0, 0]);
    // features.md §5: car data stay.
    expect(value(1, CHARGING_SESSION.id, 30)).toBe(120);
  });

  it('ResetTestState waits 100 ms where connections were closed, and for nothing where none were', async () => {
    const { trigger, idle, clock } = world();
    const reset = trigger(opcode(1, 0, 4));
    await clock.advance(0);
    expect(clock.pending()).toEqual([{ name: 'closed connections', at: 100 }]);
    await clock.advance(100);
    await reset;
    idle();
    await trigger(opcode(1, 0, 4));
    expect(clock.pending()).toEqual([]);
  });

  it('getTestState shows the device, and leaves out what no endpoint has', async () => {
    const { invoke, trigger } = world();
    await trigger(opcode(5, 0, 4));
    const { values } = (await invoke(3, { enableKey: KEY })) ?? {};
    expect(values).toEqual(
      new Map<string, unknown>([
        ['zone_count', 3],
        [
          'zones',
          [
            new Map<string, unknown>([
              ['id', 'test'],
              ['type', 3],
              ['priority', 3],
              ['connected', true],
              ['has_session', true],
              ['subscriptions', 2],
            ]),
            new Map<string, unknown>([
              ['id', 'grid'],
              ['type', 1],
              ['priority', 1],
              ['connected', true],
              ['has_session', true],
              ['subscriptions', 0],
            ]),
            new Map<string, unknown>([
              ['id', 'local'],
              ['type', 2],
              ['priority', 2],
              ['connected', false],
            ]),
          ],
        ],
        [
          'failsafe_timers',
          new Map([
            ['grid', 'idle'],
            ['local', 'running'],
          ]),
        ],
        ['clock_offset_s', 0],
        ['commissioning_open', true],
        ['auto_reentry', false],
        ['pairing_active', true],
        ['active_conns', 2],
        ['conn_tracker_count', 2],
        ['pase_failed_attempts', 3],
        ['status_operating_state', 91],
        ['ec_control_state', 3],
        ['ec_process_state', 170],
        ['charging_state', 91],
        ['measurement_power', 91],
      ]),
    );
  });
});
