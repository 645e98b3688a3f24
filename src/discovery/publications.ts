import { utf8Length } from '../codec/utf8.js';
import { encodeMessage, responseMessage } from './message.js';
import { type Name, nameKey, truncateText } from './name.js';
import { nameHashes } from './peek.js';
import { announcement, ENUMERATION, instanceName, type RecordPolicy, type ServiceDefinition, serviceRecords, typeName } from './service.js';

/** Instances published at the same time. */
const MAXIMUM = 64;
/** RFC 1035 §2.3.4: bytes of one label. */
const LABEL_MAXIMUM = 63;

/** Records of one service, bytes: with the addresses of the host they fill a frame. Discovery §3.1 has 400 for the TXT record. */
const SERVICE_MAXIMUM = 1000;

/** Throws RangeError for a definition that DNS cannot carry, or that takes more than a frame (RFC 6762 §17). */
export function checkService(service: ServiceDefinition, host: Name, policy: RecordPolicy): void {
  const { answers } = announcement(serviceRecords(service, host, policy), []);
  const length = encodeMessage(responseMessage({ answers })).length;
  if (length > SERVICE_MAXIMUM) throw new RangeError(`discovery: the records of ${service.instance} take ${length} bytes`);
}

/** A service as its owner wants it, under the instance name that it has now. */
export class Publication {
  service: ServiceDefinition;
  readonly #wanted: string;
  #number = 1;

  constructor(service: ServiceDefinition) {
    this.service = service;
    this.#wanted = service.instance;
  }

  get key(): string {
    return nameKey(instanceName(this.service));
  }

  /** RFC 6762 §9: the next number behind the name; of the letters that discovery §2.5 allows. */
  rename(): void {
    const suffix = ` ${++this.#number}`;
    this.service = { ...this.service, instance: truncateText(this.#wanted, LABEL_MAXIMUM - utf8Length(suffix)) + suffix };
  }
}

/** What is to be published, by instance. */
export class Publications {
  readonly #byKey = new Map<string, Publication>();
  #hashes: ReadonlySet<number> | undefined;
  #host: Name | undefined;

  get services(): readonly ServiceDefinition[] {
    return [...this.#byKey.values()].map(({ service }) => service);
  }

  /** Takes the place of what has the name. Throws RangeError for one too many. */
  add(publication: Publication): void {
    if (!this.#byKey.has(publication.key) && this.#byKey.size >= MAXIMUM) throw new RangeError(`discovery: more than ${MAXIMUM} services`);
    this.#byKey.set(publication.key, publication);
    this.#hashes = undefined;
  }

  /** False once it was taken away or another has taken its place. */
  has(publication: Publication): boolean {
    return this.#byKey.get(publication.key) === publication;
  }

  remove(publication: Publication): void {
    this.#byKey.delete(publication.key);
    this.#hashes = undefined;
  }

  /** The one under this name, with the next name that none of ours has; undefined for one that keeps its name. */
  rename(service: ServiceDefinition): Publication | undefined {
    const publication = this.#byKey.get(nameKey(instanceName(service)));
    if (publication?.service.renames !== true) return undefined;
    this.remove(publication);
    do publication.rename();
    while (this.#byKey.has(publication.key));
    this.add(publication);
    return publication;
  }

  clear(): void {
    this.#byKey.clear();
  }

  /** Hashes of the names that packets about us mention, that of the host among them. */
  hashes(host: Name): ReadonlySet<number> {
    const names = (): readonly Name[] => this.services.flatMap((service) => [instanceName(service), typeName(service.type)]);
    if (this.#host !== host) this.#hashes = undefined;
    this.#host = host;
    this.#hashes ??= nameHashes([host, ENUMERATION, ...names()]);
    return this.#hashes;
  }
}
