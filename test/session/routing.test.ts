import { describe, expect, it } from 'vitest';
import type { ListenerRole } from '../../src/platform.js';
import { deviceIdOfServerName, routeHello } from '../../src/session/routing.js';

const COMM = 'mash-comm/1';
const MASH = 'mash/1';

/** What a client may offer. Where both protocols are offered, `mash-comm/1` decides. */
const OFFERS = { comm: [COMM], mash: [MASH], both: [MASH, COMM], 'comm first': [COMM, MASH], 'among others': ['h2', MASH, 'http/1.1'] };
const FOREIGN = [[], [''], ['http/1.1'], ['mash/2'], ['MASH/1'], ['mash-comm/1 '], ['mash-comm'], ['mash/1\0']];

type Outcome = 'comm by mash-comm/1' | 'comm by mash/1' | 'operational by mash/1' | 'refused';

function route(role: ListenerRole, alpn: readonly string[], windowOpen: boolean, hasZone: boolean): Outcome {
  const outcome = routeHello(role, { alpn, serverName: 'any', tls13: true }, { windowOpen, hasZone });
  if (outcome.kind !== 'refuse') {
    expect(alpn).toContain(outcome.alpn);
    return `${outcome.kind === 'commissioning' ? 'comm' : 'operational'} by ${outcome.alpn}` as Outcome;
  }
  expect(outcome.alert).toBe(120);
  return 'refused';
}

/** The table of protocol.md §1 spelled out: port × window × zones, and the outcome of each offer. */
const TABLE: readonly [ListenerRole, 'open' | 'closed', 'zone' | 'no zone', comm: Outcome, mash: Outcome][] = [
  ['operational', 'open', 'no zone', 'comm by mash-comm/1', 'comm by mash/1'],
  ['operational', 'open', 'zone', 'comm by mash-comm/1', 'operational by mash/1'],
  ['operational', 'closed', 'no zone', 'refused', 'refused'],
  ['operational', 'closed', 'zone', 'refused', 'operational by mash/1'],
  ['commissioning', 'open', 'no zone', 'comm by mash-comm/1', 'comm by mash/1'],
  ['commissioning', 'open', 'zone', 'comm by mash-comm/1', 'comm by mash/1'],
  ['commissioning', 'closed', 'no zone', 'refused', 'refused'],
  ['commissioning', 'closed', 'zone', 'refused', 'refused'],
];

describe.each(TABLE)('%s port, window %s, %s', (role, window, zone, comm, mash) => {
  const at = (alpn: readonly string[]): Outcome => route(role, alpn, window === 'open', zone === 'zone');

  it(`mash-comm/1: ${comm}`, () => {
    expect(at(OFFERS.comm)).toBe(comm);
    expect(at(OFFERS.both)).toBe(comm);
    expect(at(OFFERS['comm first'])).toBe(comm);
  });

  it(`mash/1: ${mash}`, () => {
    expect(at(OFFERS.mash)).toBe(mash);
    expect(at(OFFERS['among others'])).toBe(mash);
  });

  it.each(FOREIGN.map((offer) => [offer]))('%j is refused', (offer) => {
    expect(at(offer)).toBe('refused');
  });
});

it('the reason of a refusal is bounded, whatever was offered', () => {
  const outcome = routeHello(
    'operational',
    { alpn: Array.from({ length: 500 }, () => 'x'.repeat(255)), serverName: undefined, tls13: true },
    { windowOpen: true, hasZone: true },
  );
  expect(outcome.kind === 'refuse' && outcome.reason.length).toBeLessThan(200);
});

describe('the device id in the server name', () => {
  it.each([
    ['A66A8E4255CC3C8E', 'a66a8e4255cc3c8e'],
    ['a66a8e4255cc3c8e', 'a66a8e4255cc3c8e'],
    ['A66a8e4255cc3c8e.local', 'a66a8e4255cc3c8e'],
    ['a66a8e4255cc3c8e.LOCAL.', 'a66a8e4255cc3c8e'],
    ['a66a8e4255cc3c8e.', 'a66a8e4255cc3c8e'],
    ['local', 'local'],
    ['.local', ''],
    ['a.local.local', 'a.local'],
    ['a.example', 'a.example'],
    ['', ''],
  ])('%j is %j', (serverName, deviceId) => {
    expect(deviceIdOfServerName(serverName)).toBe(deviceId);
  });
});
