import type { PowerStage } from '../hal/index.js';
import type { BoardDefinition } from '../src/model/board.js';
import { CHARGER_RATING, SIMULATED_CAR, SimulatedChargerStage } from './sim/charger-stage.js';
import { HEAT_PUMP_RATING, SimulatedHeatPumpStage } from './sim/heat-pump-stage.js';

/** Something that whoever plays the surroundings of a simulated board can do. */
export interface SimulationAct {
  /** One key on the keyboard. */
  readonly key: string;
  readonly text: string;
  run(): void;
}

/** The hardware that a simulated board has behind its relay. */
export interface Simulation {
  /** By endpoint. */
  readonly stages: ReadonlyMap<number, PowerStage>;
  readonly acts: readonly SimulationAct[];
  /** What a look at the hardware shows, one line. */
  describe(): string;
}

/** Frozen meters read exact values. `now`: monotonic milliseconds of the runtime's clock. */
export interface SimulationOptions {
  readonly now: () => number;
  readonly metersFrozen?: boolean;
}

/** The simulation of a board; undefined for a board with hardware of its own. */
export function simulationOf(board: BoardDefinition, options: SimulationOptions): Simulation | undefined {
  return SIMULATIONS[board.name]?.(options);
}

const SIMULATIONS: Readonly<Record<string, (options: SimulationOptions) => Simulation>> = {
  'sim-evse': ({ now, metersFrozen = false }) => {
    const stage = new SimulatedChargerStage(CHARGER_RATING, now);
    stage.noiseFrozen = metersFrozen;
    return {
      stages: new Map([[1, stage]]),
      acts: [
        {
          key: 'p',
          text: 'plug in or out',
          run: () => stage.simulate((it) => (it.car === undefined ? it.plug(SIMULATED_CAR) : it.unplug())),
        },
        { key: 'd', text: 'demand', run: () => stage.simulate((it) => it.setDemand(!it.demand)) },
        { key: 'f', text: 'fault', run: () => stage.simulate(breakOrMend) },
        { key: 'n', text: 'meter noise', run: () => freezeOrThaw(stage) },
      ],
      describe: () => {
        const { phases, vehicle, fault } = stage.read();
        const car = vehicle === undefined ? 'no car' : `car at ${vehicle.stateOfCharge ?? '?'} %${vehicle.demand ? '' : ', wants nothing'}`;
        return [kilowatts(phases), car, ...(fault === undefined ? [] : [fault.message]), ...exactly(stage)].join(' · ');
      },
    };
  },
  'sim-heat-pump': ({ now, metersFrozen = false }) => {
    const stage = new SimulatedHeatPumpStage(HEAT_PUMP_RATING, now);
    stage.noiseFrozen = metersFrozen;
    return {
      stages: new Map([[1, stage]]),
      acts: [
        { key: 'd', text: 'defrost', run: () => stage.simulate((it) => it.startDefrost()) },
        { key: 'f', text: 'fault', run: () => stage.simulate(breakOrMend) },
        { key: 'n', text: 'meter noise', run: () => freezeOrThaw(stage) },
      ],
      describe: () => {
        const { phases, temperature, override, fault } = stage.read();
        const must = override === undefined ? [] : [override.reason === 0 ? 'minimum run' : 'defrost'];
        const buffer = `buffer ${((temperature ?? 0) / 100).toFixed(1)} °C`;
        return [kilowatts(phases), buffer, ...must, ...(fault === undefined ? [] : [fault.message]), ...exactly(stage)].join(' · ');
      },
    };
  },
};

function kilowatts(phases: readonly { readonly active: number }[]): string {
  return `${(phases.reduce((sum, { active }) => sum + active, 0) / 1_000_000).toFixed(2)} kW`;
}

function exactly({ noiseFrozen }: { readonly noiseFrozen: boolean }): readonly string[] {
  return noiseFrozen ? ['meters exact'] : [];
}

function breakOrMend(hardware: { fault: boolean }): void {
  hardware.fault = !hardware.fault;
}

function freezeOrThaw(meter: { noiseFrozen: boolean }): void {
  meter.noiseFrozen = !meter.noiseFrozen;
}
