import type { Clock, DatagramSource, Multicast } from '../platform.js';
import { type Echoes, History } from './history.js';
import { type DnsMessage, encodeMessage } from './message.js';
import { type Answer, packed, packedApart } from './packing.js';
import type { RecordPolicy } from './service.js';

export interface VoiceParts {
  readonly multicast: Multicast;
  readonly clock: Clock;
  readonly policy: RecordPolicy;
  readonly echoes: Echoes;
}

/** What leaves on one link: written, and remembered as ours and as said. */
export class Voice {
  readonly history: History;
  readonly #parts: VoiceParts;
  readonly #interfaceName: string;

  constructor(parts: VoiceParts, interfaceName: string) {
    this.#parts = parts;
    this.#interfaceName = interfaceName;
    this.history = new History(parts.clock);
  }

  /** To the group. RFC 6762 §6.4: in as few packets as frames allow; in form `reference` each by itself. */
  say(answers: readonly Answer[]): void {
    const messages = this.#parts.policy.aggregate ? packed(answers) : packedApart(answers);
    for (const message of messages) this.send(message);
  }

  /** To the group, or to one address. */
  send(message: DnsMessage, to?: DatagramSource): void {
    const { multicast, echoes } = this.#parts;
    const packet = encodeMessage(message);
    echoes.note(packet);
    if (message.response && to === undefined) this.history.note(message.answers);
    multicast.send(this.#interfaceName, packet, to);
  }
}
