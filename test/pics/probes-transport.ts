import { parseCertificate } from '../../src/pki/certificate.js';
import { makeZone, mapOf } from '../world/controller.js';
import { handshakeError } from '../world/peer.js';
import { ZonePeer } from '../world/zone-peer.js';
import {
  CONTROL,
  flag,
  INVOKE,
  type Lab,
  largest,
  map,
  ofType,
  READ,
  records,
  type Seen,
  SUBSCRIBE,
  smallest,
  toDeadline,
  WRITE,
} from './lab.js';

/** Handshakes with one suite, one group, one version each. */
export async function probeTls(lab: Lab): Promise<Seen> {
  const world = await lab.device({ port: lab.port, set: { 'connections.preOperational': '16' } });
  await world.clock.advance(1000);
  const [srv] = ofType(records(world), 'SRV', '_mash-comm');
  const works = async (tls: object): Promise<number> => flag((await handshakeError({ port: lab.port, tls })) === undefined);
  const [aes128, aes256, chacha, p256, x25519] = await Promise.all([
    works({ ciphers: 'TLS_AES_128_GCM_SHA256' }),
    works({ ciphers: 'TLS_AES_256_GCM_SHA384' }),
    works({ ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }),
    works({ ecdhCurve: 'P-256' }),
    works({ ecdhCurve: 'X25519' }),
  ]);
  const peer = await world.connect();
  const version = peer.socket.getProtocol();
  const family = peer.socket.remoteFamily;
  const { issuer, subject } = parseCertificate(world.crypto, peer.serverCertificate);
  const zone = await ZonePeer.commission(world, 'draft', makeZone('Home', 3));
  // The certificate is judged above TLS: whoever has none is closed.
  const stranger = await world.connect({ alpn: ['mash/1'], serverName: zone.deviceId });
  const refused = (await stranger.next()) === undefined;
  await world.clock.advance(1000);
  const [operational] = ofType(records(world), 'SRV', '_mash._tcp');
  return {
    'MASH.S.TRANS': flag(version !== null),
    'MASH.S.TRANS.IPV6': flag(family === 'IPv6'),
    'MASH.S.TRANS.TLS13': flag(version === 'TLSv1.3' && (await works({ maxVersion: 'TLSv1.2' })) === 0),
    'MASH.S.TRANS.PORT': operational?.port ?? 0,
    'MASH.S.TRANS.TLS_AES_128_GCM': aes128,
    'MASH.S.TRANS.TLS_AES_256_GCM': aes256,
    'MASH.S.TRANS.TLS_CHACHA20': chacha,
    'MASH.S.TRANS.ECDHE_P256': p256,
    'MASH.S.TRANS.ECDHE_X25519': x25519,
    'MASH.S.TLS.SELF_SIGNED_COMM': flag(Buffer.from(issuer.raw).equals(Buffer.from(subject.raw))),
    'MASH.S.TLS.ALPN': String(zone.peer.socket.alpnProtocol),
    'MASH.S.TLS.MUTUAL_AUTH': flag(refused),
    'MASH.S.MDNS.SRV_RECORD': flag(srv !== undefined),
  };
}

/** The largest frame that is answered, and what the prefix counts. */
export async function probeFraming(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const answered = async (length: number): Promise<boolean> => {
    await zone.connect();
    const frame = Buffer.alloc(4 + length);
    frame.writeUInt32BE(length);
    zone.peer.sendRaw(frame);
    return (await zone.peer.next()) !== undefined;
  };
  let maximum = 0;
  for (let size = 1024; size <= 1 << 20; size *= 2) if ((await answered(size)) && !(await answered(size + 1))) maximum = size;
  return { 'MASH.S.TRANS.MAX_MSG_SIZE': maximum, 'MASH.S.TRANS.LENGTH_PREFIX': flag(maximum > 0) };
}

/** Pings nobody answers, to the end of the session: each frame is waited for at the moment that it left. */
export async function probeKeepAlive(lab: Lab): Promise<Seen> {
  const world = await lab.device();
  const zone = await ZonePeer.commission(world, 'draft', makeZone('Home', 3));
  const begun = world.clock.now();
  const connected = (): boolean => world.device.status.zones[0]?.connected === true;
  const pings: number[] = [];
  while (connected() && (await toDeadline(world, 'keep-alive'))) {
    if (!connected()) break;
    // Between two pings stands the wait for the answer, which sends nothing.
    const sinceLast = world.clock.now() - (pings.at(-1) ?? begun);
    const next = world.clock.pending().find(({ name }) => name === 'keep-alive')?.at ?? 0;
    if (next - world.clock.now() > sinceLast) continue;
    await zone.peer.receive();
    pings.push(world.clock.now());
  }
  const lost = connected() ? 0 : world.clock.now();
  return {
    'MASH.S.TRANS.PING_INTERVAL': pings[0] === undefined ? 0 : (pings[0] - begun) / 1000,
    'MASH.S.TRANS.PONG_TIMEOUT': lost === 0 ? 0 : (lost - (pings.at(-1) ?? 0)) / 1000,
    'MASH.S.TRANS.MAX_MISSED_PONGS': pings.length,
    'MASH.S.TRANS.DETECTION_DELAY_MAX': lost === 0 ? 0 : (lost - begun) / 1000,
  };
}

