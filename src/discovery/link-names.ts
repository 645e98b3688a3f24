import type { Claim } from './claim.js';
import type { ClaimedName } from './claimed-name.js';
import type { LinkRecords } from './link-records.js';
import { nameKey } from './name.js';
import type { Registration } from './registration.js';
import type { Zone } from './responder.js';

/** The names that are to be ours on one link: the host's and the instances'. */
export class LinkNames {
  /** By instance. */
  readonly registrations = new Map<string, Registration>();
  /** Undefined until there is a service to publish. */
  host: Claim | undefined;
  readonly #records: LinkRecords;

  constructor(records: LinkRecords) {
    this.#records = records;
  }

  isOurs({ leaving, claim }: Registration): boolean {
    return !leaving && claim.state === 'owned' && this.host?.state === 'owned';
  }

  /** Somebody may hold its records: announced, or answered while it is probed for (profile `reference`). */
  isTold({ announced, claim }: Registration): boolean {
    return claim.state === 'owned' ? announced : claim.state === 'probing' && this.#records.policy.eager;
  }

  claimOf(key: string): Claim | undefined {
    return key === nameKey(this.#records.host) ? this.host : this.registrations.get(key)?.claim;
  }

  /** Everything unique, claimed or being claimed. */
  claims(): readonly ClaimedName[] {
    const instances = [...this.registrations.values()]
      .filter(({ leaving }) => !leaving)
      .map(({ claim, name, service }) => ({ claim, name, records: this.#records.unique(service) }));
    const claim = this.host;
    return claim === undefined ? instances : [{ claim, name: this.#records.host, records: this.#records.addresses() }, ...instances];
  }

  /** What is answered for; undefined while the host's name is not ours. `proved`: without what is still being probed for. */
  zone(proved = false): Zone | undefined {
    const isOurs = ({ state }: Claim): boolean => state === 'owned' || (state === 'probing' && !proved && this.#records.policy.eager);
    if (this.host === undefined || !isOurs(this.host)) return undefined;
    const ours = [...this.registrations.values()].filter(({ claim, leaving }) => isOurs(claim) && !leaving);
    return this.#records.zone(ours.map(({ service }) => service));
  }
}
