// Who may sign (section 6): steps 8, 9 and 12 of the algorithm.

import { OID, dnsNames, isAuthority, isSelfIssued, lastCommonName, maySign, readCertificate } from './certificate.js';
import { endOfPath } from './chain.js';
import { checkNamed } from './namedkeys.js';
import { dnsNameMatches, isWildcardFor } from './names.js';
import { Refusal } from './reasons.js';
import { timestamps } from './sct.js';

const SKEW = 5 * 60;

/** The beginning of step 8: all certificates, read. */
export const readAll = (certificates) =>
  certificates.map((octets) => {
    try {
      return readCertificate(octets);
    } catch (error) {
      throw new Refusal('malformed-certificate', error.message);
    }
  });

/** The rest of step 8: keys that are permitted, and a linear chain, the signer's first. */
export function checkLinear(certificates, sort = (chain) => chain) {
  if (certificates.some(({ key }) => key.kind === null)) throw new Refusal('unsupported-key'); // [W2]

  // [W1]
  const chain = sort(certificates);
  const subjects = new Set(chain.map(({ subject }) => subject.toString('latin1')));
  const linear = chain.every((certificate, i) => i === 0 || certificate.subject.equals(chain[i - 1].issuer));
  if (!linear || subjects.size !== chain.length) throw new Refusal('chain-not-linear');
  return chain;
}

/** The timestamps of the signer's certificate, which belong to step 8 [O1e]. */
export function readTimestamps(signer) {
  try {
    return timestamps(signer);
  } catch (error) {
    throw new Refusal('malformed-certificate', error.message);
  }
}

/** Step 9: the signer's certificate, for a source, at a time; `named` are the keys that may sign, if there are any. Gives its issuance [O1], in milliseconds. */
export function checkSigner(signer, scts, { source, issued }, time, named) {
  const need = (condition, reason) => {
    if (!condition) throw new Refusal(reason);
  };
  need(signer.version === 3, 'signer-version'); // [W3]
  need(!isAuthority(signer), 'signer-is-ca');

  if (named) checkNamed(signer, named, time);
  else checkName(signer, source);

  // [W5]
  need(signer.keyUsage === null || maySign(signer), 'signer-key-usage');
  need(signer.extKeyUsage === null || signer.extKeyUsage.includes(OID.serverAuth), 'signer-ext-key-usage');

  // [W6]; a notAfter is included. Timestamps are compared before they become Numbers, which cannot hold all of them.
  const soon = BigInt(time + SKEW) * 1000n;
  need(signer.notBefore <= time + SKEW && scts.every((timestamp) => timestamp <= soon), 'signer-not-yet-valid');
  need(time <= signer.notAfter, 'signer-expired');
  const issuance = issuanceOf(signer, scts, issued);
  need(issued * 1000 >= issuance - SKEW * 1000, 'issued-before-signer');
  return issuance;
}

// [W4]
function checkName(signer, source) {
  const names = dnsNames(signer);
  if (names.some((name) => dnsNameMatches(name, source, { wildcards: false }))) return;
  if (names.some((name) => isWildcardFor(name, source))) throw new Refusal('signer-wildcard');
  if (names.length === 0 && lastCommonName(signer)?.toLowerCase() === source) throw new Refusal('signer-cn-only');
  throw new Refusal('signer-name-mismatch');
}

/** [O1b] [O1f], in milliseconds. */
function issuanceOf(signer, scts, issued) {
  if (isSelfIssued(signer)) return issued * 1000;
  return scts.length > 0 ? Math.max(...scts.map(Number)) : signer.notBefore * 1000;
}

/** Step 12 [W7]: the end of the path that was verified. */
export function checkChain([signer, ...others], roots, time) {
  if (isSelfIssued(signer)) throw new Refusal('untrusted-signer'); // [W7l]
  const usable = others.filter((certificate) => !isSelfIssued(certificate)); // [W7e]
  const end = endOfPath(signer, usable, roots, Math.max(time, signer.notBefore)); // [W7c]
  if (end === null) throw new Refusal('untrusted-signer');
  if (roots.some((root) => root.der.equals(signer.der))) throw new Refusal('signer-is-ca'); // [W3]
  return end;
}
