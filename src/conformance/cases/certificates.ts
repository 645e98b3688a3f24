import { parseCertificate } from '../../pki/certificate.js';
import { CertificateError } from '../../pki/certificate-error.js';
import { checkDevicePeer } from '../../pki/verify.js';
import type { TlsIdentity } from '../../platform.js';
import type { ZoneOnDevice } from '../bench.js';
import type { BlackBoxCase, ConformanceCase } from '../case.js';
import { answerText, type InstallChange } from '../commissioning-peer.js';
import type { Trial } from '../trial.js';
import { Refuted } from '../verdict.js';
import { deviceSubject } from '../zone-kit.js';

const INSTALL = 'commissioning-pase §10, TC-CERT';
const DEVICE = 'connection-establishment §10, TC-CERT-VAL';
const CONTROLLER = 'connection-establishment §10, TC-CERT-VAL-CTRL';
const DAY = 86_400;
const YEAR = 365 * DAY;
/** protocol.md §1: the connection is destroyed within 500 ms of the handshake; the rest is the network's. */
const REFUSAL = 1500;

function install(id: string, title: string, due: { draft: string; reference: string }, change: (t: Trial) => InstallChange): BlackBoxCase {
  return {
    id,
    title,
    source: INSTALL,
    pics: ['MASH.S.CERT'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('CERT_INSTALL');
      const peer = await t.bench.commissioning(t.dialect);
      const answer = await peer.run('certInstall', 'paseX', change(t));
      if (answer.type === 'certAck' && answer.status === 0) {
        await peer.finish();
        await t.bench.joined(peer);
      }
      t.equal(answerText(answer), t.per(due), 'answer to CERT_INSTALL');
      return answerText(answer);
    },
  };
}

/** True where the device serves a controller with this certificate, false where it closes before any message. */
async function served(t: Trial, zone: ZoneOnDevice, identity: TlsIdentity): Promise<boolean> {
  let peer: Awaited<ReturnType<typeof t.bench.operational>>;
  try {
    peer = await t.bench.operational(zone, identity);
  } catch (error) {
    if (!(error instanceof Refuted)) throw error;
    return false;
  }
  try {
    await peer.read(0, 1, 1);
    return true;
  } catch (error) {
    if (!(error instanceof Refuted)) throw error;
    t.holds(await peer.ends(REFUSAL), 'not served, and not closed either');
    return false;
  } finally {
    peer.destroy();
  }
}

type Identities = (t: Trial, zone: ZoneOnDevice) => readonly (readonly [string, TlsIdentity])[];

function judged(id: string, title: string, accepted: boolean, identities: Identities, source = CONTROLLER): BlackBoxCase {
  return {
    id,
    title,
    source,
    pics: ['MASH.S.CERT'],
    dialects: 'any',
    needs: ['window'],
    run: async (t) => {
      const zone = await t.bench.join(t.dialect);
      for (const [what, identity] of identities(t, zone)) {
        t.step(what);
        t.equal((await served(t, zone, identity)) ? 'served' : 'refused', accepted ? 'served' : 'refused', what);
      }
      if (!accepted) {
        t.step('the right certificate after it');
        t.holds(await served(t, zone, zone.kit.controller), 'the right certificate is refused, too');
      }
      return accepted ? 'served' : 'closed before any message';
    },
  };
}

/** How far the certificate's end lies back, or its beginning ahead. */
function skewed(seconds: number): Identities {
  return (t, { kit }) => [
    [`ended ${seconds} s ago`, kit.issueController({ notAfter: t.bench.now() - seconds })],
    [`begins in ${seconds} s`, kit.issueController({ notBefore: t.bench.now() + seconds })],
  ];
}

