import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Commissioned, type CommissionOptions, commission } from '../../src/controller/commissioning.js';
import { openOrCreateZone } from '../../src/controller/open-zone.js';
import type { ControllerParts } from '../../src/controller/operational.js';
import { Resolver } from '../../src/controller/resolver.js';
import type { Step } from '../../src/controller/steps.js';
import { nodeTransport } from '../../src/controller/tls-client.js';
import type { ClientConnection, ConnectPurpose, Transport } from '../../src/controller/transport.js';
import { ZoneStore } from '../../src/controller/zone-store.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import type { SecureStream, SecureStreamHandlers } from '../../src/platform.js';
import { DeviceWorld, DISCRIMINATOR, SETUP_CODE, type WorldOptions } from '../world/device-world.js';
import { SeededEntropy } from '../world/entropy.js';
import { VirtualMulticast } from '../world/network.js';

/** While one of these is pending, the controller waits for virtual time. */
const VIRTUAL = ['TRANSITION', 'MDNS_SEARCH', 'NEXT_ADDRESS'];
/** While one of these is, somebody waits for real sockets, and no virtual time passes. */
const REAL = ['TIMEOUT_PER_ADDR', 'answer', 'response', 'CLOSE_TIMEOUT'];

/** A whole device and a controller: real TLS on loopback, real cryptography and files; virtual time and multicast. */
export class ControllerWorld {
  readonly device: DeviceWorld;
  readonly folder: string;
  readonly steps: Step[] = [];
  /** Connections made, in order. */
  readonly connections: ConnectPurpose[] = [];
  /** Wraps the next connections' streams. */
  wrap: (stream: SecureStream, purpose: ConnectPurpose) => SecureStream = (stream) => stream;
  readonly #resolvers: Resolver[] = [];

  private constructor(device: DeviceWorld, folder: string) {
    this.device = device;
    this.folder = folder;
  }

  static async start(options: WorldOptions = {}): Promise<ControllerWorld> {
    return new ControllerWorld(await DeviceWorld.start(options), await fs.mkdtemp(join(tmpdir(), 'controller-')));
  }

  get parts(): ControllerParts {
    const { clock, crypto, log } = this.device;
    return { clock, crypto, log, transport: this.transport, store: new ZoneStore(this.folder, crypto), resolver: () => this.resolver() };
  }

  /** Every address of the virtual network is loopback. */
  get transport(): Transport {
    const real = nodeTransport(this.device.clock);
    return {
      connect: async ({ port }, purpose, signal): Promise<ClientConnection> => {
        this.connections.push(purpose);
        const connection = await real.connect({ host: '::1', port }, purpose, signal);
        return { ...connection, stream: this.wrap(connection.stream, purpose) };
      },
    };
  }

  async resolver(): Promise<Resolver> {
    const resolver = new Resolver({
      multicast: this.multicast(),
      clock: this.device.clock,
      entropy: new SeededEntropy(3),
      log: this.device.log,
    });
    this.#resolvers.push(resolver);
    await resolver.start();
    return resolver;
  }

  multicast(): VirtualMulticast {
    return new VirtualMulticast([{ name: 'eth0', link: this.device.link, addresses: ['fe80::c/64', 'fd77::c/64'] }]);
  }

  /** Commissions the device; the label's code unless told otherwise. */
  async commission(options: Partial<CommissionOptions> = {}): Promise<Commissioned> {
    const dialect = options.dialect ?? 'draft';
    const { zone } = await openOrCreateZone(this.parts, { kind: undefined, name: undefined, priority: undefined, dialect });
    const code = parseSetupCode(SETUP_CODE);
    this.steps.length = 0;
    const work = commission(this.parts, { code, dialect, zone, discriminator: DISCRIMINATOR, ...options }, (step) => this.steps.push(step));
    return this.drive(work);
  }

  /** `6`, `7 skipped`, `9 failed`. */
  get told(): readonly string[] {
    return this.steps.map(({ number, outcome }) => (outcome === 'done' ? `${number}` : `${number} ${outcome}`));
  }

  /** Lets sockets work, and time pass where only multicast and the transition wait for it. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finish = (): void => {
      done = true;
    };
    work.then(finish, finish);
    await this.until(() => done);
    return work;
  }

  /** Lets sockets work, and the search for a device take its virtual time, until the condition holds; rejects after a minute. */
  async until(condition: () => boolean): Promise<void> {
    const { clock } = this.device;
    const deadline = Date.now() + 60_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not done in a minute; pending: ${clock.pending().map(({ name }) => name)}`);
      await new Promise((resolve) => setImmediate(resolve));
      const pending = clock.pending();
      const has = (names: readonly string[]): boolean => pending.some(({ name }) => names.includes(name));
      const passes = has(VIRTUAL) && !has(REAL);
      await clock.advance(passes ? Math.max(0, (pending[0]?.at ?? 0) - clock.now()) : 0);
    }
  }

  /** The power of the device goes and comes back: nothing is closed, the flash keeps what was synced. */
  async powerCycle(): Promise<void> {
    this.device.flash.powerOff();
    await this.device.close();
    this.device.flash.powerUp();
    await this.device.boot();
  }

  async close(): Promise<void> {
    await Promise.all(this.#resolvers.map((resolver) => resolver.close()));
    await this.device.close();
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** A stream that ends when `cut` says so of what is sent or received; what it judges is not passed on. */
export function cutting(stream: SecureStream, cut: (direction: 'sent' | 'received', bytes: Uint8Array) => boolean): SecureStream {
  let handlers: SecureStreamHandlers | undefined;
  const end = (): void => {
    stream.destroy();
    const told = handlers;
    handlers = undefined;
    queueMicrotask(() => told?.onClose('cut by the test'));
  };
  return {
    kind: stream.kind,
    remoteAddress: stream.remoteAddress,
    peerCertificate: stream.peerCertificate,
    exporter: (label, length) => stream.exporter(label, length),
    start: (given) => {
      handlers = given;
      stream.start({
        onData: (bytes) => (cut('received', bytes) ? end() : handlers?.onData(bytes)),
        onClose: (reason) => handlers?.onClose(reason),
      });
    },
    write: (bytes) => {
      if (!cut('sent', bytes)) return stream.write(bytes);
      end();
      return false;
    },
    end: () => stream.end(),
    destroy: () => stream.destroy(),
  };
}
