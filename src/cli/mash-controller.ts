#!/usr/bin/env node
import { nodeTransport } from '../controller/tls-client.js';
import { nodeClock } from '../node/clock.js';
import { nodeCrypto } from '../node/crypto.js';
import { nodeListener } from '../node/listener.js';
import { nodeMulticast } from '../node/multicast.js';
import type { Machine } from './controller-context.js';
import { main } from './controller-main.js';
import { checkInterfaces } from './controller-options.js';

function thisMachine(): Machine {
  const clock = nodeClock();
  return {
    clock,
    crypto: nodeCrypto(),
    transport: nodeTransport(clock),
    multicast: ({ interfaces, ipv4 }) => {
      checkInterfaces(interfaces);
      return nodeMulticast({ ipv4, interfaces: interfaces.allow, denied: interfaces.deny });
    },
    listener: ({ ipv4, log }) => nodeListener({ clock, log, ipv4 }),
  };
}

/** Stops what goes on until Ctrl-C; a command that ends by itself has none. */
let interrupt = (): void => {};

/** The terminal is gone. Node aborts when it leaves one (it cannot put it back): SIGHUP is left to end the process. */
let hungUp = false;

// `subscribe --follow | head` ends the pipe: nobody reads on, so what would go on ends, and what has begun is finished.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    hungUp ||= error.code === 'EIO';
    interrupt();
  });

// Not awaited: in the bundle, what is loaded lazily stands behind this line.
void main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  machine: thisMachine,
  onInterrupt: (stop) => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const release = (): void => {
      interrupt = () => {};
      for (const signal of signals) process.off(signal, first);
    };
    // A second one ends the process.
    const first = (signal?: NodeJS.Signals): void => {
      hungUp ||= signal === 'SIGHUP' && process.stdout.isTTY === true;
      release();
      stop();
    };
    for (const signal of signals) process.on(signal, first);
    interrupt = first;
    return release;
  },
}).then((code) => {
  process.exitCode = code;
  if (hungUp) process.kill(process.pid, 'SIGHUP');
});
