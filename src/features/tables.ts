import type { FeatureSchema } from '../model/schema.js';
import { CHARGING_SESSION } from './charging-session-table.js';
import { DEVICE_INFO } from './device-info-table.js';
import { ELECTRICAL } from './electrical-table.js';
import { ENERGY_CONTROL } from './energy-control-table.js';
import { MEASUREMENT } from './measurement-table.js';
import { PLAN } from './plan-table.js';
import { SIGNALS } from './signals-table.js';
import { STATUS } from './status-table.js';
import { TARIFF } from './tariff-table.js';

/** Every feature of this firmware, by ascending id. */
export const FEATURE_TABLES: readonly FeatureSchema[] = [
  DEVICE_INFO,
  STATUS,
  ELECTRICAL,
  MEASUREMENT,
  ENERGY_CONTROL,
  CHARGING_SESSION,
  TARIFF,
  SIGNALS,
  PLAN,
];
