import { type Certificate, isSignedBy, parseCertificate } from '../../pki/certificate.js';
import { CertificateError } from '../../pki/certificate-error.js';
import { commonName } from '../../pki/name.js';
import type { BlackBoxCase, ConformanceCase } from '../case.js';
import { attemptTls, type TlsAttempt, type TlsOutcome, tlsText } from '../tls-attempt.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Refuted } from '../verdict.js';

const SOURCE = 'connection-establishment §10, TC-TLS-COMM';
/** reference-behaviour §4.1. */
const CLOSE_WITHIN = 500;

type Connected = Extract<TlsOutcome, { kind: 'connected' }>;

async function connected(t: Trial, attempt: TlsAttempt = {}, target = t.bench.target): Promise<Connected> {
  const outcome = await attemptTls(target, attempt);
  if (outcome.kind === 'refused') throw new Refuted(`the handshake is refused: ${tlsText(outcome)}`);
  return outcome;
}

function certificateOf(t: Trial, { certificate }: Connected): Certificate {
  try {
    return parseCertificate(t.bench.crypto, certificate);
  } catch (error) {
    if (error instanceof CertificateError) throw new Refuted(`commissioning certificate: ${error.message}`);
    throw error;
  }
}

function discriminatorOf(name: string | undefined): number | undefined {
  const digits = name?.startsWith('MASH-') === true ? name.slice('MASH-'.length) : '';
  return /^\d{1,4}$/.test(digits) && Number(digits) <= 4095 ? Number(digits) : undefined;
}

/** 0…4095: as given, or as the commissioning certificate has it. */
export async function discriminator(t: Trial): Promise<number> {
  if (t.bench.options.discriminator !== undefined) return t.bench.options.discriminator;
  const found = discriminatorOf(commonName(certificateOf(t, await connected(t)).subject));
  if (found === undefined) throw new Refuted('the commissioning certificate names no discriminator');
  return found;
}

function refusal(id: string, title: string, source: string, attempt: TlsAttempt, alert: number): BlackBoxCase {
  return {
    id,
    title,
    source,
    pics: ['MASH.S.TRANS.TLS13'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('handshake');
      const outcome = await attemptTls(t.bench.target, attempt);
      t.equal(tlsText(outcome), `alert ${alert}`, 'outcome');
      return `alert ${alert}`;
    },
  };
}

/** The client offers one thing alone, which the PICS claims. */
function offers(id: string, code: string, title: string, options: TlsAttempt['tls'], cipher: string | undefined): BlackBoxCase {
  return {
    id,
    title,
    source: 'pics-registry §2.2, §2.3',
    pics: [code],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('handshake that offers it alone');
      const outcome = await connected(t, options === undefined ? {} : { tls: options });
      if (cipher !== undefined) t.equal(outcome.cipher, cipher, 'cipher');
      return outcome.cipher;
    },
  };
}

