import type { FeatureSchema } from '../model/schema.js';
import { attribute, bool, boundedText, command, field, text, uint8, uint16, uint32 } from '../model/table.js';

/** Bytes of location and label (features.md §5). */
const TEXT_BYTES = 64;

/** DeviceInfo, feature 0x01: identification, versions and the structure of the endpoints; mandatory on endpoint 0. */
export const DEVICE_INFO: FeatureSchema = {
  id: 0x01,
  name: 'DeviceInfo',
  attributes: [
    attribute(1, 'deviceId', text, { mandatory: true }),
    attribute(2, 'vendorName', text, { mandatory: true }),
    attribute(3, 'productName', text, { mandatory: true }),
    attribute(4, 'serialNumber', text, { mandatory: true }),
    attribute(5, 'vendorId', uint32, { nullable: true }),
    attribute(6, 'productId', uint16, { nullable: true }),
    attribute(10, 'softwareVersion', text, { mandatory: true }),
    attribute(11, 'hardwareVersion', text, { nullable: true }),
    attribute(12, 'specVersion', text, { mandatory: true, default: '1.0' }),
    attribute(20, 'endpoints', { kind: 'array' }, { mandatory: true }),
    attribute(21, 'useCases', { kind: 'array' }, { mandatory: true }),
    attribute(30, 'location', boundedText(TEXT_BYTES), { nullable: true, writable: true }),
    attribute(31, 'label', boundedText(TEXT_BYTES), { nullable: true, writable: true }),
    attribute(32, 'zoneCount', uint8),
  ],
  commands: [
    command(16, 'removeZone', [field('zoneId', text)], { mandatory: true, response: [field('removed', bool)] }),
    command(0x11, 'listZones', [], { response: [field('zones', { kind: 'array' })] }),
  ],
};
