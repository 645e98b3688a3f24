import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAttestation } from '../../src/device/attestation.js';
import { openFileFlash } from '../../src/node/file-flash.js';
import { lockState } from '../../src/node/state-lock.js';
import { type Attestation, NO_ATTESTATION } from '../../src/pki/attestation.js';
import { Journal } from '../../src/store/journal.js';
import { MemoryLog } from '../world/log.js';
import { bundle, ROOT, runNode } from '../world/project.js';

const openssl = (...args: readonly string[]): SpawnSyncReturns<string> => spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
const available = spawnSync('openssl', ['version']).status === 0;
const folder = mkdtempSync(path.join(tmpdir(), 'mash-p12-'));
const PASSWORD = 'one two 3';

const CONFIG = `
[device]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
`;

/** A key and a certificate of that name, signed by `issuer` or by itself. */
function certify(name: string, subject: string, extensions: 'ca' | 'device', issuer = name): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', `${name}.key`];
  const sign = issuer === name ? ['-key', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
  const made = [
    openssl('req', '-new', ...key, '-subj', subject, '-out', `${name}.csr`, '-config', '/dev/null'),
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...(issuer === name ? ['-signkey', `${name}.key`] : sign),
      '-days',
      '7300',
      '-extfile',
      'x.cnf',
      '-extensions',
      extensions,
      '-out',
      `${name}.pem`,
    ),
  ];
  for (const { status, stderr } of made) if (status !== 0) throw new Error(stderr);
}

function pack(name: string, device: string, others: readonly string[], ...more: readonly string[]): number | null {
  writeFileSync(path.join(folder, 'others.pem'), others.map((other) => readFileSync(path.join(folder, `${other}.pem`), 'utf8')).join(''));
  const chain = others.length === 0 ? [] : ['-certfile', 'others.pem'];
  const key = ['-inkey', `${device}.key`, '-in', `${device}.pem`];
  return openssl('pkcs12', '-export', ...key, ...chain, '-passout', 'file:password', ...more, '-out', `${name}.p12`).status;
}

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = runNode(folder, path.join(ROOT, 'scripts/import-attestation.mjs'), ...args);
  return { status, stdout, stderr };
}
const load = (bundleName: string, state: string) => run(`${bundleName}.p12`, '--state', state, '--password-file', 'password');

async function stored(state: string): Promise<Attestation> {
  const log = new MemoryLog();
  const journal = await Journal.open(await openFileFlash({ folder: path.join(folder, state) }), log);
  const attestation = readAttestation(journal, log);
  await journal.close();
  return attestation;
}
const der = (name: string): Uint8Array =>
  new Uint8Array(execFileSync('openssl', ['x509', '-in', `${name}.pem`, '-outform', 'DER'], { cwd: folder }));