/** A removal whose close nobody acknowledges, and a connection that says nothing. */
export async function probeConnections(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  const removed = await zone.ask(INVOKE, map([1, 16], [2, map(['zoneId', zone.zoneId])]));
  const close = mapOf(await zone.peer.receive());
  const before = world.clock.now();
  await toDeadline(world, 'CLOSE_TIMEOUT');
  await zone.peer.end();
  const stale = await ageAtEnd(lab);
  return {
    'MASH.S.CONN': flag(removed.status === 0),
    'MASH.S.CONN.GRACEFUL_CLOSE': flag(close.size > 0),
    'MASH.S.CONN.CLOSE_TIMEOUT': (world.clock.now() - before) / 1000,
    'MASH.S.CONN.STALE_REAPER': flag(stale > 0),
    'MASH.S.CONN.STALE_TIMEOUT': stale,
  };
}

/** Bounds by bisection; changes by writes to the failsafe's attributes. */
export async function probeSubscriptions(lab: Lab): Promise<Seen> {
  const zone = await lab.zone();
  const { world } = zone;
  const subscribe = (ids: readonly number[], minimum: number, maximum: number) =>
    zone.ask(SUBSCRIBE, map([1, ids], [2, minimum], [3, maximum]), CONTROL, 1);
  const taken = async (ids: readonly number[], minimum: number, maximum: number): Promise<boolean> => {
    const { status, payload } = await subscribe(ids, minimum, maximum);
    if (status !== 0) return false;
    await zone.ask(SUBSCRIBE, map([1, payload.get(1) ?? 0]), 0, 0);
    return true;
  };
  const top = await largest(60_000, 0xffff_ffff, (value) => taken([72], 1000, value));
  const bottom = await smallest(1, 60_000, (value) => taken([72], 1, value));
  const longest = await largest(1000, Math.min(top, 0xffff_ffff), (value) => taken([72], value, top));
  const shortest = await smallest(0, 1000, (value) => taken([72], value, top));
  const listed = await largest(1, 300, (value) => taken(new Array<number>(value).fill(72), 0, 0));
  const unordered = await taken([72], 30_000, 2000);
  const primed = await subscribe([70, 72], 2000, 60_000);
  const values = primed.payload.get(2);
  await world.clock.advance(5000);
  const write = (limit: number) => zone.ask(WRITE, map([70, limit]), CONTROL, 1);
  await write(1_000_000);
  await write(2_000_000);
  await world.clock.advance(5000);
  await zone.ask(READ, [1]);
  const changes = zone.notified.splice(0).map(([, changed]) => changed);
  await write(3_000_000);
  await world.clock.advance(5000);
  await zone.ask(READ, [1]);
  const third = zone.notified.splice(0);
  await write(4_000_000);
  await world.clock.advance(100);
  await zone.ask(READ, [1]);
  const immediate = zone.notified.splice(0).length;
  await write(5_000_000);
  await write(immediate === 0 ? 3_000_000 : 4_000_000);
  await world.clock.advance(5000);
  await zone.ask(READ, [1]);
  const bounced = zone.notified.splice(0).length;
  await world.clock.advance(60_000);
  await zone.ask(READ, [1]);
  const [beat] = zone.notified.splice(0);
  let count = 1;
  while (count < 300 && (await subscribe([72], 0, 0)).status === 0) count += 1;
  const last = changes.at(-1) ?? {};
  return {
    'MASH.S.SUB': flag(primed.status === 0),
    'MASH.S.SUB.MAX_SUBSCRIPTIONS': count,
    'MASH.S.SUB.MAX_ATTRS_PER_SUB': listed,
    'MASH.S.SUB.MIN_INTERVAL_MIN': shortest / 1000,
    'MASH.S.SUB.MIN_INTERVAL_MAX': longest / 1000,
    'MASH.S.SUB.MAX_INTERVAL_MIN': bottom / 1000,
    'MASH.S.SUB.MAX_INTERVAL_MAX': top / 1000,
    'MASH.S.SUB.COALESCE': last['70'] === 2_000_000 && third.length === 1 ? 'last_value' : 'all_changes',
    'MASH.S.SUB.B_COALESCE': last['70'] === 2_000_000 && third.length === 1 ? 'last_value' : 'all_changes',
    'MASH.S.SUB.BOUNCE_BACK': flag(bounced === 0),
    'MASH.S.SUB.HEARTBEAT_CONTENT': Object.keys(beat?.[1] ?? {}).length === 2 ? 'full' : 'empty',
    'MASH.S.SUB.B_HEARTBEAT_CONTENT': Object.keys(beat?.[1] ?? {}).length === 2 ? 'full' : 'empty',
    'MASH.S.SUB.PRIMING': flag(values instanceof Map && values.size === 2),
    'MASH.S.SUB.DELTA_ONLY': flag(changes.every((changed) => Object.keys(changed).join() === '70')),
    'MASH.S.SUB.INTERVAL_AUTOCORRECT': flag(unordered),
  };
}

/** The age at which a connection that commissions nothing is closed, s, whole. */
async function ageAtEnd(lab: Lab): Promise<number> {
  const world = await lab.device({ set: { 'commissioning.firstMessage': '300000', 'connections.sweep': '1000' } });
  const idle = await world.connect();
  await world.untilPending('PASE_WAIT_X');
  for (let second = 0; second < 290; second++) {
    if (!world.clock.pending().some(({ name }) => name === 'PASE_WAIT_X')) return second;
    await world.clock.advance(1000);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  idle.destroy();
  return 0;
}
