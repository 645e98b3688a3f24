import { AdminPermission, type AdminTokenFields, signAdminToken } from '../../pki/admin-token.js';
import type { PrivateKey } from '../../platform.js';
import type { BlackBoxCase } from '../case.js';
import { answerText } from '../commissioning-peer.js';
import type { Trial } from '../trial.js';
import type { ZoneKit } from '../zone-kit.js';

const SOURCE = 'commissioning-pase §10, TC-ADMIN';
const HOUR = 3600;

function token({ bench }: Trial, kit: ZoneKit, change: Partial<AdminTokenFields> = {}, signer: PrivateKey = kit.caKey): Uint8Array {
  return signAdminToken(bench.crypto, signer, {
    id: bench.crypto.bytes(32),
    issuedAt: bench.now() - HOUR,
    expiresAt: bench.now() + HOUR,
    caFingerprint: bench.crypto.sha256(kit.ca),
    permissions: AdminPermission.COMMISSION,
    ...change,
  });
}

function admin(id: string, title: string, due: string, make: (t: Trial, kit: ZoneKit) => Uint8Array): BlackBoxCase {
  return {
    id,
    title,
    source: SOURCE,
    pics: ['MASH.S.ZONE.ADMIN_DELEGATION'],
    dialects: 'draft',
    needs: ['window'],
    run: async (t) => {
      const kit = t.bench.kit();
      t.step('CERT_INSTALL with the token');
      const peer = await t.bench.commissioning('draft', kit);
      const answer = await peer.run('certInstall', 'paseX', { adminToken: make(t, kit) });
      if (answer.type === 'certAck' && answer.status === 0) {
        await peer.finish();
        await t.bench.joined(peer);
      }
      t.equal(answerText(answer), due, 'answer to CERT_INSTALL');
      return due;
    },
  };
}

export const ADMIN: readonly BlackBoxCase[] = [
  admin('TC-ADMIN-1', 'A valid admin token is accepted', 'CERT_ACK 0', (t, kit) => token(t, kit)),
  admin('TC-ADMIN-2', 'An expired admin token is INVALID_CERT', 'CERT_ACK 5', (t, kit) =>
    token(t, kit, { issuedAt: t.bench.now() - 2 * HOUR, expiresAt: t.bench.now() - HOUR }),
  ),
  admin('TC-ADMIN-3', 'A token that another key signed is INVALID_CERT', 'CERT_ACK 5', (t, kit) =>
    token(t, kit, {}, t.bench.crypto.generateKey()),
  ),
  admin('TC-ADMIN-4', 'A token without the permission to commission is INVALID_CERT', 'CERT_ACK 5', (t, kit) =>
    token(t, kit, { permissions: AdminPermission.VIEW }),
  ),
];
