// The device's side of one PASE in this process: the very first, then the median of warm ones. Prints {"first":ms,"warm":ms}.
import { performance } from 'node:perf_hooks';
import { parseSetupCode } from '../../build/src/crypto/setup-code.js';
import { prepareRegistration, prepareShare, verifierFromSetupCode } from '../../build/src/crypto/spake2plus.js';
import { startProver } from '../../build/src/crypto/spake2plus-prover.js';
import { nodeCrypto } from '../../build/src/node/crypto.js';

const crypto = nodeCrypto();
const code = parseSetupCode('20220211');
const context = crypto.bytes(32);
// What a device does once per setup code, when it is made: the attempts are measured.
const verifier = verifierFromSetupCode(crypto, 'draft', code);
const registration = prepareRegistration(crypto, verifier);

function attempt() {
  const prover = startProver(crypto, 'draft', code);
  const X = prover.X;
  const began = performance.now();
  const share = prepareShare(crypto, registration);
  const Y = share.accept(X);
  const keys = share.finish(context);
  const answered = performance.now() - began;
  const confirm = prover.finish(Y, context).confirmController;
  const confirming = performance.now();
  if (!keys.checkController(confirm)) throw new Error('PASE failed');
  return answered + (performance.now() - confirming);
}

const first = attempt();
const times = [];
for (let i = 0; i < 600; i++) times.push(attempt());
times.splice(0, 100);
times.sort((a, b) => a - b);
process.stdout.write(JSON.stringify({ first, warm: times[times.length >> 1] }));
