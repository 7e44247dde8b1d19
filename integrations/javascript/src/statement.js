// The statement itself (section 3), whatever it was encoded as:
// { source, service, targets: [{ host, port, priority, weight, direct, spki? }], issued, expires }, pins in hexadecimal, times in
// seconds. `direct`: TLS begins with the first byte.

import { fromBase64url } from './base64.js';
import { sha256 } from './certificate.js';
import { hasMembers, parseJson } from './json.js';
import { isName, isOwnerName, isPort, isService } from './names.js';
import { Refusal } from './reasons.js';

const MAX_TARGETS = 16;
const MAX_PINS = 4;
const END_OF_9999 = 253402300799;

/** The claims of a JWS: step 4 as far as `malformed-claims` [S1] [S3] [S5] [S6] [J7]. */
export function readClaims(payload) {
  const malformed = (what) => {
    throw new Refusal('malformed-claims', what);
  };
  const need = (condition, what) => condition || malformed(what);
  const octets = (text, length) => {
    const value = typeof text === 'string' ? fromBase64url(text) : null;
    return value?.length === length ? value : malformed('octets in base64url');
  };

  let claims;
  try {
    claims = parseJson(payload);
  } catch (error) {
    malformed(error.message);
  }
  need(hasMembers(claims, ['iss', 'service', 'targets', 'iat', 'exp', 'jti']), 'not the six claims');
  need(typeof claims.get('iss') === 'string' && typeof claims.get('service') === 'string', 'iss or service');
  need(Number.isInteger(claims.get('iat')) && Number.isInteger(claims.get('exp')), 'iat or exp');
  const id = octets(claims.get('jti'), 16);
  need(id[0] < 0x80 && id.some((octet) => octet !== 0), 'jti');
  need(Array.isArray(claims.get('targets')), 'targets');

  const targets = claims.get('targets').map((target) => {
    need(hasMembers(target, ['host', 'port', 'priority', 'weight'], ['tls', 'spki']), 'the members of a target');
    need(typeof target.get('host') === 'string', 'host');
    need(!target.has('tls') || target.get('tls') === 'direct', 'tls');
    const read = { host: target.get('host'), direct: target.has('tls') };
    for (const name of ['port', 'priority', 'weight']) {
      need(Number.isInteger(target.get(name)), name);
      read[name] = target.get(name);
    }
    if (target.has('spki')) {
      need(Array.isArray(target.get('spki')), 'spki');
      read.spki = target.get('spki').map((pin) => octets(pin, 32).toString('hex'));
    }
    return read;
  });
  return {
    source: claims.get('iss'),
    service: claims.get('service'),
    targets,
    issued: claims.get('iat'),
    expires: claims.get('exp'),
  };
}

/** The rest of step 4, for both encodings: names, then S2 and the numbers of S3, then S4. */
export function checkStatement({ source, service, targets, issued, expires }) {
  const need = (condition, reason, what) => {
    if (!condition) throw new Refusal(reason, what);
  };
  need(isName(source), 'bad-name', 'source');
  need(isService(service), 'bad-name', 'service');
  need(isOwnerName(service, source), 'bad-name', 'the owner name');
  for (const { host } of targets) need(isName(host), 'bad-name', 'host');

  const in16Bits = (number) => number >= 0 && number <= 65535;
  need(targets.length <= MAX_TARGETS, 'bad-targets', 'too many');
  for (const { port, priority, weight, spki } of targets) {
    need(isPort(port) && in16Bits(priority) && in16Bits(weight), 'bad-targets', 'a number');
    need(spki === undefined || (spki.length >= 1 && spki.length <= MAX_PINS), 'bad-targets', 'pins');
  }
  need(new Set(targets.map(endpoint)).size === targets.length, 'bad-targets', 'an endpoint twice');

  need(issued >= 0 && expires > issued && expires <= END_OF_9999, 'bad-lifetime');
}

export const endpoint = ({ host, port }) => `${host}:${port}`;

/** By host as octets, then by port as a number. */
export const byEndpoint = (a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port);

/** The digest of targets (section 3). */
export function digestTargets(targets) {
  const lines = [...targets].sort(byEndpoint).map(({ host, port, priority, weight, direct, spki = [] }) => {
    const tls = direct ? ['direct'] : [];
    return `${[host, port, priority, weight, ...tls, ...[...spki].sort()].join(' ')}\n`;
  });
  return sha256(lines.join('')).toString('hex');
}

export const NO_TARGETS = digestTargets([]);
