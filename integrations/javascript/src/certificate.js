// Reading certificates. OpenSSL (by node:crypto) decides what can be read [W1], @peculiar/asn1-x509 gives the fields,
// and our own reader of DER gives what must be compared octet for octet: names, key, and the outermost SEQUENCE.

import { X509Certificate, createHash, createPublicKey } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { BasicConstraints, Certificate, ExtendedKeyUsage, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509';
import * as der from './der.js';

export const sha256 = (octets) => createHash('sha256').update(octets).digest();

export const OID = {
  commonName: '2.5.4.3',
  emailAddress: '1.2.840.113549.1.9.1',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  policyConstraints: '2.5.29.36',
  extKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  sctList: '1.3.6.1.4.1.11129.2.4.2',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
};

const seconds = (time) => Math.floor(time.getTime().getTime() / 1000);

/** A certificate as the rest of this program wants it. Throws an Error if it cannot be read. */
export function readCertificate(octets) {
  // Nothing after it, nor after the signature within its SEQUENCE [W1].
  const outer = der.sequence(der.element(octets));
  if (outer.length !== 3) throw new Error('not the three parts of a certificate');
  der.bitString(outer[2]);

  const x509 = new X509Certificate(octets);
  const { tbsCertificate: tbs } = AsnConvert.parse(octets, Certificate);

  // The fields before subjectPublicKeyInfo: [0] version, serialNumber, signature, issuer, validity, subject.
  const fields = der.sequence(outer[0]);
  if (fields[0].tag === der.contextConstructed(0)) fields.shift();
  const [, inner, issuer, , subject, spki] = fields;
  if (!inner.raw.equals(outer[1].raw)) throw new Error('two signature algorithms');

  const extensions = new Map();
  for (const { extnID, critical, extnValue } of tbs.extensions ?? []) {
    if (extensions.has(extnID)) throw new Error('an extension twice');
    extensions.set(extnID, { critical, value: Buffer.from(extnValue.buffer ?? extnValue) });
  }
  const read = (oid, how) => (extensions.has(oid) ? how(extensions.get(oid).value) : null);
  const schema = (type) => (value) => AsnConvert.parse(value, type);

  const certificate = {
    der: octets,
    x509,
    version: tbs.version + 1,
    issuer: issuer.raw,
    subject: subject.raw,
    subjectName: der.name(subject),
    spki: spki.raw,
    notBefore: seconds(tbs.validity.notBefore),
    notAfter: seconds(tbs.validity.notAfter),
    signatureAlgorithm: der.algorithmIdentifier(outer[1]),
    extensions,
    basicConstraints: read(OID.basicConstraints, schema(BasicConstraints)), // cA, pathLenConstraint
    keyUsage: read(OID.keyUsage, (value) => AsnConvert.parse(value, KeyUsage).toNumber() || 0), // NaN where there are no bits
    extKeyUsage: read(OID.extKeyUsage, schema(ExtendedKeyUsage)), // may be empty, which is not the same as null [W5]
    altNames: read(OID.subjectAltName, (value) => der.generalNames(der.element(value))) ?? [],
    nameConstraints: read(OID.nameConstraints, readNameConstraints),
  };
  if (Number.isNaN(certificate.notBefore) || Number.isNaN(certificate.notAfter)) throw new Error('no time');
  certificate.key = readKey(spki);
  return certificate;
}

export const isSelfIssued = (certificate) => certificate.subject.equals(certificate.issuer);
export const isAuthority = (certificate) => certificate.basicConstraints?.cA === true;
export const dnsNames = (certificate) =>
  certificate.altNames.filter((name) => name.kind === der.GENERAL.DNS).map((name) => name.text);
export const maySign = (certificate) => (certificate.keyUsage & KeyUsageFlags.digitalSignature) !== 0;
export const mayIssue = (certificate) => (certificate.keyUsage & KeyUsageFlags.keyCertSign) !== 0;

/** How many signature checks it counts as to use the key of this certificate [V3]. */
export const checksWith = ({ key }) => (key.kind === 'P-521' || key.exponent > 65537n ? 2 : 1);

const END_OF_9999 = 253402300799; // stands for no end (RFC 5280, Section 4.1.2.5), and is the last that RFC 3339 can write

/** The second after the last one of a certificate: its notAfter is included [W7] [V8]. */
export const endOf = (certificate) => Math.min(certificate.notAfter + 1, END_OF_9999);

/** The text of a string type of a directory, as well as it can be told. */
export function directoryText({ tag, content }) {
  if (tag === 0x1e && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le'); // BMPString
  return content.toString(tag === 0x0c ? 'utf8' : 'latin1');
}

/** The last common name of the subject, or undefined. */
export const lastCommonName = (certificate) =>
  certificate.subjectName
    .flat()
    .filter(({ type }) => type === OID.commonName)
    .map(({ value }) => directoryText(value))
    .at(-1);

// NameConstraints ::= SEQUENCE { permittedSubtrees [0], excludedSubtrees [1] }, each a list of
// SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }; RFC 5280 permits neither of the last two.
function readNameConstraints(value) {
  const constraints = { permitted: [], excluded: [] };
  for (const part of der.sequence(der.element(value))) {
    const into = { [der.contextConstructed(0)]: constraints.permitted, [der.contextConstructed(1)]: constraints.excluded }[part.tag];
    if (!into) throw new Error('not a part of name constraints');
    for (const subtree of der.sequence(part, part.tag)) {
      const [base, ...rest] = der.sequence(subtree);
      into.push({ ...der.generalName(base), unusable: rest.length > 0 });
    }
  }
  return constraints;
}

const curves = new Map([
  ['1.2.840.10045.3.1.7', { kind: 'P-256', size: 32 }],
  ['1.3.132.0.34', { kind: 'P-384', size: 48 }],
  ['1.3.132.0.35', { kind: 'P-521', size: 66 }],
]);

// The key of [W2]: { kind, object }, and of RSA `exponent`. `kind` is null for one that W2 does not permit; that is a refusal only later.
function readKey(spki) {
  const unsupported = { kind: null };
  const [identifier, bits] = der.sequence(spki);
  const { octets } = der.bitString(bits);
  const { oid, parameters } = der.algorithmIdentifier(identifier);
  const object = () => createPublicKey({ key: spki.raw, format: 'der', type: 'spki' });
  switch (oid) {
    case '1.2.840.113549.1.1.1': {
      const [modulus, exponent] = der.sequence(der.element(octets));
      const size = der.integer(modulus).toString(2).length;
      const isNull = parameters.equals(Buffer.from([der.TAG.NULL, 0]));
      if (!isNull || size < 2048 || size > 4096) return unsupported;
      return { kind: 'RSA', exponent: der.integer(exponent), object: object() };
    }
    case '1.2.840.10045.2.1': {
      const named = parameters.length > 0 && parameters[0] === der.TAG.OID;
      const curve = named ? curves.get(der.oid(der.element(parameters))) : undefined;
      if (!curve || octets[0] !== 4 || octets.length !== 1 + 2 * curve.size) return unsupported;
      return { kind: curve.kind, object: object() };
    }
    case '1.3.101.112':
      return parameters.length === 0 && octets.length === 32 ? { kind: 'Ed25519', object: object() } : unsupported;
    default:
      return unsupported;
  }
}
