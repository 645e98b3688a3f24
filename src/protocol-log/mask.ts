import { type CborKey, type CborMap, type CborValue, Float, isMap } from '../codec/cbor.js';

/** Text keys whose value is a secret wherever they stand: parameters of TestControl, messages of admin delegation. */
const SECRET_KEYS: readonly CborKey[] = ['enableKey', 'setupCode', 'token', 'code', 'key'];

/** Secrets by message of a commissioning, key 1 → keys: proofs of the setup code, and the admin token, which is a licence to whoever has it. */
const SECRET_FIELDS: ReadonlyMap<CborValue, readonly CborKey[]> = new Map<CborValue, readonly CborKey[]>([
  ['pase_y', [3]],
  ['pase_verify', [2]],
  ['cert_install', [6]],
  ['admin_rsp', [2]],
  ['admin_sign', [3]],
  [3, [2]],
  [4, [2]],
]);

/** TestControl takes its parameters by position, too: the first one is the enable key in every command. */
const TEST_CONTROL = 0x0a;
const ENABLE_KEY = 1;

/** The value with its secrets as texts; the same object where it has none. */
export function masked(value: CborValue, channel: 'commissioning' | 'operational'): CborValue {
  if (!isMap(value)) return value;
  if (channel === 'commissioning') return maskMap(value, SECRET_FIELDS.get(value.get(1) ?? null) ?? []);
  const shown = maskMap(value, []);
  return value.get(4) === TEST_CONTROL ? maskFirstParameter(shown) : shown;
}

/** `{5: {2: {1: enable key, …}}}`: whatever stands there, a number included, has been taken for a key by somebody. */
function maskFirstParameter(request: CborMap): CborMap {
  const payload = request.get(5);
  const parameters = isMap(payload) ? payload.get(2) : undefined;
  if (!isMap(payload) || !isMap(parameters) || !parameters.has(ENABLE_KEY)) return request;
  const hidden = new Map(parameters).set(ENABLE_KEY, placeholder(parameters.get(ENABLE_KEY) ?? null));
  return withoutFloats(new Map(request).set(5, new Map(payload).set(2, hidden)));
}

function maskMap(map: CborMap, secret: readonly CborKey[]): CborMap {
  let changed = false;
  const copy = new Map<CborKey, CborValue>();
  for (const [key, value] of map) {
    const hidden = isSecret(key, value, secret) ? placeholder(value) : maskInside(value);
    changed ||= hidden !== value;
    copy.set(key, hidden);
  }
  return changed ? withoutFloats(copy) : map;
}

// A status has the same key as a proof: numbers are never secrets.
function isSecret(key: CborKey, value: CborValue, secret: readonly CborKey[]): boolean {
  if (!(typeof value === 'string' || value instanceof Uint8Array)) return false;
  if (secret.includes(key)) return value instanceof Uint8Array;
  return SECRET_KEYS.includes(key);
}

function maskInside(value: CborValue): CborValue {
  if (isMap(value)) return maskMap(value, []);
  if (!Array.isArray(value)) return value;
  const items: readonly CborValue[] = value;
  const copy = items.map(maskInside);
  return copy.some((item, i) => item !== items[i]) ? copy : value;
}

function placeholder(value: CborValue): string {
  return typeof value === 'string' || value instanceof Uint8Array ? `[masked, ${value.length} bytes]` : '[masked]';
}

/** What is encoded anew may hold no floating-point numbers: a peer may have sent some. */
function withoutFloats(map: Map<CborKey, CborValue>): CborMap {
  for (const [key, value] of map) map.set(key, plainNumbers(value));
  return map;
}

function plainNumbers(value: CborValue): CborValue {
  if (value instanceof Float) return String(value.value);
  if (isMap(value)) return withoutFloats(new Map(value));
  return Array.isArray(value) ? (value as readonly CborValue[]).map(plainNumbers) : value;
}
