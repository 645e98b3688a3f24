import type { Claim } from './claim.js';
import { byName, contradicts, losesTo } from './conflicts.js';
import { type DnsMessage, queryMessage } from './message.js';
import { type Name, nameKey } from './name.js';
import { grouped } from './packing.js';
import { CLASS, type DnsRecord, TYPE } from './records.js';

/** A name that is to be ours alone, and what we hold under it. */
export interface ClaimedName {
  readonly claim: Claim;
  readonly name: Name;
  readonly records: readonly DnsRecord[];
}

/**
 * RFC 6762 §8.1: ANY for each name, the proposed records as authority. The probe number 0 asks for a unicast answer; the others do not, as another
 * process of this machine may be the one that gets it.
 */
export function probes(wanted: readonly ClaimedName[], run: number): readonly DnsMessage[] {
  return grouped(wanted, (group) =>
    queryMessage({
      questions: group.map(({ name }) => ({ name, type: TYPE.ANY, class: CLASS.IN, unicast: run === 0 })),
      authorities: group.flatMap(({ records }) => records),
    }),
  );
}

/** What else counts when a packet is compared with the claims. */
export interface Circumstances {
  /** `recordKey`s of records that contradict nothing. */
  readonly alike: ReadonlySet<string>;
  /** It was addressed to this host alone. */
  readonly unicast: boolean;
  /** True once the first probe for the name has left. */
  hasAsked(key: string): boolean;
}

/** What the packet means for the claims: a response may contradict them (§8.1, §9), a probe may win over ours (§8.2). */
export function heed(message: DnsMessage, claimed: readonly ClaimedName[], { alike, unicast, hasAsked }: Circumstances): void {
  const { response, answers, authorities, additionals } = message;
  const said = byName(response ? [...answers, ...authorities, ...additionals] : authorities);
  for (const { claim, name, records } of claimed) {
    const key = nameKey(name);
    const theirs = said.get(key);
    const probing = claim.state === 'probing';
    if (theirs === undefined) continue;
    // §8.1: "received *before* the first probe packet is sent MUST be silently ignored".
    if (probing && !hasAsked(key)) continue;
    // §6: a unicast response counts where a probe has asked for it.
    if (response && (probing || !unicast) && contradicts(theirs, records, alike, probing)) claim.on('conflict');
    if (!response && probing && losesTo(theirs, records)) claim.on('lost');
  }
}
