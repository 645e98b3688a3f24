import { FEATURE_TABLES } from '../features/tables.js';
import type { AttributeSchema, CommandSchema, FeatureSchema } from '../model/schema.js';

export function featureTable(id: number): FeatureSchema | undefined {
  return FEATURE_TABLES.find((table) => table.id === id);
}

export function attributeTable(feature: number, id: number): AttributeSchema | undefined {
  return featureTable(feature)?.attributes.find((attribute) => attribute.id === id);
}

export function commandTable(feature: number, id: number): CommandSchema | undefined {
  return featureTable(feature)?.commands.find((command) => command.id === id);
}
