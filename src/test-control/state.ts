import type { CborMap, CborValue } from '../codec/cbor.js';
import { CHARGING_SESSION } from '../features/charging-session-table.js';
import { ENERGY_CONTROL } from '../features/energy-control-table.js';
import { MEASUREMENT } from '../features/measurement-table.js';
import { STATUS } from '../features/status-table.js';
import { ZoneType } from '../zones/zone.js';
import type { TestHost, TestZone } from './host.js';

/** Attributes that the state shows, of the first endpoint that has them; absent where none has. */
const ATTRIBUTES: readonly (readonly [name: string, feature: number, attribute: number])[] = [
  ['status_operating_state', STATUS.id, 1],
  ['ec_control_state', ENERGY_CONTROL.id, 2],
  ['ec_process_state', ENERGY_CONTROL.id, 80],
  ['charging_state', CHARGING_SESSION.id, 1],
  ['measurement_power', MEASUREMENT.id, 1],
];

/** The map of getTestState (reference-behaviour §3.4). */
export function testState(
  host: TestHost,
  reentered: boolean,
  shown: (feature: number, attribute: number) => CborValue | undefined,
): CborMap {
  const { zones } = host;
  const state = new Map<string, CborValue>([
    ['zone_count', zones.length],
    ['zones', zones.map(describeZone)],
    ['failsafe_timers', new Map(zones.filter(({ type }) => type !== ZoneType.TEST).map(({ id, failsafe }) => [id, failsafe]))],
    ['clock_offset_s', host.clockOffset],
    ['commissioning_open', host.windowOpen],
    ['auto_reentry', reentered],
    ['pairing_active', host.pairing],
    ['active_conns', zones.filter(({ connected }) => connected).length],
    ['conn_tracker_count', host.preOperational],
    ['pase_failed_attempts', host.failedAttempts],
  ]);
  for (const [name, feature, attribute] of ATTRIBUTES) {
    const value = shown(feature, attribute);
    if (value !== undefined) state.set(name, value);
  }
  return state;
}

/** protocol.md §3: 1 GRID, 2 LOCAL, 3 TEST; the priority is the same number. */
function describeZone({ id, type, connected, subscriptions }: TestZone): CborMap {
  const shown = type === ZoneType.TEST ? 3 : type === ZoneType.GRID_OPERATOR ? 1 : 2;
  return new Map<string, CborValue>([
    ['id', id],
    ['type', shown],
    ['priority', shown],
    ['connected', connected],
    ...(connected
      ? ([
          ['has_session', true],
          ['subscriptions', subscriptions],
        ] as const)
      : []),
  ]);
}