describe.skipIf(!available)('import-attestation (needs the openssl program to make bundles)', () => {
  beforeAll(async () => {
    await bundle('mash-device');
    writeFileSync(path.join(folder, 'x.cnf'), CONFIG);
    writeFileSync(path.join(folder, 'password'), `${PASSWORD}\n`);
    writeFileSync(path.join(folder, 'umlaut'), 'schlüssel');
    certify('root', '/O=Maker/CN=Root', 'ca');
    certify('between', '/O=Maker/CN=Between', 'ca', 'root');
    certify('device', '/O=Maker/OU=V4660/OU=P1/CN=0011', 'device', 'between');
    certify('other', '/O=Maker/OU=V1/OU=P1/CN=0012', 'device', 'between');
    certify('stranger', '/O=Else/CN=Stranger', 'ca');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.for<readonly [string, readonly string[]]>([
    ['as OpenSSL makes it (AES)', []],
    ['as older tools make it (RC2, 3DES)', ['-legacy']],
  ])('takes a bundle %s, orders its chain and stores it', async ([, more], { skip }) => {
    const name = `good${more.length}`;
    const status = pack(name, 'device', ['root', 'between'], ...more);
    skip(status !== 0 && more.length > 0, 'the legacy provider of openssl, a module of its own, is not installed');
    expect(status).toBe(0);
    expect(load(name, name)).toEqual({
      status: 0,
      stdout: `Maker, 0011: certificate and 2 of its chain written to ${path.join(folder, name)}\n`,
      stderr: expect.stringMatching(/^import-attestation: warning: the private key of the bundle stays out: .*\n$/),
    });
    expect(await stored(name)).toEqual({ certificate: der('device'), chain: [der('between'), der('root')] });
    const image = readFileSync(path.join(folder, name, 'journal.bin'));
    const { d = '' } = createPrivateKey(readFileSync(path.join(folder, 'device.key'))).export({ format: 'jwk' });
    const scalar = Buffer.from(d, 'base64url');
    expect(scalar).toHaveLength(32);
    expect(image.includes(scalar)).toBe(false);
  });

  it('takes the password from the environment, and a certificate alone', async () => {
    pack('alone', 'device', [], '-nokeys');
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.join(ROOT, 'scripts/import-attestation.mjs'), 'alone.p12', '--state', 'alone', '--password-env', 'P12'],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, P12: PASSWORD } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(await stored('alone')).toEqual({ certificate: der('device'), chain: [] });
  });

  it("warns of another board's bundle", () => {
    pack('foreign', 'other', ['between']);
    const { status, stderr } = load('foreign', 'foreign');
    expect(status).toBe(0);
    expect(stderr).toContain("the attestation is for vendor 1, not 4660: another board's bundle?");
  });

  it('changes nothing for a wrong password, garbage, or a bundle that is no chain', async () => {
    pack('kept', 'device', ['between']);
    expect(load('kept', 'kept').status).toBe(0);
    const before = readFileSync(path.join(folder, 'kept/journal.bin'));
    pack('astray', 'device', ['stranger']);
    pack('authority', 'root', []);
    writeFileSync(path.join(folder, 'garbage.p12'), Buffer.alloc(500, 0x30));
    writeFileSync(path.join(folder, 'empty.p12'), '');
    writeFileSync(path.join(folder, 'wrong'), 'wrong');
    for (const state of ['kept', 'never']) {
      const wrong = run('kept.p12', '--state', state, '--password-file', 'wrong');
      expect(wrong).toMatchObject({ status: 2, stdout: '', stderr: 'import-attestation: kept.p12: the password is wrong\n' });
      for (const [name, message] of [
        ['garbage', /garbage\.p12: not a PKCS#12 bundle/],
        ['empty', /empty\.p12: not a PKCS#12 bundle/],
        ['missing', /missing\.p12: ENOENT/],
        ['astray', /astray\.p12: bundle: 1 certificates do not belong to the chain/],
        ['authority', /authority\.p12: bundle: 0 certificates that are no CA/],
      ] as const)
        expect(load(name, state), name).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
    }
    expect(readFileSync(path.join(folder, 'kept/journal.bin')).equals(before)).toBe(true);
    expect(existsSync(path.join(folder, 'never'))).toBe(false);
  });

  it('leaves a running device alone', async () => {
    pack('busy', 'device', ['between']);
    const lock = await lockState(path.join(folder, 'busy'));
    const { status, stderr } = load('busy', 'busy');
    await lock.release();
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringMatching(/in use by another process/) });
    expect(readdirSync(path.join(folder, 'busy'))).toEqual([]);
    expect(await stored('busy')).toEqual(NO_ATTESTATION);
  });

  it('--help names every option; a password that is missing is told apart from a wrong one', () => {
    const { status, stdout } = run('--help');
    expect(status).toBe(0);
    for (const option of ['state', 'board', 'password-file', 'password-env']) expect(stdout).toContain(`--${option} `);
  });

  it.each([
    [['a.p12', '--state', 'x', '--password-file', 'umlaut'], /printable ASCII characters only/],
    [['a.p12'], /--state FOLDER is due/],
    [['--state', 'x'], /one PKCS#12 file is due/],
    [['a.p12', '--state', 'x', '--password-env', 'P', '--password-file', 'f'], /not both/],
    [['a.p12', '--state', 'x', '--password-env', 'NOT_SET_ANYWHERE'], /NOT_SET_ANYWHERE is not set/],
    [['a.p12', '--state', 'x', '--board', 'sim'], /--board: 'sim' is none of .*sim-evse/],
    [['a.p12', '--stat', 'x'], /--stat/],
  ])('%j is a usage error', (args, message) => {
    expect(run(...args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});
