import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Car, type ChargerRating, SimulatedCharger } from '../../boards/sim/charger.js';
import { type HeatPumpRating, SimulatedHeatPump } from '../../boards/sim/heat-pump.js';
import type { PowerOrder } from '../../hal/index.js';

const HOUR = 3_600_000;
const RATING: ChargerRating = { phases: 3, voltage: 230, minimumCurrent: 6000, maximumCurrent: 16_000 };
const CAR: Car = { capacity: 60_000_000, stateOfCharge: 20, target: 80, maximumCurrent: 16_000, phases: 3 };
const FREE: PowerOrder = { ceiling: null, phaseLimits: [], paused: false, aborted: false, running: true };

function charger(order = FREE, car: Car | undefined = CAR): SimulatedCharger {
  const simulated = new SimulatedCharger(RATING, 0);
  simulated.noiseFrozen = true;
  simulated.apply(order);
  if (car !== undefined) simulated.plug(car);
  return simulated;
}
const totalPower = (simulated: SimulatedCharger): number => simulated.read().reduce((sum, phase) => sum + phase.power, 0);

describe('the simulated charger', () => {
  it('draws nothing before it is ordered to: the power stage is safe at boot', () => {
    const simulated = new SimulatedCharger(RATING, 0);
    simulated.plug(CAR);
    expect(simulated.setCurrent).toBe(0);
    expect(simulated.state).toBe('demand');
  });

  it('draws 11.04 kW on three phases, 3.68 kW on one', () => {
    expect(totalPower(charger())).toBe(11_040_000);
    expect(totalPower(charger(FREE, { ...CAR, phases: 1 }))).toBe(3_680_000);
  });

  it('follows a ceiling at once, and pauses below the minimum', () => {
    const simulated = charger({ ...FREE, ceiling: 5_000_000 });
    expect(totalPower(simulated)).toBeLessThanOrEqual(5_000_000);
    expect(totalPower(simulated)).toBeGreaterThan(4_990_000);
    simulated.apply({ ...FREE, ceiling: 4_139_999 });
    expect([totalPower(simulated), simulated.state]).toEqual([0, 'demand']);
    simulated.apply({ ...FREE, ceiling: 4_140_000 });
    expect(simulated.setCurrent).toBe(6000);
  });

  it('takes the smallest phase limit for all, pauses, and goes on', () => {
    const simulated = charger({ ...FREE, phaseLimits: [null, 8000, 10_000] });
    expect(simulated.setCurrent).toBe(8000);
    simulated.apply({ ...FREE, paused: true });
    expect(simulated.setCurrent).toBe(0);
    simulated.apply(FREE);
    expect(simulated.state).toBe('charging');
  });

  it('charges a car to its target and not beyond, and counts the same energy', () => {
    const simulated = charger();
    simulated.advance(HOUR);
    expect(simulated.sessionEnergy).toBe(11_040_000);
    expect(simulated.stateOfCharge).toBe(38);
    simulated.advance(10 * HOUR);
    expect([simulated.state, simulated.stateOfCharge, simulated.sessionEnergy]).toEqual(['complete', 80, 36_000_000]);
    simulated.unplug();
    expect([simulated.state, simulated.stateOfCharge, simulated.energy]).toEqual(['notPluggedIn', undefined, 36_000_000]);
  });

  it('has noise that can be frozen, and that another run repeats', () => {
    const [one, two] = [charger(), charger()];
    one.noiseFrozen = false;
    two.noiseFrozen = false;
    expect(one.read()).toEqual(two.read());
    expect(one.read()).not.toEqual(one.read());
  });

  it('never draws more than every limit leaves, and its energy never falls, whatever happens', () => {
    const order = fc.record({
      ceiling: fc.option(fc.integer({ min: 0, max: 12_000_000 })),
      phaseLimits: fc.array(fc.option(fc.integer({ min: 0, max: 20_000 })), { maxLength: 3 }),
      paused: fc.boolean(),
      aborted: fc.boolean(),
      running: fc.constant(true),
    });
    fc.assert(
      fc.property(
        fc.array(fc.record({ order, minutes: fc.integer({ min: 0, max: 120 }), plugged: fc.boolean() }), { maxLength: 30 }),
        (events) => {
          const simulated = charger();
          let now = 0;
          let energy = 0;
          for (const event of events) {
            simulated.apply(event.order);
            if (event.plugged) simulated.plug(CAR);
            else simulated.unplug();
            now += event.minutes * 60_000;
            simulated.advance(now);
            const drawn = totalPower(simulated);
            if (event.order.ceiling !== null) expect(drawn).toBeLessThanOrEqual(event.order.ceiling);
            if (event.order.paused || event.order.aborted || !event.plugged) expect(drawn).toBe(0);
            expect(simulated.energy).toBeGreaterThanOrEqual(energy);
            energy = simulated.energy;
          }
        },
      ),
    );
  });
});

const PUMP: HeatPumpRating = {
  steps: [1_200_000, 2_000_000, 3_000_000],
  minimumRun: 600_000,
  minimumPause: 300_000,
  performance: 4,
  heatCapacity: 580_000,
  heatLoss: 4_000_000,
};

describe('the simulated heat pump', () => {
  function run(pump: SimulatedHeatPump, from: number, minutes: number): number {
    for (let i = 1; i <= minutes; i++) pump.advance(from + i * 60_000);
    return from + minutes * 60_000;
  }

  it('heats a cold buffer at its highest step, stops when it is warm, and starts again', () => {
    const pump = new SimulatedHeatPump(PUMP, 0);
    expect(pump.power).toBe(3_000_000);
    const seen = new Set<boolean>();
    for (let now = 0, i = 0; i < 24; i++) {
      now = run(pump, now, 10);
      seen.add(pump.running);
      expect(pump.temperature).toBeGreaterThan(3500);
      expect(pump.temperature).toBeLessThan(5500);
    }
    expect([...seen].sort()).toEqual([false, true]);
  });

  it('steps down to what a limit leaves', () => {
    const pump = new SimulatedHeatPump(PUMP, 0);
    pump.apply({ ceiling: 2_500_000, paused: false });
    expect(pump.power).toBe(2_000_000);
    pump.apply({ ceiling: 1_200_000, paused: false });
    expect([pump.power, pump.forced]).toEqual([1_200_000, false]);
  });

  it('runs on at its lowest step against an order until its minimum run is over, and says so', () => {
    const pump = new SimulatedHeatPump(PUMP, 0);
    pump.apply({ ceiling: 0, paused: false });
    expect([pump.power, pump.forced]).toEqual([1_200_000, true]);
    pump.advance(599_999);
    expect(pump.forced).toBe(true);
    pump.advance(600_000);
    expect([pump.power, pump.running, pump.forced]).toEqual([0, false, false]);
    pump.apply({ ceiling: null, paused: false });
    pump.advance(899_999);
    expect(pump.running).toBe(false);
    pump.advance(900_000);
    expect(pump.running).toBe(true);
  });
});
