import net from 'node:net';
import { expect, it } from 'vitest';
import { isBlackBox } from '../../src/conformance/case.js';
import { CASES } from '../../src/conformance/cases/index.js';
import { CommissioningPeer } from '../../src/conformance/commissioning-peer.js';
import { ZoneKit } from '../../src/conformance/zone-kit.js';
import { nodeTransport } from '../../src/controller/tls-client.js';
import { parseSetupCode } from '../../src/crypto/setup-code.js';
import { nodeClock } from '../../src/node/clock.js';
import { nodeCrypto } from '../../src/node/crypto.js';
import { failures, type LabOptions, type Mutation, runLab } from './lab.js';

const SOME = CASES.filter(({ id }) => ['TC-PASE-1', 'TC-ZONE-1', 'TC-STATUS', 'TC-COMM-5'].includes(id));
const run = (options: Partial<LabOptions>) =>
  runLab({ profile: 'reference', dialects: ['reference'], cases: SOME, patience: 15, ...options });

/** A wire to the device that can be cut, or held so that nothing passes. */
function wire(): { readonly front: NonNullable<Mutation['front']>; readonly cut: () => void; readonly hold: () => void } {
  const sockets = new Set<net.Socket>();
  let held = false;
  let server: net.Server | undefined;
  const cut = (): void => {
    server?.close();
    for (const socket of sockets) socket.destroy();
  };
  const hold = (): void => {
    held = true;
    for (const socket of sockets) socket.pause();
  };
  const front = async (port: number): Promise<{ readonly port: number; readonly close: () => void }> => {
    server = net.createServer((near) => {
      sockets.add(near);
      near.on('error', () => undefined);
      if (held) return;
      const far = net.connect({ host: '::1', port });
      sockets.add(far);
      far.on('error', () => undefined);
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
    await new Promise<void>((resolve) => server?.listen(0, '::1', resolve));
    return { port: (server.address() as net.AddressInfo).port, close: cut };
  };
  return { front, cut, hold };
}

it.each([
  ['cut', 'ECONNREFUSED'],
  ['hold', 'no handshake within 5 s'],
] as const)('nobody at the address (%s): the run does not begin', async (how, why) => {
  const line = wire();
  const front: Mutation['front'] = async (port) => {
    const made = await line.front(port);
    line[how]();
    return made;
  };
  await expect(run({ mutation: { front } })).rejects.toMatchObject({
    name: 'SetupFailed',
    message: expect.stringMatching(new RegExp(`^nobody answers at \\[::1\\]:\\d+: ${why}$`)),
  });
});

it('a device without TestControl, and another enable key, are told before the first verdict', async () => {
  const told: string[] = [];
  const onOutcome = ({ id }: { readonly id: string }): void => void told.push(id);
  await expect(run({ production: true, onOutcome })).rejects.toMatchObject({ name: 'SetupFailed', message: /takes no TEST zone/ });
  const other = run({ enableKey: 'f'.repeat(32), onOutcome });
  await expect(other).rejects.toMatchObject({ name: 'SetupFailed', message: /is --enable-key the device's\? .*invalid enable key/ });
  expect(told).toEqual([]);
});

it('a device whose window is closed: TestControl cannot be reached, and the run says what to do', async () => {
  const closed = run({ windowAtStart: 'closed', mutation: { set: { 'commissioning.openAtStart': 'never' } } });
  await expect(closed).rejects.toMatchObject({ name: 'SetupFailed', message: /window is closed.* press the button .*--open-command/ });
});

it('a device that rests from a commissioning before the run is waited for', async () => {
  const [clock, crypto] = [nodeClock(), nodeCrypto()];
  const front: Mutation['front'] = async (port) => {
    const zone = new ZoneKit(crypto, 'Before', 'home', Math.floor(clock.wall() / 1000));
    const parts = { transport: nodeTransport(clock), clock, crypto };
    const code = parseSetupCode('20220211');
    const peer = await CommissioningPeer.connect(parts, { host: '::1', port }, { dialect: 'reference', zone, code });
    await peer.run('paseX');
    peer.destroy();
    return { port, close: () => undefined };
  };
  const set = { 'commissioning.busyCoolDown': '900' };
  expect(failures(await run({ cases: SOME.slice(0, 1), numbers: { set, pics: {} }, mutation: { front } }))).toEqual([]);
});

it('a device that dies in the middle: its case fails, the rest is not tried, every case is in the report', async () => {
  const { front, cut } = wire();
  const outcomes = await run({ mutation: { front }, onOutcome: ({ id }) => (id === 'TC-PASE-1' ? cut() : undefined) });
  expect(outcomes.map(({ id }) => id)).toEqual(SOME.map(({ id }) => id));
  const tried = SOME.filter(isBlackBox).map(({ id }) => id);
  const [first = '', ...rest] = failures(outcomes);
  expect([first.split(' ')[0], rest.length]).toEqual([tried[1], tried.length - 2]);
  for (const failure of rest) expect(failure).toContain(`not tried: the device has not answered since ${tried[1]}: ECONNREFUSED`);
});

it('a zone that should have been refused is taken back: the next case does not find it', async () => {
  const cases = CASES.filter(({ id }) => id === 'TC-ZONE-3');
  const mutation: Mutation = { set: { 'zones.slots': '6' } };
  const found = failures(await runLab({ profile: 'draft', dialects: ['draft', 'reference'], cases, patience: 15, mutation }));
  expect(found.map((failure) => failure.split(':')[0])).toEqual(['TC-ZONE-3 (draft)', 'TC-ZONE-3 (reference)']);
});
