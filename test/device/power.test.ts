import { beforeEach, describe, expect, it } from 'vitest';
import { simEvse } from '../../boards/sim-evse.js';
import { simHeatPump } from '../../boards/sim-heat-pump.js';
import type { PowerOrder, PowerStage, PowerStageReading, VehicleReading } from '../../hal/index.js';
import { DevicePower } from '../../src/device/power.js';
import type { StageTarget } from '../../src/failsafe/stage-target.js';
import type { BoardDefinition } from '../../src/model/board.js';
import { MemoryJournal } from '../failsafe/world.js';
import { VirtualClock } from '../world/clock.js';
import { MemoryLog } from '../world/log.js';

const CALLER = { id: 'A', type: 3, priority: 3 };
const FREE: StageTarget = {
  ceiling: [null, null],
  phaseCeiling: [null, null],
  beneath: [null, null],
  setpoint: [null, null],
  phaseSetpoint: [null, null],
  paused: false,
  aborted: false,
  running: false,
};
const REST: PowerStageReading = {
  phases: [{ active: 0, reactive: 0, current: 0, voltage: 230_000 }],
  frequency: 50_000,
  energyConsumed: 0,
  energyProduced: 0,
  temperature: null,
  vehicle: undefined,
  process: 'resting',
  override: undefined,
  fault: undefined,
};

const CAR: VehicleReading = {
  demand: true,
  targetReached: false,
  energyCharged: 0,
  identifications: null,
  stateOfCharge: null,
  capacity: null,
  minimumStateOfCharge: null,
  targetStateOfCharge: null,
  bounds: {},
};

class FakeStage implements PowerStage {
  readonly orders: PowerOrder[] = [];
  reading: PowerStageReading = REST;
  closed = false;
  #listener: () => void = () => undefined;

  apply(order: PowerOrder): void {
    this.orders.push(order);
  }
  read(): PowerStageReading {
    return this.reading;
  }
  watch(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = () => undefined;
    };
  }
  close(): void {
    this.closed = true;
  }
  /** Something changes by itself; `tells`: the stage says so. */
  change(reading: Partial<PowerStageReading>, tells = true): void {
    this.reading = { ...this.reading, ...reading };
    if (tells) this.#listener();
  }
}

const drawing = (active: number): Partial<PowerStageReading> => ({ phases: [{ active, reactive: 0, current: 1, voltage: 230_000 }] });

let clock: VirtualClock;
let stages: Map<number, FakeStage>;
let relay: boolean[];
let told: unknown[][];
let power: DevicePower;
beforeEach(() => {
  clock = new VirtualClock();
  stages = new Map([
    [1, new FakeStage()],
    [2, new FakeStage()],
  ]);
  relay = [];
  told = [];
  const pump = simHeatPump.endpoints[1] ?? expect.fail('no endpoint');
  power = started({ ...simEvse, endpoints: [...simEvse.endpoints, { ...pump, id: 2 }] });
});

function started(board: BoardDefinition): DevicePower {
  const made = new DevicePower({
    board,
    stages,
    clock,
    journal: new MemoryJournal(),
    log: new MemoryLog(),
    now: () => undefined,
    steering: () => ({ surplus: () => null, worthwhile: () => undefined, planned: () => null, overridden: () => false }),
    refuses: () => false,
    setRelay: (closed) => relay.push(closed),
    events: {
      onProcess: (endpoint, event) => told.push([endpoint, event]),
      onOverride: (endpoint, cause) => told.push([endpoint, cause]),
      onRatings: (endpoint, { maxCurrent }) => told.push([endpoint, maxCurrent]),
      onNeed: () => {},
    },
    onChanged: () => {},
  });
  made.start((endpoint) => (endpoint === 1 ? { ...FREE, beneath: [7, null] } : FREE));
  return made;
}

const stage = (id: number): FakeStage => stages.get(id) ?? expect.fail('no stage');
const read = (endpoint: number, feature: string, id: number) =>
  power
    .features(endpoint)
    .find(({ schema }) => schema.name === feature)
    ?.read(id, CALLER);

