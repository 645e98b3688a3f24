import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DeviceArguments, parseDeviceArguments } from '../../src/cli/device-arguments.js';
import { makeProfile } from '../../src/profile.js';
import { FIRMWARE_VERSION } from '../../src/version.js';

function parse(line: string, isTerminal = false) {
  const printed: string[] = [];
  const failed: string[] = [];
  const argv = line === '' ? [] : line.split(' ');
  const result = parseDeviceArguments(
    argv,
    isTerminal,
    (text) => printed.push(text),
    (text) => failed.push(text),
  );
  return { result, printed: printed.join(''), failed: failed.join('') };
}

function accepted(line: string, isTerminal = false): DeviceArguments {
  const { result, failed, printed } = parse(line, isTerminal);
  expect([failed, printed]).toEqual(['', '']);
  if (result.kind !== 'run') return expect.fail('not accepted');
  return result.options;
}

function refused(line: string): string {
  const { result, failed, printed } = parse(line);
  expect(result).toEqual({ kind: 'exit', code: 2 });
  expect(printed).toBe('');
  expect(failed).toMatch(/^error: /);
  return failed;
}

describe('defaults', () => {
  it('are a simulated charger of the draft profile, everything kept under ./.state', () => {
    const { board, ...rest } = accepted('');
    expect(board.name).toBe('sim-evse');
    expect(rest).toEqual({
      profile: makeProfile('draft'),
      state: path.resolve('.state/sim-evse'),
      port: 8443,
      commissioningPort: 8444,
      setupCode: undefined,
      discriminator: undefined,
      openWindow: false,
      freezeMeters: false,
      interfaces: undefined,
      deniedInterfaces: undefined,
      logLevel: 'info',
      logFormat: 'json',
    });
  });

  it('are pretty on a terminal, unless said otherwise', () => {
    expect(accepted('', true).logFormat).toBe('pretty');
    expect(accepted('--log-format json', true).logFormat).toBe('json');
    expect(accepted('--log-format pretty').logFormat).toBe('pretty');
  });
});

describe('every option', () => {
  it.each<readonly [string, Partial<DeviceArguments>]>([
    ['--port 9443', { port: 9443 }],
    ['--port 0 --commissioning-port 0', { port: 0, commissioningPort: 0 }],
    ['--port=65535', { port: 65_535 }],
    ['--commissioning-port 9444', { commissioningPort: 9444 }],
    ['--discriminator 0', { discriminator: 0 }],
    ['--discriminator 4095', { discriminator: 4095 }],
    ['--open-window', { openWindow: true }],
    ['--interface eth0', { interfaces: ['eth0'] }],
    ['--interface eth0 wlan0', { interfaces: ['eth0', 'wlan0'] }],
    ['--interface eth0 --interface wlan0', { interfaces: ['eth0', 'wlan0'] }],
    ['--interface eth0,wlan* br0', { interfaces: ['eth0', 'wlan*', 'br0'] }],
    ['--interface eth* --deny-interface eth1 kind:bridge', { interfaces: ['eth*'], deniedInterfaces: ['eth1', 'kind:bridge'] }],
    ['--state some/folder', { state: path.resolve('some/folder') }],
    ['--log-level debug', { logLevel: 'debug' }],
    ['--profile reference', { profile: makeProfile('reference') }],
    ['--set zones.slots=3', { profile: makeProfile('draft', { 'zones.slots': '3' }) }],
    [
      '--profile reference --set zones.slots=3 session.ping=1000 --set discovery.ipv4=off',
      { profile: makeProfile('reference', { 'zones.slots': '3', 'session.ping': '1000', 'discovery.ipv4': 'off' }) },
    ],
    // Where there is no commissioning port, its number does not matter.
    ['--profile reference --port 8444', { port: 8444 }],
    ['--set commissioning.port8444=off --port 8444', { port: 8444 }],
  ])('%s', (line, options) => {
    expect(accepted(line)).toMatchObject(options);
  });

  it('--setup-code', () => {
    const { setupCode } = accepted('--setup-code 20220211');
    expect(setupCode?.digits()).toBe('20220211');
    expect(String(setupCode)).not.toContain('2022');
  });

  it('--board', () => {
    expect(accepted('--board sim-evse').board.vendorId).toBe(0x1234);
  });
});

