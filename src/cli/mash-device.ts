#!/usr/bin/env node
import { simulationOf } from '../../boards/simulations.js';
import { MockButton, MockDisplay, MockRelayDriver } from '../../hal/mock/index.js';
import { MashDevice, type Platform } from '../device.js';
import { ConfigError, NetworkError, StoreError } from '../errors.js';
import { nodeClock } from '../node/clock.js';
import { nodeCrypto } from '../node/crypto.js';
import { openFileFlash } from '../node/file-flash.js';
import { openKeyLog } from '../node/key-log.js';
import { nodeListener } from '../node/listener.js';
import { nodeLog } from '../node/log.js';
import { lineWriter } from '../node/log-writer.js';
import { nodeMulticast } from '../node/multicast.js';
import { nodePortMapper } from '../node/port-mapper.js';
import { openProtocolLog } from '../node/protocol-log-file.js';
import { lockState } from '../node/state-lock.js';
import { tapped } from '../protocol-log/index.js';
import { noColour } from '../simulator/colour.js';
import { TerminalPanel } from '../simulator/terminal-panel.js';
import { EARLIEST_TIME, FIRMWARE_VERSION } from '../version.js';
import { type DeviceArguments, parseDeviceArguments } from './device-arguments.js';
import { testControl } from './test-mode.js';

/** After this long a stop that hangs is ended: SIGTERM promises two seconds. */
const STOP_LIMIT = 1900;

/** `hungUp`: the terminal is gone, and Node aborts when it leaves one (it cannot put it back): the signal is left to do its work. */
function end(hungUp: boolean): void {
  if (!hungUp) process.exit(0);
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** What on this command line helps. */
function hinted(error: unknown): unknown {
  const taken = error instanceof NetworkError && error.message.includes('already in use');
  return taken ? new NetworkError(`${error.message}: is the device running already? --port and --commissioning-port choose others`) : error;
}

async function run(options: DeviceArguments): Promise<void> {
  const { profile, board, interfaces, deniedInterfaces: denied } = options;
  // In this order: `process.stdin` costs a start without a terminal more than all that is asked of it here.
  const terminal = process.stdout.isTTY === true && process.stdin.isTTY === true;
  const clock = nodeClock();
  const button = new MockButton(() => clock.now());
  const simulation = simulationOf(board, { now: () => clock.now(), metersFrozen: options.freezeMeters });
  // Loaded where somebody looks: its tables cost every other start 2 ms and start the optimising compiler.
  const qr = terminal ? await import('../simulator/qr-lines.js') : undefined;
  const panel = new TerminalPanel(button, {
    write: (text) => void process.stdout.write(text),
    surroundings: simulation,
    size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
    qrLines: qr === undefined ? undefined : (content) => qr.qrLines(content, noColour(process.env)),
  });
  const write = lineWriter({ write: (text) => panel.print(text) });
  const log = nodeLog({ level: options.logLevel, format: options.logFormat, write });
  const display = new MockDisplay((shown) => {
    if (terminal) panel.draw(shown);
  });
  const relay = new MockRelayDriver((closed) => log.info('relay', { closed }));
  const lock = await lockState(options.state);
  const ipv4 = profile['discovery.ipv4'] === 'on';
  const protocolLog = options.protocolLog === undefined ? undefined : await openProtocolLog({ path: options.protocolLog, log });
  const keyLog = options.tlsKeyLog === undefined ? undefined : openKeyLog(options.tlsKeyLog, log);
  const platform: Platform = {
    clock,
    crypto: nodeCrypto(),
    log,
    listener: nodeListener({ clock, log: log.scoped('listener'), ipv4, ...(keyLog === undefined ? {} : { keyLog }) }),
    multicast: nodeMulticast({ ipv4, interfaces, denied }),
    medium: await openFileFlash({ folder: options.state }),
    portMapper: nodePortMapper({ interfaces: { allow: interfaces, deny: denied }, ipv4 }),
  };
  const about = { firmware: FIRMWARE_VERSION, board: board.name, profile: profile.name };
  const control = testControl(options.enableKey, log);
  const device = new MashDevice({
    profile,
    board,
    parts: { button, display, relay, ...(simulation === undefined ? {} : { powerStages: simulation.stages }) },
    platform: protocolLog === undefined ? platform : tapped(platform, about, protocolLog),
    identity: {
      ...(options.setupCode === undefined ? {} : { setupCode: options.setupCode }),
      ...(options.discriminator === undefined ? {} : { discriminator: options.discriminator }),
    },
    firmware: FIRMWARE_VERSION,
    earliest: EARLIEST_TIME,
    port: options.port,
    commissioningPort: options.commissioningPort,
    openWindow: options.openWindow,
    ...(control === undefined ? {} : { testControl: control }),
  });
  let restoreTerminal = (): void => {};
  let stopping = false;
  // Ctrl-C can arrive twice: from the terminal to the whole group, and forwarded by a wrapper.
  const stop = (signal?: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_LIMIT).unref();
    restoreTerminal();
    void device
      .close()
      .then(() => protocolLog?.close())
      .then(() => lock.release())
      .then(() => end(terminal && signal === 'SIGHUP'));
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  process.on('SIGUSR1', () => panel.press('short'));
  process.on('SIGUSR2', () => panel.press('long'));
  try {
    await device.start();
  } catch (error) {
    panel.close();
    await lock.release();
    throw hinted(error);
  }
  if (!terminal) return;
  const unwatch = panel.watch(device, () => clock.now());
  const restoreKeys = panel.readKeys(process.stdin, stop);
  const resized = (): void => panel.refresh();
  process.stdout.on('resize', resized);
  restoreTerminal = () => {
    process.stdout.off('resize', resized);
    unwatch();
    restoreKeys();
  };
}

const parsed = parseDeviceArguments(
  process.argv.slice(2),
  process.stdout.isTTY === true,
  (text) => void process.stdout.write(text),
  (text) => void process.stderr.write(text),
);
// `log view … | head` ends the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  // A terminal that is gone sends SIGHUP as well, which stops the device as it should.
  if (error.code === 'EIO') return;
  throw error;
});
if (parsed.kind === 'exit') process.exitCode = parsed.code;
else {
  (parsed.kind === 'command' ? parsed.run() : run(parsed.options)).catch((error: unknown) => {
    const expected = error instanceof ConfigError || error instanceof NetworkError || error instanceof StoreError;
    process.stderr.write(
      `mash-device: ${expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(error instanceof ConfigError ? 2 : 1);
  });
}
