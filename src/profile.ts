import { ConfigError, closest } from './errors.js';

/**
 * The numbers that differ between revisions of the protocol, as plain data (protocol.md, table of profiles). Every value can be overridden by its key.
 * A profile never changes which dialects are understood.
 */
interface NumberValue {
  readonly kind: 'number';
  readonly unit: 'ms' | 's' | 'bytes' | 'count';
  readonly minimum: number;
  readonly maximum: number;
  readonly draft: number;
  readonly reference: number;
  readonly about: string;
  /** Where profile `reference` allows less. */
  readonly inReference?: readonly [minimum: number, maximum: number];
}
interface ChoiceValue<T extends string> {
  readonly kind: 'choice';
  readonly choices: readonly T[];
  readonly draft: T;
  readonly reference: T;
  readonly about: string;
}

function number(unit: NumberValue['unit'], minimum: number, maximum: number, draft: number, reference: number, about: string): NumberValue {
  return { kind: 'number', unit, minimum, maximum, draft, reference, about };
}
function choice<T extends string>(choices: readonly T[], draft: T, reference: T, about: string): ChoiceValue<T> {
  return { kind: 'choice', choices, draft, reference, about };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

export const PROFILE_TABLE = {
  'commissioning.dialects': choice(
    ['both', 'draft', 'reference'],
    'both',
    'both',
    'dialects understood at the first commissioning message',
  ),
  'commissioning.window': {
    ...number('ms', 3 * SECOND, 10_800 * SECOND, 120 * SECOND, 900 * SECOND, 'length of the commissioning window'),
    inReference: [180 * SECOND, 10_800 * SECOND],
  },
  'commissioning.coolDown': number('ms', 0, 600 * SECOND, 10 * SECOND, 0, 'rest before the window may open again'),
  'commissioning.busyCoolDown': number(
    'ms',
    0,
    60 * SECOND,
    0,
    500,
    'after a commissioning connection ends, new ones are busy for this long',
  ),
  'commissioning.openAtStart': choice(['never', 'withoutZone'], 'never', 'withoutZone', 'window at start'),
  'commissioning.openAfterRemoval': choice(['never', 'always'], 'never', 'always', 'window after the removal of a zone'),
  'commissioning.pairingRequests': choice(['ignore', 'heed'], 'ignore', 'heed', "whether a controller's pairing request opens the window"),
  'commissioning.port8444': choice(['on', 'off'], 'on', 'off', 'a commissioning port of its own, open while the window is'),
  'commissioning.firstMessage': number('ms', SECOND, 300 * SECOND, 30 * SECOND, 5 * SECOND, 'PASE_WAIT_X'),
  'commissioning.compute': number(
    'ms',
    SECOND,
    60 * SECOND,
    10 * SECOND,
    20 * SECOND,
    'PASE_COMPUTE; in `reference` the pace alone may take 10 s of it',
  ),
  'commissioning.verifier': number('ms', SECOND, 300 * SECOND, 30 * SECOND, 30 * SECOND, 'PASE_WAIT_V'),
  'commissioning.csrRequest': number('ms', SECOND, 300 * SECOND, 10 * SECOND, 5 * SECOND, 'CSR_REQ after PASE_CONFIRM or ATTESTATION_RSP'),
  'commissioning.csrGenerate': number('ms', SECOND, 60 * SECOND, 10 * SECOND, 10 * SECOND, 'CSR_GENERATE'),
  'commissioning.certificate': number('ms', SECOND, 300 * SECOND, 30 * SECOND, 30 * SECOND, 'CERT_WAIT'),
  'commissioning.install': number('ms', SECOND, 60 * SECOND, 5 * SECOND, 5 * SECOND, 'CERT_INSTALL'),
  'commissioning.whole': number(
    'ms',
    0,
    600 * SECOND,
    0,
    85 * SECOND,
    'whole commissioning from the first message; 0: bound by the window alone',
  ),
  'commissioning.yieldAfter': number(
    'ms',
    SECOND,
    60 * SECOND,
    5 * SECOND,
    5 * SECOND,
    'a session without a verifier this long after PASE_Y yields the lock',
  ),
  'commissioning.errorDelay': number('ms', 0, 10 * SECOND, 0, 200, 'an error answer leaves no earlier than this after its request'),
  'commissioning.pace': choice(['bucket', 'tiers'], 'bucket', 'tiers', 'how wrong codes are slowed down'),
  'commissioning.certificateLife': number('ms', DAY, 7305 * DAY, DAY, 7305 * DAY, 'validity of the commissioning certificate'),
  'commissioning.certificateKept': choice(
    ['no', 'yes'],
    'no',
    'yes',
    'whether the commissioning certificate survives a restart and the first zone',
  ),
  'certificates.renewalWindow': number(
    'ms',
    DAY,
    365 * DAY,
    30 * DAY,
    7 * DAY,
    'before the end of an operational certificate: renewal is due',
  ),
  'certificates.grace': number('ms', 0, 7 * DAY, 7 * DAY, 7 * DAY, 'after its end: new connections of its zone are still served'),
  'zones.forcedRemoval': choice(['on', 'off'], 'on', 'off', 'a zone may remove one that ranks below it'),
  'zones.policy': choice(['any', 'onePerType'], 'any', 'onePerType', 'which zones may share the device'),
  'zones.slots': number('count', 1, 16, 5, 2, 'zone slots'),
  'message.maximum': number('bytes', 1024, 1_048_576, 65_536, 8192, 'largest message'),
  'connections.preOperational': number('count', 1, 64, 6, 3, 'connections between TCP accept and an accepted client certificate'),
  'connections.overflow': choice(['displace', 'refuse'], 'displace', 'refuse', 'what happens to one connection too many'),
  'connections.stale': number('ms', SECOND, 3600 * SECOND, 90 * SECOND, 90 * SECOND, 'a pre-operational connection this old is closed'),
  'connections.sweep': number('ms', SECOND, 600 * SECOND, 10 * SECOND, 10 * SECOND, 'how often stale connections are looked for'),
  'session.liveness': choice(['probe', 'tcp'], 'probe', 'tcp', 'pings (draft zones) and Reads (reference zones), or TCP keep-alive alone'),
  'session.ping': number('ms', SECOND, 3600 * SECOND, 30 * SECOND, 30 * SECOND, 'interval of pings, draft zones'),
  'session.pong': number('ms', 100, 60 * SECOND, 5 * SECOND, 5 * SECOND, 'time for the answer to a ping'),
  'session.missed': number('count', 1, 100, 3, 3, 'missed answers until the connection is lost'),
  'session.sendDeadline': number(
    'ms',
    SECOND,
    3600 * SECOND,
    60 * SECOND,
    60 * SECOND,
    'what the peer leaves unread this long ends the connection',
  ),
  'session.close': number('ms', 100, 60 * SECOND, 5 * SECOND, 5 * SECOND, 'time for close_ack'),
  'interaction.oddReadPayload': choice(['refuse', 'all'], 'refuse', 'all', 'a Read payload of another shape: status 5, or all attributes'),
  'subscriptions.coalescing': choice(
    ['sinceLast', 'sinceChange'],
    'sinceLast',
    'sinceChange',
    'minInterval counts from the last frame, or from the first change',
  ),
  'subscriptions.intervals': choice(
    ['ranged', 'ordered'],
    'ranged',
    'ordered',
    'intervals out of range refused with status 11, or min > max alone with 13',
  ),
  'subscriptions.unknownAttribute': choice(['refuse', 'skip'], 'refuse', 'skip', 'a listed attribute that does not exist'),
  'subscriptions.deviceInfo': choice(['notify', 'silent'], 'notify', 'silent', 'whether anything of DeviceInfo notifies'),
  'meter.read': choice(['on', 'off'], 'on', 'off', 'whether a grid meter that a controller exposes is read, where something wants it'),
  'control.states': choice(
    ['draft', 'reference'],
    'draft',
    'reference',
    'any limit is LIMITED, or limits and setpoints are CONTROLLED; who may pause from where',
  ),
  'failsafe.duration': number('ms', 7200 * SECOND, DAY, 14_400 * SECOND, 7200 * SECOND, 'failsafeDuration until a zone writes another'),
  'failsafe.grace': number('ms', 0, 3600 * SECOND, 0, 0, 'failsafe lasts this much longer'),
  'failsafe.afterDuration': choice(['autonomous', 'hold'], 'autonomous', 'autonomous', 'what comes after it'),
  'override.maxDuration': number('ms', MINUTE, DAY, 14_400 * SECOND, 14_400 * SECOND, "the user's override ends by itself"),
  'discovery.ipv4': choice(['off', 'on'], 'off', 'on', 'dual-stack listener and A records'),
  'discovery.records': choice(['draft', 'reference'], 'draft', 'reference', 'TTLs, instance names and TXT keys'),
  'remote.portMapping': choice(['off', 'upnp'], 'off', 'off', 'whether the operational port is opened on the router, for the internet'),
} as const;

export type ProfileKey = keyof typeof PROFILE_TABLE;
export type ProfileName = 'draft' | 'reference';
type ValueOf<T> = T extends { readonly choices: readonly (infer C)[] } ? C : number;
export type Profile = { readonly [K in ProfileKey]: ValueOf<(typeof PROFILE_TABLE)[K]> } & { readonly name: ProfileName };

/** Builds a profile with overrides by key. Times are in milliseconds. Throws ConfigError naming the key, its range, and the closest key for an unknown one. */
export function makeProfile(name: ProfileName, overrides: Readonly<Record<string, string>> = {}): Profile {
  const values: Record<string, string | number> = {};
  for (const [key, entry] of Object.entries(PROFILE_TABLE)) values[key] = entry[name];
  for (const [key, text] of Object.entries(overrides)) {
    if (!isKey(key)) throw new ConfigError(key, `there is no such setting; the closest is '${closest(key, Object.keys(PROFILE_TABLE))}'`);
    values[key] = parse(name, key, text);
  }
  return { name, ...values } as unknown as Profile;
}

/** What a setting may be, for people: `3000…10800000 ms`, `on, off`. */
export function rangeOf(name: ProfileName, key: ProfileKey): string {
  const entry: NumberValue | ChoiceValue<string> = PROFILE_TABLE[key];
  if (entry.kind === 'choice') return entry.choices.join(', ');
  const [minimum, maximum] = bounds(name, entry);
  return `${minimum}…${maximum}${entry.unit === 'count' ? '' : ` ${entry.unit}`}`;
}

function bounds(name: ProfileName, entry: NumberValue): readonly [minimum: number, maximum: number] {
  return (name === 'reference' ? entry.inReference : undefined) ?? [entry.minimum, entry.maximum];
}

function isKey(key: string): key is ProfileKey {
  return Object.hasOwn(PROFILE_TABLE, key);
}

function parse(name: ProfileName, key: ProfileKey, text: string): string | number {
  const entry: NumberValue | ChoiceValue<string> = PROFILE_TABLE[key];
  if (entry.kind === 'choice') {
    if (!entry.choices.includes(text)) throw new ConfigError(key, `'${text}' is none of ${entry.choices.join(', ')}`);
    return text;
  }
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isInteger(value)) throw new ConfigError(key, `'${text}' is not a whole number of ${entry.unit}`);
  const [minimum, maximum] = bounds(name, entry);
  if (value < minimum || value > maximum) throw new ConfigError(key, `${value} is outside ${minimum}…${maximum} ${entry.unit}`);
  return value;
}
