import { describe, expect, it } from 'vitest';
import { simEvse } from '../../boards/sim-evse.js';
import type { DeviceIdentity } from '../../src/device/identity.js';
import { deviceModel } from '../../src/device/model.js';
import { DevicePower } from '../../src/device/power.js';
import { ConfigError } from '../../src/errors.js';
import type { BoardDefinition } from '../../src/model/board.js';
import { MemoryJournal } from '../failsafe/world.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const caller = { id: 'A', type: 3, priority: 3 };

function model(board: BoardDefinition) {
  const power = new DevicePower({
    board,
    stages: new Map(),
    clock: new VirtualClock(),
    journal: new MemoryJournal(),
    log: new MemoryLog(),
    now: () => undefined,
    steering: () => ({ surplus: () => null, worthwhile: () => undefined, planned: () => null, overridden: () => false }),
    refuses: () => false,
    setRelay: () => {},
    events: { onProcess: () => {}, onOverride: () => {}, onRatings: () => {}, onNeed: () => {} },
    onChanged: () => {},
  });
  return deviceModel({
    board,
    identity: { serialNumber: 'S1' } as DeviceIdentity,
    firmware: '1.0.0',
    zones: { count: 2, list: () => [], remove: () => Promise.reject(new Error('none')) },
    texts: { read: () => null, store: () => Promise.resolve() },
    deviceInfoNotifies: true,
    testControl: undefined,
    energy: new Map(),
    power: (endpoint) => power.features(endpoint),
    incentives: () => [],
  });
}

describe('the model of a board', () => {
  it('describes itself: DeviceInfo on endpoint 0, what the board has on the others', () => {
    const info = model(simEvse).endpoint(0)?.feature(1) ?? expect.fail('no DeviceInfo');
    expect(info.read(1, caller)).toBe('PEN4660.S1');
    expect(info.read(32, caller)).toBe(2);
    expect(info.read(20, caller)).toEqual([
      new Map<number, unknown>([
        [1, 0],
        [2, 0],
        [4, [1]],
      ]),
      new Map<number, unknown>([
        [1, 1],
        [2, 5],
        [3, 'EV Charger'],
        [4, [2, 3, 4]],
      ]),
    ]);
  });

  it('does not come about when a mandatory attribute is missing: the error names it', () => {
    const lacking = (change: object): BoardDefinition => ({
      ...simEvse,
      endpoints: simEvse.endpoints.map((endpoint) => (endpoint.id === 1 ? { ...endpoint, ...change } : endpoint)),
    });
    expect(() => model(lacking({ measures: [2, 3] }))).toThrow(ConfigError);
    expect(() => model(lacking({ measures: [2, 3] }))).toThrow(
      'board sim-evse, endpoint 1 (EV_CHARGER): Measurement.acActivePower is mandatory',
    );
    expect(() => model(lacking({ electrical: undefined }))).toThrow('Measurement.acActivePower is mandatory');
    expect(() => model(lacking({ featureMap: 0x000b }))).toThrow('endpoint 1: charging mode 3 needs Signals');
    expect(() => model(lacking({ featureMap: 0x001b }))).toThrow('endpoint 1: charging mode 4 needs Plan');
    expect(() => model({ ...simEvse, endpoints: simEvse.endpoints.slice(1) })).toThrow('endpoint 0 is missing');
    const electrical = { ...simEvse.endpoints[1]?.electrical, nominalVoltage: 24 };
    expect(() => model(lacking({ electrical }))).toThrow('Electrical.nominalVoltage: 24 is outside 85…600');
  });
});
