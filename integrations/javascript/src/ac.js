// The attribute certificate encoding (section 5).

import { constants, verify } from 'node:crypto';
import * as der from './der.js';
import { sha256 } from './certificate.js';
import { readMessage } from './cms.js';
import { Refusal } from './reasons.js';
import { checkStatement } from './statement.js';

const OID = {
  delegation: '2.25.123451849705716964283098282175778140751',
  noRevAvail: '2.5.29.56',
  authorityKeyIdentifier: '2.5.29.35',
  cRLDistributionPoints: '2.5.29.31',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
};

// The five signatures of section 5.4 by their identifier and parameters in DER.
const NULL = '0500';
const EITHER = [NULL, ''];
const pss = (ofHash, ofMask) => {
  const wrap = (tag, hex) => `${tag}${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`;
  const sha256 = (parameters) => wrap('30', `0609608648016503040201${parameters}`);
  const mgf1 = wrap('30', `06092a864886f70d010108${sha256(ofMask)}`);
  return wrap('30', wrap('a0', sha256(ofHash)) + wrap('a1', mgf1) + wrap('a2', '020120'));
};
const pssParameters = EITHER.flatMap((ofHash) => EITHER.map((ofMask) => pss(ofHash, ofMask)));
const pssOptions = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const algorithms = [
  { oid: '1.2.840.10045.4.3.2', parameters: [''], key: 'P-256', hash: 'sha256' },
  { oid: '1.2.840.10045.4.3.3', parameters: [''], key: 'P-384', hash: 'sha384' },
  { oid: '1.2.840.113549.1.1.11', parameters: [NULL], key: 'RSA', hash: 'sha256' },
  { oid: '1.2.840.113549.1.1.10', parameters: pssParameters, key: 'RSA', hash: 'sha256', options: pssOptions },
  { oid: '1.3.101.112', parameters: [''], key: 'Ed25519', hash: null },
];

// Runs a part of the reading; what is wrong with the DER there has this reason.
function within(reason, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof der.DerError) throw new Refusal(reason, error.message);
    throw error;
  }
}

const need = (condition, reason, what) => {
  if (!condition) throw new Refusal(reason, what);
};

/** Steps 3 and 4 of the algorithm, for these octets. */
export function readAc(octets) {
  const { attributeCertificate, certificates } = readMessage(octets);

  // The pass over all fields [A3] [A4], then the algorithm (5.4), the extensions [A5], the attribute [A6].
  const fields = readFields(attributeCertificate);
  const algorithm = algorithms.find(
    ({ oid, parameters }) => oid === fields.algorithm.oid && parameters.includes(fields.algorithm.parameters.toString('hex')),
  );
  need(algorithm, 'unsupported-algorithm');
  const extensions = [...fields.extensions.values()];
  need(!extensions.some(({ critical }) => critical), 'critical-extension');
  need(fields.extensions.has(OID.noRevAvail), 'bad-revocation', 'no noRevAvail');
  need(!fields.extensions.has(OID.cRLDistributionPoints), 'bad-revocation', 'cRLDistributionPoints');
  need(!fields.extensions.has(OID.authorityInfoAccess), 'bad-revocation', 'authorityInfoAccess');
  const delegation = readDelegation(fields.attributes);
  need(fields.serialNumber.toString(2).length <= 127, 'bad-serial', 'above 127 bits');

  const statement = {
    source: delegation.source,
    service: delegation.service,
    targets: delegation.targets,
    issued: fields.notBefore,
    expires: fields.notAfter + 1, // notAfterTime is inclusive [A4]
  };
  checkStatement(statement);

  // The holder, then the signer.
  const { source, targets } = statement;
  const hosts = targets.length > 0 ? [...new Set(targets.map(({ host }) => host))] : [source];
  need(fields.holder && fields.holder.length === hosts.length, 'holder-mismatch');
  need(fields.holder.every(({ kind, text }, i) => kind === der.GENERAL.DNS && text === hosts[i]), 'holder-mismatch');
  need(certificates.length <= 5, 'malformed-certificate', 'more than 5');
  const signerAt = certificates.findIndex((certificate) => sha256(certificate).equals(delegation.signerHash)); // [A7]
  need(signerAt >= 0, 'signer-hash-mismatch');

  return {
    statement,
    certificates: [certificates[signerAt], ...certificates.filter((_, i) => i !== signerAt)],
    sort: followIssuers,
    checkAlgorithm: (signer) => algorithm.key === signer.key.kind, // [A8]
    checkIssuer: (signer) => fields.issuer.equals(signer.subject),
    checkSignature: async (signer) =>
      verify(algorithm.hash, fields.signed, { key: signer.key.object, ...algorithm.options }, fields.signature),
  };
}

// [A9]: the other certificates in any order, sorted by following the names of issuers. Those that are not reached stay at
// the end, where W1 refuses them.
function followIssuers([signer, ...others]) {
  const sorted = [signer];
  for (;;) {
    const next = others.findIndex((certificate) => certificate.subject.equals(sorted.at(-1).issuer));
    if (next < 0) return [...sorted, ...others];
    sorted.push(...others.splice(next, 1));
  }
}

