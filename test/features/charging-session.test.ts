import { beforeEach, describe, expect, it } from 'vitest';
import type { PowerStageReading, VehicleReading } from '../../hal/index.js';
import type { CborValue } from '../../src/codec/cbor.js';
import { mayDischarge } from '../../src/features/car.js';
import { ChargingSession } from '../../src/features/charging-session.js';
import type { Caller } from '../../src/model/feature.js';
import { MemoryJournal } from '../failsafe/world.js';
import { settle } from '../world/clock.js';

const CALLER: Caller = { id: 'A', type: 3, priority: 3 };
const CAR: VehicleReading = {
  demand: true,
  targetReached: false,
  energyCharged: 0,
  identifications: [{ type: 4, value: 'VIN' }],
  stateOfCharge: 50,
  capacity: 60_000_000,
  minimumStateOfCharge: 20,
  targetStateOfCharge: 80,
  bounds: {},
};

function reading(vehicle: VehicleReading | undefined, power = 0): PowerStageReading {
  return {
    phases: [{ active: power, reactive: 0, current: 0, voltage: 230_000 }],
    frequency: 50_000,
    energyConsumed: 0,
    energyProduced: 0,
    temperature: null,
    vehicle,
    process: undefined,
    override: undefined,
    fault: undefined,
  };
}

let session: ChargingSession;
let now: number | undefined;
let reported: number[][];
let journal: MemoryJournal;
let optedOut: boolean;
let modes: number;
const make = (supported: readonly number[] = [2], bidirectional = false): ChargingSession =>
  new ChargingSession({
    endpoint: 1,
    now: () => now,
    modes: supported,
    bidirectional,
    journal,
    refuses: () => optedOut,
    onMode: () => void modes++,
  });
beforeEach(() => {
  now = 1000;
  reported = [];
  journal = new MemoryJournal();
  optedOut = false;
  modes = 0;
  session = make();
  session.attach((ids) => void reported.push([...ids]));
});
const state = (): CborValue => session.read(1);
const see = (vehicle: VehicleReading | undefined, power = 0, fault = false): void =>
  session.update({ reading: reading(vehicle, power), fault });

describe('the state of a charging session (features.md §5)', () => {
  it('0 → 1 plugged: start now, end null, energies zeroed; any → 0 unplugged: end now, the car forgotten, energies kept', () => {
    see({ ...CAR, demand: false });
    expect([state(), session.read(3), session.read(4), session.read(10)]).toEqual([1, 1000, null, 0]);
    see({ ...CAR, energyCharged: 700 }, 5);
    now = 2000;
    see(undefined);
    expect([state(), session.read(3), session.read(4), session.read(10)]).toEqual([0, 1000, 2000, 700]);
    for (const id of [20, 30, 31, 32, 33, 41, 42, 43, 44]) expect(session.read(id)).toBeNull();
    expect(session.read(40)).toBe(0);
    now = 3000;
    see(CAR);
    expect([session.read(3), session.read(4), session.read(10)]).toEqual([3000, null, 0]);
  });

  it('10, 11: what went in and out of the car in this session, zeroed with the next', () => {
    session = make([], true);
    see({ ...CAR, energyCharged: 700, energyDischarged: 300 }, -5);
    expect([session.read(10), session.read(11)]).toEqual([700, 300]);
    see(undefined);
    expect([session.read(10), session.read(11)]).toEqual([700, 300]);
    see(CAR);
    expect([session.read(10), session.read(11)]).toEqual([0, 0]);
  });

  it('a clock that was never set gives no times', () => {
    now = undefined;
    see(CAR);
    see(undefined);
    expect([session.read(3), session.read(4)]).toEqual([null, null]);
  });

  it('1 ↔ 2 demand, 2 → 3 power in, 3 → 2 none, → 5 target reached, any ↔ 6 fault, 4 power out', () => {
    see(CAR);
    expect(state()).toBe(2);
    see({ ...CAR, demand: false });
    expect(state()).toBe(1);
    see(CAR, 7_000_000);
    expect(state()).toBe(3);
    see(CAR, 7_000_000, true);
    expect(state()).toBe(6);
    see(CAR, -1);
    expect(state()).toBe(4);
    see({ ...CAR, targetReached: true });
    expect(state()).toBe(5);
  });

  it('requests are distances from now, negative where energy may be taken out', () => {
    see(CAR);
    expect([session.read(41), session.read(42), session.read(43)]).toEqual([-18_000_000, 30_000_000, 18_000_000]);
    see({ ...CAR, stateOfCharge: null });
    expect([session.read(41), session.read(42), session.read(43), session.read(40)]).toEqual([null, null, null, 0]);
  });

  it('60–62: seconds to the minimum, target and full charge at the present power, in whole minutes; 0 reached, null unknown', () => {
    const estimates = () => [session.read(60), session.read(61), session.read(62)];
    see(CAR, 11_000_000);
    // 18 kWh and 30 kWh at 11 kW.
    expect(estimates()).toEqual([0, 5940, 9840]);
    see(CAR, 0);
    expect(estimates()).toEqual([0, null, null]);
    see({ ...CAR, stateOfCharge: null }, 11_000_000);
    expect(estimates()).toEqual([null, null, null]);
    see({ ...CAR, stateOfCharge: 100 }, 0);
    expect(estimates()).toEqual([0, 0, 0]);
    see(undefined);
    expect(estimates()).toEqual([null, null, null]);
  });

  it('reports what changed and nothing else', () => {
    see(CAR);
    reported.length = 0;
    see(CAR);
    expect(reported).toEqual([]);
    see({ ...CAR, energyCharged: 5 });
    expect(reported).toEqual([[10]]);
  });
});

