import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/discovery/address.js';
import { ConfigError } from '../../src/errors.js';
import { nodePortMapper } from '../../src/node/port-mapper.js';
import { locationOf } from '../../src/node/router-search.js';
import type { InterfaceAddress } from '../../src/platform.js';
import { type Namespace, type NamespaceProcess, namespacesRefused, runInNamespace, withNamespaces } from '../world/netns.js';

const LIBRARY = import.meta.resolve('@achingbrain/nat-port-mapper');

interface RouterLine {
  readonly manner?: string;
  readonly action?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly entries?: readonly number[];
  readonly pinholes?: readonly number[];
}
interface MapperLine {
  readonly done?: string;
  readonly failed?: string;
  readonly name?: string;
  readonly message?: string;
  readonly value?: unknown;
}

class Home {
  readonly router: NamespaceProcess;
  readonly mapper: NamespaceProcess;

  constructor(router: NamespaceProcess, mapper: NamespaceProcess) {
    this.router = router;
    this.mapper = mapper;
  }

  static async run(body: (home: Home, device: Namespace) => Promise<void>, ...more: readonly string[]): Promise<void> {
    await withNamespaces(2, async ([device, router]) => {
      if (device === undefined || router === undefined) return expect.fail('two namespaces are due');
      const at = [router.interfaceName, router.global, router.ipv4];
      const running = await runInNamespace(router, new URL('fixtures/fake-router.ts', import.meta.url), ...at);
      const mapper = await runInNamespace(device, new URL('fixtures/port-mapper.ts', import.meta.url), LIBRARY, ...more);
      for (const each of [running, mapper]) await each.heard<{ ready?: boolean }>(({ ready }) => ready === true);
      await body(new Home(running, mapper), device);
    });
  }

  /** What is open on the router; from now on it behaves so. */
  async behave(manner: string): Promise<RouterLine> {
    this.router.tell(manner);
    return this.router.heard<RouterLine>((line) => line.manner === manner);
  }

  async does(what: string): Promise<MapperLine> {
    this.mapper.tell(what);
    return this.mapper.heard<MapperLine>(({ done, failed }) => (done ?? failed) === what.split(' ')[0]);
  }

  asked(action: string): Promise<RouterLine> {
    return this.router.heard<RouterLine>((line) => line.action === action);
  }
}

const title = namespacesRefused === undefined ? 'a port on the router by UPnP' : `SKIPPED: ${namespacesRefused}`;

describe.skipIf(namespacesRefused !== undefined)(title, () => {
  it('issue 5: IPv6 pinhole: opened for any source port, for an hour; renewed; taken away, and the router asked for it', async () => {
    await Home.run(async (home, device) => {
      const opened = await home.does('open 8443');
      expect(opened.value).toEqual({ address: device.global, port: 8443, lease: 3_600_000 });
      const { fields } = await home.asked('AddPinhole');
      expect(fields).toMatchObject({
        RemoteHost: '',
        RemotePort: '',
        InternalClient: device.global,
        InternalPort: '8443',
        Protocol: '6',
      });
      expect(fields?.LeaseTime).toBe('3600');
      expect((await home.does('open 8443')).value).toEqual(opened.value);
      expect((await home.behave('honest')).pinholes).toEqual([7]);
      expect(await home.does('release')).toEqual({ done: 'release' });
      expect((await home.behave('honest')).pinholes).toEqual([]);
      expect(await home.does('release')).toEqual({ done: 'release' });

      await home.behave('nothing');
      expect((await home.does('open 8443')).message).toBe('the router answers GetPinholePackets with error 704');
      await home.behave('miniupnpd');
      await home.does('open 8443');
      expect(await home.does('release')).toEqual({ done: 'release' });
      await home.does('open 8443');
      await home.behave('keeps');
      expect((await home.does('release')).message).toBe('the router says that the port is closed, but lists it still');
    });
  });

  it('issue 5: IPv4: the router chooses the port and keeps it; what it does otherwise than it says is found out', async () => {
    await Home.run(async (home) => {
      await home.behave('families 4');
      await home.behave('other port');
      const opened = await home.does('open 8443');
      expect(opened.value).toEqual({ address: '203.0.113.7', port: 8444, lease: 3_600_000 });
      await home.behave('honest');
      expect((await home.does('open 8443')).value).toEqual(opened.value);
      expect((await home.behave('honest')).entries).toEqual([8444]);
      expect(await home.does('release')).toEqual({ done: 'release' });
      expect((await home.asked('DeletePortMapping')).fields).toEqual({ NewExternalPort: '8444', NewProtocol: 'TCP', NewRemoteHost: '' });

      for (const [manner, message, left] of [
        ['refuses', 'Code 606 - no', []],
        ['nothing', 'the router answers GetSpecificPortMappingEntry with error 714', []],
        ['other client', 'the router forwards port 8443 to 10.77.0.99 port 8443, enabled 1, not to this device', [8443]],
        ['for ever', 'the router opens the port for 0 s, not for at most 3600', []],
        ['behind another', "the router's own address 100.64.3.4 is none of the internet: another router stands before it", []],
        ['elsewhere', 'no router answers that opens ports by UPnP (IGD 2) over IPv6 or IPv4', []],
        ['gone', 'no router answers that opens ports by UPnP (IGD 2) over IPv6 or IPv4', []],
      ] as const) {
        await home.behave(manner);
        expect([manner, await home.does('open 8443')]).toEqual([manner, { failed: 'open', name: 'NetworkError', message }]);
        // What is somebody else's is left to him.
        expect([manner, (await home.behave('honest')).entries]).toEqual([manner, left]);
      }
      await home.does('open 8443');
      await home.behave('steal 10.77.0.98');
      expect(await home.does('release')).toEqual({ done: 'release' });
      expect((await home.behave('honest')).entries).toEqual([8443]);
    }, 'ipv4');
  });
});

