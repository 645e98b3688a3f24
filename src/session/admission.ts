import type { PendingConnection } from '../platform.js';

/** Rules for connections between TCP accept and an accepted client certificate (protocol.md, rows "pre-operational" and "stale"). */
export interface AdmissionSettings {
  readonly capacity: number;
  readonly overflow: 'displace' | 'refuse';
  /** Age at which a connection is stale, milliseconds. */
  readonly stale: number;
}

interface Entry {
  readonly since: number;
  lastActivity: number;
}

/** Counts pre-operational connections, so that idle ones can neither exhaust the device nor keep a commissioning out. */
export class Admission {
  readonly #settings: AdmissionSettings;
  readonly #entries = new Map<PendingConnection, Entry>();
  #holder: PendingConnection | undefined;

  constructor(settings: AdmissionSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The holder of the commissioning lock is never displaced and never stale. */
  set lockHolder(connection: PendingConnection | undefined) {
    this.#holder = connection;
  }

  /** False refuses the newcomer. Otherwise the one it displaces, if any, has been destroyed. */
  admit(connection: PendingConnection, now: number): boolean {
    if (this.#entries.size >= this.#settings.capacity) {
      const victim = this.#settings.overflow === 'displace' ? this.#victim() : undefined;
      if (victim === undefined) return false;
      this.#entries.delete(victim);
      victim.destroy('displaced by a newer connection');
    }
    this.#entries.set(connection, { since: now, lastActivity: now });
    return true;
  }

  active(connection: PendingConnection, now: number): void {
    const entry = this.#entries.get(connection);
    if (entry !== undefined) entry.lastActivity = now;
  }

  /** The connection became operational, or ended. */
  release(connection: PendingConnection): void {
    this.#entries.delete(connection);
    if (this.#holder === connection) this.#holder = undefined;
  }

  /** Destroys all of them; returns how many. */
  closeAll(): number {
    const all = [...this.#entries.keys()];
    for (const connection of all) connection.destroy('pre-operational connections are closed');
    return all.length;
  }

  /** Destroys what is stale. */
  sweep(now: number): void {
    for (const [connection, entry] of [...this.#entries]) {
      if (connection === this.#holder || now - entry.since < this.#settings.stale) continue;
      this.#entries.delete(connection);
      connection.destroy('pre-operational for too long');
    }
  }

  // The longest idle connection of the source address that holds most of them.
  #victim(): PendingConnection | undefined {
    const perAddress = new Map<string, number>();
    for (const { remoteAddress } of this.#entries.keys()) perAddress.set(remoteAddress, (perAddress.get(remoteAddress) ?? 0) + 1);
    let victim: PendingConnection | undefined;
    let best: readonly [busy: number, activity: number] = [0, 0];
    for (const [connection, entry] of this.#entries) {
      if (connection === this.#holder) continue;
      const busy = perAddress.get(connection.remoteAddress) ?? 0;
      if (victim === undefined || busy > best[0] || (busy === best[0] && entry.lastActivity < best[1])) {
        victim = connection;
        best = [busy, entry.lastActivity];
      }
    }
    return victim;
  }
}
