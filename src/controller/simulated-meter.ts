import { PeerError } from '../errors.js';
import { checkConformance } from '../features/conformance.js';
import { DeviceInfo } from '../features/device-info.js';
import { Electrical } from '../features/electrical.js';
import { EndpointType } from '../features/endpoint-types.js';
import { Measurement, type PowerReading } from '../features/measurement.js';
import type { ElectricalRatings } from '../model/board.js';
import { DeviceModel, describeEndpoints, type EndpointDefinition } from '../model/model.js';
import { InteractionStatus } from '../model/status.js';
import { FIRMWARE_VERSION } from '../version.js';

const PHASES = 3;
/** V. */
const VOLTAGE = 230;
/** CORE of a feature map. */
const CORE = 0x0001;
/** acActivePower, its phases, current, voltage, frequency. */
const MEASURED = [1, 10, 20, 21, 23];
/** 3 × 63 A, either way. */
const CONNECTION: ElectricalRatings = {
  phaseCount: PHASES,
  nominalVoltage: VOLTAGE,
  nominalFrequency: 50,
  directions: 2,
  maxConsumption: 43_470_000,
  maxProduction: 43_470_000,
  minPower: 0,
  maxCurrent: 63_000,
  minCurrent: 0,
  asymmetric: 0,
  energyCapacity: 0,
};

/** A grid meter that a controller exposes: DeviceInfo on endpoint 0, Electrical and Measurement on endpoint 1 of type GRID_CONNECTION. */
export class SimulatedMeter {
  readonly model: DeviceModel;
  readonly #measurement = new Measurement(MEASURED, reading(0));

  /** `name`: of the zone, shown as the product's. */
  constructor(name: string, id: string) {
    const info = new DeviceInfo({
      deviceId: id,
      vendorName: 'MASH Reference',
      productName: name,
      serialNumber: id,
      vendorId: null,
      productId: null,
      softwareVersion: FIRMWARE_VERSION,
      hardwareVersion: null,
      endpoints: () => structure,
      useCases: () => [],
      zones: { count: 1, list: () => [], remove: refuse },
      texts: { read: () => null, store: refuse },
      notifies: true,
    });
    const endpoints: readonly EndpointDefinition[] = [
      { id: 0, type: EndpointType.DEVICE_ROOT, featureMap: CORE, features: [info] },
      {
        id: 1,
        type: EndpointType.GRID_CONNECTION,
        label: 'Grid meter',
        featureMap: CORE,
        features: [new Electrical(CONNECTION), this.#measurement],
      },
    ];
    checkConformance('simulated meter', endpoints);
    this.model = new DeviceModel(endpoints);
    const structure = describeEndpoints(this.model.endpoints);
  }

  /** mW; + is drawn from the grid, − is fed into it; undefined: not known now. */
  set power(power: number | undefined) {
    this.#measurement.update(power === undefined ? undefined : reading(power));
  }
}

function reading(power: number): PowerReading {
  const each = Math.trunc(power / PHASES);
  const phases = Array.from({ length: PHASES }, (_, phase) => {
    const active = phase === 0 ? power - each * (PHASES - 1) : each;
    return { active, reactive: 0, current: Math.round(active / VOLTAGE), voltage: VOLTAGE * 1000 };
  });
  return { phases, frequency: 50_000, energyConsumed: 0, energyProduced: 0, temperature: null };
}

/** A device may read a controller, not change it. */
function refuse(): Promise<never> {
  return Promise.reject(new PeerError(InteractionStatus.NOT_AUTHORIZED, 'a controller is not changed by its devices'));
}