describe('power stages (features.md §1: at the power stage ≤ 1 s)', () => {
  it('each is ordered what its own endpoint may, at start and in the turn of a new target', () => {
    expect([stage(1).orders.at(-1)?.ceiling, stage(2).orders.at(-1)?.ceiling]).toEqual([7, null]);
    const before = stage(1).orders.length;
    power.obey(2, { ...FREE, beneath: [5, null], paused: true, running: true });
    expect(stage(2).orders.at(-1)).toMatchObject({ ceiling: 5, paused: true, aborted: false, running: true });
    expect(stage(1).orders.length).toBe(before);
  });

  it('a setpoint is what is ordered where there is one', () => {
    power.obey(2, { ...FREE, beneath: [5, null], setpoint: [3, null] });
    expect(stage(2).orders.at(-1)?.ceiling).toBe(3);
  });

  it('the contactor is closed while any of them draws; together they are what the status shows', () => {
    stage(1).change(drawing(1000));
    stage(2).change(drawing(500));
    expect([relay, power.power]).toEqual([[true], 1500]);
    stage(1).change(drawing(0));
    expect(relay).toEqual([true]);
    stage(2).change(drawing(0));
    expect([relay, power.power]).toEqual([[true, false], 0]);
  });

  it('what changes without a word shows within a second, on its endpoint alone', async () => {
    stage(2).change({ ...drawing(800), temperature: 4321 }, false);
    await clock.advance(1000);
    expect([read(2, 'Measurement', 1), read(2, 'Measurement', 60), read(2, 'Status', 1)]).toEqual([800, 4321, 4]);
    expect([read(1, 'Measurement', 1), read(1, 'Status', 1)]).toEqual([0, 2]);
  });

  it('process, override and ratings are told once each, for their endpoint', async () => {
    stage(2).change({ process: 'offered' });
    stage(2).change({ override: { reason: 1, direction: 0 } });
    await clock.advance(3000);
    stage(2).change({ override: undefined, process: 'finished' });
    stage(2).change({ process: 'resting' });
    expect(told).toEqual([
      [2, 'offered'],
      [2, { reason: 1, direction: 0 }],
      [2, undefined],
      [2, 'finished'],
      [2, 'withdrawn'],
      [2, 'cleared'],
    ]);
  });

  it('a process that was finished while it was paused is finished when it goes on', () => {
    stage(2).change({ process: 'finished' });
    power.obey(2, { ...FREE, paused: true });
    told.length = 0;
    power.obey(2, { ...FREE, running: true });
    expect(told).toEqual([[2, 'finished']]);
    power.obey(2, FREE);
    expect(told).toHaveLength(1);
  });

  it('phases carry their setpoint, else their ceiling', () => {
    const ceiling = new Map([0, 1, 2].map((phase) => [phase, 10_000]));
    power.obey(2, { ...FREE, phaseCeiling: [ceiling, null], phaseSetpoint: [new Map([[1, 6000]]), null] });
    expect(stage(2).orders.at(-1)?.phaseLimits).toEqual([10_000, 6000, 10_000]);
  });

  it('what may be taken out of a car: the least of the setpoints in production, of the whole and of the phases, and the ceiling', () => {
    void power.close();
    const endpoints = simEvse.endpoints.map((endpoint) =>
      endpoint.electrical === undefined ? endpoint : { ...endpoint, electrical: { ...endpoint.electrical, directions: 2 } },
    );
    power = started({ ...simEvse, endpoints });
    const discharge = { minimumRequest: -1, maximumRequest: 0, belowTargetPermitted: true };
    stage(1).change({ vehicle: { ...CAR, discharge } });
    const ordered = (target: Partial<StageTarget>): number | undefined => {
      power.obey(1, { ...FREE, ...target });
      return stage(1).orders.at(-1)?.discharge;
    };
    expect(ordered({})).toBe(0);
    expect(ordered({ beneath: [null, 5_000_000], setpoint: [null, 3_000_000] })).toBe(3_000_000);
    const phaseSetpoint: StageTarget['phaseSetpoint'] = [null, new Map([0, 1].map((phase) => [phase, 6000]))];
    expect(ordered({ phaseSetpoint })).toBe(2 * 6000 * 230);
    expect(ordered({ phaseSetpoint, setpoint: [null, 2_000_000] })).toBe(2_000_000);
    expect(ordered({ phaseSetpoint, beneath: [null, 1_000_000] })).toBe(1_000_000);
    stage(1).change({ vehicle: CAR });
    expect(ordered({ phaseSetpoint })).toBeUndefined();
  });

  it('Status, the first that holds: FAULT, PAUSED, RUNNING, STANDBY; 2–4 are null without a fault', () => {
    const status = () => [1, 2, 3, 4].map((id) => read(2, 'Status', id));
    stage(2).change({ ...drawing(800), fault: { code: 9, message: 'low pressure', detail: 3 } });
    power.obey(2, { ...FREE, paused: true });
    expect(status()).toEqual([7, 3, 9, 'low pressure']);
    stage(2).change({ fault: undefined });
    expect(status()).toEqual([5, null, null, null]);
    power.obey(2, FREE);
    expect(status()).toEqual([4, null, null, null]);
    stage(2).change(drawing(0));
    expect(status()).toEqual([2, null, null, null]);
  });

  it('features.md §5: null = unknown now: a meter that tells nothing; energies do not fall when it tells again', () => {
    stage(2).change({ ...drawing(800), energyConsumed: 5, temperature: 4321 });
    expect([1, 3, 10, 24, 30, 60].map((id) => read(2, 'Measurement', id))).toEqual([800, 800, new Map([[0, 800]]), 1000, 0, 4321]);
    stage(2).change({ metered: false });
    expect([1, 3, 10, 24, 30, 60].map((id) => read(2, 'Measurement', id))).toEqual([null, null, null, null, null, null]);
    expect(relay).toEqual([true]);
    stage(2).change({ metered: true });
    expect([1, 30].map((id) => read(2, 'Measurement', id))).toEqual([800, 0]);
  });

  it('closed, every stage is told to stop and nobody looks any more', async () => {
    await power.close();
    expect([stage(1).closed, stage(2).closed, clock.pending()]).toEqual([true, true, []]);
    stage(1).change(drawing(1000));
    expect(relay).toEqual([]);
  });
});
