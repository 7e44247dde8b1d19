// Names and services (section 2). Everything compared here is ASCII already; converting what a person types is not done.

import { createRequire } from 'node:module';

// tr46 4.1.1 has the tables of Unicode 15.0, those that N3 names; later releases have later tables.
const { toASCII, toUnicode } = createRequire(import.meta.url)('tr46');

const belongToNobody = new Set(['localhost', 'local', 'onion', 'internal', 'invalid', 'arpa']); // [N2]

const uts46 = {
  checkHyphens: true,
  checkBidi: true,
  checkJoiners: true,
  useSTD3ASCIIRules: true,
  verifyDNSLength: false, // counted below, in octets of the A-label
  processingOption: 'nontransitional',
};

/** [N3], for one label that begins with xn--. */
function isALabel(label) {
  const { domain, error } = toUnicode(label, uts46);
  return !error && domain !== label && toASCII(domain, uts46) === label;
}

/** [N1] [N2] [N3] */
export function isName(name) {
  if (typeof name !== 'string' || name.length > 253) return false;
  const labels = name.split('.');
  if (labels.length < 2) return false;
  for (const label of labels) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) return false;
    if (label.startsWith('xn--') && !isALabel(label)) return false;
  }
  const last = labels.at(-1);
  return !/^[0-9]+$/.test(last) && !belongToNobody.has(last);
}

/** [N4] */
export function isService(service) {
  const match = typeof service === 'string' && /^_([a-z0-9-]{1,15})\._(tcp|udp)$/.exec(service);
  if (!match) return false;
  return /[a-z]/.test(match[1]) && !/^-|-$|--/.test(match[1]);
}

export const isPort = (port) => Number.isInteger(port) && port >= 1 && port <= 65535;

/** The owner name of a statement; [N5] says how long it may be. */
export const ownerName = (role, source) => `${role}._dna.${source}`;
export const isOwnerName = (role, source) => ownerName(role, source).length <= 253;

/** The name of the records about signers, or null if it would be too long [K1b]. */
export function signerName(role, source) {
  const name = `_signer.${ownerName(role, source)}`;
  return name.length <= 253 ? name : null;
}

/** Does a dNSName of a certificate stand for this name? RFC 9525: in any case, `*` as the whole first label for one label. */
export function dnsNameMatches(presented, name, { wildcards }) {
  const dns = presented.toLowerCase();
  if (dns === name) return true;
  return wildcards && isWildcardFor(dns, name);
}

export function isWildcardFor(presented, name) {
  const dns = presented.toLowerCase();
  return dns.startsWith('*.') && name.includes('.') && dns.slice(2) === name.slice(name.indexOf('.') + 1);
}
