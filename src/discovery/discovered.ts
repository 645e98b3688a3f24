import { type AddressScope, addressScope, compareAddresses, formatAddress } from './address.js';
import type { CachedRecord, RecordCache } from './cache.js';
import { nameText } from './name.js';
import type { AddressRecord } from './records.js';
import { instanceName } from './service.js';
import { txtEntries } from './txt.js';

export interface DiscoveredAddress {
  /** Without scope. */
  readonly text: string;
  readonly bytes: Uint8Array;
  /** The interface that the record arrived on: the scope of a link-local address (connection-establishment §6.4). */
  readonly interfaceName: string;
  readonly scope: AddressScope;
}

/** A service whose SRV, TXT and at least one address are known. */
export interface DiscoveredService {
  readonly kind: 'complete';
  readonly instance: string;
  readonly type: string;
  /** `mash-1a2b3c4d.local` */
  readonly host: string;
  readonly port: number;
  /** As received; see `txtValue` for a look-up without regard to case. */
  readonly txt: ReadonlyMap<string, string>;
  /** In the order in which they are to be tried (connection-establishment §6.5.4); a link-local address once per interface. */
  readonly addresses: readonly DiscoveredAddress[];
  readonly interfaceName: string;
}

/** A service that somebody announces, but that cannot be reached yet (connection-establishment §7.5: "SRV but no AAAA"). */
export interface IncompleteService {
  readonly kind: 'incomplete';
  readonly instance: string;
  readonly type: string;
  /** The first thing that is missing, in this order. */
  readonly missing: 'srv' | 'txt' | 'address';
  readonly txt: ReadonlyMap<string, string>;
  readonly host: string | undefined;
}

/** Addresses of one service that are tried: twice what a device of ours tells on one interface. */
const ADDRESS_MAXIMUM = 32;

/** Puts together what the cache knows about one instance. */
export function assemble(cache: RecordCache, type: string, instance: string): DiscoveredService | IncompleteService {
  const name = instanceName({ type, instance });
  const srv = cache.find(name, 'SRV')[0];
  const txtRecord = cache.find(name, 'TXT')[0];
  const txt = txtEntries(txtRecord?.record.strings ?? []);
  const host = srv && nameText(srv.record.target);
  const incomplete = (missing: IncompleteService['missing']): IncompleteService => {
    return { kind: 'incomplete', instance, type, missing, txt, host };
  };
  if (srv === undefined || host === undefined) return incomplete('srv');
  if (txtRecord === undefined) return incomplete('txt');
  // Of too many, those that came from where the service did: addresses that others invent do not keep the real ones from being tried.
  const isForeign = ({ sender }: CachedRecord): number => Number(sender !== srv.sender);
  const records = [...cache.find(srv.record.target, 'AAAA'), ...cache.find(srv.record.target, 'A')];
  const addresses = discoveredAddresses(records.sort((a, b) => isForeign(a) - isForeign(b)).slice(0, ADDRESS_MAXIMUM));
  if (addresses.length === 0) return incomplete('address');
  return { kind: 'complete', instance, type, host, port: srv.record.port, txt, addresses, interfaceName: srv.interfaceName };
}

function discoveredAddresses(records: readonly CachedRecord<AddressRecord>[]): readonly DiscoveredAddress[] {
  const byKey = new Map<string, DiscoveredAddress>();
  const sorted = [...records].sort((a, b) => (a.interfaceName < b.interfaceName ? 1 : -1));
  for (const { record, interfaceName } of sorted) {
    const bytes = record.address;
    const text = formatAddress(bytes);
    const scope = addressScope(bytes);
    byKey.set(scope === 'link-local' ? `${text}%${interfaceName}` : text, { text, bytes, interfaceName, scope });
  }
  return [...byKey.values()].sort((a, b) => compareAddresses(a.bytes, b.bytes) || (a.interfaceName < b.interfaceName ? -1 : 1));
}

/** Equal for services that look the same to a user of the browser. */
export function signature(service: DiscoveredService | IncompleteService): string {
  const txt = [...service.txt].map(([key, value]) => `${key}=${value}`);
  if (service.kind === 'incomplete') return JSON.stringify([service.missing, service.host, txt]);
  const addresses = service.addresses.map((address) => `${address.text}%${address.interfaceName}`);
  return JSON.stringify([service.host, service.port, txt, addresses]);
}
