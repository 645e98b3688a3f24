import type { FeatureSchema } from '../model/schema.js';
import { attribute, enumeration, text, uint32 } from '../model/table.js';

export const OperatingState = {
  UNKNOWN: 0,
  OFFLINE: 1,
  STANDBY: 2,
  STARTING: 3,
  RUNNING: 4,
  PAUSED: 5,
  SHUTTING_DOWN: 6,
  FAULT: 7,
  MAINTENANCE: 8,
} as const;

/** Status, feature 0x02: operating state and health of an endpoint. */
export const STATUS: FeatureSchema = {
  id: 0x02,
  name: 'Status',
  attributes: [
    attribute(1, 'operatingState', enumeration(OperatingState), { mandatory: true, default: OperatingState.UNKNOWN }),
    attribute(2, 'stateDetail', uint32, { nullable: true }),
    attribute(3, 'faultCode', uint32, { nullable: true }),
    attribute(4, 'faultMessage', text, { nullable: true }),
  ],
  commands: [],
};