it('without the optional package: an error that says how to get it, and no further attempt', async () => {
  const load = () => Promise.reject(new Error("Cannot find package '@achingbrain/nat-port-mapper'"));
  const mapper = nodePortMapper({ interfaces: { allow: undefined, deny: undefined }, ipv4: false, load });
  const message = /remote\.portMapping: the optional package @achingbrain\/nat-port-mapper cannot be loaded, 'npm install' brings it/;
  await expect(mapper.open(8443)).rejects.toThrow(message);
  await expect(mapper.open(8443)).rejects.toThrow(ConfigError);
  await mapper.release();
});

describe('who may say where the router is', () => {
  const own: readonly InterfaceAddress[] = ['192.168.1.5/24', 'fe80::5/64', '2001:db8:1::5/64'].map((text) => {
    const [address = '', length] = text.split('/');
    const bytes = parseAddress(address) as Uint8Array;
    return { family: bytes.length === 4 ? 4 : 6, bytes, text: address, prefixLength: Number(length) };
  });
  const ST = 'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:2';
  const answer = (location: string, st = ST, status = 'HTTP/1.1 200 OK') => `${status}\r\n${st}\r\nLocation: ${location}\r\n\r\n`;

  it.each([
    ['192.168.1.1', 'http://192.168.1.1:5000/root.xml'],
    ['fe80::1%eth0', 'http://[2001:db8:1::1]:5000/root.xml'],
    ['2001:db8:1::1', 'http://[2001:db8:1::1]/'],
  ])('%s may name %s', (sender, location) => {
    expect(locationOf(answer(location), sender, own)?.href).toBe(location);
  });

  it.each([
    ['a sender of another network', '192.168.2.1', answer('http://192.168.1.1/')],
    ['a host of another network', '192.168.1.1', answer('http://192.168.2.1/')],
    ['a name', '192.168.1.1', answer('http://router.example/')],
    ['a file', '192.168.1.1', answer('file:///etc/passwd')],
    ['TLS, which no such router has', '192.168.1.1', answer('https://192.168.1.1/')],
    ['a link-local host', 'fe80::1%eth0', answer('http://[fe80::1]/')],
    ['another family', '192.168.1.1', answer('http://[2001:db8:1::1]/')],
    ['another service', '192.168.1.1', answer('http://192.168.1.1/', 'ST: upnp:rootdevice')],
    ['a refusal', '192.168.1.1', answer('http://192.168.1.1/', ST, 'HTTP/1.1 404 Not Found')],
    ['no address at all', '192.168.1.1', answer('')],
    ['noise', '192.168.1.1', '\u0000\u0001'],
    ['nothing', '192.168.1.1', ''],
  ])('%s is no router of ours', (_what, sender, text) => {
    expect(locationOf(text, sender, own)).toBeUndefined();
  });
});
