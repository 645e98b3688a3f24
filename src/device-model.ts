import type { DeviceIdentity } from './device-identity.js';
import { DEVICE_INFO, deviceInfoFeature } from './features/device-info.js';
import type { BoardDefinition } from './model/board.js';
import { DeviceModel, describeEndpoints, type EndpointDefinition } from './model/model.js';

/** The endpoints of a board with the features that this firmware has for them. */
export function deviceModel(board: BoardDefinition, identity: DeviceIdentity, firmware: string, zoneCount: () => number): DeviceModel {
  const endpoints: EndpointDefinition[] = [];
  const info = deviceInfoFeature({
    deviceId: `PEN${board.vendorId}.${identity.serialNumber}`,
    vendorName: board.brand,
    productName: board.model,
    serialNumber: identity.serialNumber,
    vendorId: board.vendorId,
    productId: board.productId,
    softwareVersion: firmware,
    hardwareVersion: board.hardwareVersion,
    endpoints: () => describeEndpoints(endpoints),
    useCases: () => [],
    zoneCount,
  });
  for (const endpoint of board.endpoints) endpoints.push({ ...endpoint, features: endpoint.id === 0 ? [info] : [] });
  if (endpoints[0]?.features[0]?.id !== DEVICE_INFO) throw new Error(`board ${board.name}: endpoint 0 is missing`);
  return new DeviceModel(endpoints);
}
