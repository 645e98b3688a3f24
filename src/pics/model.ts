import { toHex } from '../codec/hex.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { EndpointType } from '../features/endpoint-types.js';
import { FEATURE_TABLES } from '../features/tables.js';
import type { Caller } from '../model/feature.js';
import { type Endpoint, type Feature, Global } from '../model/model.js';
import type { FeatureSchema } from '../model/schema.js';
import { energyBehaviour } from './energy-trial.js';
import { energyNeverFalls, signIsPassive, statusBehaviour, unknownIsNull } from './feature-trial.js';
import type { PicsLine, PicsSection, PicsValue } from './format.js';
import type { PicsSource } from './source.js';

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
/** Attributes of Measurement. */
const POWER = 1;
const ENERGIES = [30, 31, 43, 44];
const NOBODY: Caller = { id: '', type: 0, priority: 4 };

/** pics-format §4: what the model lists, and with 0 what the tables know beside it. */
export function modelSections(source: PicsSource): readonly PicsSection[] {
  const { model } = source.device;
  const version = model.endpoint(0)?.feature(DEVICE_INFO.id)?.read(SPEC_VERSION, NOBODY);
  const head: PicsLine[] = [
    { code: 'MASH.S', value: 1, about: 'a device' },
    { code: 'MASH.S.VERSION', value: String(version), about: 'specVersion' },
  ];
  return [{ title: 'Protocol (pics-format §4.1)', lines: head }, ...model.endpoints.map((endpoint) => endpointSection(source, endpoint))];
}

function endpointSection(source: PicsSource, endpoint: Endpoint): PicsSection {
  const prefix = `MASH.S.E${hex(endpoint.id)}`;
  const [type = 'DEVICE_ROOT'] = Object.entries(EndpointType).find(([, value]) => value === endpoint.type) ?? [];
  const lines: PicsLine[] = [{ code: prefix, value: type, about: endpoint.label ?? 'endpoint' }];
  for (const schema of FEATURE_TABLES) lines.push(...featureLines(source, prefix, schema, endpoint.feature(schema.id)));
  for (const feature of endpoint.features)
    if (!FEATURE_TABLES.includes(feature.schema)) lines.push(...featureLines(source, prefix, feature.schema, feature));
  return { title: `Endpoint ${endpoint.id} (pics-format §4)`, lines };
}

function featureLines(
  source: PicsSource,
  endpointPrefix: string,
  schema: FeatureSchema,
  feature: Feature | undefined,
): readonly PicsLine[] {
  const prefix = `${endpointPrefix}.${NAMES[schema.name] ?? schema.name.toUpperCase()}`;
  const present: PicsLine = { code: prefix, value: Number(feature !== undefined), about: schema.name };
  if (feature === undefined) return [present];
  const map = feature.read(Global.FEATURE_MAP, NOBODY) as number;
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
    ...(BEHAVIOURS[schema.name]?.(source, feature) ?? []).map(([name, about, value]) => ({
      code: `${prefix}.${name}`,
      value: typeof value === 'boolean' ? Number(value) : value,
      about,
    })),
  ];
}

type BehaviourRow = readonly [name: string, about: string, value: PicsValue | boolean];

/** What a feature does besides what it lists; names of helpers of the Go library stand for what of them shows on the wire. */
const BEHAVIOURS: Readonly<Record<string, (source: PicsSource, feature: Feature) => readonly BehaviourRow[]>> = {
  // pics-format §4.6
  EnergyControl: ({ device }, { endpoint }) => {
    const control = device.energy.get(endpoint);
    if (control === undefined) return [];
    const { withoutLimit, resumesAfterFailsafe, durationEnds } = energyBehaviour(control.core.rules);
    return [
      ['B_LIMIT_DEFAULT', 'without any limit', withoutLimit ?? 'unlimited'],
      ['B_PAUSED_AUTO_RESUME', 'a paused process resumes when the failsafe is over', resumesAfterFailsafe],
      ['B_DURATION_EXPIRY', 'a limit at its end', durationEnds],
    ];
  },
  // pics-format §4.7
  Measurement: (_source, feature) => [
    ['B_SIGN', '+ consumes, − produces', feature.has(POWER) && signIsPassive()],
    ['B_DIRECTION', 'the sign of the power tells its direction', feature.has(POWER) && signIsPassive()],
    ['B_NULLABLE', 'what is not known is null', unknownIsNull()],
    ['B_CUMULATIVE', 'energies never fall', ENERGIES.some((id) => feature.has(id)) && energyNeverFalls()],
  ],
  // pics-format §4.8
  Status: () => {
    const { setsFault, clearsFault, judgesTransitions, tellsStates, faultHasCode } = statusBehaviour();
    return [
      ['C01', 'a fault of the device is shown', setsFault],
      ['C02', 'and its end', clearsFault],
      ['B_TRANSITIONS', 'states are judged by the one before: they follow from what is so', judgesTransitions],
      ['B_HELPERS', 'faulted, running and ready are told apart', tellsStates],
      ['B_FAULT_CODE', 'FAULT has a code, other states have none', faultHasCode],
    ];
  },
};

function hex(value: number): string {
  return toHex(Uint8Array.of(value)).toUpperCase();
}
