import { addressScope, formatAddress } from '../../discovery/address.js';
import { nameText } from '../../discovery/name.js';
import { sameId } from '../../pki/identities.js';
import type { BlackBoxCase, ConformanceCase } from '../case.js';
import { answerText, type CommissioningPeer } from '../commissioning-peer.js';
import type { Announced, MdnsWatch } from '../mdns-watch.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Refuted } from '../verdict.js';
import { discriminator } from './tls.js';

const RECORDS = 'connection-establishment §10, TC-MDNS-REC';
const TRANSITION = 'connection-establishment §10, TC-TRANS';
const COMMISSIONABLE = '_mash-comm._tcp';
const COMMISSIONABLE_UDP = '_mashc._udp';
const OPERATIONAL = '_mash._tcp';
/** protocol.md, row "records": of PTR, SRV and TXT, and of addresses; seconds. */
const TTL = { draft: { service: 4500, address: 120 }, reference: { service: 120, address: 120 } } as const;
/** connection-establishment §4.5, with what probing and the link take. */
const SWITCH = 2500;

function watchOf({ bench }: Trial): MdnsWatch {
  if (bench.watch === undefined) throw new NotApplicable('no multicast here');
  return bench.watch;
}

async function commissionable(t: Trial, type = COMMISSIONABLE): Promise<Announced> {
  const wanted = await discriminator(t);
  t.step(`question for ${type}, discriminator ${wanted}`);
  const found = await watchOf(t).find(type, (entries) => Number(entries.get('D')) === wanted);
  if (found === undefined) throw new Refuted(`no instance of ${type} with D=${wanted} and SRV and TXT records is announced`);
  return found;
}

async function operational(t: Trial, zoneId: string, deviceId: string): Promise<Announced> {
  t.step(`question for ${OPERATIONAL}, zone ${zoneId}`);
  const own = (entries: ReadonlyMap<string, string>): boolean =>
    sameId(entries.get('ZI') ?? '', zoneId) && sameId(entries.get('DI') ?? '', deviceId);
  const found = await watchOf(t).find(OPERATIONAL, own);
  if (found === undefined) throw new Refuted(`no instance of ${OPERATIONAL} with ZI=${zoneId}, DI=${deviceId} is announced`);
  return found;
}

function record(id: string, title: string, source: string, run: (t: Trial) => Promise<string>): BlackBoxCase {
  return { id, title, source, pics: ['MASH.S.DISC.MDNS'], dialects: 'any', needs: ['multicast', 'window'], run };
}

function checkTtl(t: Trial, { ptr, srv, txt, addresses }: Announced): void {
  const due = TTL[t.pics.profile];
  for (const { type, ttl } of [ptr, srv, txt]) t.equal(ttl, due.service, `TTL of ${type}`);
  for (const { type, ttl } of addresses) t.equal(ttl, due.address, `TTL of ${type}`);
}

function checkKeys(t: Trial, { entries }: Announced, due: readonly string[]): void {
  for (const key of due) t.holds(entries.has(key), `TXT key ${key} is due, seen were ${[...entries.keys()].join(' ')}`);
}

/** Commissions, and leaves the connection as CERT_ACK left it. */
async function acknowledged(t: Trial): Promise<CommissioningPeer> {
  const peer = await t.bench.commissioning(t.dialect);
  t.step('commissioning');
  t.equal(answerText(await peer.run('certInstall')), 'CERT_ACK 0', 'answer to CERT_INSTALL');
  return peer;
}

