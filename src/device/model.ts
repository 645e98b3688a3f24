import { checkConformance, checkValues } from '../features/conformance.js';
import { DeviceInfo, type DeviceTexts, type ZoneAdministration } from '../features/device-info.js';
import { describeUseCases } from '../features/use-cases.js';
import type { BoardDefinition } from '../model/board.js';
import type { FeatureInstance } from '../model/feature.js';
import { DeviceModel, describeEndpoints, type EndpointDefinition } from '../model/model.js';
import type { TestControl } from '../test-control/test-control.js';
import type { DeviceIdentity } from './identity.js';

export interface DeviceModelParts {
  readonly board: BoardDefinition;
  readonly identity: DeviceIdentity;
  readonly firmware: string;
  readonly zones: ZoneAdministration;
  readonly texts: DeviceTexts;
  /** False: nothing of DeviceInfo notifies. */
  readonly deviceInfoNotifies: boolean;
  /** EnergyControl by endpoint. */
  readonly energy: ReadonlyMap<number, FeatureInstance>;
  /** Features of the power stage by endpoint. */
  power(endpoint: number): readonly FeatureInstance[];
  /** Signals, Tariff and Plan by endpoint. */
  incentives(endpoint: number): readonly FeatureInstance[];
  /** Stands on endpoint 0, and between every feature and its readers. */
  readonly testControl: TestControl | undefined;
}

/** The endpoints of a board with the features that this firmware has for them. Throws ConfigError when the board lacks what is mandatory, or does not fit the tables. */
export function deviceModel(parts: DeviceModelParts): DeviceModel {
  const { board, identity, firmware, zones, texts, deviceInfoNotifies, energy } = parts;
  const described = (): ReturnType<typeof describeEndpoints> => structure;
  const info = new DeviceInfo({
    deviceId: `PEN${board.vendorId}.${identity.serialNumber}`,
    vendorName: board.brand,
    productName: board.model,
    serialNumber: identity.serialNumber,
    vendorId: board.vendorId,
    productId: board.productId,
    softwareVersion: firmware,
    hardwareVersion: board.hardwareVersion,
    endpoints: described,
    useCases: () => useCases,
    zones,
    texts,
    notifies: deviceInfoNotifies,
  });
  const endpoints: readonly EndpointDefinition[] = board.endpoints.map(({ id, type, label, featureMap }) => {
    const features: FeatureInstance[] = id === 0 ? [info] : [...parts.power(id), ...parts.incentives(id)];
    const energyControl = energy.get(id);
    if (energyControl !== undefined) features.push(energyControl);
    return { id, type, featureMap, features: testable(features, id, parts.testControl), ...(label === undefined ? {} : { label }) };
  });
  checkConformance(board.name, endpoints);
  const useCases = describeUseCases(endpoints);
  const model = new DeviceModel(endpoints);
  const structure = describeEndpoints(model.endpoints);
  checkValues(board.name, endpoints);
  return model;
}

function testable(features: readonly FeatureInstance[], endpoint: number, control: TestControl | undefined): readonly FeatureInstance[] {
  if (control === undefined) return features;
  return endpoint === 0 ? [...features, control] : features.map((feature) => control.wrap(feature));
}
