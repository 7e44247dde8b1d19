// Path validation by RFC 5280, Section 6 [W7] [P1].
//
// Node has no path validation that can be called for certificates at hand, and what the libraries for X.509 in JavaScript
// have knows neither the purposes of authorities nor which of several chains lasts longest. So it is done here: signatures
// by OpenSSL (X509Certificate.verify), everything around them below. Not done: revocation lists, for which nothing asks, and
// certificate policies. A certificate below the anchor that asks for policies does so in critical extensions (RFC 5280, Sections
// 4.2.1.11 and 4.2.1.14), which are not known here, so that its chain leads nowhere.

import * as der from './der.js';
import { OID, checksWith, directoryText, endOf, isAuthority, isSelfIssued, mayIssue } from './certificate.js';
import { isWildcardFor } from './names.js';

const MAX_NAME_CHECKS = 250000;

const known = new Set([
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.nameConstraints,
  OID.certificatePolicies,
  OID.policyMappings,
  OID.extKeyUsage,
]);
const ignoredInAnchors = new Set([OID.policyConstraints, OID.inhibitAnyPolicy]);

// Signatures made with MD2, MD5 or SHA-1 count nowhere [W7]: RSA with each (three, and the older name of the last), ECDSA and
// DSA with SHA-1, and RSASSA-PSS whose parameters do not name another hash first, since SHA-1 is the default there.
const brokenAlgorithms = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.3.14.3.2.29',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]);
const brokenHashes = new Set(['1.2.840.113549.2.2', '1.2.840.113549.2.5', '1.3.14.3.2.26']);
const RSASSA_PSS = '1.2.840.113549.1.1.10';

function isBroken({ oid, parameters }) {
  if (oid !== RSASSA_PSS) return brokenAlgorithms.has(oid);
  const [hash] = der.sequence(der.element(parameters));
  if (hash?.tag !== der.contextConstructed(0)) return true;
  return brokenHashes.has(der.algorithmIdentifier(der.explicit(hash, 0)).oid);
}

/**
 * How many signature checks the search below asks for by names alone [P1]; not counted much beyond the most that is allowed.
 * No certificate is twice among them.
 */
export function checksAskedFor(leaf, others, most) {
  let asked = 0;
  const search = (path) => {
    for (const next of others) {
      if (asked > most) return;
      if (path.includes(next) || !next.subject.equals(path.at(-1).issuer)) continue;
      asked += checksWith(next);
      search([...path, next]);
    }
  };
  search([leaf]);
  return asked;
}

/**
 * The end of the path from the first certificate to an anchor that lasts longest, valid for TLS servers at this time; null if there
 * is none. Only paths that are `wanted` count. What may be searched is bounded before: by W1 for a statement, by P1 for a peer.
 */
export function endOfPath(leaf, others, anchors, time, wanted = () => true) {
  let best = null;
  const budget = { names: MAX_NAME_CHECKS };
  const signed = new Map();

  function isSignedBy(child, parent) {
    const key = `${child.index}/${parent.index}`;
    if (!signed.has(key)) {
      let ok = false;
      try {
        ok = !isBroken(child.certificate.signatureAlgorithm) && child.certificate.x509.verify(parent.certificate.x509.publicKey);
      } catch {
        // parameters that cannot be read, or a key that OpenSSL cannot use
      }
      signed.set(key, ok);
    }
    return signed.get(key);
  }

  const numbered = (certificate, index) => ({ certificate, index });
  const first = numbered(leaf, 0);
  const intermediates = others.filter((certificate) => !certificate.der.equals(leaf.der)).map((c, i) => numbered(c, i + 1));
  const roots = anchors.map((certificate, i) => numbered(certificate, others.length + 1 + i));

  function complete(path) {
    const certificates = path.map(({ certificate }) => certificate);
    if (wanted(certificates) && isValid(certificates, time, budget)) best = Math.max(best ?? 0, Math.min(...certificates.map(endOf))); // [W7h]
  }

  function extend(path) {
    const last = path.at(-1);
    for (const root of roots) {
      if (root.certificate.der.equals(last.certificate.der)) complete(path); // it is an anchor itself
      else if (root.certificate.subject.equals(last.certificate.issuer) && isSignedBy(last, root)) complete([...path, root]);
    }
    for (const next of intermediates) {
      if (path.includes(next) || !next.certificate.subject.equals(last.certificate.issuer)) continue;
      if (isSignedBy(last, next)) extend([...path, next]);
    }
  }

  extend([first]);
  return best;
}