export const DISCOVERY: readonly ConformanceCase[] = [
  record('TC-MDNS-REC-1', 'SRV: the port that commissioning is on, and a host name', RECORDS, async (t) => {
    const { srv } = await commissionable(t);
    const { commissioningPort, target } = t.bench.options;
    const ports = [target.port, ...(commissioningPort === undefined ? [] : [commissioningPort])];
    t.holds(ports.includes(srv.port), `port ${ports.join(' or ')} is due, seen was ${srv.port}`);
    t.holds(srv.target.length === 2 && srv.target[1] === 'local', `a host under local is due, seen was ${nameText(srv.target)}`);
    return `${nameText(srv.target)} port ${srv.port}`;
  }),
  record('TC-MDNS-REC-2', 'AAAA: a usable IPv6 address of that host', RECORDS, async (t) => {
    const { addresses } = await commissionable(t);
    const texts = addresses.filter(({ type }) => type === 'AAAA').map(({ address }) => formatAddress(address));
    t.holds(texts.length > 0, 'no AAAA record comes with the service');
    for (const text of texts) t.holds(text !== '::' && text !== '::1' && !text.startsWith('ff'), `${text} is no address of a host`);
    return texts.join(', ');
  }),
  record('TC-MDNS-REC-3', 'Several AAAA: link-local and another', RECORDS, async (t) => {
    const { addresses } = await commissionable(t);
    const scopes = new Set(addresses.filter(({ type }) => type === 'AAAA').map(({ address }) => addressScope(address)));
    if (scopes.size === 1 && scopes.has('link-local')) throw new NotApplicable('this link has no prefix besides the link-local one');
    t.holds(scopes.has('link-local'), `link-local is due, seen was ${[...scopes].join(', ')}`);
    return [...scopes].join(', ');
  }),
  {
    id: 'TC-MDNS-REC-4',
    title: 'An address that changes is announced anew',
    source: RECORDS,
    elsewhere: "the device's addresses cannot be changed from outside of it",
  },
  record('TC-MDNS-TTL', 'Each record has the TTL of its type', 'protocol.md, row "records"; connection-establishment §2', async (t) => {
    checkTtl(t, await commissionable(t));
    return JSON.stringify(TTL[t.pics.profile]);
  }),
  record('TC-MDNS-TXT-COMM', 'TXT of the open window: D, cat, serial, brand, model', 'protocol.md §2.16', async (t) => {
    const found = await commissionable(t);
    checkKeys(t, found, ['D', 'cat', 'serial', 'brand', 'model']);
    return [...found.entries.keys()].join(' ');
  }),
  {
    ...record('TC-MDNS-TXT-UDP', 'TXT of _mashc._udp: D, VP, DT, CM', 'protocol.md §2.16', async (t) => {
      if (t.pics.profile === 'reference') throw new NotApplicable('profile reference does not publish it');
      const found = await commissionable(t, COMMISSIONABLE_UDP);
      checkKeys(t, found, ['D', 'VP', 'DT', 'CM']);
      return [...found.entries.keys()].join(' ');
    }),
    pics: ['MASH.S.DISC.TXT_D', 'MASH.S.DISC.TXT_VP', 'MASH.S.DISC.TXT_CM', 'MASH.S.DISC.TXT_DT'],
  },
  {
    id: 'TC-TRANS-1',
    title: 'Close, reconnect, mutual TLS',
    source: TRANSITION,
    pics: ['MASH.S.COMM'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const peer = await acknowledged(t);
      await peer.finish();
      t.step('operational connection');
      const zone = await t.bench.joined(peer);
      return `served as ${zone.deviceId}`;
    },
  },
  {
    ...record('TC-TRANS-2', 'The records of the window are withdrawn, those of the zone announced', TRANSITION, async (t) => {
      const watch = watchOf(t);
      await commissionable(t);
      const since = t.bench.clock.now();
      const peer = await acknowledged(t);
      await peer.finish();
      const types = [COMMISSIONABLE, ...(t.pics.profile === 'draft' ? [COMMISSIONABLE_UDP] : [])];
      for (const type of types) {
        t.step(`goodbye of ${type}`);
        t.holds(await watch.until(() => watch.goodbye(type, since), SWITCH), `no goodbye of ${type} within ${SWITCH / 1000} s`);
      }
      await t.bench.joined(peer);
      await operational(t, peer.zoneId, peer.deviceId);
      return `goodbye of ${types.join(', ')}; ${OPERATIONAL} announced`;
    }),
    dialects: 'each',
  },
  {
    ...record('TC-TRANS-3', 'The instance is <zone-id>-<device-id>, with TTL and TXT of its type', TRANSITION, async (t) => {
      const peer = await acknowledged(t);
      await peer.finish();
      await t.bench.joined(peer);
      const found = await operational(t, peer.zoneId, peer.deviceId);
      const [instance = ''] = found.ptr.target;
      t.equal(instance.toLowerCase(), `${peer.zoneId}-${peer.deviceId}`.toLowerCase(), 'instance');
      checkKeys(t, found, ['ZI', 'DI']);
      t.equal(found.srv.port, t.bench.target.port, 'port');
      return instance;
    }),
    dialects: 'each',
  },
  {
    id: 'TC-TRANS-4',
    title: 'A controller that reconnects after 10 s is still served',
    source: TRANSITION,
    pics: ['MASH.S.COMM'],
    dialects: 'any',
    needs: ['window'],
    waits: () => 10,
    run: async (t) => {
      const peer = await acknowledged(t);
      await peer.finish();
      t.step('nothing for 10 s');
      await t.sleep(10_000);
      await t.bench.joined(peer);
      return 'served after 10 s';
    },
  },
];
