import { hostname } from 'node:os';
import type { Command } from 'commander';
import { formatTarget } from '../../controller/addresses.js';
import { joinZone } from '../../controller/admin/client.js';
import { type AdminRecord, AdminRegister } from '../../controller/admin/register.js';
import { openOrCreateZone } from '../../controller/open-zone.js';
import { PERMISSIONS, type Permission } from '../../controller/token.js';
import type { DeviceAddress } from '../../controller/zone.js';
import { commissionerService } from '../../discovery/commissioner-service.js';
import { ConfigError } from '../../errors.js';
import { noColour } from '../../simulator/colour.js';
import { qrLines } from '../../simulator/qr-lines.js';
import type { Choose, ControllerContext, Outcome } from '../controller-context.js';
import { addressArgument, numberArgument, permissionsArgument, planCommission } from '../controller-options.js';
import { isoTime, table, valuesText } from '../controller-output.js';

interface OpenArguments {
  readonly port: number;
  readonly days: number;
  readonly permissions: readonly Permission[];
  readonly stay?: boolean;
}

interface JoinArguments {
  readonly discriminator?: number;
  readonly address?: DeviceAddress;
  readonly name?: string;
}

/** admin open, list, revoke, join. */
export function describeAdmin(program: Command, choose: Choose): void {
  const admin = program.command('admin').description('let an app commission devices into the zone (protocol.md §2.12)');
  admin
    .command('open')
    .description('owner: show a code for one new admin, five minutes long, and sign the CSRs that admins forward')
    .option('--port <number>', 'TCP port; 0: any', numberArgument('--port', 0, 65_535), 0)
    .option('--days <number>', 'how long the token holds', numberArgument('--days', 1, 3650), 30)
    .option('--permissions <names>', `of ${Object.keys(PERMISSIONS).join(', ')}; with commas`, permissionsArgument, ['commission'] as const)
    .option('--stay', 'go on signing after the five minutes, until interrupted')
    .action((options: OpenArguments) => choose((context) => open(context, options)));
  admin
    .command('list')
    .description('owner: list the tokens issued')
    .action(() => choose(list));
  admin
    .command('revoke')
    .description('owner: refuse a token from now on')
    .argument('<token>', 'its id, or its first digits')
    .action((token: string) => choose((context) => revoke(context, token)));
  admin
    .command('join')
    .description("app: become an admin; 'commission' goes through the owner from then on")
    .argument('<qr-or-code>', 'what the owner shows')
    .option('--discriminator <number>', 'beside the eight digits', numberArgument('--discriminator', 0, 4095))
    .option('--address <host:port>', 'where the owner is; nothing is looked for then', addressArgument)
    .option('--name <text>', "name in the owner's list (default: this machine's)")
    .action((text: string, options: JoinArguments) => choose((context) => join(context, text, options)));
}