// Everything but signatures, for a path of which the last is the anchor. An anchor is held to the same as an authority below it,
// but for its version, its issuer and what it asks of policies; its key too must be one of W2.
function isValid(path, time, budget) {
  const anchor = path.at(-1);
  if (anchor.key.kind === null) return false; // [W7g]
  for (const [i, certificate] of path.entries()) {
    if (time < certificate.notBefore || time > certificate.notAfter) return false;
    if (certificate.keyUsage === 0 || !permitsServerAuth(certificate)) return false; // [W7f]: present without any bit
    if (asksForTheUnknown(certificate, certificate === anchor)) return false;
    if (i === 0) continue;
    const isOldAnchor = certificate === anchor && certificate.version < 3 && !certificate.basicConstraints;
    if (!isOldAnchor && (certificate.version !== 3 || !isAuthority(certificate))) return false;
    if (certificate.keyUsage !== null && !mayIssue(certificate)) return false;
    if (i - 1 > (certificate.basicConstraints?.pathLenConstraint ?? Infinity)) return false; // self-issued ones count
    if (certificate.nameConstraints) {
      for (const [j, subject] of path.slice(0, i).entries()) {
        if (j > 0 && isSelfIssued(subject)) continue;
        if (!satisfies(subject, certificate.nameConstraints, budget)) return false;
      }
    }
  }
  return true;
}

// Present and empty is present [W7f].
const permitsServerAuth = ({ extKeyUsage }) =>
  extKeyUsage === null || extKeyUsage.includes(OID.serverAuth) || extKeyUsage.includes(OID.anyExtendedKeyUsage);

// Does a critical extension ask for what is not done here? So do name constraints of other forms than those below [W7k].
function asksForTheUnknown({ extensions, nameConstraints }, isAnchor) {
  return [...extensions].some(([oid, { critical }]) => {
    if (!critical || (isAnchor && ignoredInAnchors.has(oid))) return false;
    if (oid !== OID.nameConstraints) return !known.has(oid);
    return [...nameConstraints.permitted, ...nameConstraints.excluded].some(({ kind }) => !matchers[kind]);
  });
}

// Name constraints (RFC 5280, Section 4.2.1.10) of one authority, for one certificate below it.
function satisfies(certificate, { permitted, excluded }, budget) {
  return constrainedNames(certificate).every((name) => {
    const ofKind = (subtrees) => subtrees.filter(({ kind }) => kind === name.kind);
    budget.names -= permitted.length + excluded.length;
    if (budget.names < 0) return false;
    const [allow, deny] = [ofKind(permitted), ofKind(excluded)];
    if (name.kind === der.GENERAL.DNS && name.text.split('.').includes('')) return false; // [W7j]
    if (!matchers[name.kind]) return true; // constraints of its form, if there are any, are not critical: see above
    // A constraint that cannot be compared refuses.
    if ([...allow, ...deny].some(({ unusable }) => unusable)) return false;
    if (deny.some((subtree) => matchers[name.kind](name, subtree, true))) return false;
    return allow.length === 0 || allow.some((subtree) => matchers[name.kind](name, subtree, false));
  });
}

// The names that constraints are about: the alternative names, and if no address is among them, addresses in the subject.
function constrainedNames(certificate) {
  const names = [...certificate.altNames];
  if (!names.some(({ kind }) => kind === der.GENERAL.EMAIL)) {
    for (const { type, value } of certificate.subjectName.flat()) {
      if (type === OID.emailAddress) names.push({ kind: der.GENERAL.EMAIL, text: directoryText(value) });
    }
  }
  return names;
}

// Each: is this name within this subtree? Of something that cannot be read, the answer is the one that refuses.
const matchers = {
  [der.GENERAL.DNS]: ({ text }, { text: base }, excluding) => {
    const [name, domain] = [text.toLowerCase(), base.toLowerCase()];
    if (isWithin(name, domain)) return true;
    // A wildcard stands for each name that it covers, so for those inside of an excluded subtree too [W7i].
    return excluding && isWildcardFor(name, domain);
  },
  [der.GENERAL.EMAIL]: ({ text }, { text: base }, excluding) => {
    const at = text.lastIndexOf('@');
    if (at < 1) return excluding;
    const [local, host, domain] = [text.slice(0, at), text.slice(at + 1).toLowerCase(), base.toLowerCase()];
    const baseAt = base.lastIndexOf('@');
    if (baseAt >= 0) return base.slice(0, baseAt) === local && domain.slice(baseAt + 1) === host;
    return domain.startsWith('.') ? isWithin(host, domain) : host === domain || domain === '';
  },
  [der.GENERAL.URI]: ({ text }, { text: base }, excluding) => {
    const host = /^[^:/?#]+:\/\/(?:[^/?#]*@)?([^/?#:[\]]+)(?::\d*)?(?:[/?#]|$)/.exec(text)?.[1].toLowerCase();
    if (!host || /^[0-9.]+$/.test(host)) return excluding; // no host, or an address: RFC 5280 wants a refusal
    const domain = base.toLowerCase();
    return domain.startsWith('.') ? isWithin(host, domain) : host === domain || domain === '';
  },
  [der.GENERAL.IP]: ({ content }, { content: base }, excluding) => {
    if (![8, 32].includes(base.length) || ![4, 16].includes(content.length)) return excluding;
    if (base.length !== 2 * content.length) return false;
    return content.every((octet, i) => (octet & base[content.length + i]) === (base[i] & base[content.length + i]));
  },
};

// Is a domain below another, or (unless that begins with a dot) the same?
function isWithin(name, domain) {
  if (domain === '') return true;
  if (domain.startsWith('.')) return name.endsWith(domain) && name.length > domain.length;
  return name === domain || name.endsWith(`.${domain}`);
}
