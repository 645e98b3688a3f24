import { describe, expect, it } from 'vitest';
import type { PendingConnection } from '../../src/platform.js';
import { Admission, type AdmissionSettings } from '../../src/session/admission.js';

const DRAFT: AdmissionSettings = { capacity: 6, overflow: 'displace', stale: 90_000 };
const REFERENCE: AdmissionSettings = { capacity: 3, overflow: 'refuse', stale: 90_000 };

class Connection implements PendingConnection {
  readonly remoteAddress: string;
  destroyed: string | undefined;
  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }
  destroy(reason: string): void {
    this.destroyed = reason;
  }
}

/** Admits one connection per address, at 0, 1, 2, … milliseconds. */
function filled(settings: AdmissionSettings, ...addresses: readonly string[]): { admission: Admission; connections: Connection[] } {
  const admission = new Admission(settings);
  const connections = addresses.map((address) => new Connection(address));
  for (const [at, connection] of connections.entries()) expect(admission.admit(connection, at)).toBe(true);
  return { admission, connections };
}

function victims(connections: readonly Connection[]): number[] {
  return connections.flatMap((connection, index) => (connection.destroyed === undefined ? [] : [index]));
}

describe('profile reference', () => {
  it('refuses the fourth, and takes it once one is gone', () => {
    const { admission, connections } = filled(REFERENCE, 'a', 'a', 'b');
    expect(admission.admit(new Connection('c'), 10)).toBe(false);
    expect(victims(connections)).toEqual([]);
    expect(admission.size).toBe(3);
    admission.release(connections[1] as Connection);
    expect(admission.admit(new Connection('c'), 11)).toBe(true);
    expect(admission.size).toBe(3);
  });
});

describe('profile draft', () => {
  it('displaces the oldest idle connection of the busiest address', () => {
    const { admission, connections } = filled(DRAFT, 'quiet', 'busy', 'busy', 'other', 'busy', 'quiet');
    expect(admission.admit(new Connection('new'), 10)).toBe(true);
    expect(victims(connections)).toEqual([1]);
    expect(connections[1]?.destroyed).toBe('displaced by a newer connection');
    expect(admission.size).toBe(6);
  });

  it('takes the last activity, not the age', () => {
    const { admission, connections } = filled(DRAFT, 'busy', 'busy', 'busy', 'a', 'b', 'c');
    admission.active(connections[0] as Connection, 20);
    admission.active(connections[2] as Connection, 21);
    admission.admit(new Connection('new'), 30);
    expect(victims(connections)).toEqual([1]);
  });

  it('among equally busy addresses takes the longest idle of all', () => {
    const { admission, connections } = filled(DRAFT, 'a', 'b', 'c', 'd', 'e', 'f');
    admission.active(connections[0] as Connection, 20);
    admission.admit(new Connection('new'), 30);
    expect(victims(connections)).toEqual([1]);
  });

  it('never displaces the holder of the lock, which counts for its address all the same', () => {
    const { admission, connections } = filled(DRAFT, 'busy', 'busy', 'b', 'c', 'd', 'e');
    admission.lockHolder = connections[0];
    admission.admit(new Connection('new'), 30);
    expect(victims(connections)).toEqual([1]);
  });

  it('refuses the newcomer when only the holder of the lock is left to displace', () => {
    const { admission, connections } = filled({ ...DRAFT, capacity: 1 }, 'a');
    admission.lockHolder = connections[0];
    expect(admission.admit(new Connection('b'), 1)).toBe(false);
    expect(victims(connections)).toEqual([]);
    admission.lockHolder = undefined;
    expect(admission.admit(new Connection('b'), 2)).toBe(true);
    expect(victims(connections)).toEqual([0]);
  });

  it('a flood from one address never drives another one out', () => {
    const admission = new Admission(DRAFT);
    const honest = new Connection('honest');
    admission.admit(honest, 0);
    for (let at = 1; at <= 500; at++) expect(admission.admit(new Connection('flood'), at)).toBe(true);
    expect(honest.destroyed).toBeUndefined();
    expect(admission.size).toBe(6);
  });
});

describe('sweep', () => {
  it('closes what is 90 s old, active or not, and spares the holder of the lock', () => {
    const { admission, connections } = filled(DRAFT, 'a', 'b', 'c');
    admission.lockHolder = connections[0];
    admission.active(connections[1] as Connection, 89_000);
    admission.sweep(90_000);
    expect(victims(connections)).toEqual([]);
    admission.sweep(90_001);
    expect(victims(connections)).toEqual([1]);
    expect(connections[1]?.destroyed).toBe('pre-operational for too long');
    admission.sweep(90_002);
    expect(victims(connections)).toEqual([1, 2]);
    expect(admission.size).toBe(1);
  });

  it('takes the former holder once the lock is released', () => {
    const { admission, connections } = filled(DRAFT, 'a');
    admission.lockHolder = connections[0];
    admission.sweep(200_000);
    admission.lockHolder = undefined;
    admission.sweep(200_000);
    expect(victims(connections)).toEqual([0]);
  });

  it('does not touch what became operational', () => {
    const { admission, connections } = filled(DRAFT, 'a');
    admission.release(connections[0] as Connection);
    admission.active(connections[0] as Connection, 5);
    admission.sweep(1_000_000);
    expect(victims(connections)).toEqual([]);
    expect(admission.size).toBe(0);
  });
});
