import { describe, expect, it } from 'vitest';
import { ConfigError } from '../src/errors.js';
import { makeProfile, PROFILE_TABLE, type ProfileKey, type ProfileName } from '../src/profile.js';

/** The table of profiles in protocol.md, in milliseconds and bytes. */
const EXPECTED: Readonly<Record<ProfileKey, readonly [draft: number | string, reference: number | string]>> = {
  'commissioning.dialects': ['both', 'both'],
  'commissioning.window': [120_000, 900_000],
  'commissioning.coolDown': [10_000, 0],
  'commissioning.busyCoolDown': [0, 500],
  'commissioning.openAtStart': ['never', 'withoutZone'],
  'commissioning.openAfterRemoval': ['never', 'always'],
  'commissioning.pairingRequests': ['ignore', 'heed'],
  'commissioning.port8444': ['on', 'off'],
  'commissioning.firstMessage': [30_000, 5000],
  'commissioning.compute': [10_000, 20_000],
  'commissioning.verifier': [30_000, 30_000],
  'commissioning.csrRequest': [10_000, 5000],
  'commissioning.csrGenerate': [10_000, 10_000],
  'commissioning.certificate': [30_000, 30_000],
  'commissioning.install': [5000, 5000],
  'commissioning.whole': [0, 85_000],
  'commissioning.yieldAfter': [5000, 5000],
  'commissioning.errorDelay': [0, 200],
  'commissioning.pace': ['bucket', 'tiers'],
  'commissioning.certificateLife': [86_400_000, 631_152_000_000],
  'commissioning.certificateKept': ['no', 'yes'],
  'certificates.renewalWindow': [2_592_000_000, 604_800_000],
  'certificates.grace': [604_800_000, 604_800_000],
  'zones.forcedRemoval': ['on', 'off'],
  'zones.policy': ['any', 'onePerType'],
  'zones.slots': [5, 2],
  'message.maximum': [65_536, 8192],
  'connections.preOperational': [6, 3],
  'connections.overflow': ['displace', 'refuse'],
  'connections.stale': [90_000, 90_000],
  'connections.sweep': [10_000, 10_000],
  'session.liveness': ['probe', 'tcp'],
  'session.ping': [30_000, 30_000],
  'session.pong': [5000, 5000],
  'session.missed': [3, 3],
  'session.sendDeadline': [60_000, 60_000],
  'session.close': [5000, 5000],
  'interaction.oddReadPayload': ['refuse', 'all'],
  'subscriptions.coalescing': ['sinceLast', 'sinceChange'],
  'subscriptions.intervals': ['ranged', 'ordered'],
  'subscriptions.unknownAttribute': ['refuse', 'skip'],
  'subscriptions.deviceInfo': ['notify', 'silent'],
  'meter.read': ['on', 'off'],
  'control.states': ['draft', 'reference'],
  'failsafe.duration': [14_400_000, 7_200_000],
  'failsafe.grace': [0, 0],
  'failsafe.afterDuration': ['autonomous', 'autonomous'],
  'override.maxDuration': [14_400_000, 14_400_000],
  'discovery.ipv4': ['off', 'on'],
  'discovery.records': ['draft', 'reference'],
  'remote.portMapping': ['off', 'off'],
};
const KEYS = Object.keys(EXPECTED) as ProfileKey[];

function refusal(name: ProfileName, overrides: Record<string, string>): ConfigError {
  try {
    makeProfile(name, overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return expect.fail('accepted');
}

describe('the built-in profiles', () => {
  it.each(['draft', 'reference'] as const)('%s has the values of protocol.md', (name) => {
    const column = name === 'draft' ? 0 : 1;
    expect(makeProfile(name)).toEqual({ name, ...Object.fromEntries(KEYS.map((key) => [key, EXPECTED[key][column]])) });
  });

  it('every value of both is one that an override could set', () => {
    for (const key of KEYS) for (const value of EXPECTED[key]) expect(makeProfile('draft', { [key]: String(value) })[key]).toBe(value);
  });
});

describe('overrides', () => {
  it.each(KEYS)('%s can be set and leaves everything else alone', (key) => {
    const entry = PROFILE_TABLE[key];
    const values = entry.kind === 'choice' ? entry.choices : [entry.minimum, entry.maximum];
    for (const value of values) {
      const profile = makeProfile('draft', { [key]: String(value) });
      expect(profile).toEqual({ ...makeProfile('draft'), [key]: value });
    }
  });

  it('the window of profile reference is 180…10 800 s long (protocol.md, row "commissioning window")', () => {
    for (const value of [180_000, 10_800_000])
      expect(makeProfile('reference', { 'commissioning.window': String(value) })['commissioning.window']).toBe(value);
    for (const value of ['179999', '10800001'])
      expect(refusal('reference', { 'commissioning.window': value }).message).toContain('is outside 180000…10800000 ms');
  });

  it.each(KEYS)('%s refuses what is outside, naming the key and what is allowed', (key) => {
    const entry = PROFILE_TABLE[key];
    if (entry.kind === 'choice') {
      const [first = ''] = entry.choices as readonly string[];
      for (const text of ['', 'maybe', first.toUpperCase(), ` ${first}`]) {
        const { where, message } = refusal('draft', { [key]: text });
        expect(where).toBe(key);
        for (const choice of entry.choices) expect(message).toContain(choice);
      }
      return;
    }
    for (const value of [entry.minimum - 1, entry.maximum + 1]) {
      const { where, message } = refusal('draft', { [key]: String(value) });
      expect(where).toBe(key);
      expect(message).toContain(`${value} is outside ${entry.minimum}…${entry.maximum} ${entry.unit}`);
    }
    for (const text of ['', ' ', 'many', '1.5', 'NaN', 'Infinity', '1,000', '10s'])
      expect(refusal('draft', { [key]: text }).message).toBe(`${key}: '${text}' is not a whole number of ${entry.unit}`);
  });

  it.each([
    ['commissioning.windw', 'commissioning.window'],
    ['Commissioning.Window', 'commissioning.window'],
    ['session.pings', 'session.ping'],
    ['zone.slots', 'zones.slots'],
    ['discovery.ipv6', 'discovery.ipv4'],
    ['message.max', 'message.maximum'],
    ['commissioning.port8443', 'commissioning.port8444'],
  ])('%j does not exist; the closest is %s', (key, closest) => {
    const { where, message } = refusal('draft', { [key]: '1' });
    expect(where).toBe(key);
    expect(message).toContain(`the closest is '${closest}'`);
  });

  it.each(['', 'toString', '__proto__', 'name'])('%j is no key either', (key) => {
    expect(refusal('draft', Object.fromEntries([[key, '1']])).message).toContain('there is no such setting');
  });
});