// AttributeCertificate ::= SEQUENCE { acinfo, signatureAlgorithm, signatureValue BIT STRING }
// acinfo ::= SEQUENCE { version, holder, issuer, signature, serialNumber, validity, attributes,
//   issuerUniqueID BIT STRING OPTIONAL, extensions OPTIONAL }
// Field by field, the two algorithms compared after the last, and last of all that issuerUniqueID is absent.
function readFields(octets) {
  return within('malformed-ac', () => {
    const [info, outerAlgorithm, signatureValue, ...after] = der.sequence(der.element(octets));
    need(signatureValue && after.length === 0, 'malformed-ac', 'not the three parts');
    const [version, holder, issuer, inner, serial, validity, attributes, ...rest] = der.sequence(info);
    need(attributes, 'malformed-ac', 'fields are missing');

    need(der.integer(version) === 1n, 'malformed-ac', 'version');
    const fields = {
      signed: info.raw,
      holder: readHolder(holder),
      issuer: readIssuer(issuer),
      algorithm: der.algorithmIdentifier(inner),
      serialNumber: der.integer(serial),
    };
    need(fields.serialNumber > 0n && serial.content.length <= 20, 'bad-serial');

    const [notBefore, notAfter, ...more] = der.sequence(validity);
    need(notAfter && more.length === 0, 'malformed-ac', 'not two times');
    fields.notBefore = readTime(notBefore);
    fields.notAfter = readTime(notAfter);
    fields.attributes = readAttributes(attributes);

    const uniqueId = rest[0]?.tag === der.TAG.BIT_STRING ? rest.shift() : undefined;
    if (uniqueId) der.bitString(uniqueId);
    fields.extensions = rest.length > 0 ? readExtensions(rest.shift()) : new Map();
    need(rest.length === 0, 'malformed-ac', 'more than the fields');

    const { unused, octets: signature } = der.bitString(signatureValue);
    need(unused === 0, 'malformed-ac', 'a signature that is not of whole octets');
    fields.signature = signature;
    need(inner.raw.equals(outerAlgorithm.raw), 'inner-outer-mismatch');
    need(!uniqueId, 'malformed-ac', 'issuerUniqueID');
    return fields;
  });
}

// Holder ::= SEQUENCE { baseCertificateID [0], entityName [1], objectDigestInfo [2] }, all optional, but not all absent. The
// names of the entity, or null if it is anything else that is well formed: that is a holder-mismatch, later.
function readHolder(node) {
  const fields = der.sequence(node);
  need(fields.length > 0, 'malformed-ac', 'an empty holder');
  const optional = (n) => (fields[0]?.tag === der.contextConstructed(n) ? fields.shift() : undefined);
  const [base, entity, digest] = [optional(0), optional(1), optional(2)];
  need(fields.length === 0, 'malformed-ac', 'holder');
  if (base) checkIssuerSerial(base, 0);
  const names = entity ? der.generalNames(entity, entity.tag) : null;
  if (digest) checkObjectDigestInfo(digest, 2);
  return base || digest ? null : names;
}

// AttCertIssuer ::= CHOICE { v1Form GeneralNames, v2Form [0] SEQUENCE { issuerName GeneralNames OPTIONAL,
//   baseCertificateID [0] OPTIONAL, objectDigestInfo [1] OPTIONAL } }. The one directoryName, in DER.
function readIssuer(node) {
  if (node.tag === der.TAG.SEQUENCE) {
    der.generalNames(node);
    throw new Refusal('issuer-form', 'v1Form');
  }
  const fields = der.sequence(node, der.contextConstructed(0));
  const optional = (tag) => (fields[0]?.tag === tag ? fields.shift() : undefined);
  const issuerName = optional(der.TAG.SEQUENCE);
  const names = issuerName ? der.generalNames(issuerName) : [];
  const [base, digest] = [optional(der.contextConstructed(0)), optional(der.contextConstructed(1))];
  need(fields.length === 0, 'malformed-ac', 'issuer');
  if (base) checkIssuerSerial(base, 0);
  if (digest) checkObjectDigestInfo(digest, 1);
  need(!base && !digest && names.length === 1 && names[0].kind === der.GENERAL.DIRECTORY, 'issuer-form');
  return names[0].raw;
}

function checkIssuerSerial(node, n) {
  const [issuer, serial, uniqueId, ...rest] = der.sequence(node, der.contextConstructed(n));
  need(serial && rest.length === 0, 'malformed-ac', 'baseCertificateID');
  der.generalNames(issuer);
  der.integer(serial);
  if (uniqueId) der.bitString(uniqueId);
}

function checkObjectDigestInfo(node, n) {
  const fields = der.sequence(node, der.contextConstructed(n));
  need(fields.length >= 3, 'malformed-ac', 'objectDigestInfo');
  der.integerOctets(fields.shift(), der.TAG.ENUMERATED);
  if (fields[0].tag === der.TAG.OID) der.oid(fields.shift());
  need(fields.length === 2, 'malformed-ac', 'objectDigestInfo');
  der.algorithmIdentifier(fields[0]);
  der.bitString(fields[1]);
}

