import { PREFIX } from '../codec/frame.js';
import { intervalBounds, MAX_LISTED } from '../interaction/subscribe.js';
import { MAX_SUBSCRIPTIONS } from '../interaction/subscriptions.js';
import { operationalSettings } from '../interaction/zone-sessions.js';
import { type KeepAliveSettings, longestDetection } from '../session/keep-alive.js';
import { ALPN_OPERATIONAL } from '../session/routing.js';
import type { PicsSection } from './format.js';
import { always, type PicsSource, type Row, seconds, section } from './source.js';
import { correctsIntervals, subscriptionBehaviour } from './trials.js';

/** Of a zone commissioned in the dialect `draft`: a reference controller is read, not pinged. All 0 where TCP alone watches. */
function keepAlive({ profile }: PicsSource): KeepAliveSettings {
  return operationalSettings(profile, 'draft').keepAlive ?? { interval: 0, timeout: 0, missed: 0, mode: 'always' };
}

function suite(name: string): (source: PicsSource) => boolean {
  return ({ transport }) => transport.ciphers.split(':').includes(name);
}

function group(name: string): (source: PicsSource) => boolean {
  return ({ transport }) => transport.groups.split(':').includes(name);
}

const TRANS: readonly Row<PicsSource>[] = [
  ['', 'transport layer', always],
  ['IPV6', 'listens on IPv6', ({ transport }) => transport.address.includes(':')],
  ['TLS13', 'TLS 1.3, and no other', ({ transport }) => transport.version === 'TLSv1.3'],
  ['PORT', 'operational port', ({ transport }) => transport.port],
  ['TLS_AES_128_GCM', 'TLS_AES_128_GCM_SHA256', suite('TLS_AES_128_GCM_SHA256')],
  ['TLS_AES_256_GCM', 'TLS_AES_256_GCM_SHA384', suite('TLS_AES_256_GCM_SHA384')],
  ['TLS_CHACHA20', 'TLS_CHACHA20_POLY1305_SHA256', suite('TLS_CHACHA20_POLY1305_SHA256')],
  ['ECDHE_P256', 'ECDHE with P-256', group('P-256')],
  ['ECDHE_X25519', 'ECDHE with X25519', group('X25519')],
  ['MAX_MSG_SIZE', 'largest message, bytes', ({ profile }) => profile['message.maximum']],
  ['LENGTH_PREFIX', 'length prefix of 4 bytes', () => PREFIX === 4],
  ['PING_INTERVAL', 'pings, s; 0: TCP keep-alive alone', (source) => seconds(keepAlive(source).interval)],
  ['PONG_TIMEOUT', 'time for a pong, s', (source) => seconds(keepAlive(source).timeout)],
  ['MAX_MISSED_PONGS', 'missed pongs until the connection is lost', (source) => keepAlive(source).missed],
  ['DETECTION_DELAY_MAX', 'longest time until a loss is found, s', (source) => seconds(longestDetection(keepAlive(source)))],
  ['RECONNECT_AFTER_COMM', 'commissioning ends its connection', always],
  ['WAIT_TIME', 'wait before a reconnection, s: the device takes one at once', () => 0],
];

const TLS: readonly Row<PicsSource>[] = [
  ['SELF_SIGNED_COMM', 'self-signed certificate in commissioning', ({ device }) => device.commissioning.current().certificate.length > 0],
  ['ALPN', 'operational protocol', () => ALPN_OPERATIONAL],
  ['MUTUAL_AUTH', 'operational connections need a client certificate', ({ transport }) => transport.mutual.operational],
];

const CONN: readonly Row<PicsSource>[] = [
  ['', 'connection lifecycle', always],
  ['GRACEFUL_CLOSE', 'close and close_ack', always],
  ['CLOSE_TIMEOUT', 'time for close_ack, s', ({ profile }) => seconds(profile['session.close'])],
  ['STALE_REAPER', 'stale connections are closed', ({ profile }) => profile['connections.stale'] > 0],
  ['STALE_TIMEOUT', 'age of a stale pre-operational connection, s', ({ profile }) => seconds(profile['connections.stale'])],
];

const SUB: readonly Row<PicsSource>[] = [
  ['', 'subscriptions', () => MAX_SUBSCRIPTIONS > 0],
  ['MAX_SUBSCRIPTIONS', 'subscriptions a connection', () => MAX_SUBSCRIPTIONS],
  ['MAX_ATTRS_PER_SUB', 'attributes a subscription may list', () => MAX_LISTED],
  ['MIN_INTERVAL_MIN', 'shortest minInterval, s; 0 asks for the default', () => 0],
  ['MIN_INTERVAL_MAX', 'longest minInterval, s', ({ profile }) => seconds(intervalBounds(profile).longestMinimum)],
  ['MAX_INTERVAL_MIN', 'shortest maxInterval, s', ({ profile }) => seconds(intervalBounds(profile).shortestMaximum)],
  ['MAX_INTERVAL_MAX', 'longest maxInterval, s', ({ profile }) => seconds(intervalBounds(profile).longestMaximum)],
  ['COALESCE', 'what of several changes is told', ({ profile }) => subscriptionBehaviour(profile).coalesce],
  ['BOUNCE_BACK', 'a value that is as it was is not told', ({ profile }) => subscriptionBehaviour(profile).bounceBack],
  ['HEARTBEAT_CONTENT', 'what a heartbeat holds', ({ profile }) => subscriptionBehaviour(profile).heartbeat],
  ['PRIMING', 'the response holds all values', ({ profile }) => subscriptionBehaviour(profile).priming],
  ['DELTA_ONLY', 'a change is told alone', ({ profile }) => subscriptionBehaviour(profile).deltaOnly],
  ['INTERVAL_AUTOCORRECT', 'intervals in the wrong order are put right', ({ profile }) => correctsIntervals(profile)],
  ['B_HEARTBEAT_CONTENT', 'the same as HEARTBEAT_CONTENT (pics-format §4.6)', ({ profile }) => subscriptionBehaviour(profile).heartbeat],
  ['B_COALESCE', 'the same as COALESCE (pics-format §4.6)', ({ profile }) => subscriptionBehaviour(profile).coalesce],
];

export function transportSections(source: PicsSource): readonly PicsSection[] {
  return [
    section('Transport (pics-registry §2, connection-establishment §8)', 'MASH.S.TRANS', TRANS, source),
    section('TLS (connection-establishment §8)', 'MASH.S.TLS', TLS, source),
    section('Connections (pics-registry §6)', 'MASH.S.CONN', CONN, source),
    section('Subscriptions (pics-registry §8)', 'MASH.S.SUB', SUB, source),
  ];
}
