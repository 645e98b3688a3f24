import type { VehicleReading } from '../../hal/index.js';
import type { CborValue } from '../codec/cbor.js';
import { EVDemandMode } from './charging-session-table.js';

/** What is null, or NONE, while no car is plugged in (features.md §5: 20–62). */
export const CAR_ATTRIBUTES = [20, 30, 31, 32, 33, 41, 42, 43, 44];
/** Listed by bidirectional boards alone. */
export const DISCHARGE_ATTRIBUTES = [50, 51, 52];

/** ChargingSession 20–52 by id. */
export function describeCar(vehicle: VehicleReading | undefined): ReadonlyMap<number, CborValue> {
  if (vehicle === undefined)
    return new Map<number, CborValue>([
      ...[...CAR_ATTRIBUTES, ...DISCHARGE_ATTRIBUTES].map((id) => [id, null] as const),
      [40, EVDemandMode.NONE],
    ]);
  const { identifications, discharge } = vehicle;
  const { minimum, full, target } = requests(vehicle);
  const single = discharge === undefined ? EVDemandMode.SINGLE_DEMAND : EVDemandMode.DYNAMIC_BIDIRECTIONAL;
  return new Map<number, CborValue>([
    [
      20,
      identifications === null
        ? null
        : identifications.map(
            ({ type, value }) =>
              new Map<string, CborValue>([
                ['type', type],
                ['value', value],
              ]),
          ),
    ],
    [30, vehicle.stateOfCharge],
    [31, vehicle.capacity],
    [32, vehicle.minimumStateOfCharge],
    [33, vehicle.targetStateOfCharge],
    [40, target === null ? EVDemandMode.NONE : single],
    [41, minimum],
    [42, full],
    [43, target],
    [44, null],
    [50, discharge?.minimumRequest ?? null],
    [51, discharge?.maximumRequest ?? null],
    [52, discharge?.belowTargetPermitted ?? null],
  ]);
}

export interface EnergyRequests {
  /** mWh to the minimum, to full, to the target; null: the car does not tell. */
  readonly minimum: number | null;
  readonly full: number | null;
  readonly target: number | null;
}

/** Requests are distances from now: negative = may be taken out (features.md §5). */
export function requests({ capacity, stateOfCharge, minimumStateOfCharge, targetStateOfCharge }: VehicleReading): EnergyRequests {
  const distance = (percent: number | null): number | null =>
    percent === null || capacity === null || stateOfCharge === null ? null : Math.round(((percent - stateOfCharge) * capacity) / 100);
  return { minimum: distance(minimumStateOfCharge), full: distance(100), target: distance(targetStateOfCharge) };
}

/** features.md §5: discharge if 50 < 0, 51 ≥ 0 and (43 ≤ 0 or 52). What a car does not tell permits nothing. */
export function mayDischarge(vehicle: VehicleReading | undefined): boolean {
  const discharge = vehicle?.discharge;
  if (vehicle === undefined || discharge === undefined || discharge.minimumRequest >= 0 || discharge.maximumRequest < 0) return false;
  const { target } = requests(vehicle);
  return (target !== null && target <= 0) || discharge.belowTargetPermitted;
}