// GeneralizedTime in UTC, 15 octets ending in Z, of the years 1950 to 9999.
function readTime(node) {
  const text = node.content.toString('latin1');
  const match = node.tag === der.TAG.GENERALIZED_TIME && /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  need(match, 'bad-ac-time');
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const again = time.toISOString().replace(/\.000|[-:T]/g, '');
  need(year >= 1950 && again === text, 'bad-ac-time');
  return time.getTime() / 1000;
}

// SEQUENCE OF SEQUENCE { type, values SET OF }. A list of { type, values }.
function readAttributes(node) {
  const list = der.sequence(node);
  need(list.length >= 1 && list.length <= 64, 'malformed-ac', 'attributes');
  const types = new Set();
  return list.map((attribute) => {
    const [id, values, ...rest] = der.sequence(attribute);
    need(values && rest.length === 0, 'malformed-ac', 'an attribute');
    const type = der.oid(id);
    const all = der.setOf(values);
    need(all.length >= 1 && all.length <= 1024, 'malformed-ac', 'the values of an attribute');
    need(!types.has(type), 'duplicate-attribute', type);
    types.add(type);
    return { type, values: all };
  });
}

// SEQUENCE OF SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }.
function readExtensions(node) {
  const list = der.sequence(node);
  need(list.length >= 1 && list.length <= 64, 'malformed-ac', 'extensions');
  const extensions = new Map();
  for (const extension of list) {
    const fields = der.sequence(extension);
    need(fields.length === 2 || fields.length === 3, 'malformed-ac', 'an extension');
    const id = der.oid(fields[0]);
    const critical = fields.length === 3;
    if (critical) need(der.boolean(fields[1]), 'malformed-ac', 'a default value that is encoded');
    const value = der.octetString(fields.at(-1));
    need(!extensions.has(id), 'duplicate-extension', id);
    extensions.set(id, { critical, value });

    if (id === OID.noRevAvail) need(!critical && der.isNull(der.element(value)), 'malformed-ac', 'noRevAvail');
    if (id === OID.authorityKeyIdentifier) {
      need(!critical, 'malformed-ac', 'a critical authorityKeyIdentifier');
      checkKeyIdentifier(der.element(value));
    }
  }
  return extensions;
}

// SEQUENCE { keyIdentifier [0] OCTET STRING, authorityCertIssuer [1] GeneralNames, authorityCertSerialNumber [2] INTEGER }, all
// optional.
function checkKeyIdentifier(node) {
  const fields = der.sequence(node);
  const optional = (tag) => (fields[0]?.tag === tag ? fields.shift() : undefined);
  optional(der.context(0));
  const names = optional(der.contextConstructed(1));
  if (names) der.generalNames(names, names.tag);
  const serial = optional(der.context(2));
  if (serial) der.integerOctets(serial, serial.tag);
  need(fields.length === 0, 'malformed-ac', 'authorityKeyIdentifier');
}

// The one attribute (section 5.3) [A6].
function readDelegation(attributes) {
  return within('malformed-attribute', () => {
    const malformed = 'malformed-attribute';
    need(attributes.length === 1 && attributes[0].type === OID.delegation, malformed, 'not the one attribute');
    need(attributes[0].values.length === 1, malformed, 'not one value');
    const [version, ...fields] = der.sequence(attributes[0].values[0]);
    need(version, malformed, 'nothing in it');
    need(der.integer(version) === 1n, 'attribute-version');
    need(fields.length === 4, malformed, 'fields');
    const [source, service, targets, signerHash] = fields;
    const delegation = {
      source: der.ia5(source),
      service: der.ia5(service),
      targets: der.sequence(targets).map(readTarget),
      signerHash: der.octetString(signerHash),
    };
    need(delegation.signerHash.length === 32, malformed, 'signerHash');
    return delegation;
  });
}

const DIRECT_TLS = Buffer.from('8100', 'hex'); // [1] IMPLICIT NULL

function readTarget(node) {
  const [host, port, priority, weight, ...rest] = der.sequence(node);
  const spki = rest[0]?.tag === der.contextConstructed(0) ? rest.shift() : undefined;
  const directTls = rest.shift();
  need(weight && rest.length === 0, 'malformed-attribute', 'the fields of a target');
  need(!directTls || directTls.raw.equals(DIRECT_TLS), 'malformed-attribute', 'directTLS'); // [A6b]
  const number = (field) => {
    const content = der.integerOctets(field);
    need(content.length <= 8, 'malformed-attribute', 'a number of more than 8 octets');
    return Number(der.integer(field));
  };
  const target = {
    host: der.ia5(host),
    port: number(port),
    priority: number(priority),
    weight: number(weight),
    direct: directTls !== undefined,
  };
  if (spki) {
    target.spki = der.sequence(spki, spki.tag).map((pin) => {
      const octets = der.octetString(pin);
      need(octets.length === 32, 'malformed-attribute', 'a pin of another size');
      return octets.toString('hex');
    });
  }
  return target;
}
