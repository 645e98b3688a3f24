import type { DeviceStatus } from '../device.js';
import { ControlState } from '../features/energy-control-table.js';
import { ZoneType } from '../zones/zone.js';

/** The device at work in a few lines: zones, and of each endpoint control state, failsafe remainder, limit, power; the relay. `now`: monotonic ms. */
export function statusLines({ zones, energy, power, relayClosed, testMode }: DeviceStatus, now: number): readonly string[] {
  const members = zones.map(({ type, name, connected }) => `${nameOf(ZoneType, type)} ${printable(name)} ${connected ? '●' : '○ away'}`);
  const relay = relayClosed === undefined ? [] : [`relay ${relayClosed ? 'closed' : 'open'}`];
  const drawn = power === undefined ? [] : [`power ${kilowatts(power)}`];
  return [
    ...(testMode === undefined ? [] : [`  ${testMode}`]),
    `  zones    ${members.length === 0 ? 'none' : members.join('   ')}`,
    ...energy.map(({ endpoint, controlState, effectiveConsumptionLimit: limit, failsafeUntil }) => {
      const remainder = failsafeUntil === undefined ? '' : ` ${hours(failsafeUntil - now)}`;
      const limits = `limit ${limit === null ? 'none' : kilowatts(limit)}`;
      return [`  control  ${endpoint}: ${nameOf(ControlState, controlState)}${remainder}`, limits, ...drawn, ...relay].join(' · ');
    }),
  ];
}

function kilowatts(milliwatts: number): string {
  return `${(milliwatts / 1e6).toFixed(3)} kW`;
}

/** `3:59:58`. */
function hours(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(table).find(([, candidate]) => candidate === value)?.[0] ?? String(value);
}

/** A controller chose the name of its zone: nothing of it moves the cursor. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
