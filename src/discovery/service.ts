import type { InterfaceAddress, NetworkInterface } from '../platform.js';
import { addressScope, compareAddresses } from './address.js';
import { type Name, nameKey, nameOf } from './name.js';
import type { Answer } from './packing.js';
import {
  type AddressRecord,
  CLASS,
  type DnsRecord,
  type NsecRecord,
  nsecRecord,
  type PtrRecord,
  type SrvRecord,
  type TxtRecord,
  TYPE,
} from './records.js';
import { txtString } from './txt.js';

/** Which revision's TTLs, instance names and TXT keys are published (protocol.md, row `records`; profile key `discovery.records`). */
export type RecordForm = 'draft' | 'reference';

/** Seconds a record may be kept by others, and whether A records are published beside AAAA. */
export interface RecordPolicy {
  readonly ptr: number;
  readonly srv: number;
  readonly txt: number;
  readonly address: number;
  readonly ipv4: boolean;
  /** RFC 6762 §6.4: what answers one query leaves in one packet. Not in form `reference`, whose browser judges each packet by itself. */
  readonly aggregate: boolean;
  /** RFC 6762 §8.1 answers for a name after it was probed for; form `reference` from its registration on (reference-behaviour §4.10). */
  readonly eager: boolean;
}

/** protocol.md, row `records`: 4500 for PTR, SRV and TXT, 120 for addresses; in form `reference` 120 throughout. */
export function recordPolicy(form: RecordForm, ipv4: boolean): RecordPolicy {
  const service = form === 'draft' ? 4500 : 120;
  return { ptr: service, srv: service, txt: service, address: 120, ipv4, aggregate: form === 'draft', eager: form === 'reference' };
}

/** A DNS-SD service instance (RFC 6763 §4). */
export interface ServiceDefinition {
  /** `_mash._tcp` */
  readonly type: string;
  /** One label, 1…63 bytes. */
  readonly instance: string;
  readonly port: number;
  readonly txt: readonly (readonly [key: string, value: string])[];
  /** The instance carries an identity that no other device has, so it needs no probing (RFC 6762 §8.1). */
  readonly known?: boolean;
  /** Where another host has the instance, this one is `<instance> 2`, `<instance> 3`, … instead. */
  readonly renames?: boolean;
}

export interface ServiceRecords {
  readonly ptr: PtrRecord;
  /** RFC 6763 §9: lists the type in the enumeration of services. */
  readonly enumeration: PtrRecord;
  readonly srv: SrvRecord;
  readonly txt: TxtRecord;
}

/** More addresses than this are not published on one interface: its own come first, then the order of `compareAddresses` decides. */
const ADDRESS_MAXIMUM = 16;
/** RFC 6763 §9. */
export const ENUMERATION: Name = nameOf('_services._dns-sd._udp.local');

/** `_mash._tcp` → `_mash._tcp.local`. */
export function typeName(type: string): Name {
  return [...nameOf(type), 'local'];
}

export function instanceName(service: Pick<ServiceDefinition, 'type' | 'instance'>): Name {
  return [service.instance, ...typeName(service.type)];
}

/** The records of a service on the host named `host`. */
export function serviceRecords(service: ServiceDefinition, host: Name, policy: RecordPolicy): ServiceRecords {
  const type = typeName(service.type);
  const name = instanceName(service);
  // RFC 6762 §10.2: the cache-flush bit belongs to unique records; several devices share the PTR of a type.
  const shared = { class: CLASS.IN, flush: false, ttl: policy.ptr };
  const unique = { name, class: CLASS.IN, flush: true };
  return {
    ptr: { ...shared, name: type, type: 'PTR', target: name },
    enumeration: { ...shared, name: ENUMERATION, type: 'PTR', target: type },
    srv: { ...unique, type: 'SRV', ttl: policy.srv, priority: 0, weight: 0, port: service.port, target: host },
    txt: { ...unique, type: 'TXT', ttl: policy.txt, strings: service.txt.map(([key, value]) => txtString(key, value)) },
  };
}

/**
 * The addresses of the host as told on one interface: those of all interfaces (connection-establishment §6.5.1), but link-local ones of that
 * interface alone, since they mean nothing on another link. The same set in the same order in every packet.
 */
export function addressRecords(host: Name, on: NetworkInterface, policy: RecordPolicy): readonly AddressRecord[] {
  const told = (addresses: readonly InterfaceAddress[]) =>
    addresses.filter((address) => address.family === 6 || policy.ipv4).sort((a, b) => compareAddresses(a.bytes, b.bytes));
  const own = told(on.addresses);
  if (own.length === 0) return [];
  // Of many of its own, a link-local one: where the router's prefixes come and go it is the one that stays.
  const linkLocal = own.filter(({ bytes }) => addressScope(bytes) === 'link-local').slice(0, 1);
  const ranked = new Set([...linkLocal, ...own, ...told(on.elsewhere ?? [])]);
  return told([...ranked].slice(0, ADDRESS_MAXIMUM)).map((address) => ({
    name: host,
    class: CLASS.IN,
    flush: true,
    ttl: policy.address,
    type: address.family === 6 ? 'AAAA' : 'A',
    address: address.bytes,
  }));
}

/** RFC 6762 §6.2: "In the event that a device has only IPv4 addresses but no IPv6 addresses, or vice versa", what it lacks is told. */
export function addressNegation(addresses: readonly AddressRecord[]): NsecRecord | undefined {
  const types = [...new Set(addresses.map((address) => TYPE[address.type]))];
  const [first] = addresses;
  return first === undefined ? undefined : nsecRecord(first.name, types, first.ttl);
}

/** The same, where there is something to be told beside the addresses. */
export function missingFamily(addresses: readonly AddressRecord[]): readonly NsecRecord[] {
  const families = new Set(addresses.map((address) => address.type));
  const negation = addressNegation(addresses);
  return negation === undefined || families.size > 1 ? [] : [negation];
}

/** All records of a service together: a browser may judge each packet by itself (reference-behaviour §4.10). */
export function announcement(records: ServiceRecords, addresses: readonly AddressRecord[]): Answer {
  const answers = [records.srv, records.txt, records.ptr, records.enumeration, ...addresses];
  return { key: nameKey(records.srv.name), answers, additionals: missingFamily(addresses), shared: true };
}

/**
 * RFC 6762 §10.1: the service leaves. The host stays, so its addresses go along unchanged. The enumeration of types is left to expire:
 * other devices publish the same record.
 */
export function goodbye(records: ServiceRecords, addresses: readonly AddressRecord[]): Answer {
  return { key: nameKey(records.srv.name), answers: partsOf(records).map(leaving), additionals: addresses, shared: true };
}

/** RFC 6762 §10.1: the host leaves, with its addresses and what service it still has. */
export function lastGoodbye(records: ServiceRecords | undefined, addresses: readonly AddressRecord[]): Answer {
  const service = records === undefined ? [] : partsOf(records);
  return { key: '', answers: [...service, ...addresses].map(leaving), additionals: [], shared: true };
}

/** RFC 6762 §10.1 for addresses that are gone, beside those that stay. */
export function addressGoodbye(lost: readonly AddressRecord[], staying: readonly AddressRecord[]): Answer {
  return { key: '', answers: [...lost.map(leaving), ...staying], additionals: [], shared: false };
}

/** What the service alone has. */
function partsOf({ srv, txt, ptr }: ServiceRecords): readonly DnsRecord[] {
  return [srv, txt, ptr];
}

function leaving(record: DnsRecord): DnsRecord {
  return { ...record, ttl: 0 };
}