describe('what is wrong is named', () => {
  it.each([
    ['--prot 1', "unknown option '--prot'", '--port'],
    ['--profil draft', "unknown option '--profil'", '--profile'],
    ['--setupcode 20220211', "unknown option '--setupcode'", '--setup-code'],
    ['--open-windw', "unknown option '--open-windw'", '--open-window'],
    ['--log-levl info', "unknown option '--log-levl'", '--log-level'],
    ['--set commissioning.windw=60000', 'commissioning.windw: there is no such setting', 'commissioning.window'],
    ['--set zone.slots=3', 'zone.slots: there is no such setting', 'zones.slots'],
    ['--set toString=1', 'toString: there is no such setting', 'the closest is'],
    ['--set __proto__=1', '__proto__: there is no such setting', 'the closest is'],
    ['--board sim-evs', "'sim-evs' is invalid", 'sim-evse'],
    ['--profile refrence', "'refrence' is invalid", 'reference'],
    ['--log-level verbose', "'verbose' is invalid", 'error, warn, info, debug'],
    ['--log-format xml', "'xml' is invalid", 'pretty, json'],
  ])('%s: %s, with the right word', (line, what, word) => {
    const message = refused(line);
    expect(message).toContain(what);
    expect(message).toContain(word);
  });

  it.each([
    ['--port 65536', '0…65535'],
    ['--port -1', '--port'],
    ['--port 8443x', '0…65535'],
    ['--port 1e3', '0…65535'],
    ['--port', 'argument missing'],
    ['--commissioning-port 70000', '0…65535'],
    ['--discriminator 4096', '0…4095'],
    ['--discriminator 0x10', '0…4095'],
    ['--setup-code 1234567', '--setup-code: expected 8 decimal digits'],
    ['--setup-code 2022021a', '--setup-code: expected 8 decimal digits'],
    ['--setup-code 12345678', '--setup-code: too easy to guess'],
    ['--interface', 'argument missing'],
    ['--interface eth0%1', "'eth0%1' is no interface name"],
    ['--interface eth0,,eth1', "'' is no interface name"],
    ['--set zones.slots=3 pics', 'a command stands before an option that takes several words: mash-device pics'],
    ['--interface eth0 settings', 'a command stands before an option'],
    ['setings', "unknown command 'setings'; there are log, settings, pics"],
    ['--deny-interface kind:radio', "'radio' is none of the kinds"],
    ['--set', 'argument missing'],
    ['--set zones.slots', "--set: 'zones.slots' is not key=value"],
    ['--set =3', "--set: '=3' is not key=value"],
    ['--set zones.slots=', 'zones.slots'],
    ['--set zones.slots=17', 'zones.slots: 17 is outside 1…16'],
    ['--set discovery.ipv4=maybe', "discovery.ipv4: 'maybe' is none of off, on"],
    ['device', "unknown command 'device'"],
  ])('%s: %s', (line, what) => {
    expect(refused(line)).toContain(what);
  });

  it('a setup code that is refused is not repeated', () => {
    expect(refused('--setup-code 1234567')).not.toContain('1234567');
    expect(refused('--setup-code 12345678')).not.toContain('12345678');
  });
});

describe('contradictions', () => {
  it.each([
    '--port 8444',
    '--commissioning-port 8443',
    '--port 5 --commissioning-port 5',
    '--profile reference --set commissioning.port8444=on --port 8444',
  ])('%s: one port for two listeners', (line) => {
    expect(refused(line)).toContain('--commissioning-port');
  });

  it.each(['--set zones.slots=3 --set zones.slots=4', '--set zones.slots=3 zones.slots=3'])('%s: given twice', (line) => {
    expect(refused(line)).toContain('--set: zones.slots is given twice');
  });
});

describe('texts', () => {
  it('--help prints every option and ends with 0', () => {
    const { result, printed, failed } = parse('--help');
    expect(result).toEqual({ kind: 'exit', code: 0 });
    expect(failed).toBe('');
    for (const option of [
      'board',
      'profile',
      'state',
      'port',
      'commissioning-port',
      'setup-code',
      'discriminator',
      'open-window',
      'interface',
      'deny-interface',
      'set',
      'log-level',
      'log-format',
    ])
      expect(printed).toContain(`--${option}`);
    expect(printed).toContain('Examples:');
  });

  it('the examples in the help are accepted', () => {
    const lines = parse('--help')
      .printed.split('\n')
      .filter((line) => line.startsWith('  mash-device'));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const argv =
        line
          .trim()
          .split(/ {2,}/)[0]
          ?.replace(/^mash-device ?/, '') ?? '';
      expect([argv, parse(argv).result.kind, parse(argv).failed]).toEqual([
        argv,
        /^(log|pics|settings)\b/.test(argv) ? 'command' : 'run',
        '',
      ]);
    }
  });

  it('--version prints the version and ends with 0', () => {
    expect(parse('--version')).toEqual({ result: { kind: 'exit', code: 0 }, printed: `${FIRMWARE_VERSION}\n`, failed: '' });
  });
});