describe('SetChargingMode (features.md §5)', () => {
  const set = async (parameters: Record<string, CborValue>) => {
    const given = new Map(Object.entries(parameters));
    session.authorize(1, given, CALLER);
    return Object.fromEntries((await session.invoke(1, given)).values ?? []);
  };

  it('takes OFF always, and what the charger supports; a delay not named stays', async () => {
    expect(await set({ mode: 0 })).toEqual({ success: true, activeMode: 0 });
    expect(await set({ mode: 2, surplusThreshold: 1_000_000, startDelay: 30 })).toEqual({ success: true, activeMode: 2 });
    expect([session.read(70), session.read(71), session.read(72), session.read(80), session.read(81)]).toEqual([
      2,
      [0, 2],
      1_000_000,
      30,
      0,
    ]);
    reported.length = 0;
    expect(await set({ mode: 0 })).toMatchObject({ success: true });
    expect([session.read(72), session.read(80)]).toEqual([null, 30]);
    expect(reported).toEqual([[70, 72]]);
    expect(modes).toBe(3);
  });

  it('refuses another mode, or the threshold mode without threshold, in its result', async () => {
    expect(await set({ mode: 3 })).toEqual({ success: false, activeMode: 0, reason: expect.any(String) as string });
    expect(await set({ mode: 2 })).toEqual({ success: false, activeMode: 0, reason: expect.any(String) as string });
    expect([session.read(70), modes, journal.commits]).toEqual([0, 0, 0]);
  });

  it.each([
    ['a delay beyond an hour', { mode: 2, surplusThreshold: 1, stopDelay: 3601 }],
    ['a start delay beyond an hour', { mode: 0, startDelay: 3601 }],
    ['a negative threshold', { mode: 2, surplusThreshold: -1 }],
  ])('%s is status 11 and changes nothing', async (_name, parameters) => {
    await expect(set(parameters)).rejects.toMatchObject({ status: 11 });
    expect([session.read(70), session.read(80), modes]).toEqual([0, 0, 0]);
  });

  it('opted out: 8, before values are judged', async () => {
    optedOut = true;
    await expect(set({ mode: 0, startDelay: 3601 })).rejects.toMatchObject({ status: 8 });
  });

  it('is in the journal before it holds, and survives a restart', async () => {
    journal.failing = true;
    await expect(set({ mode: 2, surplusThreshold: 5 })).rejects.toThrow('medium refuses');
    expect([session.read(70), modes]).toEqual([0, 0]);
    journal.failing = false;
    await set({ mode: 2, surplusThreshold: 5, startDelay: 60, stopDelay: 3600 });
    session = make();
    expect([session.read(70), session.read(72), session.read(80), session.read(81)]).toEqual([2, 5, 60, 3600]);
    // A firmware without that mode.
    expect(make([1]).read(70)).toBe(0);
  });

  it('two at once: the second keeps what the first has set', async () => {
    journal.slow = true;
    const both = [set({ mode: 0, startDelay: 7 }), set({ mode: 0, stopDelay: 9 })];
    await settle();
    journal.release();
    await Promise.all(both);
    expect([session.read(80), session.read(81)]).toEqual([7, 9]);
  });
});

describe('discharge (features.md §5): 50 < 0, 51 ≥ 0 and (43 ≤ 0 or 52)', () => {
  const discharge = (minimumRequest: number, maximumRequest: number, belowTargetPermitted: boolean, stateOfCharge: number | null = 50) => ({
    ...CAR,
    stateOfCharge,
    discharge: { minimumRequest, maximumRequest, belowTargetPermitted },
  });

  it.each([
    [true, discharge(-1, 0, true)],
    [true, discharge(-1, 0, false, 80)],
    [true, discharge(-1, 0, false, 90)],
    [false, discharge(-1, 0, false, 79)],
    [false, discharge(0, 0, true)],
    [false, discharge(-1, -1, true)],
    [false, discharge(-1, 0, false, null)],
    [false, CAR],
    [false, undefined],
  ])('%s for %j', (may, vehicle) => {
    expect(mayDischarge(vehicle)).toBe(may);
  });

  it('50–52 are listed by bidirectional boards alone', () => {
    expect(session.attributes).not.toContain(50);
    session = make([], true);
    see(discharge(-5, 6, true));
    expect([session.read(50), session.read(51), session.read(52), session.read(40)]).toEqual([-5, 6, true, 4]);
    see(undefined);
    expect([session.read(50), session.read(51), session.read(52), session.read(40)]).toEqual([null, null, null, 0]);
  });
});

describe('features.md §5, the states of a session: from each to each, and nothing remembered that is not due', () => {
  const CAUSES: readonly (readonly [number, () => void])[] = [
    [0, () => see(undefined)],
    [1, () => see({ ...CAR, demand: false })],
    [2, () => see(CAR)],
    [3, () => see(CAR, 1_000_000)],
    [4, () => see(CAR, -1_000_000)],
    [5, () => see({ ...CAR, targetReached: true }, 1_000_000)],
    [6, () => see(CAR, 0, true)],
  ];
  for (const [from, before] of CAUSES)
    for (const [to, cause] of CAUSES)
      it(`${from} → ${to}`, () => {
        before();
        expect(state()).toBe(from);
        now = 2000;
        reported = [];
        cause();
        expect(state()).toBe(to);
        expect(reported.flat().includes(1)).toBe(from !== to);
        // A session begins with the plug and ends with it, whatever lies between.
        expect([session.read(3), session.read(4)]).toEqual(from === 0 ? [to === 0 ? null : 2000, null] : [1000, to === 0 ? 2000 : null]);
      });
});
