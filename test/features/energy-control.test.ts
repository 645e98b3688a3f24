import { describe, expect, it } from 'vitest';
import type { CborValue } from '../../src/codec/cbor.js';
import { EnergyControl } from '../../src/features/energy-control.js';
import { CONFIG, DEFAULTS, GRID, MemoryJournal, RATINGS, settle } from '../failsafe/world.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const START = 1_790_000_000;

function feature(over: Partial<typeof CONFIG> = {}) {
  const clock = new VirtualClock(START * 1000);
  const control = new EnergyControl({
    config: { ...CONFIG, ...over },
    defaults: DEFAULTS,
    ratings: RATINGS,
    endpoint: 1,
    zones: [GRID],
    clock,
    journal: new MemoryJournal(),
    log: new MemoryLog(),
    control: { deviceType: 1, process: { ...CONFIG.process, optional: true, maxRunDuration: null, power: 3_000_000 } },
    now: () => (clock.wall() > 0 ? clock.wall() / 1000 : undefined),
    onTarget: () => {},
  });
  control.core.dispatch({ type: 'zoneConnected', zone: GRID });
  const invoke = async (command: number, parameters: Record<string, CborValue> = {}) =>
    (await control.invoke(command, new Map(Object.entries(parameters)), GRID))?.values;
  return { clock, control, invoke, read: (id: number) => control.read(id, GRID) };
}

describe('EnergyControl, commands on the wire', () => {
  it('ScheduleProcess, AdjustStartTime, CancelProcess: starts in Unix seconds', async () => {
    const { clock, control, invoke, read } = feature();
    control.core.dispatch({ type: 'process', event: { type: 'offered' } });
    expect(await invoke(12, { requestedStart: START + 300, processId: 1 })).toEqual(
      new Map<string, CborValue>([
        ['success', true],
        ['actualStart', START + 300],
        ['newState', 2],
      ]),
    );
    expect(await invoke(14, { requestedStart: START + 600 })).toEqual(
      new Map<string, CborValue>([
        ['success', true],
        ['actualStart', START + 600],
      ]),
    );
    // A clock that is set meanwhile moves nothing.
    clock.setWall(0);
    await clock.advance(600_000);
    expect(read(80)).toBe(3);
    expect(await invoke(13)).toEqual(
      new Map<string, CborValue>([
        ['success', true],
        ['newState', 6],
      ]),
    );
  });

  it('startDelay, and an absent start is at once', async () => {
    const { clock, control, invoke, read } = feature();
    control.core.dispatch({ type: 'process', event: { type: 'offered' } });
    expect((await invoke(12, { startDelay: 60 }))?.get('actualStart')).toBe(START + 60);
    await clock.advance(59_999);
    expect(read(80)).toBe(2);
    expect((await invoke(12))?.get('newState')).toBe(3);
  });

  it('while the clock was never set a start in wall time is 11, 0 is now, and no actualStart is told', async () => {
    const { clock, control, invoke, read } = feature();
    control.core.dispatch({ type: 'process', event: { type: 'offered' } });
    clock.setWall(0);
    await expect(invoke(12, { requestedStart: START })).rejects.toMatchObject({ status: 11 });
    expect(await invoke(12, { startDelay: 60 })).toEqual(
      new Map<string, CborValue>([
        ['success', true],
        ['newState', 2],
      ]),
    );
    await expect(invoke(14, { requestedStart: START })).rejects.toMatchObject({ status: 11 });
    expect(read(80)).toBe(2);
    await invoke(12, { requestedStart: 0 });
    expect(read(80)).toBe(3);
  });

  it('Pause before minRunDuration: success false with retryAfter', async () => {
    const { control, invoke } = feature({ process: { minRunDuration: 60, minPauseDuration: null, maxPauseDuration: null } });
    control.core.dispatch({ type: 'process', event: { type: 'demanded' } });
    expect(await invoke(9)).toEqual(
      new Map<string, CborValue>([
        ['success', false],
        ['applied', false],
        ['retryAfter', 60],
      ]),
    );
  });

  it('directions 0, 1, 2 and none', async () => {
    const { invoke, read } = feature();
    const phases = new Map([[0, 6000]]);
    await invoke(3, { phases, direction: 2, cause: 1 });
    expect([read(31), read(33)]).toEqual([phases, phases]);
    await invoke(4, { direction: 0 });
    expect([read(31), read(33)]).toEqual([null, phases]);
    await invoke(4);
    expect(read(33)).toBeNull();
  });

  it('reports what is listed alone, my* to its zone', async () => {
    const { control, invoke } = feature({ acceptsCurrentLimits: false });
    await settle();
    const reports: unknown[] = [];
    control.attach((ids, zone) => reports.push([ids, zone]));
    await invoke(1, { consumptionLimit: 1, cause: 1 });
    expect(reports).toEqual([
      [[2, 20], undefined],
      [[21], GRID.id],
    ]);
    expect(control.attributes).not.toContain(30);
    expect(control.commands).not.toContain(3);
  });
});
