import { toHex } from '../codec/hex.js';
import { utf8Decode } from '../codec/utf8.js';
import { formatAddress } from '../discovery/address.js';
import { type DnsMessage, decodeMessage } from '../discovery/message.js';
import { nameText } from '../discovery/name.js';
import { type DnsRecord, TYPE, typeCode } from '../discovery/records.js';
import { PeerError } from '../errors.js';
import type { Multicast } from '../platform.js';
import type { Direction } from './entry.js';
import type { ProtocolRecorder } from './recorder.js';

/** Multicast DNS whose packets are recorded: all of ours, and of the others' those that name something of this protocol. */
export function tapMulticast(multicast: Multicast, recorder: ProtocolRecorder): Multicast {
  return {
    get alone() {
      return multicast.alone === true;
    },
    start: (handlers) =>
      multicast.start({
        onPacket: (packet, source) => {
          if (namesMash(packet)) record(recorder, 'in', packet, source.interfaceName, `${source.address} port ${source.port}`);
          handlers.onPacket(packet, source);
        },
        onInterfaces: () => handlers.onInterfaces(),
        onError: (interfaceName, reason) => handlers.onError(interfaceName, reason),
      }),
    interfaces: () => multicast.interfaces(),
    send: (interfaceName, packet, to) => {
      record(recorder, 'out', packet, interfaceName, to === undefined ? 'group' : `${to.address} port ${to.port}`);
      multicast.send(interfaceName, packet, to);
    },
    close: () => multicast.close(),
  };
}

function record(recorder: ProtocolRecorder, direction: Direction, packet: Uint8Array, interfaceName: string, peer: string): void {
  const message = readable(packet);
  if (message === undefined) return;
  const questions = message.questions.map(
    ({ name, type, unicast }) => `${nameText(name)} ${typeName(type)}${unicast ? ' unicast' : ''}${message.truncated ? ' truncated' : ''}`,
  );
  const records = [...message.answers, ...message.authorities, ...message.additionals].map(recordText);
  recorder.record({ kind: 'dns', direction, interface: interfaceName, peer, questions, records });
}

function readable(packet: Uint8Array): DnsMessage | undefined {
  try {
    return decodeMessage(packet);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return undefined;
  }
}

const MASH = [0x6d, 0x61, 0x73, 0x68];

/** `mash` in any case anywhere: cheap enough for a storm of unrelated packets. */
function namesMash(packet: Uint8Array): boolean {
  for (let at = 0; at + MASH.length <= packet.length; at++)
    if (MASH.every((letter, i) => ((packet[at + i] as number) | 0x20) === letter)) return true;
  return false;
}

function typeName(code: number): string {
  return Object.entries(TYPE).find(([, value]) => value === code)?.[0] ?? `TYPE${code}`;
}

/** `name TYPE ttl [flush] data`, as zone files write it. */
export function recordText(record: DnsRecord): string {
  const flush = record.flush ? ' flush' : '';
  return `${nameText(record.name)} ${typeName(typeCode(record))} ${record.ttl}${flush} ${dataText(record)}`;
}

function dataText(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return formatAddress(record.address);
    case 'PTR':
      return nameText(record.target);
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${nameText(record.target)}`;
    case 'TXT':
      return record.strings.map((bytes) => `"${utf8Decode(bytes) ?? toHex(bytes)}"`).join(' ');
    case 'NSEC':
      return `${nameText(record.next)} ${toHex(record.bitmap)}`;
    case 'raw':
      return `\\# ${record.data.length}`;
  }
}
