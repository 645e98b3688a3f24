import { raised } from '../device/counters.js';
import { idleReading, Measurement, type PowerReading } from '../features/measurement.js';
import { Status } from '../features/status.js';
import { OperatingState } from '../features/status-table.js';

/** Behaviours of Measurement and Status, asked of fresh ones. */

const [POWER, TEMPERATURE] = [1, 60];
const [STATE, FAULT_CODE] = [1, 3];
const IDLE = idleReading(1, 230, 50);

function shown(power: number): unknown {
  const phase = { active: power, reactive: 0, current: 0, voltage: 230_000 };
  const reading: PowerReading = { ...IDLE, phases: [phase] };
  return new Measurement([POWER], reading).read(POWER);
}

/** + is into the device. */
export function signIsPassive(): boolean {
  return shown(1000) === 1000 && shown(-1000) === -1000;
}

/** What is not known is null, whatever it was before. */
export function unknownIsNull(): boolean {
  return new Measurement([TEMPERATURE], IDLE).read(TEMPERATURE) === null;
}

/** A power stage that begins to count anew takes nothing back. */
export function energyNeverFalls(): boolean {
  const before = { consumed: 100, produced: 100 };
  const { consumed, produced } = raised(before, { consumed: 0, produced: 0 }, { consumed: 1, produced: 1 });
  return consumed >= before.consumed && produced >= before.produced;
}

export interface StatusBehaviour {
  readonly setsFault: boolean;
  readonly clearsFault: boolean;
  /** A state that may not follow the one before is not shown. */
  readonly judgesTransitions: boolean;
  /** FAULT, RUNNING and STANDBY are told apart. */
  readonly tellsStates: boolean;
  /** A fault code with FAULT, and none without. */
  readonly faultHasCode: boolean;
}

export function statusBehaviour(): StatusBehaviour {
  const { STANDBY, RUNNING, PAUSED, FAULT } = OperatingState;
  const status = new Status();
  const after = (state: number, fault?: { readonly code: number; readonly message: string }) => {
    status.update(state, fault);
    return [status.read(STATE), status.read(FAULT_CODE)] as const;
  };
  const [paused] = after(PAUSED);
  const [standby, none] = after(STANDBY);
  const [fault, code] = after(STANDBY, { code: 7, message: 'trial' });
  const [running, gone] = after(RUNNING);
  return {
    setsFault: fault === FAULT && code === 7,
    clearsFault: running === RUNNING && gone === null,
    // From PAUSED to STANDBY leads no arrow of the reference's diagram.
    judgesTransitions: paused === PAUSED && standby !== STANDBY,
    tellsStates: standby === STANDBY && running === RUNNING && fault === FAULT,
    faultHasCode: code !== null && none === null && gone === null,
  };
}
