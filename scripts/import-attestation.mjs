// Writes the attestation certificate and its chain from a PKCS#12 bundle into a device's state folder (docs/boards.md):
//   node scripts/import-attestation.mjs FILE --state FOLDER [--password-file FILE | --password-env NAME] [--board NAME]
// node-forge takes the bundle apart, for Node has no reader for it; every check of a certificate is that of the firmware.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** More than five certificates of 8 KiB and a key. */
const MAX_BUNDLE = 65_536;
const HELP = `node scripts/import-attestation.mjs FILE --state FOLDER [options]

Writes the attestation certificate and its chain from a PKCS#12 bundle into a device's state folder.

  --state FOLDER           the state folder of the device, which must not run meanwhile
  --board NAME             whose bundle it is to be (default: sim-evse)
  --password-file FILE     the password of the bundle, in a file
  --password-env NAME      the same, in a variable of the environment
  --help                   this text
`;
const BUILD = path.join(import.meta.dirname, '../build');

/** What whoever runs this can put right. */
class UsageError extends Error {}

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  const { file, state, password, boardName } = await readArguments(args);
  if (!existsSync(path.join(BUILD, 'src/device/attestation.js')))
    throw new UsageError("the firmware is not built: run 'npm run build' first");
  const load = (module) => import(path.join(BUILD, module));
  const { attestationRecord, arrangeAttestation } = await load('src/device/attestation.js');
  const { attestedProduct, contradiction } = await load('src/pki/attestation.js');
  const { CertificateError } = await load('src/pki/certificate-error.js');
  const { parseCertificate } = await load('src/pki/certificate.js');
  const { nodeCrypto } = await load('src/node/crypto.js');
  const { boards } = await load('boards/index.js');
  const board = boards.get(boardName);
  if (board === undefined) throw new UsageError(`--board: '${boardName}' is none of ${[...boards.keys()].join(', ')}`);

  const crypto = nodeCrypto();
  const bundle = await openBundle(file, password);
  let attestation;
  try {
    attestation = arrangeAttestation(
      crypto,
      bundle.certificates.map((der) => parseCertificate(crypto, der)),
    );
  } catch (error) {
    if (error instanceof CertificateError) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
  const product = attestedProduct(parseCertificate(crypto, attestation.certificate));
  const other = contradiction(product, board.vendorId, board.productId);
  if (other !== undefined) warn(`${other}: another board's bundle?`);
  if (product.vendorId === undefined || product.productId === undefined)
    warn('the subject names no vendor or product (OU V… and P…, decimal: V4660, P1)');
  if (bundle.keys > 0) warn('the private key of the bundle stays out: the protocol has no message that proves its possession');
  await store(load, state, attestationRecord, attestation);
  process.stdout.write(`${product.maker}: certificate and ${attestation.chain.length} of its chain written to ${state}\n`);
}

async function readArguments(args) {
  const { values, positionals } = parseArguments(args);
  const [file] = positionals;
  const { state, board: boardName = 'sim-evse', 'password-file': passwordFile, 'password-env': passwordEnv } = values;
  if (file === undefined || positionals.length > 1) throw new UsageError('one PKCS#12 file is due');
  if (state === undefined) throw new UsageError('--state FOLDER is due: the state folder of the device');
  if (passwordFile !== undefined && passwordEnv !== undefined) throw new UsageError('--password-file or --password-env, not both');
  let password = '';
  if (passwordFile !== undefined) password = (await read(passwordFile)).toString('utf8').replace(/\r?\n$/, '');
  if (passwordEnv !== undefined) {
    password = process.env[passwordEnv];
    if (password === undefined) throw new UsageError(`--password-env: ${passwordEnv} is not set`);
  }
  // RFC 8018 §3 leaves the encoding open; node-forge and OpenSSL agree on this much alone.
  if (!/^[ -~]*$/.test(password)) throw new UsageError('the password: printable ASCII characters only');
  return { file, state: path.resolve(state), boardName, password };
}

function parseArguments(args) {
  const text = { type: 'string' };
  try {
    const options = { state: text, board: text, 'password-file': text, 'password-env': text };
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

async function read(file) {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${file}: ${error.message}`);
  }
}

/** DER of the certificates in the bundle, and how many private keys it holds beside them. */
async function openBundle(file, password) {
  const bytes = await read(file);
  if (bytes.length > MAX_BUNDLE) throw new UsageError(`${file}: longer than ${MAX_BUNDLE} bytes`);
  const { default: forge } = await import('node-forge');
  let contents;
  try {
    contents = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes.toString('binary')), true, password).safeContents;
  } catch (error) {
    const wrong = /MAC could not be verified|Failed to decrypt/.test(error.message);
    throw new UsageError(
      `${file}: ${wrong ? `the password is wrong${password === '' ? ': none was given (--password-file, --password-env)' : ''}` : `not a PKCS#12 bundle that can be read: ${error.message}`}`,
    );
  }
  const { certBag, keyBag, pkcs8ShroudedKeyBag } = forge.pki.oids;
  const bags = contents.flatMap(({ safeBags }) => safeBags);
  const certificates = bags
    .filter(({ type }) => type === certBag)
    .map((bag) => {
      // forge reads RSA alone; what it does not know it hands over as ASN.1.
      const der = forge.asn1.toDer(bag.asn1 ?? forge.pki.certificateToAsn1(bag.cert)).getBytes();
      return new Uint8Array(Buffer.from(der, 'binary'));
    });
  if (certificates.length === 0) throw new UsageError(`${file}: no certificate in the bundle`);
  return { certificates, keys: bags.filter(({ type }) => type === keyBag || type === pkcs8ShroudedKeyBag).length };
}

/** No device may run on the folder meanwhile. */
async function store(load, folder, record, attestation) {
  const { lockState } = await load('src/node/state-lock.js');
  const { openFileFlash } = await load('src/node/file-flash.js');
  const { Journal } = await load('src/store/journal.js');
  const { setRecord } = await load('src/store/records.js');
  const { nodeLog } = await load('src/node/log.js');
  const log = nodeLog({ level: 'warn', format: 'pretty', write: (line) => void process.stderr.write(`${line}\n`) });
  const lock = await lockState(folder);
  try {
    const journal = await Journal.open(await openFileFlash({ folder }), log);
    try {
      await journal.commit([setRecord(record, attestation)]);
    } finally {
      await journal.close();
    }
  } finally {
    await lock.release();
  }
}

function warn(text) {
  process.stderr.write(`import-attestation: warning: ${text}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  const expected = error instanceof UsageError || error.name === 'StoreError';
  process.stderr.write(`import-attestation: ${expected ? error.message : error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
