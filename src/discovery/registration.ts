import type { Clock } from '../platform.js';
import { Announcer } from './announcer.js';
import { Claim, type ClaimEffect } from './claim.js';
import type { Name } from './name.js';
import { instanceName, type ServiceDefinition } from './service.js';

export interface RegistrationActions {
  claim(effect: ClaimEffect): void;
  announce(): void;
  sayGoodbye(): void;
  /** After the last goodbye. */
  gone(): void;
}

/** One service on one link, from its first probe to its last goodbye. */
export class Registration {
  service: ServiceDefinition;
  readonly name: Name;
  readonly claim: Claim;
  readonly announcer: Announcer;
  announced = false;
  leaving = false;

  /**
   * RFC 6762 §8.1: "If a responder knows by other means that its unique resource record set name, rrtype, and rrclass cannot already be in use by any
   * other responder on the network, then it SHOULD skip the probing step".
   */
  constructor(clock: Clock, service: ServiceDefinition, actions: RegistrationActions) {
    this.service = service;
    this.name = instanceName(service);
    this.claim = new Claim(clock, service.known === true ? 'owned' : 'probing', (effect) => actions.claim(effect));
    this.announcer = new Announcer(
      clock,
      () => actions.announce(),
      () => actions.sayGoodbye(),
      () => actions.gone(),
    );
  }

  stop(): void {
    this.claim.stop();
    this.announcer.stop();
  }
}
