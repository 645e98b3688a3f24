import type { ZoneRank } from '../../src/zones/resolution.js';
import type { Oracle } from './oracle.js';

/** A command as far as it may be refused: SetX with its values or phases, or a Clear. */
export type Asked =
  | { readonly do: string; readonly values: readonly (number | null | undefined)[]; readonly cause: number }
  | { readonly do: string; readonly phases: Readonly<Record<string, number | null>>; readonly cause: number }
  | { readonly do: string; readonly sides: readonly number[] };

/** features.md §3: what is refused, and how; it changes nothing. */
export function refusal(oracle: Oracle, actor: ZoneRank, action: Asked): number | string | undefined {
  const refused = oracle.refuses(actor) && !(action.do.endsWith('Limit') || action.do === 'setCurrentLimits');
  if ('phases' in action) {
    if (refused || (action.do === 'setCurrentLimits' && oracle.refuses(actor) && action.cause % 2 === 1)) return 'status 8';
    const entries = Object.entries(action.phases);
    return entries.some(([phase, value]) => Number(phase) >= oracle.rules.phaseCount || (value !== null && (value < 0 || value > 16_000)))
      ? 'status 11'
      : undefined;
  }
  if (!('values' in action)) return undefined;
  const [a, b] = action.values.map((value) => value ?? 0) as [number, number];
  if (action.do === 'setSetpoint') return refused ? 'status 8' : a < 0 || b < 0 || (a > 0 && b > 0) ? 'status 11' : undefined;
  if (a < 0 || b < 0) return 2;
  if (Math.max(a, b) > 11_040_000) return 'status 11';
  return (oracle.overridden || oracle.refuses(actor)) && action.cause % 2 === 1 ? 3 : undefined;
}

/** The status of a write of one attribute, where those before it have left this opt-out state; 0: it is accepted. */
export function writeStatus(oracle: Oracle, actor: ZoneRank, id: number, value: number | null, optOut: number): number {
  if (id === 3) {
    if (value === null || value < 0) return 11;
    const above = oracle.zones.filter(({ type }) => type !== 0).filter((one) => oracle.refuses(one, value));
    const ranked = above.some(({ type, priority }) => type < actor.type || (type === actor.type && priority < actor.priority));
    return ranked || (actor.type === 0 && above.length > 0) ? 8 : 0;
  }
  if (id >= 70) {
    const highest = Math.min(...oracle.zones.filter(({ type }) => type !== 0).map(({ priority }) => priority));
    if (actor.type === 0 || (oracle.rules.variant === 'd' && actor.priority > highest)) return 8;
    const [least, most] = id === 72 ? [7200, 86_400] : [0, 11_040_000];
    return value === null || value < least || value > most ? 11 : 0;
  }
  if (oracle.refuses(actor, optOut) || (id < 40 && oracle.overridden)) return 11;
  return value !== null && (value < 0 || (id < 40 && value > 11_040_000)) ? 11 : 0;
}
