import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinZone } from '../../src/controller/admin/client.js';
import { AdminOwner } from '../../src/controller/admin/owner.js';
import { AdminRegister } from '../../src/controller/admin/register.js';
import type { Permission } from '../../src/controller/token.js';
import type { AdminZone, ControllerZone, ZoneKind } from '../../src/controller/zone.js';
import { createZone } from '../../src/controller/zone-authority.js';
import { ZoneStore } from '../../src/controller/zone-store.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { nodeListener } from '../../src/node/listener.js';
import { WORLD_NOW } from '../world/certificates.js';
import { Peer } from '../world/peer.js';
import { ControllerWorld } from './world.js';

export interface OwnerOptions {
  readonly kind?: ZoneKind;
  readonly days?: number;
  readonly permissions?: readonly Permission[];
}

/** The owner of a zone and an app beside a device: real TLS on loopback between all three. */
export class AdminWorld {
  readonly app: ControllerWorld;
  readonly zone: ControllerZone;
  readonly store: ZoneStore;
  readonly register: AdminRegister;
  readonly closed: string[] = [];
  readonly signed: string[] = [];
  readonly #options: OwnerOptions;
  readonly #peers: Peer[] = [];
  owner!: AdminOwner;
  port = 0;

  private constructor(app: ControllerWorld, zone: ControllerZone, folder: string, options: OwnerOptions) {
    this.app = app;
    this.zone = zone;
    this.store = new ZoneStore(folder, app.device.crypto);
    this.register = new AdminRegister(folder);
    this.#options = options;
  }

  static async start(options: OwnerOptions = {}): Promise<AdminWorld> {
    const app = await ControllerWorld.start();
    const zone = await createZone(app.device.crypto, {
      kind: options.kind ?? 'building',
      name: 'Block A',
      priority: 2,
      dialect: 'draft',
      now: WORLD_NOW,
    });
    const folder = await fs.mkdtemp(join(tmpdir(), 'owner-'));
    const world = new AdminWorld(app, zone, folder, options);
    await world.store.create(zone);
    await world.open();
    return world;
  }

  /** The owner shows a new code. */
  async open(): Promise<void> {
    const { crypto, clock, log } = this.app.device;
    this.owner = new AdminOwner({
      crypto,
      clock,
      log,
      zone: this.zone,
      store: this.store,
      register: this.register,
      listener: nodeListener({ clock, log, ipv4: false }),
      days: this.#options.days ?? 30,
      permissions: this.#options.permissions ?? ['commission'],
      onSigned: (device) => this.signed.push(device),
      onCodeClosed: (why) => this.closed.push(why),
    });
    this.port = await this.owner.start(0);
  }

  /** The app joins, with the owner's code unless told otherwise. */
  join(digits = this.owner.code.code.digits()): Promise<AdminZone> {
    const { discriminator } = this.owner.code;
    const address = { host: '::1', port: this.port };
    return this.app.drive(joinZone(this.app.parts, { code: parseSetupCode(digits), discriminator, address, name: 'Phone' }));
  }

  /** A connection of the test's own to the owner. */
  async connect(alpn = 'mash-comm/1'): Promise<Peer> {
    const peer = await Peer.connect({ port: this.port, alpn: [alpn] });
    this.#peers.push(peer);
    return peer;
  }

  /** Why the owner refused tokens. */
  get refusals(): unknown[] {
    return this.app.device.log.lines.filter(({ message }) => message === 'admin token refused').map(({ fields }) => fields['failure']);
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    await this.owner.close();
    await this.app.close();
    await fs.rm(this.store.folder, { recursive: true, force: true });
  }
}
