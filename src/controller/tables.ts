import { CHARGING_SESSION } from '../features/charging-session-table.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { ELECTRICAL } from '../features/electrical-table.js';
import { ENERGY_CONTROL } from '../features/energy-control-table.js';
import { MEASUREMENT } from '../features/measurement-table.js';
import { PLAN } from '../features/plan-table.js';
import { SIGNALS } from '../features/signals-table.js';
import { STATUS } from '../features/status-table.js';
import { TARIFF } from '../features/tariff-table.js';
import type { AttributeSchema, CommandSchema, FeatureSchema } from '../model/schema.js';

/** The features that this controller knows; the device's own tables tell them. */
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

export function featureTable(id: number): FeatureSchema | undefined {
  return FEATURE_TABLES.find((table) => table.id === id);
}

export function attributeTable(feature: number, id: number): AttributeSchema | undefined {
  return featureTable(feature)?.attributes.find((attribute) => attribute.id === id);
}

export function commandTable(feature: number, id: number): CommandSchema | undefined {
  return featureTable(feature)?.commands.find((command) => command.id === id);
}
