import { beforeEach, describe, expect, it } from 'vitest';
import { connectFirst, formatTarget, lacksScope, parseTarget, serviceAddresses } from '../../src/controller/addresses.js';
import { ControllerError } from '../../src/controller/errors.js';
import type { DeviceAddress } from '../../src/controller/zone.js';
import { addressScope, parseAddress } from '../../src/discovery/address.js';
import type { DiscoveredAddress, DiscoveredService } from '../../src/discovery/discovered.js';
import { NetworkError } from '../../src/errors.js';
import { VirtualClock } from '../world/clock.js';

function at(text: string, interfaceName: string): DiscoveredAddress {
  const bytes = parseAddress(text) as Uint8Array;
  return { text, bytes, interfaceName, scope: addressScope(bytes) };
}

describe('serviceAddresses', () => {
  it('puts ULA before global before link-local before IPv4, and scopes link-local addresses', () => {
    const service: DiscoveredService = {
      kind: 'complete',
      instance: 'MASH-1',
      type: '_mash-comm._tcp',
      host: 'mash-1.local',
      port: 8444,
      txt: new Map(),
      addresses: [
        at('192.0.2.7', 'eth0'),
        at('fe80::7', 'eth0'),
        at('fe80::7', 'wlan0'),
        at('2001:db8::7', 'eth0'),
        at('fd00::7', 'wlan0'),
      ],
      interfaceName: 'eth0',
    };
    expect(serviceAddresses(service).map(formatTarget)).toEqual([
      '[fd00::7]:8444',
      '[2001:db8::7]:8444',
      '[fe80::7%eth0]:8444',
      '[fe80::7%wlan0]:8444',
      '192.0.2.7:8444',
    ]);
  });
});

describe('parseTarget', () => {
  it.each([
    ['[fd00::1]:8444', { host: 'fd00::1', port: 8444 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65_535 }],
    ['evse.local:8444', { host: 'evse.local', port: 8444 }],
  ])('reads %s', (text, address) => {
    expect(parseTarget(text)).toEqual(address);
    expect(formatTarget(address)).toBe(text);
  });

  it.each(['fd00::1:8444', '[fd00::1]', 'host', 'host:', ':80', 'host:0', 'host:65536', 'host:80a', '[host]:80', '[zz::1]:80', 'a b:80'])(
    'refuses %s',
    (text) => {
      expect(parseTarget(text)).toBeUndefined();
    },
  );

  it('knows which address needs an interface', () => {
    expect([lacksScope({ host: 'fe80::1', port: 1 }), lacksScope({ host: 'fe80::1%eth0', port: 1 })]).toEqual([true, false]);
    expect([lacksScope({ host: 'fd00::1', port: 1 }), lacksScope({ host: 'evse.local', port: 1 })]).toEqual([false, false]);
  });
});

describe('connectFirst', () => {
  const addresses: readonly DeviceAddress[] = ['a', 'b', 'c'].map((host) => ({ host, port: 1 }));
  let clock: VirtualClock;
  let started: { host: string; at: number; aborted: boolean; settle: (value: string | Error) => void }[];
  let late: string[];

  beforeEach(() => {
    clock = new VirtualClock();
    started = [];
    late = [];
  });

  function run(list = addresses): Promise<{ address: DeviceAddress; value: string }> {
    const connect = ({ host }: DeviceAddress, signal: AbortSignal): Promise<string> =>
      new Promise((resolve, reject) => {
        const entry = {
          host,
          at: clock.now(),
          aborted: false,
          settle: (value: string | Error) => (value instanceof Error ? reject(value) : resolve(value)),
        };
        started.push(entry);
        signal.addEventListener('abort', () => {
          entry.aborted = true;
        });
      });
    return connectFirst(clock, list, connect, (value) => late.push(value));
  }

  it('TC-MULTIIF-4: starts the next address after a second, and takes the first success', async () => {
    const result = run();
    await clock.advance(999);
    expect(started.map(({ host }) => host)).toEqual(['a']);
    await clock.advance(1);
    expect(started.map(({ host, at }) => [host, at])).toEqual([
      ['a', 0],
      ['b', 1000],
    ]);
    started[1]?.settle('B');
    expect(await result).toEqual({ address: addresses[1], value: 'B' });
    await clock.advance(5000);
    expect(started).toHaveLength(2);
    expect(started[0]?.aborted).toBe(true);
    expect(clock.pending()).toEqual([]);
  });

  it('starts the next one at once when one fails', async () => {
    const result = run();
    started[0]?.settle(new NetworkError('refused'));
    await clock.advance(0);
    expect(started.map(({ host, at }) => [host, at])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    started[1]?.settle('B');
    expect((await result).value).toBe('B');
  });

  it('gives back what succeeds too late', async () => {
    const result = run();
    await clock.advance(1000);
    started[1]?.settle('B');
    await result;
    started[0]?.settle('A');
    await clock.advance(0);
    expect(late).toEqual(['A']);
  });

  it('TC-MULTIIF-5: "Device unreachable", with all reasons, when all fail', async () => {
    const result = run();
    const expected = expect(result).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: 'Device unreachable (one; two; three)',
    });
    for (const text of ['one', 'two', 'three']) {
      started.at(-1)?.settle(new NetworkError(text));
      await clock.advance(0);
    }
    await expected;
    expect(clock.pending()).toEqual([]);
  });

  it('TC-MULTIIF-10: another device at every address is "Device authentication failed" (§6.5.5)', async () => {
    const result = run(addresses.slice(0, 2));
    const expected = expect(result).rejects.toMatchObject({ code: 'NOT_TRUSTED', message: 'Device authentication failed (first; second)' });
    started[0]?.settle(new ControllerError('NOT_TRUSTED', 'first'));
    await clock.advance(0);
    started[1]?.settle(new ControllerError('NOT_TRUSTED', 'second'));
    await expected;
  });

  it('TC-MULTIIF-10: another device at the first address, and the right one at the next', async () => {
    const result = run();
    started[0]?.settle(new ControllerError('NOT_TRUSTED', 'another device'));
    await clock.advance(0);
    started[1]?.settle('B');
    expect(await result).toEqual({ address: addresses[1], value: 'B' });
  });

  it('one wrong device among addresses without an answer is unreachable', async () => {
    const result = run(addresses.slice(0, 2));
    const expected = expect(result).rejects.toMatchObject({ code: 'CONNECTION_FAILED', details: { retryAction: 'connect' } });
    started[0]?.settle(new ControllerError('NOT_TRUSTED', 'another device'));
    await clock.advance(0);
    started[1]?.settle(new NetworkError('no answer'));
    await expected;
  });

  it('does not hide a bug behind the network', async () => {
    const result = run(addresses.slice(0, 1));
    const expected = expect(result).rejects.toThrow(TypeError);
    started[0]?.settle(new TypeError('bug'));
    await expected;
  });

  it('without addresses fails at once', async () => {
    await expect(run([])).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });
});
