import type { CborValue } from '../codec/cbor.js';
import { CHARGING_SESSION, ChargingState } from '../features/charging-session-table.js';
import { ENERGY_CONTROL } from '../features/energy-control-table.js';
import { MEASUREMENT } from '../features/measurement-table.js';
import { OperatingState, STATUS } from '../features/status-table.js';

/** The moment at which a trigger acts, Unix seconds; null while the clock was never set. */
export const NOW = Symbol('now');

/** What a trigger does. */
export type TestEffect =
  | { readonly kind: 'enterCommissioning' | 'exitCommissioning' | 'factoryReset' | 'reset' }
  /** Seconds added to the time at which client certificates are judged; 0 ends it. */
  | { readonly kind: 'adjustClock'; readonly seconds: number }
  /** Sets just these attributes of the first endpoint that has them all. */
  | { readonly kind: 'set'; readonly feature: number; readonly values: ReadonlyMap<number, CborValue | typeof NOW> };

const Domain = { DEVICE: 1, STATUS: 2, MEASUREMENT: 4, ENERGY_CONTROL: 5, CHARGING_SESSION: 6 } as const;

const FAULT_TEXT = 'Test trigger fault';
const CONTROL_STATES = 5;
const PROCESS_STATES = 7;
const FIRST_PROCESS_STATE = 0x10;

function set(feature: number, ...values: readonly (readonly [number, CborValue | typeof NOW])[]): TestEffect {
  return { kind: 'set', feature, values: new Map(values) };
}

/** Opcodes without a value: domain, then opcode (reference-behaviour §3.2). */
const TRIGGERS: ReadonlyMap<number, ReadonlyMap<number, TestEffect>> = new Map([
  [
    Domain.DEVICE,
    new Map<number, TestEffect>([
      [1, { kind: 'enterCommissioning' }],
      [2, { kind: 'exitCommissioning' }],
      [3, { kind: 'factoryReset' }],
      [4, { kind: 'reset' }],
    ]),
  ],
  [
    Domain.STATUS,
    new Map([
      [1, set(STATUS.id, [1, OperatingState.FAULT], [3, 1], [4, FAULT_TEXT])],
      // features.md §5: null without a fault, where the reference writes 0 and "".
      [2, set(STATUS.id, [1, OperatingState.RUNNING], [3, null], [4, null])],
      [3, set(STATUS.id, [1, OperatingState.STANDBY])],
      [4, set(STATUS.id, [1, OperatingState.RUNNING])],
    ]),
  ],
  [
    Domain.MEASUREMENT,
    new Map([
      [1, power(100_000)],
      [2, power(1_000_000)],
      [3, power(0)],
      [0x10, set(MEASUREMENT.id, [50, 50])],
      [0x11, set(MEASUREMENT.id, [50, 100])],
    ]),
  ],
  [
    Domain.ENERGY_CONTROL,
    new Map([
      ...Array.from({ length: CONTROL_STATES }, (_, state) => [state + 1, set(ENERGY_CONTROL.id, [2, state])] as const),
      ...Array.from({ length: PROCESS_STATES }, (_, state) => [FIRST_PROCESS_STATE + state, set(ENERGY_CONTROL.id, [80, state])] as const),
    ]),
  ],
  [
    Domain.CHARGING_SESSION,
    new Map([
      [1, set(CHARGING_SESSION.id, [1, ChargingState.PLUGGED_IN_NO_DEMAND], [3, NOW])],
      [2, set(CHARGING_SESSION.id, [1, ChargingState.NOT_PLUGGED_IN], [4, NOW])],
      [3, set(CHARGING_SESSION.id, [1, ChargingState.PLUGGED_IN_DEMAND])],
    ]),
  ],
]);

/** What ResetTestState sets, wherever the feature is (reference-behaviour §3.3; features.md §5: a charging session keeps its car data). */
export const RESET_VALUES: readonly Extract<TestEffect, { kind: 'set' }>[] = [
  set(STATUS.id, [1, OperatingState.STANDBY], [3, null], [4, null]),
  power(0),
  set(CHARGING_SESSION.id, [1, ChargingState.NOT_PLUGGED_IN]),
  set(ENERGY_CONTROL.id, [2, 0], [80, 0]),
].filter((effect) => effect.kind === 'set');

/** mW. */
function power(milliwatts: number): TestEffect {
  return set(MEASUREMENT.id, [1, milliwatts]);
}

/** Bits 63…48 are the domain, 47…32 say whether the low 32 bits are an opcode (0) or a signed value (1). Undefined for what is no trigger. */
export function effectOf(trigger: number): TestEffect | undefined {
  const domain = Math.floor(trigger / 2 ** 48);
  const form = Math.floor(trigger / 2 ** 32) & 0xffff;
  if (form === 0) return TRIGGERS.get(domain)?.get(trigger % 2 ** 32);
  const value = (trigger % 2 ** 32) | 0;
  if (form === 1 && domain === Domain.DEVICE) return { kind: 'adjustClock', seconds: value };
  return form === 1 && domain === Domain.MEASUREMENT ? power(value) : undefined;
}
