import { parseSetupCode, type SetupCode } from '../../crypto/setup-code.js';
import type { BlackBoxCase } from '../case.js';
import { answerText } from '../commissioning-peer.js';
import type { Trial } from '../trial.js';

const SOURCE = 'commissioning-pase §10, TC-PASE';
/** Not on the curve, the identity, and shorter than any form. */
const BAD_POINTS: readonly (readonly [string, Uint8Array])[] = [
  ['a point off the curve', Uint8Array.from([4, ...new Uint8Array(63), 5])],
  ['the identity', Uint8Array.of(0)],
  ['32 bytes', new Uint8Array(32).fill(7)],
];

/** Another code than the device's. */
function wrongCode({ bench }: Trial): SetupCode {
  const options = { allowTrivial: true };
  const own = new TextDecoder().decode(bench.options.code.expose());
  return parseSetupCode(own === '48151623' ? '48151624' : '48151623', options);
}

export const PASE: readonly BlackBoxCase[] = [
  {
    id: 'TC-PASE-1',
    title: 'The correct setup code leads to PASE_VERIFIED',
    source: SOURCE,
    pics: ['MASH.S.COMM.PASE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('PASE_X, PASE_VERIFY with the correct code');
      const peer = await t.bench.commissioning(t.dialect);
      const answer = await peer.run('paseVerify');
      t.equal(answerText(answer), 'PASE_CONFIRM 0', 'answer to PASE_VERIFY');
      return 'PASE_CONFIRM 0';
    },
  },
  {
    id: 'TC-PASE-2',
    title: 'A wrong setup code is VERIFICATION_FAILED; the next attempt is served',
    source: SOURCE,
    pics: ['MASH.S.COMM.PASE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      t.step('PASE_X, PASE_VERIFY with another code');
      const wrong = await t.bench.commissioning(t.dialect, t.bench.kit(), wrongCode(t));
      const answer = answerText(await wrong.run('paseVerify'));
      t.equal(answer, t.per({ draft: 'PASE_CONFIRM 1', reference: 'PASE_CONFIRM 2' }), 'answer to PASE_VERIFY');
      t.equal(answerText(await wrong.answer('the end', 5000)), 'closed', 'after it');
      t.step('the correct code right after it');
      const next = await t.bench.commissioning(t.dialect);
      t.equal(answerText(await next.run('paseVerify')), 'PASE_CONFIRM 0', 'answer to the next attempt');
      return `${answer}, closed; then PASE_CONFIRM 0`;
    },
  },
  {
    id: 'TC-PASE-3',
    title: 'Without PASE_X the connection is closed in time, and the window stays open',
    source: SOURCE,
    pics: ['MASH.S.COMM.PASE'],
    dialects: 'any',
    needs: ['window'],
    waits: (pics) => pics.number('MASH.S.COMM.PASE_WAIT_X'),
    run: async (t) => {
      const seconds = t.pics.number('MASH.S.COMM.PASE_WAIT_X');
      t.step(`handshake, then nothing for ${seconds} s`);
      const peer = await t.bench.commissioning(t.dialect);
      const begun = t.bench.clock.now();
      await peer.answer('the end of the connection', (seconds + 5) * 1000);
      const took = (t.bench.clock.now() - begun) / 1000;
      t.holds(took >= seconds - 1 && took <= seconds + 2, `closed after ${took.toFixed(1)} s in place of ${seconds} s`);
      t.step('a handshake after it');
      t.holds(await t.bench.windowOpen(), 'the window is closed: the device is not back to ADVERTISING');
      return `closed after ${took.toFixed(1)} s, window open`;
    },
  },
  {
    id: 'TC-PASE-4',
    title: 'A malformed X closes the connection, without PASE_Y',
    source: SOURCE,
    pics: ['MASH.S.COMM.PASE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      for (const [what, point] of BAD_POINTS) {
        t.step(`PASE_X with ${what}`);
        const peer = await t.bench.commissioning(t.dialect);
        peer.paseX({ point });
        const first = await peer.answer('the end', 5000);
        t.holds(first.type !== 'paseY', `${what} was answered with PASE_Y`);
        if (first.type !== 'closed') t.equal(answerText(await peer.answer('the end', 5000)), 'closed', `after ${what}`);
      }
      return `closed for ${BAD_POINTS.map(([what]) => what).join(', ')}`;
    },
  },
  {
    id: 'TC-PASE-5',
    title: 'The same X twice gets a fresh Y each time',
    source: SOURCE,
    pics: ['MASH.S.COMM.PASE'],
    dialects: 'each',
    needs: ['window'],
    run: async (t) => {
      const seen = new Set<string>();
      let point: Uint8Array | undefined;
      for (let i = 0; i < 2; i++) {
        t.step(`PASE_X, time ${i + 1}`);
        const peer = await t.bench.commissioning(t.dialect);
        point ??= peer.share;
        peer.paseX({ point });
        const answer = await peer.answer('PASE_Y');
        t.holds(answer.type === 'paseY', `PASE_Y is due, seen was ${answerText(answer)}`);
        if (answer.type === 'paseY') seen.add(answer.point.join());
        peer.destroy();
      }
      t.equal(seen.size, 2, 'different Y');
      return 'two different Y';
    },
  },
  {
    id: 'TC-PASE-BINDING',
    title: 'PASE is bound to its TLS connection: a foreign or absent context is refused before PASE_Y',
    source: 'protocol.md §2.4',
    pics: ['MASH.S.COMM.PASE'],
    dialects: 'draft',
    needs: ['window'],
    run: async (t) => {
      for (const [what, context] of [
        ['the value of another connection', new Uint8Array(32).fill(5)],
        ['31 bytes', new Uint8Array(31).fill(5)],
        ['no context', null],
      ] as const) {
        t.step(`PASE_X with ${what}`);
        const peer = await t.bench.commissioning('draft');
        peer.paseX({ context });
        const answer = await peer.answer('PASE_CONFIRM');
        t.equal(answerText(answer), 'PASE_CONFIRM 1', what);
        t.equal(answerText(await peer.answer('the end', 5000)), 'closed', `after ${what}`);
      }
      return 'PASE_CONFIRM 1 in place of PASE_Y, closed';
    },
  },
];
