import { type CborMap, type CborValue, isMap } from '../codec/cbor.js';
import { FEATURE_TABLES } from '../features/tables.js';
import { InteractionStatus } from '../model/status.js';

/** What a frame is, for people and for counting: `read`, `response`, `pase_x`, … */
export interface FrameSummary {
  readonly type: string;
  /** Message id of requests and responses. */
  readonly id?: number;
  /** Of a response. */
  readonly status?: number;
  /** What it concerns: `0/DeviceInfo`, a status by name. */
  readonly about: string;
}

const OPERATIONS = ['', 'read', 'write', 'subscribe', 'invoke'];
const CONTROLS = ['', 'ping', 'pong', 'close'];
const RENEWALS = ['csr request', 'csr', 'certificate install', 'certificate ack'];
/** Messages of a commissioning in the reference dialect (protocol.md §3). */
const NUMBERED: ReadonlyMap<CborValue, string> = new Map<CborValue, string>([
  [1, 'pase request'],
  [2, 'pase response'],
  [3, 'pase confirm'],
  [4, 'pase complete'],
  [255, 'error'],
  ...RENEWALS.map((name, i) => [30 + i, name] as const),
]);

/** Told by shape alone, as an onlooker can. */
export function frameSummary(value: CborValue, channel: 'commissioning' | 'operational'): FrameSummary {
  if (!isMap(value)) return { type: 'unknown', about: '' };
  const text = value.get('type');
  if (typeof text === 'string') return { type: text, about: about(value.get('reason') ?? value.get('seq')) };
  return channel === 'commissioning' ? commissioning(value) : operational(value);
}

function commissioning(map: CborMap): FrameSummary {
  const type = map.get(1);
  if (typeof type === 'string') return { type, about: type === 'pase_confirm' || type === 'cert_ack' ? `status ${about(map.get(2))}` : '' };
  return { type: NUMBERED.get(type ?? null) ?? 'unknown', about: type === 255 ? `code ${about(map.get(2))} ${about(map.get(3))}` : '' };
}

function operational(map: CborMap): FrameSummary {
  const id = map.get(1);
  if (typeof id !== 'number') return { type: 'unknown', about: '' };
  const second = map.get(2);
  if (map.has(4)) {
    const path = `${about(map.get(3))}/${featureName(map.get(4))}`;
    if (id === 0) return { type: 'notification', about: `${path} subscription ${about(second)}` };
    return { type: (typeof second === 'number' && OPERATIONS[second]) || 'request', id, about: path };
  }
  // A response of status 0 to request 1…3 looks the same; controllers number their requests from 1 and close, ping and pong have no payload.
  if (id >= 1 && id <= 3 && !map.has(2)) return { type: CONTROLS[id] as string, about: '' };
  if (id >= 30 && id <= 33 && second instanceof Uint8Array) return { type: RENEWALS[id - 30] as string, about: '' };
  if (typeof second !== 'number') return { type: 'unknown', about: '' };
  return { type: 'response', id, status: second, about: statusName(second) };
}

function featureName(id: CborValue | undefined): string {
  return FEATURE_TABLES.find((table) => table.id === id)?.name ?? about(id);
}

function statusName(status: number): string {
  return Object.entries(InteractionStatus).find(([, value]) => value === status)?.[0] ?? `status ${status}`;
}

function about(value: CborValue | undefined): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}