async function open(context: ControllerContext, { port, days, permissions, stay }: OpenArguments): Promise<Outcome> {
  const { machine, parts, store, options, progress } = context;
  const { crypto, clock, log } = parts;
  if (options.dialect === 'reference') throw new ConfigError('--dialect', 'the reference dialect has no admins');
  const { zoneType, zoneName, priority, dialect } = options;
  const { zone, created } = await openOrCreateZone(parts, { kind: zoneType, name: zoneName, priority, dialect });
  if (created) progress(`zone '${zone.name}' (${zone.kind}) created in ${store.folder}`);
  const devices = (await store.devices()).length;
  // @peculiar/x509 comes with it: loaded by nothing that does not issue.
  const { AdminOwner, CODE_LIFE } = await import('../../controller/admin/owner.js');
  const signed: string[] = [];
  const register = new AdminRegister(store.folder);
  const before = (await register.list()).length;
  const ipv4 = false;
  let codeOpen = true;
  let announce = (): void => {};
  const owner = new AdminOwner({
    crypto,
    clock,
    log,
    zone,
    store,
    register,
    listener: machine.listener({ ipv4, log }),
    days,
    permissions,
    onSigned: (device, token) => {
      signed.push(device);
      progress(`signed: device ${device}, for the admin with token ${token.slice(0, 8)}`);
      announce();
    },
    onCodeClosed: (why) => {
      progress(why === 'used' ? 'an admin has joined: the code is used up' : 'the code has expired');
      codeOpen = false;
      announce();
    },
  });
  try {
    const bound = await owner.start(port);
    const resolver = await context.resolver();
    const service = () => {
      const discriminator = codeOpen ? owner.code.discriminator : undefined;
      const known = devices + new Set(signed).size;
      return commissionerService({ zoneName: zone.name, zoneId: zone.id, devices: known, discriminator, port: bound });
    };
    const announced = await resolver.announce(service());
    // discovery §3.5: DC changes when a device joins; D goes with the code.
    announce = () => announced.update(service());
    if (options.json !== true) for (const line of qrLines(owner.code.qr, noColour(context.env))) progress(line);
    progress(`${owner.code.qr}   (5 minutes, port ${bound})`);
    await untilInterrupted(context, stay === true ? undefined : CODE_LIFE);
  } finally {
    await owner.close();
  }
  const joined = (await register.list()).slice(before).map(shownAdmin);
  const value = { zone: zone.id, joined, signed };
  return { value, text: `${joined.length} joined, ${signed.length} signed` };
}

async function list(context: ControllerContext): Promise<Outcome> {
  await context.zone();
  const records = await new AdminRegister(context.store.folder).list();
  const now = context.machine.clock.wall() / 1000;
  const state = ({ revokedAt, expiresAt }: AdminRecord): string =>
    revokedAt !== undefined ? 'revoked' : expiresAt <= now ? 'expired' : 'valid';
  const rows = records.map((record) => [record.id.slice(0, 16), record.name ?? '-', state(record), isoTime(record.expiresAt)]);
  return { value: records.map(shownAdmin), text: table([['TOKEN', 'NAME', 'STATE', 'VALID UNTIL'], ...rows]) };
}

async function revoke(context: ControllerContext, token: string): Promise<Outcome> {
  await context.zone();
  const record = await new AdminRegister(context.store.folder).revoke(token, Math.floor(context.machine.clock.wall() / 1000));
  return { value: shownAdmin(record), text: `token ${record.id.slice(0, 16)} is refused from now on` };
}

async function join(context: ControllerContext, text: string, given: JoinArguments): Promise<Outcome> {
  const { options, store, parts } = context;
  if (options.dialect === 'reference') throw new ConfigError('--dialect', 'the reference dialect has no admins');
  if ((await store.load()) !== undefined)
    throw new ConfigError('--zone', `${store.folder} holds a zone of its own; use another folder for a zone of another owner`);
  const { code, discriminator, address } = planCommission(text, given, options);
  const zone = await joinZone(parts, { code, discriminator, address, name: given.name ?? hostname() });
  await store.putAdmin(zone);
  const value = {
    folder: store.folder,
    zone: zone.id,
    name: zone.name,
    type: zone.kind,
    validUntil: isoTime(zone.expiresAt),
    owner: zone.owner.map(formatTarget),
  };
  return { value, text: valuesText(value) };
}

function shownAdmin({ issuedAt, expiresAt, revokedAt, permissions, ...record }: AdminRecord): Readonly<Record<string, unknown>> {
  return {
    ...record,
    permissions: Object.entries(PERMISSIONS)
      .filter(([, bit]) => (permissions & bit) !== 0)
      .map(([name]) => name),
    issuedAt: isoTime(issuedAt),
    expiresAt: isoTime(expiresAt),
    ...(revokedAt === undefined ? {} : { revokedAt: isoTime(revokedAt) }),
  };
}

/** Resolves at Ctrl-C, or after that many milliseconds. */
function untilInterrupted(context: ControllerContext, time: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = time === undefined ? undefined : context.machine.clock.after('ADMIN_OPEN', time, () => end());
    const release = context.onInterrupt(() => end());
    const end = (): void => {
      timer?.cancel();
      release();
      resolve();
    };
  });
}
