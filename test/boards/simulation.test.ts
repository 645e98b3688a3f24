import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Car, type ChargerRating, SimulatedCharger } from '../../boards/sim/charger.js';
import { type HeatPumpOrder, type HeatPumpRating, SimulatedHeatPump } from '../../boards/sim/heat-pump.js';
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

  it('noise never lifts current or power above what was ordered', () => {
    const simulated = charger();
    simulated.noiseFrozen = false;
    for (let ceiling = 4_140_000; ceiling < 11_100_000; ceiling += 10_007) {
      simulated.apply({ ...FREE, ceiling });
      expect(totalPower(simulated)).toBeLessThanOrEqual(ceiling);
      expect(totalPower(simulated)).toBeGreaterThan(0.98 * Math.min(ceiling, 11_040_000));
      for (const { current } of simulated.read()) expect(current).toBeLessThanOrEqual(simulated.setCurrent);
    }
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
  defrost: 240_000,
  performance: 4,
  heatCapacity: 580_000,
  heatLoss: 4_000_000,
  setPoint: 4500,
  storeUpTo: 5500,
};
const UNLIMITED: HeatPumpOrder = { ceiling: null, paused: false, running: false };

function heatPump(order: HeatPumpOrder = UNLIMITED, temperature?: number): SimulatedHeatPump {
  const pump = new SimulatedHeatPump(PUMP, 0, temperature);
  pump.apply(order);
  return pump;
}

describe('the simulated heat pump', () => {
  it('does not run before it is ordered to: the power stage is safe at boot', () => {
    const pump = new SimulatedHeatPump(PUMP, 0);
    pump.advance(HOUR);
    expect([pump.power, pump.override]).toEqual([0, undefined]);
  });

  it('heats a cold buffer at its highest step, stops when it is warm, and starts again', () => {
    const pump = heatPump();
    expect(pump.power).toBe(3_000_000);
    const seen = new Set<boolean>();
    for (let i = 1; i <= 24; i++) {
      pump.advance(i * 600_000);
      seen.add(pump.running);
      expect(pump.temperature).toBeGreaterThan(3500);
      expect(pump.temperature).toBeLessThan(5500);
    }
    expect([...seen].sort()).toEqual([false, true]);
  });

  it('steps down to what a limit leaves', () => {
    const pump = heatPump({ ...UNLIMITED, ceiling: 2_500_000 });
    expect(pump.power).toBe(2_000_000);
    pump.apply({ ...UNLIMITED, ceiling: 1_200_000 });
    expect([pump.power, pump.override]).toEqual([1_200_000, undefined]);
  });

  it('runs on at its lowest step against an order until its minimum run is over, and says so', () => {
    const pump = heatPump();
    pump.apply({ ...UNLIMITED, ceiling: 0 });
    expect([pump.power, pump.override]).toEqual([1_200_000, 'minimumRun']);
    pump.advance(599_999);
    expect(pump.override).toBe('minimumRun');
    pump.advance(600_000);
    expect([pump.power, pump.running, pump.override]).toEqual([0, false, undefined]);
    pump.apply(UNLIMITED);
    pump.advance(899_999);
    expect(pump.running).toBe(false);
    pump.advance(900_000);
    expect(pump.running).toBe(true);
  });

  it('offers to store heat while the thermostat is content, and stores it up to the highest temperature', () => {
    const pump = heatPump(UNLIMITED, 4800);
    expect([pump.storing, pump.power]).toEqual(['offered', 0]);
    pump.apply({ ...UNLIMITED, running: true });
    expect(pump.power).toBe(3_000_000);
    for (let i = 1; pump.storing === 'offered' && i < 600; i++) pump.advance(i * 60_000);
    expect([pump.storing, pump.temperature >= 5500, pump.power]).toEqual(['finished', true, 0]);
    pump.advance(10 * HOUR);
    expect(pump.temperature).toBeLessThan(5500);
  });

  it('defrosts whatever is ordered, and says so where the order leaves less', () => {
    const pump = heatPump({ ...UNLIMITED, ceiling: 0 });
    pump.startDefrost();
    expect([pump.power, pump.override]).toEqual([1_200_000, 'defrost']);
    pump.apply(UNLIMITED);
    expect([pump.power, pump.override]).toEqual([1_200_000, undefined]);
    pump.advance(240_000);
    expect([pump.power, pump.defrosting]).toEqual([3_000_000, false]);
  });

  it('a fault stops it within its minimum run, and it stays off until the fault is over', () => {
    const pump = heatPump();
    pump.fault = true;
    pump.advance(HOUR);
    expect([pump.power, pump.override, pump.storing]).toEqual([0, undefined, 'resting']);
    pump.fault = false;
    expect(pump.power).toBe(3_000_000);
  });

  it('never draws more than its order outside of its own override, never switches too early, and its energy never falls', () => {
    const event = fc.record({
      order: fc.record({ ceiling: fc.option(fc.integer({ min: 0, max: 4_000_000 })), paused: fc.boolean(), running: fc.boolean() }),
      seconds: fc.integer({ min: 0, max: 1200 }),
      defrost: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const pump = heatPump();
        let [now, energy] = [0, 0];
        for (const { order, seconds, defrost } of events) {
          pump.apply(order);
          if (defrost) pump.startDefrost();
          now += seconds * 1000;
          pump.advance(now);
          const least = PUMP.steps[0] ?? 0;
          if (pump.override === undefined && pump.power > 0) expect(order.paused || pump.power > (order.ceiling ?? pump.power)).toBe(false);
          if (pump.override !== undefined) expect(pump.power).toBe(least);
          expect(pump.energy).toBeGreaterThanOrEqual(energy);
          energy = pump.energy;
        }
      }),
    );
  });
});
