import { ControllerError } from '../controller/errors.js';
import { watchLiveness } from '../controller/liveness.js';
import { openZone } from '../controller/open-zone.js';
import { type ControllerParts, connectDevice } from '../controller/operational.js';
import { Resolver } from '../controller/resolver.js';
import { selectDevice } from '../controller/select-device.js';
import type { ControllerSession } from '../controller/session.js';
import type { Transport } from '../controller/transport.js';
import type { ControllerZone, DeviceRecord } from '../controller/zone.js';
import { ZoneStore } from '../controller/zone-store.js';
import type { DialectName } from '../dialect/messages.js';
import type { InterfaceChoice } from '../node/interface-choice.js';
import { parseCertificate } from '../pki/certificate.js';
import type { Clock, Crypto, Log, Multicast, StreamListener } from '../platform.js';
import type { GlobalOptions } from './controller-options.js';
import { isoTime } from './controller-output.js';
import { ExposedMeter } from './exposed-meter.js';

/** Before the end of a device's certificate: its renewal is due (protocol.md, row "renewal window"), seconds. */
const RENEWAL_WINDOW: Readonly<Record<DialectName, number>> = { draft: 30 * 86_400, reference: 7 * 86_400 };

/** The machine a command runs on. */
export interface Machine {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly transport: Transport;
  /** Throws ConfigError for interfaces that are none. */
  multicast(options: { readonly interfaces: InterfaceChoice; readonly ipv4: boolean }): Multicast;
  /** For admins of the zone. */
  listener(options: { readonly ipv4: boolean; readonly log: Log }): StreamListener;
}

/** Where a command line is run. */
export interface ControllerIo {
  /** The result. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: () => Machine;
  /** Calls `stop` at the first Ctrl-C or SIGTERM; returns a function that takes it away. */
  onInterrupt(stop: () => void): () => void;
}

/** What a command came to: one JSON value, and the same for people. */
export interface Outcome {
  readonly value: unknown;
  readonly text: string;
}

/** What a command line asks for; undefined where everything was printed on the way. */
export type Work = (context: ControllerContext) => Promise<Outcome | undefined>;
/** Told by the action of a command; its work is done when the whole command line has been read. */
export type Choose = (work: Work) => void;

/** A device of the zone, connected. */
export interface Connected {
  readonly session: ControllerSession;
  readonly record: DeviceRecord;
  readonly zone: ControllerZone;
}

/** What the commands of `mash-controller` work with; closes what it opened. */
export class ControllerContext {
  readonly machine: Machine;
  readonly options: GlobalOptions;
  readonly store: ZoneStore;
  readonly #io: ControllerIo;
  readonly #log: Log;
  readonly #meter: ExposedMeter | undefined;
  #resolver: Promise<Resolver> | undefined;
  #ipv4: boolean;

  constructor(io: ControllerIo, options: GlobalOptions, log: Log) {
    this.#io = io;
    this.machine = io.machine();
    this.options = options;
    this.#log = log;
    this.store = new ZoneStore(options.zone, this.machine.crypto);
    // protocol.md, row "IPv4": only reference peers have it.
    this.#ipv4 = options.dialect === 'reference';
    this.#meter = options.exposeMeter === undefined ? undefined : new ExposedMeter(options.exposeMeter, this.machine.clock, log);
  }

  /** A line of progress on stderr. */
  readonly progress = (line: string): void => this.#io.err(`${line}\n`);

  /** What a command that goes on prints before its outcome: one JSON value a line with `--json`, else the text. */
  print(value: unknown, text: string): void {
    this.#io.out(`${this.options.json === true ? JSON.stringify(value) : text}\n`);
  }

  /** What happens meanwhile: a JSON value a line on stdout with `--json`, else the text on stderr. */
  tell(value: unknown, text: string): void {
    if (this.options.json === true) this.print(value, '');
    else this.progress(text);
  }

  /** Calls `stop` at the first Ctrl-C or SIGTERM; returns a function that takes it away. */
  onInterrupt(stop: () => void): () => void {
    return this.#io.onInterrupt(stop);
  }

  get env(): ControllerIo['env'] {
    return this.#io.env;
  }

  get parts(): ControllerParts {
    const { clock, crypto, transport } = this.machine;
    return { clock, crypto, transport, log: this.#log, store: this.store, resolver: () => this.resolver(), exposed: this.#meter?.exposed };
  }

  /** Rejects with NO_ZONE where the folder has none yet, or is an admin's. */
  async zone(): Promise<ControllerZone> {
    const zone = await openZone(this.parts);
    if (zone !== undefined) return zone;
    const admin = await this.store.loadAdmin();
    if (admin !== undefined)
      throw new ControllerError('NO_ZONE', `${this.store.folder} is an admin's of zone '${admin.name}', whose owner operates its devices`, {
        suggestions: ["'mash-controller commission' adds a device to that zone", 'Name another folder with --zone'],
      });
    throw new ControllerError('NO_ZONE', `There is no zone in ${this.store.folder}`, {
      suggestions: ["'mash-controller commission' creates it", 'Name another folder with --zone'],
    });
  }

  /** The multicast side is opened for this device's dialect; a certificate near its end is told. */
  choose(record: DeviceRecord): DeviceRecord {
    const { notAfter } = parseCertificate(this.machine.crypto, record.certificate);
    if (notAfter - this.machine.clock.wall() / 1000 < RENEWAL_WINDOW[record.dialect])
      this.progress(`the certificate of this device ends on ${isoTime(notAfter)}: 'mash-controller renew' gives it another`);
    this.#ipv4 ||= record.dialect === 'reference';
    return record;
  }

  /** Connects to the device that is meant, and closes the connection when the work is done. `grace`: as in `ControllerParts`. */
  async withDevice<T>(wanted: string | undefined, work: (connected: Connected) => Promise<T>, grace = 0): Promise<T> {
    const zone = await this.zone();
    const record = this.choose(selectDevice(await this.store.devices(), wanted));
    this.progress(`connecting to ${record.name ?? 'device'} ${record.id}`);
    const session = await connectDevice({ ...this.parts, grace }, zone, record);
    try {
      return await work({ session, record, zone });
    } finally {
      await session.close();
    }
  }

  /** Resolves at Ctrl-C; rejects with CONNECTION_LOST where the connection ends before. */
  async stayConnected(session: ControllerSession): Promise<void> {
    const quiet = watchLiveness(session, this.machine.clock);
    let release = (): void => {};
    const interrupted = new Promise<undefined>((resolve) => {
      release = this.onInterrupt(() => resolve(undefined));
    });
    this.progress('connected until Ctrl-C');
    const reason = await Promise.race([interrupted, session.ended]);
    quiet();
    release();
    if (reason !== undefined) throw new ControllerError('CONNECTION_LOST', `The connection to the device ended: ${reason}`);
  }

  /** Opened at its first use: a device at its last address needs none. */
  resolver(): Promise<Resolver> {
    this.#resolver ??= this.#startResolver();
    return this.#resolver;
  }

  async close(): Promise<void> {
    this.#meter?.close();
    const resolver = await this.#resolver?.catch(() => undefined);
    await resolver?.close();
  }

  async #startResolver(): Promise<Resolver> {
    const { clock, crypto } = this.machine;
    const { interface: allow, denyInterface: deny } = this.options;
    const multicast = this.machine.multicast({ interfaces: { allow, deny }, ipv4: this.#ipv4 });
    const resolver = new Resolver({ multicast, clock, entropy: crypto, log: this.#log });
    await resolver.start();
    return resolver;
  }
}
