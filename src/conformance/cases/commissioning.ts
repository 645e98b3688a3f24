import type { ConformanceCase } from '../case.js';
import { answerText, saysNo } from '../commissioning-peer.js';
import type { Trial } from '../trial.js';
import { NotApplicable } from '../verdict.js';

const SOURCE = 'commissioning-pase §10, TC-COMM';

/** Seconds; the shortest that can be set is 3. */
const SET_WINDOW = 4;

/** The window was opened just now. */
async function watchWindow(t: Trial, seconds: number): Promise<string> {
  const begun = t.bench.clock.now();
  const at = (moment: number): Promise<void> => t.sleep(begun + moment * 1000 - t.bench.clock.now());
  t.step(`handshake after ${seconds - 1} s`);
  await at(seconds - 1);
  t.holds(await t.bench.windowOpen(), `closed before ${seconds - 1} s, ${seconds} s are due`);
  t.step(`handshake after ${seconds + 1} s`);
  await at(seconds + 1);
  t.holds(!(await t.bench.windowOpen()), `still open after ${seconds + 1} s, ${seconds} s are due`);
  return `open at ${seconds - 1} s, closed at ${seconds + 1} s`;
}

export const COMMISSIONING: readonly ConformanceCase[] = [
  {
    id: 'TC-COMM-1',
    title: 'A complete commissioning ends operational',
    source: SOURCE,
    pics: ['MASH.S.COMM'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('PASE, CSR, CERT_INSTALL');
      const peer = await t.bench.commissioning(t.dialect);
      t.equal(answerText(await peer.run('certInstall')), 'CERT_ACK 0', 'answer to CERT_INSTALL');
      t.step('the end of the commissioning connection');
      t.equal(await peer.finish(), t.per({ draft: 'close_ack', reference: 'closed' }), 'end of the commissioning');
      t.step('operational connection, Read of DeviceInfo');
      const zone = await t.bench.joined(peer);
      return `CERT_ACK 0, device ${zone.deviceId} in zone ${zone.zoneId}`;
    },
  },
  {
    id: 'TC-COMM-2',
    title: 'The window closes by itself, whatever was tried in it',
    source: SOURCE,
    pics: ['MASH.S.COMM.WINDOW_DURATION'],
    dialects: 'any',
    needs: ['window'],
    waits: (pics) => pics.number('MASH.S.COMM.WINDOW_DURATION'),
    run: async (t) => {
      const seconds = t.pics.number('MASH.S.COMM.WINDOW_DURATION');
      if (t.bench.testZone === undefined) {
        // When it was opened is not known: that it closes at all is what can be seen.
        t.step(`handshakes until one is refused, at most ${seconds + 1} s`);
        const until = t.bench.clock.now() + (seconds + 1) * 1000;
        while (await t.bench.windowOpen()) {
          t.holds(t.bench.clock.now() < until, `open for more than ${seconds} s`);
          await t.sleep(500);
        }
        return 'closed within the time';
      }
      return watchWindow(t, seconds);
    },
  },
  {
    id: 'TC-COMM-WINDOW-001',
    title: 'TestControl sets how long the window stays open',
    source: 'reference-behaviour §3.1, §4.11',
    pics: ['MASH.S.COMM'],
    dialects: 'any',
    needs: ['window', 'enableKey'],
    waits: () => SET_WINDOW + 1,
    run: async (t) => {
      const lab = t.bench.testZone;
      if (lab === undefined) throw new NotApplicable('it needs TestControl: --enable-key');
      t.step(`setCommissioningWindowDuration ${SET_WINDOW} s, which begins the open window anew`);
      try {
        await lab.invoke(2, { durationSeconds: SET_WINDOW });
        return await watchWindow(t, SET_WINDOW);
      } finally {
        await lab.reset();
      }
    },
  },
  {
    id: 'TC-COMM-3',
    title: 'Without CSR_REQ the device is back to ADVERTISING',
    source: SOURCE,
    pics: ['MASH.S.COMM.CSR_TIMEOUT'],
    dialects: 'each',
    needs: ['window'],
    waits: (pics) => pics.number('MASH.S.COMM.CSR_TIMEOUT'),
    run: async (t) => {
      const seconds = t.pics.number('MASH.S.COMM.CSR_TIMEOUT');
      t.step('PASE, then nothing');
      const peer = await t.bench.commissioning(t.dialect);
      t.equal(answerText(await peer.run('paseVerify')), 'PASE_CONFIRM 0', 'answer to PASE_VERIFY');
      const begun = t.bench.clock.now();
      const answer = await peer.answer('the end', (seconds + 5) * 1000);
      const took = (t.bench.clock.now() - begun) / 1000;
      t.holds(took >= seconds - 1 && took <= seconds + 2, `${answerText(answer)} after ${took.toFixed(1)} s in place of ${seconds} s`);
      t.equal(answerText(answer), t.per({ draft: 'CERT_ACK 2', reference: 'closed' }), 'at the time-out');
      t.holds(await t.bench.windowOpen(), 'the window is closed: the device is not back to ADVERTISING');
      return `${answerText(answer)} after ${took.toFixed(1)} s, window open`;
    },
  },
  {
    id: 'TC-COMM-4',
    title: 'A malformed certificate is INVALID_CERT, and leaves no zone behind',
    source: SOURCE,
    pics: ['MASH.S.COMM'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const kit = t.bench.kit();
      t.step('CERT_INSTALL with bytes that are no certificate');
      const peer = await t.bench.commissioning(t.dialect, kit);
      const answer = await peer.run('certInstall', 'paseX', { certificate: new Uint8Array(300).fill(0x30) });
      t.equal(answerText(answer), t.per({ draft: 'CERT_ACK 5', reference: 'CERT_ACK 3' }), 'answer to CERT_INSTALL');
      t.step('the same zone again, rightly');
      await t.bench.openWindow();
      await t.bench.join(t.dialect, kit);
      return `${answerText(answer)}; the same zone is taken afterwards`;
    },
  },
  {
    id: 'TC-COMM-5',
    title: 'A store that cannot take the certificate is STORAGE_ERROR',
    source: SOURCE,
    elsewhere: 'a full or broken store cannot be arranged from the network',
  },
  {
    id: 'TC-COMM-ORDER',
    title: 'CSR_REQ and CERT_INSTALL before PASE are refused',
    source: 'protocol.md §2.7',
    pics: ['MASH.S.COMM'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('CSR_REQ as the first message');
      const peer = await t.bench.commissioning(t.dialect);
      peer.send({ type: 'csrReq', nonce: new Uint8Array(32), ...(t.dialect === 'draft' ? {} : { zoneCa: peer.zone.ca }) });
      const answer = await peer.answer('the end', 6000);
      t.holds(answer.type !== 'csrRsp', 'a CSR was given without PASE');
      t.holds(saysNo(answer), `a refusal is due, seen was ${answerText(answer)}`);
      return answerText(answer);
    },
  },
];