export const CERTIFICATES: readonly ConformanceCase[] = [
  install('TC-CERT-1', 'A valid chain is installed', { draft: 'CERT_ACK 0', reference: 'CERT_ACK 0' }, () => ({})),
  {
    id: 'TC-CERT-2',
    title: 'A device without attestation says so, and is commissioned',
    source: INSTALL,
    pics: ['MASH.S.COMM'],
    dialects: 'draft',
    needs: ['window'],
    run: async (t) => {
      t.step('ATTESTATION_REQ after PASE');
      const peer = await t.bench.commissioning('draft');
      t.equal(answerText(await peer.run('paseVerify')), 'PASE_CONFIRM 0', 'answer to PASE_VERIFY');
      peer.send({ type: 'attestationReq' });
      const attestation = await peer.answer('ATTESTATION_RSP');
      t.equal(answerText(attestation), 'ATTESTATION_RSP', 'answer to ATTESTATION_REQ');
      t.step('CSR, CERT_INSTALL');
      t.equal(answerText(await peer.run('certInstall', 'csrReq')), 'CERT_ACK 0', 'answer to CERT_INSTALL');
      await peer.finish();
      await t.bench.joined(peer);
      const length = attestation.type === 'attestationRsp' ? attestation.certificate.length : 0;
      return length === 0 ? 'no attestation; CERT_ACK 0' : `attestation of ${length} bytes; CERT_ACK 0`;
    },
  },
  install(
    'TC-CERT-3',
    'A certificate that the Zone CA did not sign is INVALID_CERT',
    { draft: 'CERT_ACK 5', reference: 'CERT_ACK 3' },
    (t) => ({
      signer: t.bench.crypto.generateKey(),
    }),
  ),
  install('TC-CERT-4', 'An expired operational certificate is INVALID_CERT', { draft: 'CERT_ACK 5', reference: 'CERT_ACK 3' }, (t) => ({
    notBefore: t.bench.now() - YEAR,
    notAfter: t.bench.now() - DAY,
  })),
  {
    id: 'TC-CERT-VAL-1',
    title: 'The device presents the certificate that the zone issued, and it holds',
    source: DEVICE,
    pics: ['MASH.S.CERT'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const zone = await t.bench.join(t.dialect);
      t.step("the device's certificate against the Zone CA");
      try {
        checkDevicePeer(t.bench.crypto, {
          certificate: parseCertificate(t.bench.crypto, zone.peer.certificate),
          ca: parseCertificate(t.bench.crypto, zone.kit.ca),
          expectedDeviceId: zone.deviceId,
          time: { quality: 'synchronised', now: t.bench.now() },
        });
      } catch (error) {
        if (error instanceof CertificateError) throw new Refuted(error.message);
        throw error;
      }
      return `certificate of ${zone.deviceId}`;
    },
  },
  ...(
    [
      ['TC-CERT-VAL-2', 'An expired certificate of a device fails'],
      ['TC-CERT-VAL-3', 'A certificate of another Zone CA fails'],
      ['TC-CERT-VAL-4', '200 s of clock skew are accepted'],
      ['TC-CERT-VAL-5', '400 s of clock skew are refused'],
    ] as const
  ).map(([id, title]) => ({ id, title, source: DEVICE, elsewhere: 'the controller judges here, not the device' })),
  judged('TC-CERT-VAL-CTRL-1', 'A valid controller certificate is served', true, (_t, { kit }) => [['valid', kit.controller]]),
  judged('TC-CERT-VAL-CTRL-2', 'An expired controller certificate is refused', false, (t, { kit }) => [
    ['ended a day ago', kit.issueController({ notBefore: t.bench.now() - YEAR, notAfter: t.bench.now() - DAY })],
  ]),
  judged('TC-CERT-VAL-CTRL-3', 'A controller of a Zone CA that the device does not know is refused', false, (t) => [
    ['another Zone CA', t.bench.kit().controller],
  ]),
  judged('TC-CERT-VAL-CTRL-4', 'A self-signed controller certificate is refused', false, (_t, { kit }) => [
    ['self-signed', kit.selfSignedController()],
  ]),
  judged('TC-CERT-VAL-CTRL-5', '200 s of clock skew are within the tolerance', true, skewed(200)),
  judged('TC-CERT-VAL-CTRL-6', '400 s of clock skew are beyond the tolerance', false, skewed(400)),
  judged(
    'TC-CERT-ROLE',
    'A certificate of a device is no certificate of a controller',
    false,
    (_t, { kit }) => [['O=MASH Device under the same Zone CA', kit.issueController({ subject: deviceSubject('0123456789ABCDEF') })]],
    'protocol.md §1',
  ),
];
