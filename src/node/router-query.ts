import { NetworkError } from '../errors.js';

export const WAN_CONNECTION = 'urn:schemas-upnp-org:service:WANIPConnection:2';
export const FIREWALL = 'urn:schemas-upnp-org:service:WANIPv6FirewallControl:1';
/** A description or an answer longer than this is none. */
const ANSWER_MAXIMUM = 65_536;

/** The router said no. */
export class RouterFault extends NetworkError {
  /** UPnP's error code. */
  readonly code: number;
  constructor(action: string, code: number) {
    super(`the router answers ${action} with error ${code}`);
    this.code = code;
  }
}

/** Values of an answer by name. */
export type Answer = (name: string) => string | undefined;

/** Asks a router what is really open: what the mapping library reports is not evidence. */
export class RouterQuery {
  readonly #controls: ReadonlyMap<string, URL>;

  private constructor(controls: ReadonlyMap<string, URL>) {
    this.#controls = controls;
  }

  /** Reads the router's description. Rejects with NetworkError. */
  static async read(location: URL, signal: AbortSignal): Promise<RouterQuery> {
    const text = await bounded(location, { signal });
    const controls = new Map<string, URL>();
    for (const [, service = ''] of text.matchAll(/<service>(.*?)<\/service>/gs)) {
      const control = urlOf(textOf(service, 'controlURL'), location.href);
      // A router that sends the device to another host is none.
      if (control?.host === location.host) controls.set(textOf(service, 'serviceType') ?? '', control);
    }
    return new RouterQuery(controls);
  }

  has(service: string): boolean {
    return this.#controls.has(service);
  }

  /** Rejects with RouterFault or another NetworkError. */
  async ask(service: string, action: string, values: Readonly<Record<string, string | number>>, signal: AbortSignal): Promise<Answer> {
    const control = this.#controls.get(service);
    if (control === undefined) throw new NetworkError(`the router has no ${service}`);
    const body = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`);
    const envelope = [
      '<?xml version="1.0"?>',
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
      `<u:${action} xmlns:u="${service}">${body.join('')}</u:${action}></s:Body></s:Envelope>`,
    ];
    const headers = { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${service}#${action}"` };
    const text = await bounded(control, { method: 'POST', headers, body: envelope.join(''), signal });
    const fault = textOf(text, 'errorCode');
    if (fault !== undefined) throw new RouterFault(action, Number(fault));
    if (!text.includes(`${action}Response`)) throw new NetworkError(`the router gives no answer to ${action}`);
    return (name) => textOf(text, name);
  }
}

export function urlOf(text: string | undefined, base?: string): URL | undefined {
  return text !== undefined && URL.canParse(text, base) ? new URL(text, base) : undefined;
}

function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1]?.trim();
}

/** A fault comes with status 500 and is text too. */
async function bounded(url: URL, init: RequestInit): Promise<string> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error' });
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      parts.push(part);
      length += part.length;
      if (length > ANSWER_MAXIMUM) throw new Error('its answer is too long');
    }
    return Buffer.concat(parts).toString('utf8');
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new NetworkError(`the router cannot be asked: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
