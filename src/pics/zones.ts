import { LONGEST_DURATION } from '../failsafe/command-checks.js';
import { LONGEST_FAILSAFE, SHORTEST_FAILSAFE } from '../failsafe/energy-writes.js';
import { STEP_SHARE } from '../failsafe/failsafe.js';
import { describeZone } from '../features/device-info.js';
import { DEVICE_INFO } from '../features/device-info-table.js';
import { ENERGY_CONTROL } from '../features/energy-control-table.js';
import type { Feature } from '../model/model.js';
import { understands } from './commissioning.js';
import { type EnergyBehaviour, energyBehaviour } from './energy-trial.js';
import type { PicsSection } from './format.js';
import { always, type PicsSource, type Row, seconds, section } from './source.js';

const REMOVE_ZONE = 16;
const LIST_ZONES = 17;

/** TestControl is none of its neighbours: the first endpoint that has the feature tells. */
function feature({ device }: PicsSource, id: number): Feature | undefined {
  for (const endpoint of device.model.endpoints) {
    const found = endpoint.feature(id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function command(id: number): (source: PicsSource) => boolean {
  return (source) => feature(source, DEVICE_INFO.id)?.commandIds.includes(id) ?? false;
}

const control = (source: PicsSource): Feature | undefined => feature(source, ENERGY_CONTROL.id);
const controls = (source: PicsSource): boolean => control(source) !== undefined;
/** 0 without EnergyControl: such a device has no failsafe and no durations. */
const where = (value: (source: PicsSource) => number | string | boolean) => (source: PicsSource) => controls(source) && value(source);
/** The same of what its tables do, of the first endpoint that has it. */
const behaves =
  (value: (behaviour: EnergyBehaviour) => string | boolean) =>
  ({ device }: PicsSource): string | boolean => {
    const [first] = device.energy.values();
    return first !== undefined && value(energyBehaviour(first.core.rules));
  };
const listed = (key: string) => (source: PicsSource) =>
  command(LIST_ZONES)(source) && describeZone({ id: '', type: 0, priority: 0, connected: false }).has(key);
const draft = (source: PicsSource): boolean => understands(source, 'draft');
const reference = (source: PicsSource): boolean => understands(source, 'reference');
const atMost = (share: number): string => `${Math.ceil(share * 100)}%`;

const ZONE: readonly Row<PicsSource>[] = [
  ['', 'zones', always],
  ['MAX_ZONES', 'zones at a time', ({ device }) => device.zones.slots],
  ['MAX', 'the same (pics-format §4.9)', ({ device }) => device.zones.slots],
  ['CURRENT_COUNT', 'zones now', ({ device }) => device.zones.count],
  ['GRID_OPERATOR', 'accepts zones of this type', draft],
  ['BUILDING_MANAGER', 'accepts zones of this type', draft],
  ['HOME_MANAGER', 'accepts zones of this type', draft],
  ['USER_APP', 'accepts zones of this type', draft],
  ['GRID', 'accepts zones of this type, dialect reference', reference],
  ['LOCAL', 'accepts zones of this type, dialect reference', reference],
  ['ADD', 'a commissioning adds a zone', always],
  ['REMOVE', 'RemoveZone', command(REMOVE_ZONE)],
  ['LIST', 'ListZones', command(LIST_ZONES)],
  ['FORCED_REMOVAL', 'a zone may remove one that ranks below it', ({ profile }) => profile['zones.forcedRemoval'] === 'on'],
  ['ADMIN_DELEGATION', 'admin tokens are judged', draft],
  ['TEMP_TOKEN_DURATION', 'longest life of a temporary token, s; 0: as its owner signs it', () => 0],
  ['CONNECT', 'ListZones tells who is connected', listed('connected')],
  ['LAST_SEEN', 'ListZones tells when a zone was last seen', listed('lastSeen')],
  ['B_PRIORITY', 'setpoints: the highest priority wins', behaves(({ rankWins }) => rankWins)],
  ['B_RESTRICT', 'limits: the least wins', behaves(({ leastLimitWins }) => leastLimitWins)],
  ['B_SESSION', 'one session a zone', always],
  ['FAILSAFE', 'loss of the zones leads to failsafe', controls],
  ['FAILSAFE_DUR', 'its duration may be written', (source) => control(source)?.attribute(72)?.access === 'readWrite'],
];

const FAILSAFE: readonly Row<PicsSource>[] = [
  ['', 'failsafe', controls],
  ['DURATION_MIN', 'shortest duration, s', where(() => SHORTEST_FAILSAFE)],
  ['DURATION_MAX', 'longest duration, s', where(() => LONGEST_FAILSAFE)],
  ['DURATION_DEFAULT', 'duration until a zone writes another, s', where(({ profile }) => seconds(profile['failsafe.duration']))],
  ['CONSUMPTION_LIMIT', 'failsafeConsumptionLimit', (source) => control(source)?.has(70) ?? false],
  ['PRODUCTION_LIMIT', 'failsafeProductionLimit', (source) => control(source)?.has(71) ?? false],
  ['LIMIT_CONFIGURABLE', 'zones may write it', (source) => control(source)?.attribute(70)?.access === 'readWrite'],
  ['TIMER_PERSISTENT', 'the timer outlives a restart', behaves(({ failsafePersists }) => failsafePersists)],
  ['TIMER_ACCURACY', 'what a restart may cost of it', where(() => atMost(STEP_SHARE))],
  ['GRACE_PERIOD', 'failsafe lasts longer by a grace', where(({ profile }) => profile['failsafe.grace'] > 0)],
  ['GRACE_DURATION', 'the grace, s', where(({ profile }) => seconds(profile['failsafe.grace']))],
  ['RECONNECT_WINS', 'a zone that returns ends it', behaves(({ reconnectionWins }) => reconnectionWins)],
];

const DURATION: readonly Row<PicsSource>[] = [
  ['', 'durations of limits and setpoints', controls],
  ['MAX', 'longest, s', where(() => LONGEST_DURATION)],
  ['START_ON', 'a duration counts from', behaves(({ durationStarts }) => durationStarts)],
  ['EXPIRY_ACTION', 'at its end', behaves(({ durationEnds }) => durationEnds)],
  ['PERSIST_RECONNECT', 'limits with a duration outlive a reconnection', behaves(({ durationPersists }) => durationPersists)],
  ['ACCURACY', 'of its end', where(() => '1%')],
];

export function zoneSections(source: PicsSource): readonly PicsSection[] {
  return [
    section('Zones (pics-registry §5, pics-format §4.9)', 'MASH.S.ZONE', ZONE, source),
    section('Failsafe (pics-registry §7)', 'MASH.S.FAILSAFE', FAILSAFE, source),
    section('Durations (pics-registry §9)', 'MASH.S.DURATION', DURATION, source),
  ];
}