export const TLS: readonly ConformanceCase[] = [
  {
    id: 'TC-TLS-COMM-1',
    title: 'The commissioning certificate is self-signed, CN=MASH-<D>, and valid now',
    source: SOURCE,
    pics: ['MASH.S.COMM'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('handshake');
      const certificate = certificateOf(t, await connected(t));
      const name = commonName(certificate.subject);
      const found = discriminatorOf(name);
      t.holds(found !== undefined, `CN=MASH-<D> is due, seen was '${name ?? ''}'`);
      if (t.bench.options.discriminator !== undefined) t.equal(found, t.bench.options.discriminator, 'discriminator');
      t.holds(isSignedBy(t.bench.crypto, certificate, certificate), 'it is not signed by its own key');
      const now = t.bench.now();
      t.holds(certificate.notBefore <= now + 300 && now - 300 <= certificate.notAfter, 'it is not valid now');
      return `CN=${name ?? ''}`;
    },
  },
  {
    id: 'TC-TLS-COMM-2',
    title: 'A certificate whose CN does not match the discriminator: warning',
    source: SOURCE,
    elsewhere: 'the controller warns here; TC-TLS-COMM-1 looks at what the device presents',
  },
  {
    id: 'TC-TLS-COMM-3',
    title: 'No client certificate is asked for',
    source: SOURCE,
    pics: ['MASH.S.COMM'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('handshake without a client certificate');
      const outcome = await connected(t);
      t.equal(outcome.requested, 0, 'signature schemes of a CertificateRequest');
      return 'connected, none was asked for';
    },
  },
  {
    id: 'TC-TLS-COMM-4',
    title: 'ALPN: mash-comm/1 is selected where both are offered, mash/1 where it leads to commissioning',
    source: SOURCE,
    pics: ['MASH.S.COMM'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('mash/1 and mash-comm/1');
      t.equal((await connected(t, { alpn: ['mash/1', 'mash-comm/1'] })).alpn, 'mash-comm/1', 'selected of both');
      const { commissioningPort: port } = t.bench.options;
      if (port === undefined) return 'mash-comm/1 of both; no commissioning port was given to try mash/1 on';
      t.step(`mash/1 on port ${port}`);
      const outcome = await connected(t, { alpn: ['mash/1'] }, { ...t.bench.target, port });
      t.equal(outcome.alpn, 'mash/1', 'selected');
      return `mash-comm/1 of both, mash/1 on port ${port}`;
    },
  },
  refusal(
    'TC-TLS-VERSION-002',
    'TLS 1.2 is refused with protocol_version',
    'reference-behaviour §4.1',
    { tls: { maxVersion: 'TLSv1.2' } },
    70,
  ),
  refusal(
    'TC-TLS-ALPN-002',
    'Another protocol is refused with no_application_protocol',
    'reference-behaviour §4.1',
    { alpn: ['http/1.1'] },
    120,
  ),
  {
    id: 'TC-TLS-ALPN-003',
    title: 'Without ALPN the connection is refused, or closed within 500 ms',
    source: 'reference-behaviour §4.1',
    pics: ['MASH.S.TRANS.TLS13'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('handshake without ALPN');
      const outcome = await attemptTls(t.bench.target, { alpn: [], watch: CLOSE_WITHIN * 2 });
      const late = outcome.kind === 'connected' && (outcome.closedAfter ?? Number.POSITIVE_INFINITY) > CLOSE_WITHIN;
      t.holds(!late, 'connected, and not closed within 500 ms');
      return tlsText(outcome);
    },
  },
  {
    id: 'TC-TLS-CIPHER-001',
    title: 'AES-128-GCM is preferred, whatever the order of the offer',
    source: 'reference-behaviour §4.1',
    pics: ['MASH.S.TRANS.TLS_AES_128_GCM'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('handshake that offers all three, AES-128-GCM last');
      const ciphers = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256';
      t.equal((await connected(t, { tls: { ciphers } })).cipher, 'TLS_AES_128_GCM_SHA256', 'cipher');
      return 'TLS_AES_128_GCM_SHA256';
    },
  },
  offers(
    'TC-TLS-AES256',
    'MASH.S.TRANS.TLS_AES_256_GCM',
    'AES-256-GCM alone is taken',
    { ciphers: 'TLS_AES_256_GCM_SHA384' },
    'TLS_AES_256_GCM_SHA384',
  ),
  offers(
    'TC-TLS-CHACHA20',
    'MASH.S.TRANS.TLS_CHACHA20',
    'ChaCha20-Poly1305 alone is taken',
    { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
    'TLS_CHACHA20_POLY1305_SHA256',
  ),
  offers('TC-TLS-P256', 'MASH.S.TRANS.ECDHE_P256', 'Group P-256 alone is taken', { ecdhCurve: 'P-256' }, undefined),
  offers('TC-TLS-X25519', 'MASH.S.TRANS.ECDHE_X25519', 'Group X25519 alone is taken', { ecdhCurve: 'X25519' }, undefined),
  {
    id: 'TC-TLS-RESUME',
    title: 'A client that offers a ticket gets a full handshake',
    source: 'protocol.md §1',
    pics: ['MASH.S.TRANS.TLS13'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      t.step('a first handshake');
      const { session } = await connected(t, { watch: 100 });
      if (session === undefined) throw new NotApplicable('the first handshake left nothing to offer');
      t.step('a second one that offers what the first left');
      t.holds(!(await connected(t, { tls: { session } })).resumed, 'the session was resumed');
      return 'a full handshake';
    },
  },
];
