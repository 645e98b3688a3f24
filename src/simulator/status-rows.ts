import type { DeviceStatus } from '../device.js';
import { ControlState } from '../features/energy-control-table.js';
import type { CertificateState } from '../zones/certificate-state.js';
import { ZoneType } from '../zones/zone.js';
import type { PanelRow } from './panel-layout.js';

type Status = Pick<DeviceStatus, 'zones' | 'energy' | 'power' | 'relayClosed' | 'testMode' | 'windowUntil' | 'remote'>;

const CERTIFICATE: Readonly<Record<CertificateState, string>> = {
  valid: '',
  renewalDue: ' (certificate due for renewal)',
  expiring: ' (certificate about to expire)',
  expiredInGrace: ' (certificate expired, still served)',
  expired: ' (certificate expired, refused)',
};

/**
 * The device at work in a few lines: the open window, zones, the port on the home's router where one is wanted, and of each endpoint
 * control state, failsafe remainder, limit, power; the relay. `now`: monotonic ms.
 */
export function statusRows({ zones, energy, power, relayClosed, testMode, windowUntil, remote }: Status, now: number): readonly PanelRow[] {
  const members = zones.map(({ type, name, connected, certificate }) => {
    return `${nameOf(ZoneType, type)} ${printable(name)} ${connected ? '●' : '○ away'}${CERTIFICATE[certificate]}`;
  });
  const relay = relayClosed === undefined ? [] : [`relay ${relayClosed ? 'closed' : 'open'}`];
  const drawn = power === undefined ? [] : [`power ${kilowatts(power)}`];
  return [
    ...(testMode === undefined ? [] : [{ label: 'mode', items: [testMode] }]),
    ...(windowUntil === undefined
      ? []
      : [{ label: 'window', items: [`open for ${Math.max(0, Math.ceil((windowUntil - now) / 1000))} s`] }]),
    { label: 'zones', items: members.length === 0 ? ['none'] : members },
    ...(remote === undefined ? [] : [{ label: 'internet', items: reach(remote, now) }]),
    ...energy.map(({ endpoint, controlState, effectiveConsumptionLimit: limit, failsafeUntil }) => {
      const remainder = failsafeUntil === undefined ? '' : ` ${hours(failsafeUntil - now)}`;
      const limits = `limit ${limit === null ? 'none' : kilowatts(limit)}`;
      return { label: 'control', items: [`${endpoint}: ${nameOf(ControlState, controlState)}${remainder}`, limits, ...drawn, ...relay] };
    }),
  ];
}

/** What the router told is printed as the log does it: nothing of it moves the cursor. */
function reach({ opening, problem }: NonNullable<DeviceStatus['remote']>, now: number): readonly string[] {
  const trouble = problem === undefined ? [] : [printable(problem)];
  if (opening === undefined) return ['not reachable', ...trouble];
  const { address, port, until } = opening;
  const shown = printable(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
  return [`reachable at ${shown}`, `for ${hours(until - now)}`, ...trouble];
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
