import { toHex } from '../codec/hex.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { EndpointType } from '../features/endpoint-types.js';
import { FEATURE_TABLES } from '../features/tables.js';
import type { Caller } from '../model/feature.js';
import { type DeviceModel, type Endpoint, type Feature, Global } from '../model/model.js';
import type { FeatureSchema } from '../model/schema.js';
import type { PicsLine, PicsSection } from './format.js';

/** pics-format §2.2; `TEST` is not in it. */
const NAMES: Readonly<Record<string, string>> = {
  DeviceInfo: 'INFO',
  Status: 'STAT',
  Electrical: 'ELEC',
  Measurement: 'MEAS',
  EnergyControl: 'CTRL',
  ChargingSession: 'CHRG',
  Tariff: 'TAR',
  Signals: 'SIG',
  Plan: 'PLAN',
  TestControl: 'TEST',
};

/** Names of the feature map's bits, the lowest first. */
const FLAGS = ['CORE', 'FLEX', 'BATTERY', 'EMOB', 'SIGNALS', 'TARIFF', 'PLAN', 'PROCESS', 'FORECAST', 'ASYMMETRIC', 'V2X'] as const;

const SPEC_VERSION = 12;
const EFFECTIVE_LIMIT = 20;
const NOBODY: Caller = { id: '', type: 0, priority: 4 };

/** pics-format §4: what the model lists, and with 0 what the tables know beside it. */
export function modelSections(model: DeviceModel): readonly PicsSection[] {
  const version = model.endpoint(0)?.feature(DEVICE_INFO.id)?.read(SPEC_VERSION, NOBODY);
  const head: PicsLine[] = [
    { code: 'MASH.S', value: 1, about: 'a device' },
    { code: 'MASH.S.VERSION', value: String(version), about: 'specVersion' },
  ];
  return [{ title: 'Protocol (pics-format §4.1)', lines: head }, ...model.endpoints.map(endpointSection)];
}

function endpointSection(endpoint: Endpoint): PicsSection {
  const prefix = `MASH.S.E${hex(endpoint.id)}`;
  const [type = 'DEVICE_ROOT'] = Object.entries(EndpointType).find(([, value]) => value === endpoint.type) ?? [];
  const lines: PicsLine[] = [{ code: prefix, value: type, about: endpoint.label ?? 'endpoint' }];
  for (const schema of FEATURE_TABLES) lines.push(...featureLines(prefix, schema, endpoint.feature(schema.id)));
  for (const feature of endpoint.features)
    if (!FEATURE_TABLES.includes(feature.schema)) lines.push(...featureLines(prefix, feature.schema, feature));
  return { title: `Endpoint ${endpoint.id} (pics-format §4)`, lines };
}

function featureLines(endpointPrefix: string, schema: FeatureSchema, feature: Feature | undefined): readonly PicsLine[] {
  const prefix = `${endpointPrefix}.${NAMES[schema.name] ?? schema.name.toUpperCase()}`;
  const present: PicsLine = { code: prefix, value: Number(feature !== undefined), about: schema.name };
  if (feature === undefined) return [present];
  const map = feature.read(Global.FEATURE_MAP, NOBODY) as number;
  const behaviour = schema.name === 'EnergyControl' ? behaviourLines(prefix, feature) : [];
  const flags = schema.name === 'EnergyControl' ? FLAGS : [];
  return [
    present,
    ...flags.map((name, bit) => ({ code: `${prefix}.F${hex(bit)}`, value: (map >> bit) & 1, about: name })),
    ...schema.attributes.map(({ id, name }) => ({
      code: `${prefix}.A${hex(id)}`,
      value: Number(feature.attributeIds.includes(id)),
      about: name,
    })),
    ...schema.commands.map(({ id, name }) => ({
      code: `${prefix}.C${hex(id)}.Rsp`,
      value: Number(feature.commandIds.includes(id)),
      about: name,
    })),
    ...behaviour,
  ];
}

/** pics-format §4.6. */
function behaviourLines(prefix: string, feature: Feature): readonly PicsLine[] {
  const limit = feature.read(EFFECTIVE_LIMIT, NOBODY);
  return [
    { code: `${prefix}.B_LIMIT_DEFAULT`, value: limit === null ? 'unlimited' : String(limit), about: 'without any limit' },
    { code: `${prefix}.B_DURATION_EXPIRY`, value: 'clear', about: 'a limit at its end' },
  ];
}

function hex(value: number): string {
  return toHex(Uint8Array.of(value)).toUpperCase();
}
