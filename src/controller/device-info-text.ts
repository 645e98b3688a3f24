import { type CborValue, isMap } from '../codec/cbor.js';
import { USE_CASES } from '../features/use-case-table.js';
import { endpointTypeName, featureName } from './names.js';

/** DeviceInfo attribute 20 for people: `0 DEVICE_ROOT: DeviceInfo; 1 EV_CHARGER "EV Charger": Status, …`; undefined for another shape. */
export function endpointsText(value: CborValue): string | undefined {
  return listed(value, (item) => {
    const [id, type, label, features] = [1, 2, 3, 4].map((key) => item.get(key));
    if (typeof id !== 'number' || typeof type !== 'number' || !Array.isArray(features)) return undefined;
    const names = features.map((feature: CborValue) => (typeof feature === 'number' ? featureName(feature) : '?'));
    return `${id} ${endpointTypeName(type)}${typeof label === 'string' ? ` ${JSON.stringify(label)}` : ''}: ${names.join(', ')}`;
  });
}

/** DeviceInfo attribute 21 for people: `1 GPL 1.0 scenarios 0, 1, 3, 4; …`; undefined for another shape. */
export function useCasesText(value: CborValue): string | undefined {
  return listed(value, (item) => {
    const [endpoint, id, major, minor, bits] = [1, 2, 3, 4, 5].map((key) => item.get(key));
    if (typeof endpoint !== 'number' || typeof id !== 'number' || typeof bits !== 'number') return undefined;
    const name = USE_CASES.find((useCase) => useCase.id === id)?.name ?? String(id);
    const scenarios = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ((bits >>> bit) & 1) === 1);
    return `${endpoint} ${name} ${String(major)}.${String(minor)} scenarios ${scenarios.join(', ')}`;
  });
}

function listed(value: CborValue, text: (item: ReadonlyMap<unknown, CborValue>) => string | undefined): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.map((item: CborValue) => (isMap(item) ? text(item) : undefined));
  return texts.includes(undefined) ? undefined : texts.join('; ');
}
