import type { CborValue } from '../../src/codec/cbor.js';
import { parseAddress } from '../../src/discovery/address.js';
import { FEATURE_TABLES } from '../../src/features/tables.js';
import { DEBOUNCE, type Settling, settle } from '../../src/node/settling.js';
import { mapOf } from '../world/controller.js';
import { VirtualLink } from '../world/network.js';
import { flag, INVOKE, type Lab, map, ofType, READ, records, type Seen, smallest, txtKeys } from './lab.js';

/** What stands in the packets, before and after the first zone. */
export async function probeRecords(lab: Lab): Promise<Seen> {
  const before = await lab.device();
  await before.clock.advance(3000);
  const beforehand = new Set([...txtKeys(before, '_mash-comm._tcp'), ...txtKeys(before, '_mashc._udp')]);
  const zone = await lab.zone();
  await zone.world.clock.advance(3000);
  const afterwards = txtKeys(zone.world, '_mash._tcp');
  const all = records(zone.world);
  const [pointer] = ofType(all, 'PTR', '_mash._tcp');
  const addresses = ofType(all, 'AAAA').map(({ address }) => Buffer.from(address).toString('hex'));
  const has = (text: string): number => flag(addresses.includes(Buffer.from(parseAddress(text) ?? []).toString('hex')));
  const key = (keys: ReadonlySet<string>, name: string): number => flag(keys.has(name));
  return {
    'MASH.S.DISC': flag(zone.world.link.packets.length > 0),
    'MASH.S.DISC.MDNS': flag(all.length > 0),
    'MASH.S.DISC.SERVICE_TYPE': pointer === undefined ? '' : pointer.name.slice(0, 2).join('.'),
    'MASH.S.DISC.PRE_COMM': flag(beforehand.size > 0),
    'MASH.S.DISC.TXT_D': key(beforehand, 'D'),
    'MASH.S.DISC.TXT_VP': key(beforehand, 'VP'),
    'MASH.S.DISC.TXT_CM': key(beforehand, 'CM'),
    'MASH.S.DISC.TXT_DT': key(beforehand, 'DT'),
    'MASH.S.DISC.POST_COMM': flag(afterwards.size > 0),
    'MASH.S.DISC.TXT_DI': key(afterwards, 'DI'),
    'MASH.S.DISC.TXT_FW': key(afterwards, 'FW'),
    'MASH.S.DISC.TXT_EP': key(afterwards, 'EP'),
    'MASH.S.DISC.TXT_FM': key(afterwards, 'FM'),
    'MASH.S.MDNS.AAAA_RECORD': flag(addresses.length > 0),
    'MASH.S.MDNS.LINK_LOCAL': has('fe80::1'),
    'MASH.S.MDNS.GLOBAL_ADDR': has('fd77::1'),
  };
}

const NAMES = ['INFO', 'STAT', 'ELEC', 'MEAS', 'CTRL', 'CHRG', 'TAR', 'SIG', 'PLAN'];
const ENDPOINT_TYPES = ['DEVICE_ROOT', '', '', '', '', 'EV_CHARGER', 'HEAT_PUMP'];
const FEATURE_MAP = 0xfffc;
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

/** Every attribute of the tables is read, every command is invoked without parameters, on every endpoint. */
export async function probeModel(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const seen: Record<string, string | number> = {};
  const root = await zone.ask(READ, [12, 20]);
  seen['MASH.S'] = flag(root.status === 0);
  seen['MASH.S.VERSION'] = String(root.payload.get(12));
  for (const item of root.payload.get(20) as readonly CborValue[]) {
    const endpoint = mapOf(item).get(1) as number;
    const prefix = `MASH.S.E${hex(endpoint)}`;
    seen[prefix] = ENDPOINT_TYPES[mapOf(item).get(2) as number] ?? '';
    for (const [i, schema] of FEATURE_TABLES.entries()) {
      const feature = `${prefix}.${NAMES[i]}`;
      const flags = await zone.ask(READ, [FEATURE_MAP], schema.id, endpoint);
      seen[feature] = flag(flags.status === 0);
      if (flags.status !== 0) continue;
      if (schema.name === 'EnergyControl')
        for (let bit = 0; bit <= 10; bit++) seen[`${feature}.F${hex(bit)}`] = (Number(flags.payload.get(FEATURE_MAP)) >> bit) & 1;
      for (const { id } of schema.attributes)
        seen[`${feature}.A${hex(id)}`] = flag((await zone.ask(READ, [id], schema.id, endpoint)).status === 0);
      for (const { id } of schema.commands) {
        const { status } = await zone.ask(INVOKE, map([1, id], [2, map()]), schema.id, endpoint);
        // 4 unknown, 10 not supported; anything else comes from the command itself.
        seen[`${feature}.C${hex(id)}.Rsp`] = flag(status !== 4 && status !== 10);
      }
    }
  }
  return seen;
}

/** Two links, one of them late, and an address that changes. */
export async function probeInterfaces(lab: Lab): Promise<Seen> {
  const { world } = await lab.zone();
  const second = new VirtualLink(world.clock);
  const eth0 = { name: 'eth0', link: world.link, addresses: ['fe80::1', 'fd77::1'] };
  await world.clock.advance(3000);
  world.multicast.setInterfaces([
    { ...eth0, addresses: ['fe80::1', 'fd77::2'], elsewhere: ['fd99::1'] },
    { name: 'wlan0', link: second, addresses: ['fe80::5', 'fd99::1'], elsewhere: ['fd77::2'] },
  ]);
  await world.clock.advance(5000);
  const told = (link: VirtualLink, text: string): boolean => {
    const wanted = Buffer.from(parseAddress(text) ?? []).toString('hex');
    return ofType(records({ link }), 'AAAA').some(({ address }) => Buffer.from(address).toString('hex') === wanted);
  };
  const before: Settling<{ key: string }> = { kind: 'settled', value: { key: 'before' } };
  const moved = settle(before, { key: 'after' }, false, 0, DEBOUNCE);
  const rests = await smallest(0, 10_000, async (now) => settle(moved, { key: 'after' }, false, now, DEBOUNCE).kind === 'settled');
  return {
    'MASH.S.IPV6.LINK_LOCAL_INTERFACE': flag(told(second, 'fe80::5') && !told(second, 'fe80::1') && !told(world.link, 'fe80::5')),
    'MASH.S.IPV6.ADDRESS_CHANGE': flag(told(world.link, 'fd77::2')),
    'MASH.S.MULTIIF.SUPPORTED': flag(second.packets.length > 0),
    'MASH.S.MULTIIF.PUBLISH_ALL': flag(told(world.link, 'fd99::1') && told(second, 'fd77::2')),
    // The table of the adapter on Node; between network namespaces `test/e2e/interfaces.test.ts` shows it.
    'MASH.S.MULTIIF.DEBOUNCE_MS': rests,
  };
}
